/**
 * The keys that Crumb needs, as they are made and as they lie on disk.
 *
 * @module
 */
import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { toBase64url } from '../evidence/bytes.ts';
import { vkeyOf } from '../evidence/note.ts';

/** What a key is for. */
export const KEY_KINDS = ['signing', 'agent', 'vault', 'approval'] as const;

export type KeyKind = (typeof KEY_KINDS)[number];

/** A public key as an identity provider registers it. */
export interface PublicJwk {
  readonly [parameter: string]: string;
  readonly kty: string;
  readonly kid: string;
  readonly alg: string;
  readonly use: 'sig';
}

/** A fresh key: the text of its file, and what may be shown. */
export interface FreshKey {
  readonly kind: KeyKind;
  /** Whole content of the file. Secret. */
  readonly secret: string;
  /** Only for `signing` with an origin: what others verify the ledger with. */
  readonly vkey?: string;
  /** Only for `signing` and `agent`. */
  readonly jwk?: PublicJwk;
}

/**
 * Makes a key.
 *
 * `signing`: Ed25519, PKCS#8 PEM. `agent`: ECDSA P-256, PKCS#8 PEM. `vault`, `approval`: 32 random
 * bytes in base64url.
 *
 * @param origin Name of the ledger that a signing key is for: it is part of the vkey.
 * @throws {CrumbError} `key_invalid`: no ledger may be named so.
 */
export function createKey(kind: KeyKind, origin?: string): FreshKey {
  switch (kind) {
    case 'signing': {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      const jwk = publicJwk(publicKey);
      const fresh = { kind, secret: pemOf(privateKey), jwk };
      return origin === undefined
        ? fresh
        : { ...fresh, vkey: vkeyOf(origin, Buffer.from(jwk['x'] ?? '', 'base64url')) };
    }
    case 'agent': {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return { kind, secret: pemOf(privateKey), jwk: publicJwk(publicKey) };
    }
    case 'vault':
    case 'approval':
      return { kind, secret: `${toBase64url(randomBytes(32))}\n` };
    default:
      return kind satisfies never;
  }
}

const ALGS: Readonly<Record<string, string>> = {
  Ed25519: 'EdDSA',
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
};

/** The public half, with an RFC 7638 thumbprint as its `kid`. */
export function publicJwk(key: KeyObject): PublicJwk {
  const { kty = '', crv, x, y, n, e } = key.export({ format: 'jwk' });
  // Members in RFC 7638's order; those that a kind of key does not have are left out by JSON.
  const members = { crv, e, kty, n, x, y };
  const text = JSON.stringify(members);
  const kid = createHash('sha256').update(text).digest('base64url');
  const own = JSON.parse(text) as Record<string, string> & { kty: string }; // what JSON left in
  return { ...own, kid, alg: ALGS[crv ?? ''] ?? 'RS256', use: 'sig' };
}

function pemOf(key: KeyObject): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}
