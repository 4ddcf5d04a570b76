/**
 * A token that this identity provider issued, once its signature is checked against its own keys.
 *
 * @module
 */
import { jwtVerify } from 'jose';
import type { Keyring } from './keyring.ts';

/** Verified claims. */
export interface IssuedToken {
  readonly kind: 'access_token' | 'id_token';
  readonly sub: string;
  /** The one audience. */
  readonly aud: string;
  /** NumericDate. */
  readonly exp: number;
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Opens a token of this issuer; undefined for anything else: foreign, altered, expired, without end,
 * for several audiences, or not a JWT at all.
 */
export async function openIssuedToken(
  jwt: string,
  { keyring, issuer }: { readonly keyring: Keyring; readonly issuer: string },
): Promise<IssuedToken | undefined> {
  try {
    const { payload, protectedHeader } = await jwtVerify(jwt, keyring.verifier, {
      issuer,
      algorithms: [keyring.alg],
      requiredClaims: ['sub', 'aud', 'exp', 'iat'],
    });
    const { sub, aud, exp } = payload;
    if (typeof sub !== 'string' || typeof aud !== 'string' || exp === undefined) return undefined;
    // RFC 9068 marks access tokens; ID tokens carry no type. Logout tokens and others are neither.
    const kind = KINDS.get(protectedHeader.typ?.toLowerCase());
    return kind === undefined ? undefined : { kind, sub, aud, exp, claims: payload };
  } catch {
    return undefined; // why does not matter to the asker, and would tell a forger
  }
}

const KINDS: ReadonlyMap<string | undefined, IssuedToken['kind']> = new Map([
  ['at+jwt', 'access_token'],
  ['application/at+jwt', 'access_token'],
  ['jwt', 'id_token'],
  [undefined, 'id_token'],
]);
