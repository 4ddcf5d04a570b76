/**
 * Entries that another writer appended: taken over only if they continue what we know and give the tree
 * that their head signs.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';
import { equalBytes, toBase64url } from '../evidence/bytes.ts';
import { parseEntry } from '../evidence/entry.ts';
import { leafHash } from '../evidence/merkle.ts';
import type { LedgerReads, StoredEntry } from './ledger-store.ts';
import type { WriterState } from './seal.ts';
import { sha256 } from './sha256.ts';
import { extendEdge } from './tree-edge.ts';
import type { HeadKey, SignedHead } from './tree-head.ts';

/** What the ledger became, and the head that says so. */
export interface Followed {
  readonly state: WriterState;
  readonly head: SignedHead;
}

/**
 * Follows the ledger from `state` to `size`, which must be the end of a commit.
 *
 * @throws {CrumbError} `ledger_forked`, naming the entry.
 */
export async function follow(
  start: WriterState,
  size: number,
  source: { readonly reads: LedgerReads; readonly key: HeadKey },
): Promise<Followed> {
  let state = start;
  let signature: Uint8Array | null = null;
  while (state.edge.range.size < size) {
    const rows = await source.reads.page(state.edge.range.size, size);
    if (rows.length === 0) throw forkedAt(state.edge.range.size);
    state = followRows(state, rows);
    signature = rows.at(-1)?.head ?? null;
  }
  const head = signature === null ? undefined : source.key.open(state.edge, signature);
  if (head === undefined) throw forkedAt(size - 1);
  return { state, head };
}

export function forkedAt(seq: number, cause?: unknown): CrumbError {
  return new CrumbError('ledger_forked', { names: [`entry ${Math.max(0, seq)}`], cause });
}

function followRows(state: WriterState, rows: readonly StoredEntry[]): WriterState {
  let { leaf: prev, timeMs } = state;
  const leaves: Uint8Array[] = [];
  for (const row of rows) {
    const seq = state.edge.range.size + leaves.length;
    if (row.seq !== seq || !equalBytes(row.prev, prev)) throw forkedAt(seq);
    timeMs = Math.max(timeMs, timeOf(row, prev));
    prev = row.leaf;
    leaves.push(row.leaf);
  }
  return { edge: extendEdge(state.edge, leaves).edge, leaf: prev, timeMs };
}

/** Time of an entry whose bytes are what its row says. A pruned one has none; its head covers its leaf. */
function timeOf({ seq, leaf, bytes }: StoredEntry, prev: Uint8Array): number {
  if (bytes === null) return 0;
  if (!equalBytes(leafHash(bytes, sha256), leaf)) throw forkedAt(seq);
  const entry = parse(bytes, seq);
  if (entry.seq !== seq || entry.prev !== toBase64url(prev)) throw forkedAt(seq);
  return Date.parse(entry.time);
}

function parse(bytes: Uint8Array, seq: number): ReturnType<typeof parseEntry> {
  try {
    return parseEntry(bytes);
  } catch (cause) {
    throw forkedAt(seq, cause);
  }
}
