/**
 * Whom a reader trusts to have seen a checkpoint: transparency logs and timestamp authorities, pinned in a
 * file of Sigstore's `trusted_root.json` format. A file may be marked `"development": true`; then what
 * its members vouch for proves nothing outside the machine they run on.
 *
 * @see https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { CrumbError } from '../errors.ts';
import { concatBytes, equalBytes, fromBase64, toBase64url, utf8 } from './bytes.ts';
import { parseCertificate, type Certificate } from './certificate.ts';
import { isKeyName } from './note.ts';
import { isObject } from './shape.ts';
import { parseSpki, type PublicKey } from './spki.ts';
import type { TimestampAuthority } from './timestamp-token.ts';

/** A pinned transparency log. */
export interface TrustedLog {
  /** Its URL without scheme: the name that it signs its checkpoints with. */
  readonly name: string;
  /** 32 bytes. The first four are the key id in its checkpoints. */
  readonly id: Uint8Array;
  readonly key: PublicKey;
  readonly from: Date;
  /** Inclusive; null: still in use. */
  readonly to: Date | null;
  readonly development: boolean;
}

/** A pinned file, read. */
export interface TrustedRoot {
  readonly logs: readonly TrustedLog[];
  readonly authorities: readonly TimestampAuthority[];
  readonly development: boolean;
  /** SHA-256 of the file in base64url, as `anchor` entries name it. */
  readonly digest: string;
}

const MEDIA_TYPE =
  /^application\/vnd\.dev\.sigstore\.trustedroot(?:\.v0\.\d\+json|\+json;version=0\.\d)$/;

/**
 * Reads a trust root. Logs and authorities with kinds of keys that Crumb does not verify are left out:
 * what they vouch for counts as unknown.
 *
 * @param text The file, exactly as pinned.
 * @throws {CrumbError} `trust_invalid`, naming what cannot be read.
 */
export function parseTrustedRoot(text: string): TrustedRoot {
  const root = parseObject(text);
  const mediaType = root['mediaType'];
  if (typeof mediaType !== 'string' || !MEDIA_TYPE.test(mediaType)) throw refused('mediaType');
  const mark = root['development'];
  if (mark !== undefined && typeof mark !== 'boolean') throw refused('development');
  const development = mark === true;
  return {
    logs: listOf(root, 'tlogs').flatMap((log) => readLog(log, development)),
    authorities: listOf(root, 'timestampAuthorities').flatMap((authority) =>
      readAuthority(authority, development),
    ),
    development,
    digest: toBase64url(sha256(utf8(text))),
  };
}

/**
 * Id of a log: what `logId` of its entries says, and with its first four bytes its checkpoints.
 *
 * @param name Counts only for Ed25519, as C2SP has it.
 */
export function logIdOf(name: string, key: PublicKey): Uint8Array {
  return key.kind === 'ed25519'
    ? sha256(concatBytes(utf8(`${name}\n`), Uint8Array.of(0x01), key.raw))
    : sha256(key.spki);
}

type Members = Readonly<Record<string, unknown>>;

function readLog(value: unknown, development: boolean): TrustedLog[] {
  const log = membersOf(value, 'tlogs');
  const { baseUrl, publicKey } = log;
  const keyMembers = membersOf(publicKey, 'tlogs.publicKey');
  const key = parseSpki(bytesOf(keyMembers['rawBytes'], 'tlogs.publicKey'));
  const name = typeof baseUrl === 'string' ? nameOf(baseUrl) : undefined;
  if (name === undefined) throw refused('tlogs.baseUrl');
  if (key === undefined || key.kind === 'rsa') return [];
  const id = logIdOf(name, key);
  const stated = membersOf(log['checkpointKeyId'] ?? log['logId'], 'tlogs.logId');
  // An id that is not this key's would make every receipt of the log fail without saying why.
  if (!equalBytes(bytesOf(stated['keyId'], 'tlogs.logId'), id)) throw refused('tlogs.logId');
  return [{ name, id, key, ...periodOf(keyMembers), development }];
}

function readAuthority(value: unknown, development: boolean): TimestampAuthority[] {
  const authority = membersOf(value, 'timestampAuthorities');
  const { uri, subject } = authority;
  const chainMembers = membersOf(authority['certChain'], 'certChain');
  const certificates = listOf(chainMembers, 'certificates').map((one) =>
    parseCertificate(bytesOf(membersOf(one, 'certificates')['rawBytes'], 'certificates')),
  );
  const chain = certificates.filter((one): one is Certificate => one !== undefined);
  if (chain.length === 0 || chain.length < certificates.length) return [];
  const name = typeof uri === 'string' && uri !== '' ? uri : commonNameOf(subject);
  return [{ name, chain, ...periodOf(authority), development }];
}

function commonNameOf(subject: unknown): string {
  const name = isObject(subject) ? subject['commonName'] : undefined;
  return typeof name === 'string' && name !== '' ? name : 'timestamp authority';
}

function nameOf(baseUrl: string): string | undefined {
  const name = baseUrl.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  return isKeyName(name) ? name : undefined;
}

/** Since when has to be said: without it a log would be believed about times before it existed. */
function periodOf(members: Members): { readonly from: Date; readonly to: Date | null } {
  const { start, end } = membersOf(members['validFor'], 'validFor');
  return {
    from: instantOf(start),
    to: end === undefined || end === null ? null : instantOf(end),
  };
}

function instantOf(value: unknown): Date {
  const time =
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*Z$/.test(value) ? new Date(value) : undefined;
  if (time === undefined || Number.isNaN(time.getTime())) throw refused('validFor');
  return time;
}

function bytesOf(value: unknown, name: string): Uint8Array {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  if (bytes === undefined) throw refused(name);
  return bytes;
}

function listOf(members: Members, name: string): readonly unknown[] {
  const value = members[name] ?? [];
  if (!Array.isArray(value)) throw refused(name);
  return value;
}

function membersOf(value: unknown, name: string): Members {
  if (!isObject(value)) throw refused(name);
  return value;
}

function parseObject(text: string): Members {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // said below
  }
  throw refused('json');
}

function refused(name: string): CrumbError {
  return new CrumbError('trust_invalid', { names: [name] });
}
