/**
 * Checks a DPoP proof at the token endpoint. `oidc-provider` does so for its own grants and offers no
 * public function for others.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-4.3
 * @module
 */
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';

/** A proof that holds. Whoever accepts it must still see that `jti` was not used before. */
export interface DpopProof {
  /** RFC 7638 thumbprint of the key, for `cnf.jkt`. */
  readonly jkt: string;
  readonly jti: string;
}

/** As for the library's own grants. */
const ALGORITHMS = ['ES256', 'Ed25519', 'EdDSA'];

/** How old, or how far ahead, a proof may be, in seconds. */
export const DPOP_WINDOW_SECONDS = 60;

/** Opens a proof; undefined if it does not hold for a POST to this URL, now. */
export async function openDpopProof(proof: string, url: string): Promise<DpopProof | undefined> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ALGORITHMS,
      requiredClaims: ['iat', 'jti', 'htm', 'htu'],
    });
    const { jti, iat = 0, htm, htu } = payload;
    const age = Math.abs(Date.now() / 1000 - iat);
    if (typeof jti !== 'string' || htm !== 'POST' || !isSameUrl(htu, url)) return undefined;
    if (age > DPOP_WINDOW_SECONDS || protectedHeader.jwk === undefined) return undefined;
    return { jti, jkt: await calculateJwkThumbprint(protectedHeader.jwk) };
  } catch {
    return undefined; // why would tell a forger
  }
}

/** RFC 9449 compares without query and fragment. */
function isSameUrl(htu: unknown, url: string): boolean {
  const parsed = typeof htu === 'string' ? URL.parse(htu) : null;
  if (parsed === null) return false;
  parsed.search = '';
  parsed.hash = '';
  return parsed.href === url;
}
