/**
 * Checks a token against a key set that was archived with it, on Web Crypto alone: for verifiers,
 * years later, without a network. What a token allows today is not judged here: `exp` may be past.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-5.2
 * @module
 */
import { fromBase64url, fromUtf8, toHex, unshared, utf8 } from './bytes.ts';
import { verifyEd25519 } from './ed25519.ts';
import { isObject } from './shape.ts';

/** Header and claims of a token whose signature fits. */
export interface VerifiedJws {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

type Members = Readonly<Record<string, unknown>>;

const MAX_TOKEN_LENGTH = 64 * 1024;

/** By `alg`: which keys may be used, and how. No `none`, and no shared secrets. */
const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  RS256: rsa('RSASSA-PKCS1-v1_5', 'SHA-256'),
  RS384: rsa('RSASSA-PKCS1-v1_5', 'SHA-384'),
  RS512: rsa('RSASSA-PKCS1-v1_5', 'SHA-512'),
  PS256: rsa('RSA-PSS', 'SHA-256', 32),
  PS384: rsa('RSA-PSS', 'SHA-384', 48),
  PS512: rsa('RSA-PSS', 'SHA-512', 64),
  ES256: ecdsa('P-256', 'SHA-256'),
  ES384: ecdsa('P-384', 'SHA-384'),
  ES512: ecdsa('P-521', 'SHA-512'),
  EdDSA: ed25519(),
  Ed25519: ed25519(),
};

interface Algorithm {
  readonly fits: (jwk: Members) => boolean;
  readonly verify: (jwk: Members, signed: Uint8Array, signature: Uint8Array) => Promise<boolean>;
}

/**
 * Verifies a compact JWS under a JSON Web Key Set.
 *
 * A header with `kid` must find a key of that id; one without is checked only if a single key fits. An
 * RSA key has at least 2048 bits. `crit` is refused: it would demand what nobody here understands.
 *
 * @param jwks The key set as parsed JSON; nothing about it is assumed.
 * @returns Header and payload, or undefined if this token is not one that this key set signed.
 */
export async function verifyJws(jwt: string, jwks: unknown): Promise<VerifiedJws | undefined> {
  const [head = '', body = '', tail = '', ...more] = jwt.split('.');
  const header = jsonOf(head);
  const payload = jsonOf(body);
  const signature = fromBase64url(tail);
  if (jwt.length > MAX_TOKEN_LENGTH || more.length > 0 || signature === undefined) return undefined;
  if (header === undefined || payload === undefined) return undefined;
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return undefined;

  const algorithm = algorithmOf(member(header, 'alg'));
  if (algorithm === undefined) return undefined;
  const keys = keysOf(jwks).filter((jwk) => isFor(jwk, header) && algorithm.fits(jwk));
  if (!Object.hasOwn(header, 'kid') && keys.length !== 1) return undefined;

  const signed = utf8(`${head}.${body}`);
  for (const jwk of keys) {
    // A key set is data of an issuer: one key that cannot be imported must not hide the next.
    const fits = await algorithm.verify(jwk, signed, signature).catch(() => false);
    if (fits) return { header, payload };
  }
  return undefined;
}

function isFor(jwk: Members, header: Members): boolean {
  const [use, alg, operations] = [member(jwk, 'use'), member(jwk, 'alg'), member(jwk, 'key_ops')];
  return (
    (!Object.hasOwn(header, 'kid') || member(jwk, 'kid') === member(header, 'kid')) &&
    (use === undefined || use === 'sig') &&
    (alg === undefined || alg === member(header, 'alg')) &&
    (operations === undefined || (Array.isArray(operations) && operations.includes('verify')))
  );
}

function rsa(name: 'RSASSA-PKCS1-v1_5' | 'RSA-PSS', hash: string, saltLength?: number): Algorithm {
  return {
    fits: (jwk) => member(jwk, 'kty') === 'RSA' && modulusBits(jwk) >= 2048,
    verify: async (jwk, signed, signature) => {
      const key = await importJwk({ kty: 'RSA', n: jwk['n'], e: jwk['e'] }, { name, hash });
      const how = saltLength === undefined ? { name } : { name, saltLength };
      return crypto.subtle.verify(how, key, unshared(signature), unshared(signed));
    },
  };
}

function ecdsa(namedCurve: 'P-256' | 'P-384' | 'P-521', hash: string): Algorithm {
  return {
    fits: (jwk) => member(jwk, 'kty') === 'EC' && member(jwk, 'crv') === namedCurve,
    verify: async (jwk, signed, signature) => {
      const parts = { kty: 'EC', crv: namedCurve, x: jwk['x'], y: jwk['y'] };
      const key = await importJwk(parts, { name: 'ECDSA', namedCurve });
      return crypto.subtle.verify(
        { name: 'ECDSA', hash },
        key,
        unshared(signature),
        unshared(signed),
      );
    },
  };
}

function ed25519(): Algorithm {
  return {
    fits: (jwk) => member(jwk, 'kty') === 'OKP' && member(jwk, 'crv') === 'Ed25519',
    verify: async (jwk, signed, signature) => {
      const x = member(jwk, 'x');
      const publicKey = typeof x === 'string' ? fromBase64url(x) : undefined;
      return publicKey !== undefined && verifyEd25519(publicKey, signed, signature);
    },
  };
}

/** Only what was read from the set: a private part or a `key_ops` in it must not decide anything. */
async function importJwk(
  jwk: Members,
  algorithm: RsaHashedImportParams | EcKeyImportParams,
): Promise<CryptoKey> {
  return crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify']);
}

function modulusBits(jwk: Members): number {
  const n = member(jwk, 'n');
  const bytes = typeof n === 'string' ? fromBase64url(n) : undefined;
  return bytes === undefined ? 0 : toHex(bytes).replace(/^0+/, '').length * 4;
}

function algorithmOf(alg: unknown): Algorithm | undefined {
  return typeof alg === 'string' && Object.hasOwn(ALGORITHMS, alg) ? ALGORITHMS[alg] : undefined;
}

function keysOf(jwks: unknown): readonly Members[] {
  const keys = isObject(jwks) ? member(jwks, 'keys') : undefined;
  return Array.isArray(keys) ? keys.filter(isObject) : [];
}

function jsonOf(part: string): Members | undefined {
  const bytes = fromBase64url(part);
  const text = bytes === undefined ? undefined : fromUtf8(bytes);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** An own member: an inherited one would be an attacker's who reached Object.prototype. */
function member(object: Members, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
