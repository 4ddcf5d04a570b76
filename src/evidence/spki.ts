/**
 * Public keys in SubjectPublicKeyInfo form, and signatures under them, through Web Crypto: what logs and
 * timestamp authorities sign with.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5480
 * @module
 */
import { concatBytes, toBase64url, unshared } from './bytes.ts';
import {
  readBitString,
  readDer,
  readInside,
  readInteger,
  readOid,
  TAG,
  type DerValue,
} from './der.ts';
import { checkPublicKey, verifyEd25519 } from './ed25519.ts';

export type Curve = 'P-256' | 'P-384' | 'P-521';
export type HashName = 'SHA-256' | 'SHA-384' | 'SHA-512';

/** A key of a kind that can be verified with. */
export type PublicKey =
  | { readonly kind: 'ecdsa'; readonly curve: Curve; readonly spki: Uint8Array }
  | { readonly kind: 'rsa'; readonly spki: Uint8Array }
  | { readonly kind: 'ed25519'; readonly raw: Uint8Array; readonly spki: Uint8Array };

/** This platform has no Web Crypto, as a page that is no secure context. Nothing was judged. */
export class CryptoMissingError extends Error {
  override readonly name = 'CryptoMissingError';
}

const CURVES: Readonly<Record<string, Curve>> = {
  '1.2.840.10045.3.1.7': 'P-256',
  '1.3.132.0.34': 'P-384',
  '1.3.132.0.35': 'P-521',
};
const COORDINATE_BYTES: Readonly<Record<Curve, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 };

/** RSA moduli of 2048 to 8192 bits: shorter ones are broken, longer ones cost the reader too much. */
const RSA_BYTES = { least: 256, most: 1024 } as const;

/** Reads a key; undefined if it is malformed, of another kind, or of a size that means nothing. */
export function parseSpki(spki: Uint8Array): PublicKey | undefined {
  const [algorithm, bits, ...rest] = readInside(readDer(spki), TAG.sequence) ?? [];
  const [oid, parameters] = readInside(algorithm, TAG.sequence) ?? [];
  const key = readBitString(bits);
  if (key === undefined || rest.length > 0) return undefined;
  switch (readOid(oid)) {
    case '1.2.840.10045.2.1': {
      const curve = CURVES[readOid(parameters) ?? ''];
      const isPoint = curve !== undefined && key[0] === 4;
      return isPoint && key.length === 1 + 2 * COORDINATE_BYTES[curve]
        ? { kind: 'ecdsa', curve, spki }
        : undefined;
    }
    case '1.2.840.113549.1.1.1': {
      const [modulus] = readInside(readDer(key), TAG.sequence) ?? [];
      const size = readInteger(modulus)?.length ?? 0;
      return size >= RSA_BYTES.least && size <= RSA_BYTES.most + 1
        ? { kind: 'rsa', spki }
        : undefined;
    }
    case '1.3.101.112':
      return parameters === undefined && checkPublicKey(key)
        ? { kind: 'ed25519', raw: key, spki }
        : undefined;
    default:
      return undefined;
  }
}

/** What a signature is said to be over. */
export interface SignedMessage {
  readonly message: Uint8Array;
  /** ECDSA: DER. RSA: PKCS #1 version 1.5. */
  readonly signature: Uint8Array;
  /** Ed25519 has its own. */
  readonly hash: HashName;
}

/**
 * Whether a signature fits. False also for one that is malformed.
 *
 * @throws {CryptoMissingError} Nothing was judged.
 */
export async function verifyWithKey(key: PublicKey, signed: SignedMessage): Promise<boolean> {
  const { message, hash } = signed;
  if (key.kind === 'ed25519') return verifyEd25519(key.raw, message, signed.signature);
  const signature =
    key.kind === 'rsa'
      ? signed.signature
      : rawSignature(signed.signature, COORDINATE_BYTES[key.curve]);
  if (signature === undefined) return false;
  const algorithm =
    key.kind === 'rsa' ? { name: 'RSASSA-PKCS1-v1_5', hash } : { name: 'ECDSA', hash };
  const imported = await importKey(key, hash);
  if (imported === undefined) return false;
  return crypto.subtle.verify(algorithm, imported, unshared(signature), unshared(message));
}

const imported = new Map<string, Promise<CryptoKey | undefined>>();
const MAX_IMPORTED = 64;

async function importKey(
  key: Exclude<PublicKey, { readonly kind: 'ed25519' }>,
  hash: HashName,
): Promise<CryptoKey | undefined> {
  if (globalThis.crypto?.subtle === undefined) throw new CryptoMissingError();
  const name = `${hash} ${toBase64url(key.spki)}`;
  let ready = imported.get(name);
  if (ready === undefined) {
    const algorithm =
      key.kind === 'rsa'
        ? { name: 'RSASSA-PKCS1-v1_5', hash }
        : { name: 'ECDSA', namedCurve: key.curve };
    // A point that is not on its curve, say: no signature is one under such a key.
    ready = crypto.subtle
      .importKey('spki', unshared(key.spki), algorithm, false, ['verify'])
      .catch(() => undefined);
    if (imported.size >= MAX_IMPORTED) imported.clear();
    imported.set(name, ready);
  }
  return ready;
}

/** r and s side by side, as Web Crypto wants them, out of SEQUENCE { r, s }. */
function rawSignature(der: Uint8Array, width: number): Uint8Array | undefined {
  const [r, s, ...rest] = readInside(readDer(der), TAG.sequence) ?? [];
  const left = coordinate(r, width);
  const right = coordinate(s, width);
  if (left === undefined || right === undefined || rest.length > 0) return undefined;
  return concatBytes(left, right);
}

function coordinate(value: DerValue | undefined, width: number): Uint8Array | undefined {
  const body = readInteger(value);
  if (body === undefined || (body[0] ?? 0x80) >= 0x80) return undefined; // negative
  const digits = body[0] === 0 ? body.subarray(1) : body;
  if (digits.length > width) return undefined;
  const padded = new Uint8Array(width);
  padded.set(digits, width - digits.length);
  return padded;
}
