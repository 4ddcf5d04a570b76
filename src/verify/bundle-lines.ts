/**
 * The lines of a `crumb-bundle/1`: NDJSON, each line canonical JSON with its type in `t`.
 * docs/formats/bundle-v1.md is the specification.
 *
 * @module
 */
import { canonicalJson, toJson } from '../attribution/canonical.ts';
import type { Json } from '../attribution/tool-call.ts';
import { fromBase64url, utf8 } from '../evidence/bytes.ts';
import type { Label } from '../evidence/commitment.ts';
import { isKeyName } from '../evidence/note.ts';
import {
  count,
  instant,
  isObject,
  list,
  nullable,
  pattern,
  record,
  text,
  where,
  word,
  type Shape,
} from '../evidence/shape.ts';

/** Name of the format. Another layout gets another name. */
export const BUNDLE_FORMAT = 'crumb-bundle/1';

/** Longest line without its newline, in bytes of UTF-8. */
export const MAX_LINE_BYTES = 512 * 1024;

/** Longest receipt, in bytes of UTF-8. */
export const MAX_RECEIPT_BYTES = 64 * 1024;

/** What the bundle is; always the first line. */
export interface HeaderLine {
  readonly t: 'bundle';
  readonly v: typeof BUNDLE_FORMAT;
  readonly origin: string;
  /** `range`: all entries from `start` on. `selection`: some entries, each with a proof. */
  readonly mode: 'range' | 'selection';
  readonly start: number;
  /** Size of the tree that everything here is proved against. */
  readonly size: number;
  /** Its root, which proofs need before the tree is known; null in a range from 0 on. */
  readonly root: Uint8Array | null;
  /** Whether whoever made this had the vault: only then does a missing opening mean anything. */
  readonly vault: boolean;
  readonly made: string | null;
  readonly maker: { readonly name: string; readonly version: string } | null;
  readonly query: string | null;
}

/** The tree below `start`: its perfect subtrees, largest first. */
export interface PeaksLine {
  readonly t: 'peaks';
  readonly hashes: readonly Uint8Array[];
}

/** An entry, byte for byte. */
export interface EntryLine {
  readonly t: 'entry';
  readonly bytes: Uint8Array;
  /** Inclusion proof to `size`: in a selection, and for entries below `start`. */
  readonly proof?: readonly Uint8Array[];
  /** Hashes that a database keeps beside the entry; never in a file. */
  readonly stored?: { readonly leaf: Uint8Array; readonly prev: Uint8Array };
}

/** An entry whose bytes are gone: its leaf hash remains. */
export interface PrunedLine {
  readonly t: 'pruned';
  readonly seq: number;
  readonly leaf: Uint8Array;
}

/** Signature over the tree head of `size`, after the entry that completes it. */
export interface HeadLine {
  readonly t: 'head';
  readonly size: number;
  readonly signature: Uint8Array;
}

/** A published tree head: a signed note with the ledger's line only. */
export interface CheckpointLine {
  readonly t: 'checkpoint';
  readonly note: string;
  /** In a selection: consistency proof to `size`. */
  readonly proof?: readonly Uint8Array[];
}

/** What a third party gave for a checkpoint. */
export interface ReceiptLine {
  readonly t: 'receipt';
  readonly size: number;
  readonly type: 'rekor' | 'timestamp' | 'witness';
  readonly raw: string;
}

/** An issuer's key set as it was fetched, before the `key` entry that commits to it. */
export interface JwksLine {
  readonly t: 'jwks';
  readonly iss: string;
  readonly raw: string;
}

/** What opens a commitment of entry `seq`, before that entry. */
export interface OpeningLine {
  readonly t: 'opening';
  readonly seq: number;
  readonly c: string;
  readonly label: Label;
  /** 32 bytes. */
  readonly r: Uint8Array;
  /** A token as text; bytes in base64url; else JSON. */
  readonly value: Json;
}

/** A commitment of entry `seq` whose salt is kept and whose value is not. */
export interface ClosedLine {
  readonly t: 'closed';
  readonly seq: number;
  readonly c: string;
  readonly label: Label;
}

/** The last line of a file. */
export interface EndLine {
  readonly t: 'end';
  /** How many lines stand before this one. */
  readonly lines: number;
  /** SHA-256 of all bytes before this line, newlines included. It finds damage, not forgery. */
  readonly digest: Uint8Array;
}

/** Any line of a bundle. */
export type BundleLine =
  | HeaderLine
  | PeaksLine
  | EntryLine
  | PrunedLine
  | HeadLine
  | CheckpointLine
  | ReceiptLine
  | JwksLine
  | OpeningLine
  | ClosedLine
  | EndLine;

/**
 * Reads one line, strictly: only one spelling of each line is accepted.
 *
 * @param line Without its newline, at most {@link MAX_LINE_BYTES}.
 * @returns Undefined for anything that is no line of this format.
 */
export function parseBundleLine(line: string): BundleLine | undefined {
  return parseEntryLine(line) ?? parseOther(line);
}

const ENTRY_HEAD = '{"raw":';
const ENTRY_TAIL = ',"t":"entry"}';

/** The common case, read without building an object of it. */
function parseEntryLine(line: string): EntryLine | undefined {
  if (!line.startsWith(ENTRY_HEAD) || !line.endsWith(ENTRY_TAIL)) return undefined;
  const literal = line.slice(ENTRY_HEAD.length, -ENTRY_TAIL.length);
  const raw = parseJson(literal);
  if (typeof raw !== 'string' || !raw.isWellFormed() || JSON.stringify(raw) !== literal) {
    return undefined;
  }
  return { t: 'entry', bytes: utf8(raw) };
}

function parseOther(line: string): BundleLine | undefined {
  const value = parseJson(line);
  const type = isObject(value) ? value['t'] : undefined;
  if (typeof type !== 'string' || !Object.hasOwn(READERS, type)) return undefined;
  const read = READERS[type as BundleLine['t']](value); // hasOwn
  return read !== undefined && canonicalOf(value) === line ? read : undefined;
}

/** By type: reads the parsed line into what it means. Spelling is compared apart. */
const READERS: { readonly [T in BundleLine['t']]: (value: unknown) => BundleLine | undefined } = {
  bundle: (value) => {
    const line = taken(HEADER, value);
    return line && { ...line, root: line.root === null ? null : bytesOf(line.root) };
  },
  peaks: (value) => {
    const line = taken(PEAKS, value);
    return line && { ...line, hashes: bytesOfAll(line.hashes) };
  },
  entry: (value) => {
    const line = taken(PROVED_ENTRY, value);
    return line && { t: 'entry', bytes: utf8(line.raw), proof: bytesOfAll(line.proof) };
  },
  pruned: (value) => {
    const line = taken(PRUNED, value);
    return line && { ...line, leaf: bytesOf(line.leaf) };
  },
  head: (value) => {
    const line = taken(HEAD, value);
    return line && { ...line, signature: bytesOf(line.signature) };
  },
  checkpoint: (value) => {
    const plain = taken(CHECKPOINT, value);
    if (plain !== undefined) return plain;
    const line = taken(PROVED_CHECKPOINT, value);
    return line && { ...line, proof: bytesOfAll(line.proof) };
  },
  receipt: (value) => taken(RECEIPT, value),
  jwks: (value) => taken(JWKS, value),
  opening: (value) => {
    const line = taken(OPENING, value);
    return line && { ...line, r: bytesOf(line.r) };
  },
  closed: (value) => taken(CLOSED, value),
  end: (value) => {
    const line = taken(END, value);
    return line && { ...line, digest: bytesOf(line.digest) };
  },
};

const hash = pattern(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/);
const commitment = pattern(/^[hf]1\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/);
const proof = list(hash, 64);
const words = text(256);
const anyText = text(MAX_LINE_BYTES);
const label = word<Label>(
  'args',
  'args.bytes',
  'result',
  'result.bytes',
  'claims',
  'token',
  'directive',
  'shown',
  'text',
);

const HEADER = record<Omit<HeaderLine, 'root'> & { readonly root: string | null }>({
  t: word('bundle'),
  v: word(BUNDLE_FORMAT),
  origin: where(text(512), isKeyName),
  mode: word('range', 'selection'),
  start: count,
  size: count,
  root: nullable(hash),
  vault: (value) => (typeof value === 'boolean' ? value : undefined),
  made: nullable(instant),
  maker: nullable(record({ name: words, version: words })),
  query: nullable(text(4096)),
});
const PEAKS = record<{ t: 'peaks'; hashes: readonly string[] }>({
  t: word('peaks'),
  hashes: list(hash, 64),
});
const PROVED_ENTRY = record<{ t: 'entry'; raw: string; proof: readonly string[] }>({
  t: word('entry'),
  raw: anyText,
  proof,
});
const PRUNED = record<{ t: 'pruned'; seq: number; leaf: string }>({
  t: word('pruned'),
  seq: count,
  leaf: hash,
});
const HEAD = record<{ t: 'head'; size: number; signature: string }>({
  t: word('head'),
  size: count,
  signature: pattern(/^[A-Za-z0-9_-]{85}[AQgw]$/),
});
const CHECKPOINT = record<{ t: 'checkpoint'; note: string }>({
  t: word('checkpoint'),
  note: anyText,
});
const PROVED_CHECKPOINT = record<{ t: 'checkpoint'; note: string; proof: readonly string[] }>({
  t: word('checkpoint'),
  note: anyText,
  proof,
});
const RECEIPT = record<ReceiptLine>({
  t: word('receipt'),
  size: count,
  type: word('rekor', 'timestamp', 'witness'),
  raw: text(MAX_RECEIPT_BYTES),
});
const JWKS = record<JwksLine>({ t: word('jwks'), iss: text(512), raw: anyText });
const OPENING = record<Omit<OpeningLine, 'r'> & { readonly r: string }>({
  t: word('opening'),
  seq: count,
  c: commitment,
  label,
  r: hash,
  value: json,
});
const CLOSED = record<ClosedLine>({ t: word('closed'), seq: count, c: commitment, label });
const END = record<{ t: 'end'; lines: number; digest: string }>({
  t: word('end'),
  lines: count,
  digest: hash,
});

function taken<T>(shape: Shape<T>, value: unknown): T | undefined {
  return shape(value, []);
}

function json(value: unknown): Json | undefined {
  try {
    return toJson(value);
  } catch {
    return undefined;
  }
}

function canonicalOf(value: unknown): string | undefined {
  try {
    return canonicalJson(value as Json); // JSON.parse gave it
  } catch {
    return undefined; // a lone surrogate
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The shapes have seen that this is base64url. */
function bytesOf(encoded: string): Uint8Array {
  return fromBase64url(encoded) ?? new Uint8Array(0);
}

function bytesOfAll(encoded: readonly string[]): readonly Uint8Array[] {
  return encoded.map(bytesOf);
}
