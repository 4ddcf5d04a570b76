/**
 * What the access token of a login says beyond RFC 9068: which login it was and who the human is.
 *
 * @module
 */
import type { AccessToken, ClientCredentials, KoaContextWithOIDC } from 'oidc-provider';
import { definedClaims } from './defined-claims.ts';
import type { Registry } from './registry.ts';

/**
 * Claims for an access token out of an authorization code; nothing for a client's own token.
 *
 * The library puts none of `sid`, `auth_time`, `amr` into access tokens: they are on the code. `sid` is
 * the uid of the login session, the same for all applications of one browser.
 */
export function sessionClaims(
  ctx: KoaContextWithOIDC,
  token: AccessToken | ClientCredentials,
  registry: Registry,
): Record<string, unknown> {
  const code = ctx.oidc.entities.AuthorizationCode;
  const person = registry.people.get(code?.accountId ?? '');
  if (token.kind !== 'AccessToken' || code === undefined || person === undefined) return {};
  const { sessionUid: sid, authTime: auth_time, amr, acr } = code;
  const [agent, ...others] = registry.clients.get(code.clientId ?? '')?.agents ?? [];
  return definedClaims({
    sid,
    auth_time,
    amr,
    acr,
    name: person.name,
    email: person.email,
    // RFC 8693 section 4.4 names one party. More than one is looked up in the registration.
    may_act: agent !== undefined && others.length === 0 ? { sub: agent } : undefined,
  });
}
