/**
 * Drafts made ready for the write lock: checked and, as far as possible, already in bytes. What a draft
 * does not know before it has its place is filled in under the lock.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';
import { toBase64url } from '../evidence/bytes.ts';
import { encodeEntry, FORMAT, ZERO_LEAF } from '../evidence/entry.ts';
import type { Entry, GenesisBody, Kind } from '../evidence/kinds.ts';
import type { AppendOptions, Draft, DraftSeq } from './ledger.ts';

/** A draft that can be sealed. Plain data: it may come from another thread. */
export interface PreparedDraft {
  readonly kind: Kind;
  /** Canonical bytes of the body; undefined if it refers to other drafts. */
  readonly body: Uint8Array | undefined;
  /** Such a draft. */
  readonly open: Draft | undefined;
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
  /** Most entries, and bytes of entries, that it can become. */
  readonly count: number;
  readonly bytes: number;
}

const ZERO_TEXT = toBase64url(ZERO_LEAF);
const ANY_TIME = '2000-01-01T00:00:00.000Z';
/** Drafts are measured with the longest number, so that none can become too large under the lock. */
const LONGEST_SEQ = Number.MAX_SAFE_INTEGER;
const BODY_START = '{"body":'.length;

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
    drafts: prepared.map(({ draft }) => draft),
    spend: spend && {
      key: Uint8Array.from(spend.key),
      max: spend.max,
      otherwise: otherwise.map(({ draft }) => draft),
    },
    alone: sign === 'each',
    timeMs,
    count: Math.max(prepared.length, otherwise.length),
    bytes: Math.max(bytesOf(prepared), bytesOf(otherwise)),
  };
}

/** The first entry, which no draft may be. @throws {CrumbError} `entry_malformed`, `key_invalid`. */
export function prepareGenesis(body: GenesisBody, timeMs: number): PreparedCall {
  const bytes = encode({ kind: 'genesis', body });
  const draft = { kind: 'genesis', body: bodyOf('genesis', bytes), open: undefined } as const;
  return {
    drafts: [draft],
    spend: undefined,
    alone: true,
    timeMs,
    count: 1,
    bytes: bytes.length,
  };
}

/** The canonical body of a draft whose predecessors have these sequence numbers. */
export function bodyBytes(draft: PreparedDraft, seqs: readonly number[]): Uint8Array {
  if (draft.body !== undefined) return draft.body;
  if (draft.open === undefined) throw new TypeError('a draft without a body');
  return bodyOf(draft.kind, encode(resolve(draft.open, (ref) => seqs[ref.draft] ?? LONGEST_SEQ)));
}

function prepareDraft(draft: Draft, index: number): { draft: PreparedDraft; bytes: number } {
  const { kind } = draft;
  if (kind === 'genesis') throw new CrumbError('entry_malformed', { names: ['kind'] });
  let open = false;
  const resolved = resolve(draft, (ref) => {
    if (!(Number.isSafeInteger(ref.draft) && ref.draft >= 0 && ref.draft < index)) {
      throw new TypeError('a reference must point at an earlier draft of the same call');
    }
    open = true;
    return LONGEST_SEQ;
  });
  const bytes = encode(resolved);
  return {
    bytes: bytes.length,
    draft: open
      ? { kind, body: undefined, open: draft }
      : { kind, body: bodyOf(kind, bytes), open: undefined },
  };
}

/** A body without references, put into an entry of no place and time. */
function encode({ kind, body }: Resolved): Uint8Array {
  const entry = { v: FORMAT, seq: LONGEST_SEQ, prev: ZERO_TEXT, time: ANY_TIME, kind, body };
  return encodeEntry(entry as Entry); // `body` is that of `kind`; encodeEntry checks both
}

/** What stands after the body of an entry. */
export function tailText(kind: Kind, prev: string, place: { seq: number; time: string }): string {
  return `,"kind":"${kind}","prev":"${prev}","seq":${place.seq},"time":"${place.time}","v":"${FORMAT}"}`;
}

function bodyOf(kind: Kind, entry: Uint8Array): Uint8Array {
  const tail = tailText(kind, ZERO_TEXT, { seq: LONGEST_SEQ, time: ANY_TIME });
  return entry.slice(BODY_START, entry.length - tail.length);
}

/** A draft in which numbers stand for all references. */
interface Resolved {
  readonly kind: Kind;
  readonly body: object;
}

/** Members of a body that may be references; `token` has one inside. */
const REFERENCES = ['session', 'intent', 'parent', 'hop', 'approval', 'jwks', 'of'];

function resolve({ kind, body }: Draft, seqOf: (ref: DraftSeq) => number): Resolved {
  return { kind, body: resolveMembers(body, seqOf) };
}

function resolveMembers(body: object, seqOf: (ref: DraftSeq) => number): object {
  const members: Readonly<Record<string, unknown>> = { ...body };
  const changed: Record<string, unknown> = {};
  for (const name of REFERENCES) {
    const value = members[name];
    if (isReference(value)) changed[name] = seqOf(value);
  }
  const token = members['token'];
  if (typeof token === 'object' && token !== null) {
    changed['token'] = resolveMembers(token, seqOf);
  }
  return { ...members, ...changed };
}

function isReference(value: unknown): value is DraftSeq {
  return (
    typeof value === 'object' &&
    value !== null &&
    'draft' in value &&
    typeof value.draft === 'number'
  );
}

function bytesOf(drafts: readonly { readonly bytes: number }[]): number {
  return drafts.reduce((sum, { bytes }) => sum + bytes, 0);
}
