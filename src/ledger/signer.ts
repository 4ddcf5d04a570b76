/**
 * Keys that sign tree heads: in memory, in a file, or in a key service.
 *
 * @module
 */
import {
  createPrivateKey,
  createPublicKey,
  KeyObject,
  sign,
  verify,
  type JsonWebKey,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CrumbError } from '../errors.ts';
import { fromBase64url } from '../evidence/bytes.ts';
import { checkPublicKey } from '../evidence/ed25519.ts';
import type { Signer } from './ledger.ts';

/** An Ed25519 private key as PKCS#8 PEM, JWK, path of a file with either, or a signer of your own. */
export type SigningKey = string | JsonWebKey | KeyObject | Signer;

/** Signers whose key we hold ourselves: what they give needs no second look. */
const own = new WeakSet<Signer>();

/**
 * A signer for a key. The key is parsed once; that alone makes signing twice as fast.
 *
 * @throws {CrumbError} `key_invalid`: no such file, not an Ed25519 private key, or a public key that is
 *   ambiguous.
 */
export function createSigner(key: SigningKey): Signer {
  if (isSigner(key)) {
    if (!checkPublicKey(key.publicKey)) throw new CrumbError('key_invalid');
    return own.has(key) ? key : checked(key);
  }
  const privateKey = privateKeyOf(key);
  const signer: Signer = {
    algorithm: 'ed25519',
    publicKey: rawPublicKey(privateKey),
    sign: async (message) => sign(null, message, privateKey),
  };
  own.add(signer);
  return signer;
}

/** What crosses to the writer thread: the key itself, or nothing if only a service has it. */
export function privateKeyOf(key: Exclude<SigningKey, Signer>): KeyObject {
  const parsed = parseKey(key);
  if (parsed.type !== 'private' || parsed.asymmetricKeyType !== 'ed25519') {
    throw new CrumbError('key_invalid');
  }
  return parsed;
}

export function isSigner(key: SigningKey): key is Signer {
  return typeof key === 'object' && 'sign' in key && typeof key.sign === 'function';
}

/** Whether a signature is this key's. */
export function verifyWith(
  publicKey: Uint8Array,
): (message: Uint8Array, signature: Uint8Array) => boolean {
  const x = Buffer.from(publicKey).toString('base64url');
  const parsed = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return (message, signature) =>
    signature.length === 64 && verify(null, message, parsed, signature);
}

/** A service that answers with anything but its signature must not get that into the ledger. */
function checked(signer: Signer): Signer {
  const fits = verifyWith(signer.publicKey);
  return {
    algorithm: 'ed25519',
    publicKey: signer.publicKey,
    async sign(message) {
      const signature = await signer.sign(message);
      if (!fits(message, signature)) throw new CrumbError('key_invalid');
      return signature;
    },
  };
}

function parseKey(key: Exclude<SigningKey, Signer>): KeyObject {
  try {
    if (key instanceof KeyObject) return key;
    if (typeof key !== 'string') return createPrivateKey({ key, format: 'jwk' });
    const text = /^\s*(?:-----BEGIN|\{)/.test(key) ? key : readFileSync(key, 'utf8');
    if (!text.trimStart().startsWith('{')) return createPrivateKey(text);
    const jwk: unknown = JSON.parse(text);
    return createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }); // which looks at every member
  } catch {
    // Without cause: a parser's message may quote the key.
    throw new CrumbError('key_invalid');
  }
}

function rawPublicKey(privateKey: KeyObject): Uint8Array {
  const raw = fromBase64url(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '');
  if (raw === undefined || !checkPublicKey(raw)) throw new CrumbError('key_invalid');
  return raw;
}
