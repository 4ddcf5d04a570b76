/**
 * The development identity provider with a real login of Alice, real exchanges through planner,
 * researcher and fetcher, and the guard of the records service.
 */
import {
  createGuard,
  type Delegation,
  type Guard,
  type GuardOptions,
} from '../../src/resource/index.ts';
import { RECORDS, type World } from '../dev/world.ts';

export { MAIL, RECORDS, startWorld, type World } from '../dev/world.ts';

/** A guard that trusts the development identity provider, as only a development machine does. */
export function guardOf(world: World, more: Partial<GuardOptions> = {}): Guard {
  return createGuard({
    resource: RECORDS,
    issuers: [{ url: world.issuer, algs: ['RS256'] }],
    allowDevelopment: true,
    ...more,
  });
}

/** Presents a token to a guard. */
export async function present(guard: Guard, token: string): Promise<Delegation> {
  return guard.verify(new Request(RECORDS, { headers: { authorization: `Bearer ${token}` } }));
}

/** Real tokens on the way from Alice to the records service. */
export interface Delegations {
  readonly session: string;
  /** For the researcher alone. */
  readonly toResearcher: string;
  /** For the fetcher alone. */
  readonly toFetcher: string;
  /** For the records service, of a chain of three. */
  readonly delegated: string;
}

/** Logs a person in and delegates through three agents. */
export async function delegate(world: World, person = 'alice'): Promise<Delegations> {
  const { accessToken: session } = await world.loginAs(person);
  const hop = async (agent: string, subject: string, target: string): Promise<string> => {
    const { token, body } = await world.exchange(agent, { subject, target, scope: 'read_record' });
    if (token === '') throw new Error(`no token for ${target}: ${JSON.stringify(body)}`);
    return token;
  };
  const toResearcher = await hop('planner', session, 'urn:agent:researcher');
  const toFetcher = await hop('researcher', toResearcher, 'urn:agent:fetcher');
  const delegated = await hop('fetcher', toFetcher, RECORDS);
  return { session, toResearcher, toFetcher, delegated };
}
