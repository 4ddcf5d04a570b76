/**
 * A development identity provider with a standard cast, for every test that needs a real login and
 * a real exchange.
 *
 * @module
 */
import { createHash, randomUUID } from 'node:crypto';
import { decodeJwt, importJWK, SignJWT, type JWTPayload } from 'jose';
import { startDevIdp, type DevIdp, type DevIdpOptions } from '../../src/dev/dev-idp.ts';
import { devKeyPair, type DevKeyPair } from '../../src/dev/keyring.ts';
import { login, type LoginOptions, type LoginResult } from '../../src/dev/login.ts';
import type { Person } from '../../src/dev/registry.ts';

/** The agents of the cast. */
export type AgentName = 'planner' | 'researcher' | 'fetcher';

/** Services of the cast, with the scopes that each knows. */
export const RECORDS = 'https://records.example';
export const MAIL = 'https://mail.example';

/** What can differ from the standard cast. */
export interface WorldOptions extends Partial<Omit<DevIdpOptions, 'clients' | 'agents'>> {
  /** Agents that may act first for the application. Default: the planner alone, minted as `may_act`. */
  readonly rootAgents?: readonly AgentName[] | undefined;
  /** More agents, with keys in {@link World.keys}. */
  readonly moreAgents?: readonly string[];
  /** Of the application's tokens. Default `https://app.example`. */
  readonly audience?: string;
}

/** What a login of the cast may say. */
export type LoginAs = Partial<
  Pick<LoginOptions, 'directives' | 'scope' | 'consent' | 'resource' | 'clientId' | 'fetch'>
>;

/** A running identity provider and everything that its clients know. */
export interface World extends AsyncDisposable {
  readonly idp: DevIdp;
  readonly issuer: string;
  /** `aud` of a session's token. */
  readonly audience: string;
  /** The application. It is a public client: humans log in to it; it does not exchange. */
  readonly client: { readonly id: string; readonly redirectUri: string };
  /** Key pairs of the agents; `keys.planner.key` is the private JWK. */
  readonly keys: Readonly<Record<AgentName, DevKeyPair>> & Readonly<Record<string, DevKeyPair>>;
  /** Logs somebody in through the real pages. Default scope `openid read_record export_record send_mail`. */
  loginAs(person: string, options?: LoginAs): Promise<LoginResult>;
  /** The agent's own token, by client credentials. @param dpop A proof, to bind it. */
  selfToken(agent: string, dpop?: string): Promise<string>;
  /** Sends one exchange; parameters replace the usual ones, and `undefined` leaves one out. */
  exchange(agent: string, params: ExchangeParams): Promise<ExchangeAnswer>;
  /** Posts to the token endpoint as an agent. @param keyOf Signs with the key of another agent. */
  post(
    agent: string,
    params: Readonly<Record<string, string | undefined>>,
    keyOf?: string,
  ): Promise<ExchangeAnswer>;
  /** Exchanges for a record and gives the answer as it came: faults send what is no JSON. */
  raw(
    agent: string,
    subject: string,
    signal?: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: string }>;
  close(): Promise<void>;
}

export interface ExchangeParams {
  readonly subject: string;
  readonly target: string;
  readonly scope: string;
  readonly more?: Readonly<Record<string, string | undefined>>;
  /** Parameters to send as they are, repeated if they are. */
  readonly repeat?: URLSearchParams;
  /** `DPoP` header. */
  readonly dpop?: string;
}

export interface ExchangeAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The token, if there is one. */
  readonly token: string;
  /** Its claims, not verified. */
  readonly claims: JWTPayload;
}

/** A directive: record 42, once. */
export const READ_42 = {
  type: 'crumb_tool_call',
  actions: ['read_record'],
  locations: [RECORDS],
  arguments: { id: { const: 42 } },
  max_uses: 1,
};

/** So many people, for data sets: `person-0`, `person-1` and so on. */
export function crowd(size: number): readonly Person[] {
  return Array.from({ length: size }, (_none, n) => ({ sub: `person-${n}`, name: `Person ${n}` }));
}

const NAMES: readonly AgentName[] = ['planner', 'researcher', 'fetcher'];

/** Starts a world. Close it, or bind it with `await using`. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { moreAgents = [], audience = 'https://app.example', ...rest } = options;
  const rootAgents = 'rootAgents' in options ? options.rootAgents : (['planner'] as const);
  const names = [...NAMES, ...moreAgents];
  const pairs = await Promise.all(names.map(async (id) => [id, await devKeyPair()] as const));
  const keys = Object.fromEntries(pairs) as World['keys']; // names holds them all
  const client = { id: 'app', redirectUri: 'https://app.example/callback' };
  const idp = await startDevIdp({
    resources: [
      { resource: RECORDS, scopes: ['read_record', 'export_record'] },
      { resource: MAIL, scopes: ['send_mail'] },
    ],
    ...rest,
    clients: [
      {
        id: client.id,
        name: 'Example app',
        redirectUris: [client.redirectUri],
        audience,
        ...(rootAgents === undefined ? {} : { agents: rootAgents }),
      },
    ],
    agents: pairs.map(([id, { jwks }]) => ({ id, jwks })),
  });
  const world: World = {
    idp,
    issuer: idp.url,
    audience,
    client,
    keys,
    loginAs: (person, more = {}) =>
      login({
        issuer: idp.url,
        clientId: client.id,
        redirectUri: client.redirectUri,
        person,
        scope: 'openid read_record export_record send_mail',
        ...more,
      }),
    selfToken: async (agent, dpop) =>
      (await post(world, agent, { params: { grant_type: 'client_credentials' }, dpop })).token,
    exchange: async (agent, { subject, target, scope, more = {}, repeat, dpop }) => {
      const usual = await exchangeParams(world, agent, { subject, target, scope });
      const params = {
        ...usual,
        ...(repeat === undefined ? {} : { resource: undefined }),
        ...more,
      };
      return post(world, agent, { params, repeat, dpop });
    },
    raw: async (agent, subject, signal) => {
      const target = { subject, target: RECORDS, scope: 'read_record' };
      const params = await exchangeParams(world, agent, target);
      const answer = await send(world, agent, { params, signal });
      return { status: answer.status, body: await answer.text() };
    },
    post: async (agent, params, keyOf = agent) => post(world, agent, { params, keyOf }),
    close: () => idp.close(),
    [Symbol.asyncDispose]: () => idp.close(),
  };
  return world;
}

/** `prev#S256` of a token. */
export function sha256(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

async function exchangeParams(
  world: World,
  agent: string,
  { subject, target, scope }: ExchangeParams,
): Promise<Record<string, string>> {
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subject,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    actor_token: await world.selfToken(agent),
    actor_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    resource: target,
    scope,
  };
}

interface TokenRequest {
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly repeat?: URLSearchParams | undefined;
  readonly dpop?: string | undefined;
  readonly keyOf?: string;
  readonly signal?: AbortSignal | undefined;
}

async function send(world: World, agent: string, request: TokenRequest): Promise<Response> {
  const { params, repeat = [], dpop, keyOf = agent, signal } = request;
  const body = new URLSearchParams(await assertion(world, { agent, keyOf }));
  for (const [name, value] of [...Object.entries(params), ...repeat]) {
    if (value !== undefined) body.append(name, value);
  }
  const headers: Record<string, string> = dpop === undefined ? {} : { DPoP: dpop };
  const init = { method: 'POST', body, headers, redirect: 'manual' } as const;
  return fetch(`${world.issuer}/token`, { ...init, signal: signal ?? null });
}

async function post(world: World, agent: string, request: TokenRequest): Promise<ExchangeAnswer> {
  const answer = await send(world, agent, request);
  const json = (await answer.json()) as Record<string, unknown>; // this server's JSON is an object
  const token = typeof json['access_token'] === 'string' ? json['access_token'] : '';
  return { status: answer.status, body: json, token, claims: token === '' ? {} : decodeJwt(token) };
}

async function assertion(
  world: World,
  { agent, keyOf }: { readonly agent: string; readonly keyOf: string },
): Promise<Record<string, string>> {
  const pair = world.keys[keyOf];
  if (pair === undefined) throw new TypeError(`no agent ${keyOf}`);
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'EdDSA', kid: pair.kid })
      .setIssuer(agent)
      .setSubject(agent)
      .setAudience(world.issuer)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(await importJWK(pair.key, 'EdDSA')),
  };
}
