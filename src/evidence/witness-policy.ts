/**
 * Which witnesses count and how many are enough: C2SP tlog-policy.
 *
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-policy.md
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { CrumbError } from '../errors.ts';
import { fromBase64, toBase64url, utf8 } from './bytes.ts';
import { parseVkey } from './note.ts';

/** A witness that counts. */
export interface TrustedWitness {
  /** Its name in the policy, which means nothing outside. */
  readonly name: string;
  readonly vkey: string;
  /** Where it takes checkpoints, if that is said. */
  readonly url: string | undefined;
}

/** What must have witnessed: one witness, or so many of several; `none`: nobody need. */
export type Quorum =
  | 'none'
  | { readonly witness: string }
  | { readonly threshold: number; readonly of: readonly Quorum[] };

/** A policy file, read. */
export interface WitnessPolicy {
  readonly witnesses: readonly TrustedWitness[];
  /** Witnesses stand in it by vkey. */
  readonly quorum: Quorum;
  /** Whether the file says so in its line {@link DEVELOPMENT_LINE}. */
  readonly development: boolean;
  /** SHA-256 of the file in base64url, as `anchor` entries name it. */
  readonly digest: string;
}

/** A comment for other readers. To us it says that what these witnesses sign proves nothing elsewhere. */
export const DEVELOPMENT_LINE = '# crumb: development';

/** As many as the specification asks for, twice. */
const MAX_NAMES = 128;

/**
 * Reads a policy. Its logs are checked for their form and otherwise ignored: which ledger it is about, the
 * reader knows from elsewhere.
 *
 * @throws {CrumbError} `trust_invalid`, naming the line.
 */
export function parseWitnessPolicy(text: string): WitnessPolicy {
  const reading: Reading = {
    witnesses: [],
    keys: new Set(),
    names: new Map(),
    members: new Set(),
    quorum: undefined,
  };
  let development = false;
  for (const [n, line] of text.split('\n').entries()) {
    development ||= line.trim() === DEVELOPMENT_LINE;
    if (!readLine(reading, line))
      throw new CrumbError('trust_invalid', { names: [`line ${n + 1}`] });
  }
  const { witnesses, quorum } = reading;
  if (quorum === undefined) throw new CrumbError('trust_invalid', { names: ['quorum'] });
  return { witnesses, quorum, development, digest: toBase64url(sha256(utf8(text))) };
}

/** Whether these witnesses, by vkey, are enough. */
export function meetsQuorum(quorum: Quorum, cosigners: ReadonlySet<string>): boolean {
  if (quorum === 'none') return true;
  if ('witness' in quorum) return cosigners.has(quorum.witness);
  const met = quorum.of.filter((member) => meetsQuorum(member, cosigners)).length;
  return met >= quorum.threshold;
}

interface Reading {
  readonly witnesses: TrustedWitness[];
  /** Public keys of logs and witnesses: none may stand twice, under whatever name. */
  readonly keys: Set<string>;
  readonly names: Map<string, Quorum>;
  /** Names that are in a group already: each witness counts in one way. */
  readonly members: Set<string>;
  quorum: Quorum | undefined;
}

function readLine(reading: Reading, line: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  if (/[\0-\x08\x0b-\x1f\x7f]/.test(line)) return false;
  const [word, ...rest] = line.split(/[ \t]+/).filter((item) => item !== '');
  if (word === undefined || word.startsWith('#')) return true;
  switch (word) {
    case 'log':
      return rest.length <= 2 && takeKey(reading, 'ed25519', rest[0]);
    case 'witness':
      return takeWitness(reading, rest);
    case 'group':
      return takeGroup(reading, rest);
    case 'quorum':
      return takeQuorum(reading, rest);
    default:
      return false;
  }
}

function takeKey(reading: Reading, algorithm: string, vkey: string | undefined): boolean {
  const key = vkey === undefined ? undefined : parseVkey(vkey);
  if (key === undefined || key.algorithm !== algorithm) return false;
  const bytes = `${algorithm} ${toBase64url(key.publicKey)}`;
  if (reading.keys.has(bytes)) return false;
  reading.keys.add(bytes);
  return true;
}

function takeWitness(reading: Reading, [name, vkey, url, ...rest]: readonly string[]): boolean {
  if (name === undefined || vkey === undefined || rest.length > 0) return false;
  if (isForeignKey(vkey)) return define(reading, name, NOBODY);
  if (!takeKey(reading, 'cosignature', vkey)) return false;
  reading.witnesses.push({ name, vkey, url });
  return define(reading, name, { witness: vkey });
}

/** Stands for a witness whose signatures we cannot check: it never counts. */
const NOBODY: Quorum = { threshold: 1, of: [] };

/** A witness's key of an algorithm that we do not know, such as ML-DSA-44. */
function isForeignKey(vkey: string): boolean {
  const [, encoded] = /^[^+]+\+[0-9a-f]{8}\+(.+)$/s.exec(vkey) ?? [];
  const algorithm = fromBase64(encoded ?? '')?.[0];
  return algorithm !== undefined && algorithm !== 0x01 && algorithm !== 0x04;
}

function takeGroup(reading: Reading, [name, count, ...members]: readonly string[]): boolean {
  if (name === undefined || count === undefined || members.length === 0) return false;
  const of: Quorum[] = [];
  for (const member of members) {
    const known = reading.names.get(member);
    if (known === undefined || reading.members.has(member)) return false;
    reading.members.add(member);
    of.push(known);
  }
  const threshold = thresholdOf(count, of.length);
  return threshold !== undefined && define(reading, name, { threshold, of });
}

function thresholdOf(count: string, members: number): number | undefined {
  if (count === 'any') return 1;
  if (count === 'all') return members;
  const threshold = /^[1-9]\d{0,2}$/.test(count) ? Number(count) : 0;
  return threshold >= 1 && threshold <= members ? threshold : undefined;
}

function takeQuorum(reading: Reading, [name, ...rest]: readonly string[]): boolean {
  const known = name === 'none' ? 'none' : reading.names.get(name ?? '');
  if (known === undefined || rest.length > 0 || reading.quorum !== undefined) return false;
  reading.quorum = known;
  return true;
}

function define({ names }: Reading, name: string, meaning: Quorum): boolean {
  if (name === 'none' || names.has(name) || names.size >= MAX_NAMES) return false;
  names.set(name, meaning);
  return true;
}
