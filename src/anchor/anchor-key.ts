/**
 * The anchor key: ECDSA P-256, apart from the ledger's own. Pure Ed25519 cannot be logged as a digest, and a
 * key that signs for a public log should sign nothing else.
 *
 * @module
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  KeyObject,
  sign,
  verify,
  type JsonWebKey,
} from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { CrumbError } from '../errors.ts';
import { parseSpki } from '../evidence/spki.ts';

/** Signs for a log; a key service is one. */
export interface AnchorSigner {
  readonly algorithm: 'ecdsa-p256';
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** ECDSA with SHA-256 over the message: DER. A fresh signature each time. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** An ECDSA P-256 private key as PKCS#8 PEM, JWK, path of a file with either, or a signer of your own. */
export type AnchorKeyInput = string | JsonWebKey | KeyObject | AnchorSigner;

/**
 * A signer for a key.
 *
 * @throws {CrumbError} `key_invalid`: no such file, or not an ECDSA P-256 private key.
 */
export function createAnchorSigner(key: AnchorKeyInput): AnchorSigner {
  if (isSigner(key)) return checked(key);
  const privateKey = parseKey(key);
  return {
    algorithm: 'ecdsa-p256',
    spki: spkiOf(privateKey),
    sign: async (message) => sign('sha256', message, privateKey),
  };
}

/**
 * The key in a file, made once if there is none.
 *
 * @throws {CrumbError} `key_invalid`; `file_unwritable`.
 */
export function anchorSignerIn(file: string): AnchorSigner {
  if (!existsSync(file)) writeKey(file);
  return createAnchorSigner(readFileSync(file, 'utf8'));
}

function writeKey(file: string): void {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const next = `${file}.${process.pid}.next`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const handle = openSync(next, 'w', 0o600);
    try {
      writeSync(handle, String(pem));
      fsyncSync(handle); // genesis will name it: it must be there after a crash
      linkSync(next, file); // unlike a rename, it takes nobody's place
    } finally {
      closeSync(handle);
      rmSync(next);
    }
  } catch (cause) {
    // Else another process was first, and its key is the one.
    if (!existsSync(file)) throw new CrumbError('file_unwritable', { cause });
  }
}

function isSigner(key: AnchorKeyInput): key is AnchorSigner {
  return typeof key === 'object' && 'sign' in key && typeof key.sign === 'function';
}

/** A service that signs something else must not get that into a log under our name. */
function checked(signer: AnchorSigner): AnchorSigner {
  const spki = Uint8Array.from(signer.spki);
  requireP256(spki);
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return {
    algorithm: 'ecdsa-p256',
    spki,
    async sign(message) {
      const signature = await signer.sign(message);
      if (!verify('sha256', message, key, signature)) throw new CrumbError('key_invalid');
      return signature;
    },
  };
}

function parseKey(key: Exclude<AnchorKeyInput, AnchorSigner>): KeyObject {
  try {
    if (key instanceof KeyObject) return requirePrivate(key);
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

function requirePrivate(key: KeyObject): KeyObject {
  if (key.type !== 'private') throw new CrumbError('key_invalid');
  return key;
}

function spkiOf(privateKey: KeyObject): Uint8Array {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  requireP256(spki);
  return new Uint8Array(spki);
}

function requireP256(spki: Uint8Array): void {
  const key = parseSpki(spki);
  if (key?.kind !== 'ecdsa' || key.curve !== 'P-256') throw new CrumbError('key_invalid');
}
