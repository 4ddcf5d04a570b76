/**
 * Whether two acting agents are one: `session.agent('planner')` may be called twice.
 *
 * @module
 */
import { sameChain } from '../attribution/act-chain.ts';
import { stateOf, type ActingAgent } from '../gateway/acting-agent.ts';

/** Same Crumb, same login, same chain, and come to act by the same hop. */
export function isSameActing(a: ActingAgent, b: ActingAgent): boolean {
  if (a === b) return true;
  const [one, other] = [stateOf(a), stateOf(b)];
  return (
    one.gateway === other.gateway &&
    one.hop?.seq === other.hop?.seq &&
    one.attended?.login.reference === other.attended?.login.reference &&
    sameChain(one.chain, other.chain)
  );
}
