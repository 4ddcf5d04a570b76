/**
 * Who a development log is: its name, its key and its timestamp authority, made at the first start and kept
 * in its folder.
 *
 * @module
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import { join } from 'node:path';
import { CrumbError, isCrumbError } from '../../errors.ts';
import { equalBytes } from '../../evidence/bytes.ts';
import { checkpointText } from '../../evidence/checkpoint.ts';
import type { Ed25519Signer } from '../../evidence/ed25519.ts';
import { emptyRoot } from '../../evidence/merkle.ts';
import { signNote, vkeyOf } from '../../evidence/note.ts';
import { parseSpki } from '../../evidence/spki.ts';
import { logIdOf, parseTrustedRoot, type TrustedRoot } from '../../evidence/trusted-root.ts';
import { certifyAuthority, spkiOf, validityFrom } from './authority-certificates.ts';
import { PUBLIC, readIfThere, SECRET, writeDurably } from './durable-file.ts';
import type { AuthorityKeys } from './timestamp-authority.ts';
import { devTrustRoot } from './trust-root.ts';

/** Names of files in the folder of a log. */
export const FILES = {
  /** Ed25519, PKCS#8. */
  logKey: 'log-key.pem',
  /** ECDSA P-256, PKCS#8. */
  timestampKey: 'timestamp-key.pem',
  /** Each entry a line of canonical JSON. */
  entries: 'entries.jsonl',
  /** The last signed head. */
  checkpoint: 'checkpoint',
  /** What readers pin. Written last: where it is, all of them are. */
  trustRoot: 'trusted_root.json',
} as const;

export interface LogIdentity {
  /** First line of its checkpoints. */
  readonly name: string;
  readonly vkey: string;
  /** 32 bytes. */
  readonly id: Uint8Array;
  readonly signer: Ed25519Signer;
  readonly authority: AuthorityKeys;
  /** Text of the trust root. */
  readonly trustRoot: string;
}

/**
 * Reads who the log of a folder is, or makes it.
 *
 * @param fresh For a folder without a log: its name and address, and the time.
 * @throws {CrumbError} `folder_damaged`: files are missing or do not belong together.
 */
export async function openLogIdentity(
  folder: string,
  fresh: { readonly name: string; readonly timestampUrl: string; readonly now: Date },
): Promise<LogIdentity> {
  const there = await readIfThere(join(folder, FILES.trustRoot));
  if (there !== undefined) return readIdentity(folder, there);
  const entries = await readIfThere(join(folder, FILES.entries));
  // Keys cannot be made anew for entries that were signed with others.
  if (entries !== undefined && entries !== '') throw damaged(FILES.trustRoot);
  return createIdentity(folder, fresh);
}

/** Signs with a private key that `node:crypto` holds. */
export function signerOf(key: KeyObject): Ed25519Signer {
  return {
    algorithm: 'ed25519',
    publicKey: spkiOf(createPublicKey(key)).subarray(-32),
    sign: async (message) => new Uint8Array(sign(null, message, key)),
  };
}

/** A private key of a folder. @throws {CrumbError} `folder_damaged` */
export async function readKey(folder: string, file: string): Promise<KeyObject> {
  const pem = await readIfThere(join(folder, file));
  try {
    return createPrivateKey(pem ?? '');
  } catch {
    throw damaged(file); // without cause: a parser's message may quote the key
  }
}

/** PKCS#8 text of a new key, and the key. */
export function newKey(kind: 'ed25519' | 'p256'): {
  readonly key: KeyObject;
  readonly pem: string;
} {
  const { privateKey: key } =
    kind === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { key, pem: String(key.export({ type: 'pkcs8', format: 'pem' })) };
}

/** @param file What is missing or does not fit. */
export function damaged(file: string, cause?: unknown): CrumbError {
  return new CrumbError('folder_damaged', { names: [file], cause });
}

async function readIdentity(folder: string, trustRoot: string): Promise<LogIdentity> {
  const [log] = readTrustRoot(trustRoot).logs;
  const [authority] = readTrustRoot(trustRoot).authorities;
  const logKey = await readKey(folder, FILES.logKey);
  const timestampKey = await readKey(folder, FILES.timestampKey);
  const [leaf] = authority?.chain ?? [];
  if (log === undefined || authority === undefined) throw damaged(FILES.trustRoot);
  if (!equalBytes(log.key.spki, spkiOf(createPublicKey(logKey)))) throw damaged(FILES.logKey);
  if (leaf === undefined || !equalBytes(leaf.key.spki, spkiOf(createPublicKey(timestampKey)))) {
    throw damaged(FILES.timestampKey);
  }
  const signer = signerOf(logKey);
  return {
    name: log.name,
    vkey: vkeyOf(log.name, signer.publicKey),
    id: log.id,
    signer,
    authority: { key: timestampKey, chain: authority.chain.map(({ bytes }) => bytes) },
    trustRoot,
  };
}

function readTrustRoot(text: string): TrustedRoot {
  try {
    return parseTrustedRoot(text);
  } catch (error) {
    if (isCrumbError(error)) throw damaged(FILES.trustRoot, error);
    throw error;
  }
}

async function createIdentity(
  folder: string,
  { name, timestampUrl, now }: Parameters<typeof openLogIdentity>[1],
): Promise<LogIdentity> {
  const log = newKey('ed25519');
  const timestamps = newKey('p256');
  const signer = signerOf(log.key);
  const vkey = vkeyOf(name, signer.publicKey);
  const spki = spkiOf(createPublicKey(log.key));
  const key = parseSpki(spki);
  if (key === undefined) throw new TypeError('no key'); // cannot be: it was just made
  const id = logIdOf(name, key);
  const validity = validityFrom(now);
  const chain = certifyAuthority(createPublicKey(timestamps.key), validity);
  const trustRoot = devTrustRoot({
    log: { name, id, spki },
    authority: { uri: timestampUrl, chain },
    validity,
  });
  const empty = checkpointText({ origin: name, size: 0, root: emptyRoot() });
  const files = [
    { name: FILES.logKey, text: log.pem, mode: SECRET },
    { name: FILES.timestampKey, text: timestamps.pem, mode: SECRET },
    { name: FILES.entries, text: '', mode: PUBLIC },
    { name: FILES.checkpoint, text: await signNote(empty, name, signer), mode: PUBLIC },
    { name: FILES.trustRoot, text: trustRoot, mode: PUBLIC },
  ] as const;
  for (const { name: file, text, mode } of files) {
    await writeDurably({ path: join(folder, file), text, mode });
  }
  return { name, vkey, id, signer, authority: { key: timestamps.key, chain }, trustRoot };
}
