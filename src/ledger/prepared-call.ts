/**
 * Drafts made ready for the write lock: checked and, as far as possible, already written. What a draft
 * does not know before it has its place is filled in under the lock.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';
import { toBase64url } from '../evidence/bytes.ts';
import { encodeEntry, FORMAT, MAX_ENTRY_BYTES, ZERO_LEAF } from '../evidence/entry.ts';
import type { Entry, GenesisBody, Kind } from '../evidence/kinds.ts';
import type { AppendOptions, Draft, DraftSeq } from './ledger.ts';
import { plainBody } from './plain-body.ts';

/** A draft that can be sealed. Plain data: it may come from another thread. */
export interface PreparedDraft {
  readonly kind: Kind;
  /** The body in canonical JSON; undefined if it refers to other drafts. */
  readonly body: string | undefined;
  /** Such a draft. */
  readonly open: Draft | undefined;
  /** No fewer than the entry will have. */
  readonly bytes: number;
}

/** One `append` call. */
export interface PreparedCall {
  readonly drafts: readonly PreparedDraft[];
  readonly spend:
    | {
        readonly key: Uint8Array;
        readonly max: number;
        readonly otherwise: readonly PreparedDraft[];
      }
    | undefined;
  /** Whether it gets a commit of its own. */
  readonly alone: boolean;
  /** Clock at enqueue, milliseconds. */
  readonly timeMs: number;
  /** Most entries that it can become, and no fewer bytes than they will have. */
  readonly count: number;
  readonly bytes: number;
}

const ZERO_TEXT = toBase64url(ZERO_LEAF);
const ANY_TIME = '2000-01-01T00:00:00.000Z';
/** Drafts are measured with the longest number, so that none can become too large under the lock. */
const LONGEST_SEQ = Number.MAX_SAFE_INTEGER;
const START = '{"body":';

/**
 * Checks and encodes drafts, so that one that is wrong fails alone and before it waits.
 *
 * @throws {CrumbError} `entry_malformed`, `entry_too_large`.
 * @throws {TypeError} No drafts, a reference that points at no earlier draft, or a key that is not 32 bytes.
 */
export function prepareCall(
  drafts: readonly Draft[],
  { spend, sign }: AppendOptions,
  timeMs: number,
): PreparedCall {
  if (drafts.length === 0) throw new TypeError('nothing to append');
  if (spend !== undefined && spend.key.length !== 32) throw new TypeError('a key has 32 bytes');
  const prepared = drafts.map(prepareDraft);
  const otherwise = spend?.otherwise.map(prepareDraft) ?? [];
  return {
    drafts: prepared,
    spend: spend && { key: Uint8Array.from(spend.key), max: spend.max, otherwise },
    alone: sign === 'each',
    timeMs,
    count: Math.max(prepared.length, otherwise.length),
    bytes: Math.max(bytesOf(prepared), bytesOf(otherwise)),
  };
}

/** The first entry, which no draft may be. @throws {CrumbError} `entry_malformed`, `key_invalid`. */
export function prepareGenesis(body: GenesisBody, timeMs: number): PreparedCall {
  const text = bodyText('genesis', body);
  const bytes = Buffer.byteLength(text) + TAIL_BYTES;
  return {
    drafts: [{ kind: 'genesis', body: text, open: undefined, bytes }],
    spend: undefined,
    alone: true,
    timeMs,
    count: 1,
    bytes,
  };
}

/** The entry that a draft becomes in its place, in canonical JSON. */
export function entryText(
  draft: PreparedDraft,
  place: { readonly seq: number; readonly prev: string; readonly time: string },
  seqs: readonly number[],
): string {
  return START + (draft.body ?? closedBody(draft, seqs)) + tailText(draft.kind, place);
}

function closedBody({ kind, open }: PreparedDraft, seqs: readonly number[]): string {
  if (open === undefined) throw new TypeError('a draft without a body');
  return bodyText(
    kind,
    resolveReferences(open.body, (ref) => seqs[ref.draft] ?? LONGEST_SEQ),
  );
}

function prepareDraft(draft: Draft, index: number): PreparedDraft {
  const { kind, body } = draft;
  if (kind === 'genesis') throw new CrumbError('entry_malformed', { names: ['kind'] });
  const resolved = resolveReferences(body, (ref) => {
    if (!(Number.isSafeInteger(ref.draft) && ref.draft >= 0 && ref.draft < index)) {
      throw new TypeError('a reference must point at an earlier draft of the same call');
    }
    return LONGEST_SEQ;
  });
  const text = bodyText(kind, resolved);
  const bytes = Buffer.byteLength(text) + TAIL_BYTES;
  return resolved === body
    ? { kind, body: text, open: undefined, bytes }
    : { kind, body: undefined, open: structuredClone(draft), bytes }; // what was checked stays as it was
}

/** What an entry has beside its body, and the byte 0x00 before it, at most. */
const TAIL_BYTES = 256;

/**
 * A body without references in canonical JSON.
 *
 * @throws {CrumbError} `entry_malformed`, `entry_too_large`.
 */
function bodyText(kind: Kind, body: object): string {
  const plain = plainBody(kind, body);
  if (plain !== undefined && plain.length + TAIL_BYTES <= MAX_ENTRY_BYTES) return plain;
  const entry = { v: FORMAT, seq: LONGEST_SEQ, prev: ZERO_TEXT, time: ANY_TIME, kind, body };
  const bytes = encodeEntry(entry as Entry); // `body` is that of `kind`; encodeEntry checks both
  const tail = tailText(kind, { seq: LONGEST_SEQ, prev: ZERO_TEXT, time: ANY_TIME });
  return new TextDecoder().decode(bytes.subarray(START.length, bytes.length - tail.length));
}

/** What stands after the body of an entry. */
function tailText(
  kind: Kind,
  { seq, prev, time }: { readonly seq: number; readonly prev: string; readonly time: string },
): string {
  return `,"kind":"${kind}","prev":"${prev}","seq":${seq},"time":"${time}","v":"${FORMAT}"}`;
}

/** Members of a body that may be references; `token` has one inside. */
const REFERENCES = ['session', 'intent', 'parent', 'hop', 'approval', 'jwks', 'of'];

/** The body with numbers for its references; the same object if it has none. */
function resolveReferences(body: object, seqOf: (ref: DraftSeq) => number): object {
  const members = body as Readonly<Record<string, unknown>>; // read only, and checked when encoded
  const changed: Record<string, unknown> = {};
  for (const name of REFERENCES) {
    const value = members[name];
    if (isReference(value)) changed[name] = seqOf(value);
  }
  const token = members['token'];
  if (typeof token === 'object' && token !== null) {
    const resolved = resolveReferences(token, seqOf);
    if (resolved !== token) changed['token'] = resolved;
  }
  return Object.keys(changed).length === 0 ? body : { ...members, ...changed };
}

function isReference(value: unknown): value is DraftSeq {
  return (
    typeof value === 'object' &&
    value !== null &&
    'draft' in value &&
    typeof value.draft === 'number'
  );
}

function bytesOf(drafts: readonly PreparedDraft[]): number {
  return drafts.reduce((sum, { bytes }) => sum + bytes, 0);
}
