/**
 * When the human is asked what.
 *
 * @module
 */
import { interactionPolicy } from 'oidc-provider';

/** Where the pages of an interaction live. */
export const INTERACTION_PATH = '/interaction/';

/** Decision of a human whom the consent page calls by another name; also the result that carries it. */
export const SWITCH_PERSON = 'switch';

/** The library's own policy, and a login for whoever says that she is somebody else. */
export function devPolicy(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  const check = new interactionPolicy.Check(SWITCH_PERSON, 'another person was asked for', (ctx) =>
    Boolean(ctx.oidc.result?.[SWITCH_PERSON]),
  );
  policy.get('login')?.checks.add(check);
  return policy;
}
