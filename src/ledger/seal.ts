/**
 * Entries out of drafts: place, time, link to the entry before, leaf hash, tree. Done under the write
 * lock, where it is known what they follow.
 *
 * @module
 */
import { toBase64url } from '../evidence/bytes.ts';
import type { Appended } from './ledger.ts';
import type { SealedEntry, Tile } from './ledger-store.ts';
import { entryText, type PreparedCall, type PreparedDraft } from './prepared-call.ts';
import { sha256Text } from './sha256.ts';
import { extendEdge, type TreeEdge } from './tree-edge.ts';

/** Where the writer stands: what the next entry follows. An immutable value. */
export interface WriterState {
  readonly edge: TreeEdge;
  readonly leaf: Uint8Array;
  /** Time of the last entry, milliseconds. */
  readonly timeMs: number;
}

/** What one call became. */
export interface SealedCall {
  readonly entries: readonly Appended[];
  readonly spent: boolean;
}

/** What one commit writes. */
export interface SealedCommit {
  readonly entries: readonly SealedEntry[];
  readonly tiles: readonly Tile[];
  readonly calls: readonly SealedCall[];
  /** The state after it. */
  readonly next: WriterState;
}

/**
 * Seals calls in order.
 *
 * @param spend Takes a call's use; called once per call that asks for one, in order.
 */
export async function sealCalls(
  state: WriterState,
  calls: readonly PreparedCall[],
  spend: (key: Uint8Array, max: number) => Promise<boolean>,
): Promise<SealedCommit> {
  const line = startLine(state, calls);
  const sealed: SealedCall[] = [];
  for (const call of calls) {
    const spent = call.spend === undefined || (await spend(call.spend.key, call.spend.max));
    const drafts = spent ? call.drafts : (call.spend?.otherwise ?? []);
    sealed.push({ entries: sealDrafts(line, drafts, call.timeMs), spent });
  }
  const { edge, tiles } = extendEdge(
    state.edge,
    line.entries.map(({ leaf }) => leaf),
  );
  return {
    entries: line.entries,
    tiles,
    calls: sealed,
    next: { edge, leaf: line.prev, timeMs: line.timeMs },
  };
}

/** The growing end of the chain. */
interface Line {
  readonly entries: SealedEntry[];
  /** Where the entries' bytes go: one piece of memory for all, filled up to `used`. */
  readonly memory: Buffer;
  used: number;
  seq: number;
  prev: Uint8Array;
  prevText: string;
  timeMs: number;
  timeText: string;
}

function startLine({ edge, leaf, timeMs }: WriterState, calls: readonly PreparedCall[]): Line {
  return {
    entries: [],
    memory: Buffer.allocUnsafeSlow(calls.reduce((sum, { bytes }) => sum + bytes, 0)),
    used: 0,
    seq: edge.range.size,
    prev: leaf,
    prevText: toBase64url(leaf),
    timeMs,
    timeText: new Date(timeMs).toISOString(),
  };
}

function sealDrafts(line: Line, drafts: readonly PreparedDraft[], timeMs: number): Appended[] {
  if (timeMs > line.timeMs) {
    line.timeMs = timeMs; // a clock that went back does not take the ledger with it
    line.timeText = new Date(timeMs).toISOString();
  }
  const time = new Date(line.timeMs);
  const seqs: number[] = [];
  return drafts.map((draft) => {
    const { seq, leaf } = sealEntry(line, draft, seqs);
    seqs.push(seq);
    return { seq, leaf: new Uint8Array(leaf), kind: draft.kind, time };
  });
}

function sealEntry(line: Line, draft: PreparedDraft, seqs: readonly number[]): SealedEntry {
  const { seq, prev, prevText, timeText } = line;
  const text = entryText(draft, { seq, prev: prevText, time: timeText }, seqs);
  // The leaf's preimage 0x00 ‖ bytes; the entry is a view of it.
  const start = line.used;
  line.memory[start] = 0;
  line.used += 1 + line.memory.write(text, start + 1);
  // Writing stops at the end of memory without a word; what was measured is always more than is used.
  if (line.used === line.memory.length) throw new TypeError('an entry larger than measured');
  const leafText = sha256Text(line.memory.subarray(start, line.used));
  const leaf = Buffer.from(leafText, 'base64url');
  const entry = { seq, prev, leaf, bytes: line.memory.subarray(start + 1, line.used) };
  line.entries.push(entry);
  line.seq++;
  line.prev = leaf;
  line.prevText = leafText;
  return entry;
}
