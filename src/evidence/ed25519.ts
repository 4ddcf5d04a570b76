/**
 * Ed25519 with one answer everywhere. Web Crypto where the platform has it, and else `@noble/ed25519`
 * with the rule of OpenSSL: the encoding of [S]B - [k]A must be R itself.
 *
 * The signer is the adversary here. Keys with which one signature fits several messages, and
 * signatures that some implementations accept and others refuse, would let two verifiers disagree.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8032#section-5.1.7
 * @module
 */
import { Point, getPublicKey, hashes, sign as nobleSign } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, equalBytes, toBase64url, unshared } from './bytes.ts';

/** Order of the base point. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** DER of a PKCS#8 Ed25519 key up to the 32 bytes of the seed (RFC 8410 section 7). */
const PKCS8_PREFIX = Uint8Array.from([
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
]);

/** Makes signatures; a key service is one. */
export interface Ed25519Signer {
  readonly algorithm: 'ed25519';
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/**
 * Whether a raw public key may be trusted at all: 32 bytes, the canonical encoding of a point of prime
 * order. Small order and torsion are refused: under such a key signatures are ambiguous.
 */
export function checkPublicKey(publicKey: Uint8Array): boolean {
  return pointOf(publicKey) !== undefined;
}

/**
 * Whether the signature fits. False for keys that {@link checkPublicKey} refuses, and for wrong
 * lengths; never throws for them.
 */
export async function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (signature.length !== 64) return false;
  const key = await verifyingKeyOf(publicKey);
  if (key === undefined) return false;
  if (key === 'unsupported') return verifyWithNoble(publicKey, message, signature);
  return crypto.subtle.verify('Ed25519', key, unshared(signature), unshared(message));
}

/** What {@link verifyEd25519} does where Web Crypto has no Ed25519. About 1 ms. */
export function verifyWithNoble(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = pointOf(publicKey);
  if (key === undefined || signature.length !== 64) return false;
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (s >= ORDER) return false; // else S + order would be a second signature
  const k = littleEndian(sha512(concatBytes(r, publicKey, message))) % ORDER;
  const expected = Point.BASE.multiply(s, false).subtract(key.multiply(k, false));
  return equalBytes(expected.toBytes(), r);
}

/**
 * Signs with a key that is held in memory.
 *
 * @param seed The private key of RFC 8032: 32 bytes, not the expanded 64.
 */
export function ed25519Signer(seed: Uint8Array): Ed25519Signer {
  if (seed.length !== 32) throw new TypeError(`seed has ${seed.length} bytes instead of 32`);
  hashes.sha512 ??= sha512; // noble's slot for the hash of its synchronous functions
  const own = Uint8Array.from(seed);
  let key: Promise<CryptoKey | 'unsupported'> | undefined;
  return {
    algorithm: 'ed25519',
    publicKey: getPublicKey(own),
    async sign(message) {
      key ??= supported(() => {
        const pkcs8 = concatBytes(PKCS8_PREFIX, own);
        return crypto.subtle.importKey('pkcs8', unshared(pkcs8), 'Ed25519', false, ['sign']);
      });
      const ready = await key;
      if (ready === 'unsupported') return nobleSign(message, own);
      return new Uint8Array(await crypto.subtle.sign('Ed25519', ready, unshared(message)));
    },
  };
}

/** Keys that were imported before: checking one costs as much as a verification. */
const imported = new Map<string, Promise<CryptoKey | 'unsupported' | undefined>>();
const MAX_IMPORTED = 64;

async function verifyingKeyOf(
  publicKey: Uint8Array,
): Promise<CryptoKey | 'unsupported' | undefined> {
  const name = toBase64url(publicKey);
  let key = imported.get(name);
  if (key === undefined) {
    key = importVerifyingKey(publicKey);
    if (imported.size >= MAX_IMPORTED) imported.clear();
    imported.set(name, key);
  }
  return key;
}

async function importVerifyingKey(
  publicKey: Uint8Array,
): Promise<CryptoKey | 'unsupported' | undefined> {
  if (!checkPublicKey(publicKey)) return undefined;
  return supported(() =>
    crypto.subtle.importKey('raw', unshared(publicKey), 'Ed25519', false, ['verify']),
  );
}

/** Web Crypto is absent outside secure contexts, and older ones have no Ed25519. */
async function supported(importKey: () => Promise<CryptoKey>): Promise<CryptoKey | 'unsupported'> {
  if (globalThis.crypto?.subtle === undefined) return 'unsupported';
  try {
    return await importKey();
  } catch {
    return 'unsupported'; // the key itself was checked before, so the algorithm is what is missing
  }
}

function pointOf(publicKey: Uint8Array): Point | undefined {
  if (publicKey.length !== 32) return undefined;
  try {
    const point = Point.fromBytes(publicKey, false);
    return point.isSmallOrder() || !point.isTorsionFree() ? undefined : point;
  } catch {
    return undefined;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
}
