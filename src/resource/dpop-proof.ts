/**
 * RFC 9449: the caller proves that it holds the key to which its token is bound. A token that leaks is
 * then of no use to whoever finds it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-4.3
 * @module
 */
import { base64url, calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWTPayload } from 'jose';
import { isNumericDate } from '../token/issuer-keys.ts';
import type { ReplayStore } from '../token/replay-store.ts';

/** Accepted algorithms of proofs. */
export const PROOF_ALGORITHMS: readonly string[] = ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'];

/** Longest life of a proof, in seconds. */
const MAX_PROOF_AGE = 60;

/** A proof needs a header, and a public key in it, well under this. */
const MAX_PROOF_LENGTH = 4096;

/** What a proof must be about. */
export interface ProofContext {
  readonly method: string;
  /** Address of the request, without query and fragment. */
  readonly url: string;
  readonly token: string;
  /** `cnf.jkt` of the token. */
  readonly thumbprint: string;
  readonly used: ReplayStore;
  readonly clockTolerance: number;
  readonly now: Date;
}

/**
 * Verifies a proof, and uses it up.
 *
 * @returns Whether it holds.
 * @throws Whatever the replay store throws: then nobody can say.
 */
export async function verifyProof(proof: string, context: ProofContext): Promise<boolean> {
  const payload = await openProof(proof, context).catch(() => undefined);
  if (payload === undefined) return false;
  const { htm, htu, ath, jti, iat } = payload;
  if (htm !== context.method || normalUrl(htu) !== normalUrl(context.url)) return false;
  if (ath !== (await digestOf(context.token))) return false;
  if (!isNumericDate(iat) || typeof jti !== 'string' || jti === '' || jti.length > 512)
    return false;
  // Last, so that a proof for something else does not use up anyone's id.
  const until = new Date((iat + MAX_PROOF_AGE + 2 * context.clockTolerance + 1) * 1000);
  return context.used.take(context.thumbprint, jti, until);
}

async function openProof(proof: string, context: ProofContext): Promise<JWTPayload | undefined> {
  if (proof.length > MAX_PROOF_LENGTH) return undefined;
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
    typ: 'dpop+jwt',
    algorithms: [...PROOF_ALGORITHMS],
    requiredClaims: ['jti', 'htm', 'htu', 'iat', 'ath'],
    maxTokenAge: MAX_PROOF_AGE,
    clockTolerance: context.clockTolerance,
    currentDate: context.now,
  });
  if (protectedHeader.jwk === undefined) return undefined;
  const bound = (await calculateJwkThumbprint(protectedHeader.jwk)) === context.thumbprint;
  return bound ? payload : undefined;
}

/** RFC 9449 section 4.3, 9: as a URL, without query and fragment. */
function normalUrl(text: unknown): string | undefined {
  const url = typeof text === 'string' ? URL.parse(text) : null;
  return url === null ? undefined : `${url.origin}${url.pathname}`;
}

async function digestOf(token: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
  return base64url.encode(new Uint8Array(bytes));
}
