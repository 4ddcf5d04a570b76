/**
 * The development identity provider with its cast, and an exchange that talks to it: what the tests of
 * the exchange share.
 *
 * @module
 */
import { createExchange, type Exchange, type Grant } from '../../src/exchange/exchange.ts';
import type { IssuerConfig } from '../../src/exchange/issuer-config.ts';
import { profileOf } from '../../src/exchange/issuer-profile.ts';
import { createIssuerKeys } from '../../src/token/issuer-keys.ts';
import { createSessionVerifier, type Session } from '../../src/token/session.ts';
import { startWorld, type LoginAs, type World, type WorldOptions } from '../dev/world.ts';

export { MAIL, READ_42, RECORDS } from '../dev/world.ts';

/** What was sent to the token endpoint. */
export interface SentForm {
  readonly form: URLSearchParams;
}

export interface ExchangeWorld extends AsyncDisposable {
  readonly world: World;
  readonly exchange: Exchange;
  /** Every request to the token endpoint, also those that failed. */
  readonly sent: readonly SentForm[];
  /** How many of them were token exchanges. */
  exchanges(): number;
  /** Logs somebody in through the real pages and opens the session. */
  session(person: string, as?: LoginAs): Promise<Session>;
  /** Opens a session from a token, as each request that carries it does. */
  open(token: string): Promise<Session>;
  /** Another exchange at the same provider. */
  another(more?: Partial<IssuerConfig>, clock?: () => Date): Exchange;
  /** What `issuer` would be in `createCrumb`. */
  readonly config: IssuerConfig;
}

/** The scope of every test that reads one record. */
export const READ = {
  resource: 'https://records.example',
  action: 'read_record',
  scope: 'read_record',
};

export async function startExchangeWorld(
  options: WorldOptions & { readonly issuer?: Partial<IssuerConfig> } = {},
): Promise<ExchangeWorld> {
  const { issuer: more = {}, ...rest } = options;
  const world = await startWorld(rest);
  const sent: SentForm[] = [];
  const spying: typeof globalThis.fetch = async (input, init) => {
    if (init?.body instanceof URLSearchParams) {
      sent.push({ form: new URLSearchParams(init.body) });
    }
    return fetch(input, init);
  };
  const config: IssuerConfig = {
    url: world.issuer,
    profile: 'dev',
    audience: world.audience,
    client: { id: world.client.id, key: world.keys.planner.key },
    agents: Object.fromEntries(
      Object.entries(world.keys).map(([name, { key }]) => [name, { key }]),
    ),
    fetch: spying,
    ...more,
  };
  const keys = createIssuerKeys({ url: world.issuer, cooldownSeconds: 0 });
  const { tokenTyp: typ, algs } = profileOf('dev');
  const sessions = createSessionVerifier({
    keys,
    audience: world.audience,
    client: world.client.id,
    typ,
    algs,
    scoped: [],
  });
  return {
    world,
    exchange: createExchange({ issuer: config, keys }),
    sent,
    exchanges: () => sent.filter(({ form }) => form.has('subject_token')).length,
    session: async (person, as) => sessions.open((await world.loginAs(person, as)).accessToken),
    open: async (token) => sessions.open(token),
    another: (changes = {}, clock = () => new Date()) =>
      createExchange({ issuer: { ...config, ...changes }, keys, clock }),
    config,
    [Symbol.asyncDispose]: () => world.close(),
  };
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('it resolved');
    },
    (error: unknown) => error,
  );
}

/** Client ids of the chain, from the agent that the human directed. */
export function namesOf({ chain }: Pick<Grant, 'chain'>): readonly string[] {
  return chain.map(({ sub }) => sub);
}
