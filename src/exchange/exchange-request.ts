/**
 * The form of one token exchange, as a profile wants it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-2.1
 * @module
 */
import type { IssuerProfile } from './issuer-profile.ts';
import { ACCESS_TOKEN } from '../token/token-types.ts';

export interface ExchangeRequest {
  /** The human's: the session's token, or our previous hop's. Never from anything a model wrote. */
  readonly subjectToken: string;
  /** The acting agent's own; undefined where the authenticated client is the actor. */
  readonly actorToken: string | undefined;
  readonly target: string;
  readonly scope: readonly string[];
}

/** Its parameters, without client authentication. */
export function exchangeParameters(
  request: ExchangeRequest,
  profile: IssuerProfile,
): URLSearchParams {
  const { subjectToken, actorToken, target, scope } = request;
  const parameters = new URLSearchParams({ subject_token: subjectToken });
  parameters.set('subject_token_type', profile.subjectTypes[0] ?? ACCESS_TOKEN);
  if (actorToken !== undefined) {
    parameters.set('actor_token', actorToken);
    parameters.set('actor_token_type', ACCESS_TOKEN);
  }
  for (const name of targetParameters(profile.target)) parameters.set(name, target);
  if (profile.requestedType !== undefined)
    parameters.set('requested_token_type', profile.requestedType);
  if (scope.length > 0) parameters.set('scope', scope.join(' '));
  return parameters;
}

function targetParameters(target: IssuerProfile['target']): readonly string[] {
  switch (target) {
    case 'resource':
    case 'audience':
      return [target];
    case 'both':
      return ['resource', 'audience'];
    case 'scope':
      return []; // refused before anything is sent: see expressible()
    default:
      return target satisfies never;
  }
}
