/**
 * A delegation token, read once its signature holds: the human is `sub`, the agents are `act`, and
 * exactly one resource is `aud`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-4.1
 * @see https://www.rfc-editor.org/rfc/rfc9068#section-2.2
 * @module
 */
import { MAX_ACTORS, parseActChain, type ActChain } from '../attribution/act-chain.ts';
import { CrumbError } from '../errors.ts';
import { isJsonObject, type JsonObject } from './compact-jwt.ts';
import type { IssuerKeys, JwtRules, KeySetSnapshot } from './issuer-keys.ts';
import { isNumericDate } from './issuer-keys.ts';

/** Where an issuer puts the client that a token was issued to. RFC 9068 says `client_id`. */
export type ClientClaim = 'client_id' | 'azp' | 'cid' | 'appid';

/** What a delegation token must be. */
export interface DelegationRules extends Omit<JwtRules, 'requiredClaims'> {
  /** The one resource that the token must be for, character for character. */
  readonly audience: string;
  /** Default `client_id`. */
  readonly clientClaim?: ClientClaim;
  /** Most actors accepted, 1 to 8. Default 8. */
  readonly maxDepth?: number;
}

/** A verified delegation token. What it names is what its issuer signed. */
export interface DelegationToken {
  readonly iss: string;
  /** The human. */
  readonly sub: string;
  readonly aud: string;
  readonly chain: ActChain;
  readonly scope: readonly string[];
  readonly exp: Date;
  readonly iat: Date;
  readonly jti: string;
  /** The client that the token was issued to. */
  readonly clientId: string;
  readonly sid: string | undefined;
  /** RFC 9396; whatever the token carries, for `parseDirectives`. */
  readonly authorizationDetails: unknown;
  /** The transaction that this token belongs to, if its issuer names one. */
  readonly txn: string | undefined;
  /** RFC 9449 thumbprint of the key that the token is bound to. */
  readonly cnfJkt: string | undefined;
  /** Whether an issuer for development made it. */
  readonly development: boolean;
  readonly kid: string | undefined;
  readonly keySet: KeySetSnapshot;
  /** All claims. */
  readonly payload: JsonObject;
}

/**
 * Verifies a delegation token and flattens its chain of actors.
 *
 * @throws {CrumbError} `token_malformed`, `issuer_unknown`, `token_unverifiable`, `token_expired`,
 *   `audience_mismatch`, `act_malformed`, `act_too_deep`, `act_issuer_missing`, `act_repeated`,
 *   `act_is_subject`; `keys_unavailable`.
 */
export async function verifyDelegationToken(
  jwt: string,
  keys: IssuerKeys,
  rules: DelegationRules,
): Promise<DelegationToken> {
  const { clientClaim = 'client_id' } = rules;
  const { payload, header, keySet } = await keys.verify(jwt, {
    ...rules,
    requiredClaims: ['sub', 'aud', 'act', 'jti', clientClaim],
  });
  const sub = requiredText(payload, 'sub');
  const chain = parseActChain(payload['act'], keys.issuer, { iss: keys.issuer, sub });
  if (chain.length > (rules.maxDepth ?? MAX_ACTORS)) throw new CrumbError('act_too_deep');

  return {
    iss: keys.issuer,
    sub,
    aud: soleAudience(payload, rules.audience),
    chain,
    scope: scopeOf(payload),
    exp: instantOf(payload, 'exp'),
    iat: instantOf(payload, 'iat'),
    jti: requiredText(payload, 'jti'),
    clientId: requiredText(payload, clientClaim),
    sid: textOf(payload, 'sid'),
    authorizationDetails: payload['authorization_details'],
    txn: textOf(payload, 'txn'),
    cnfJkt: thumbprintOf(payload),
    development: isDevelopment(payload),
    kid: textOf(header, 'kid'),
    keySet,
    payload,
  };
}

/** A token for two resources lets each of them use it at the other. */
export function soleAudience(payload: JsonObject, audience: string): string {
  const { aud } = payload;
  const values: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (values.length !== 1 || values[0] !== audience) throw new CrumbError('audience_mismatch');
  return audience;
}

/** `scope` as RFC 9068 writes it; an array, as some issuers do, is taken too. Absent: none. */
export function scopeOf(payload: JsonObject): readonly string[] {
  const { scope } = payload;
  if (scope === undefined) return [];
  const values: readonly unknown[] = typeof scope === 'string' ? scope.split(' ') : [scope].flat();
  return values
    .map((value) => {
      if (typeof value !== 'string') throw unreadable('scope');
      return value;
    })
    .filter((value) => value !== '');
}

/** A claim that must be a non-empty string where it is present. */
export function textOf(claims: JsonObject, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '' || value.length > 2048) throw unreadable(name);
  return value;
}

function requiredText(claims: JsonObject, name: string): string {
  const value = textOf(claims, name);
  if (value === undefined) throw unreadable(name);
  return value;
}

/** A claim in seconds since 1970, which must be there. */
export function instantOf(claims: JsonObject, name: string): Date {
  const value = claims[name];
  if (!isNumericDate(value)) throw unreadable(name);
  return new Date(value * 1000);
}

/** Anything but an absent or false mark counts as one: a guard must not be talked out of it. */
export function isDevelopment(payload: JsonObject): boolean {
  return payload['crumb_dev'] !== undefined && payload['crumb_dev'] !== false;
}

/** A confirmation we do not understand (mTLS, say) cannot be honoured, so it is not ignored either. */
function thumbprintOf(payload: JsonObject): string | undefined {
  const { cnf } = payload;
  if (cnf === undefined) return undefined;
  const understood = isJsonObject(cnf) && Object.keys(cnf).join() === 'jkt';
  if (!understood) throw unreadable('cnf');
  return textOf(cnf, 'jkt');
}

function unreadable(claim: string): CrumbError<'token_unverifiable'> {
  return new CrumbError('token_unverifiable', { cause: new Error(`claim ${claim}`) });
}
