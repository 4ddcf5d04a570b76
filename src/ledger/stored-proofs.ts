/**
 * Merkle proofs out of what is stored, in O(log n): leaves at the right edge, roots of full tiles
 * elsewhere.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3
 * @module
 */
import { nodeHash, verifyConsistency, verifyInclusion } from '../evidence/merkle.ts';
import {
  assembleProof,
  planConsistency,
  planInclusion,
  type HashReader,
  type ProofPlan,
  type Subtree,
} from '../evidence/proof.ts';
import { forkedAt } from './follow.ts';
import type { LedgerReads } from './ledger-store.ts';
import { sha256 } from './sha256.ts';
import { edgeRoot, readEdge, TILE_WIDTH } from './tree-edge.ts';

/** Levels of the tree that a tile spans. */
const TILE_HEIGHT = 8;

/** A tree whose root is known from a signed head. */
export interface KnownTree {
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * Proof that the tree of the first `oldSize` entries is the beginning of a known one. It has been verified.
 *
 * @throws {CrumbError} `ledger_forked`: what is stored is not the tree that was signed.
 * @throws {TypeError} Unless 0 < oldSize <= size.
 */
export async function consistencyFrom(
  reads: LedgerReads,
  oldSize: number,
  { size, root }: KnownTree,
): Promise<readonly Uint8Array[]> {
  const proof = await proofOf(reads, size, planConsistency({ oldSize, newSize: size }));
  const edge = await readEdge(oldSize, reads);
  if (edge === undefined) throw forkedAt(oldSize - 1);
  const claim = { oldSize, newSize: size, oldRoot: edgeRoot(edge), newRoot: root, proof };
  if (!verifyConsistency(claim)) throw forkedAt(size - 1);
  return proof;
}

/**
 * Proof that an entry is in a known tree. It has been verified.
 *
 * @throws {CrumbError} `ledger_forked`: what is stored is not the tree that was signed.
 * @throws {TypeError} If there is no such entry.
 */
export async function inclusionOf(
  reads: LedgerReads,
  index: number,
  { size, root }: KnownTree,
): Promise<readonly Uint8Array[]> {
  const proof = await proofOf(reads, size, planInclusion({ index, size }));
  const [leaf] = await reads.hashes(0, index, index + 1);
  if (leaf === undefined || !verifyInclusion({ leaf, index, size, root, proof })) {
    throw forkedAt(index);
  }
  return proof;
}

async function proofOf(
  reads: LedgerReads,
  size: number,
  plan: ProofPlan,
): Promise<readonly Uint8Array[]> {
  const rows = new Map<string, readonly Uint8Array[]>();
  for (const { name, level, from } of tilesOf(plan)) {
    rows.set(name, await reads.hashes(level, from, Math.min(from + TILE_WIDTH, size)));
  }
  return assembleProof(plan, readerOver(rows, size));
}

interface TileRange {
  readonly name: string;
  /** Of tiles. */
  readonly level: number;
  readonly from: number;
}

/** Each row of hashes that a plan touches, once: a path needs a few in each. */
function tilesOf(plan: ProofPlan): readonly TileRange[] {
  const ranges = new Map<string, TileRange>();
  for (const subtree of plan.flat()) {
    const range = rangeOf(subtree);
    ranges.set(range.name, range);
  }
  return [...ranges.values()];
}

function rangeOf({ level, index }: Subtree): TileRange {
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const first = index * 2 ** (level % TILE_HEIGHT);
  const from = Math.floor(first / TILE_WIDTH) * TILE_WIDTH;
  return { name: `${tileLevel}/${from}`, level: tileLevel, from };
}

function readerOver(rows: ReadonlyMap<string, readonly Uint8Array[]>, size: number): HashReader {
  return (level, index) => {
    const range = rangeOf({ level, index });
    const width = 2 ** (level % TILE_HEIGHT);
    const first = index * width - range.from;
    const hashes = rows.get(range.name)?.slice(first, first + width) ?? [];
    if (hashes.length !== width) throw forkedAt(size - 1);
    return folded(hashes);
  };
}

/** Root over neighbouring subtrees of one size, a power of two in number. */
function folded(hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes;
  while (row.length > 1) {
    row = row.flatMap((left, n) => {
      const right = row[n + 1];
      return n % 2 === 0 && right !== undefined ? [nodeHash(left, right, sha256)] : [];
    });
  }
  const [root] = row;
  if (root === undefined) throw new TypeError('no hashes');
  return root;
}
