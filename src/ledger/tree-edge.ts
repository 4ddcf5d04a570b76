/**
 * The right edge of the Merkle tree: all that is needed to append to it, to know its root, and to cut the
 * tiles that become full.
 *
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-tiles.md
 * @module
 */
import { EMPTY_RANGE, rangeRoot, type CompactRange } from '../evidence/compact-range.ts';
import type { LedgerReads, Tile } from './ledger-store.ts';
import { fastNodeHash, sha256 } from './sha256.ts';

/** Hashes in a full tile, and the levels of the tree that it spans. */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;

/** An immutable value: when a commit fails, the edge before it still holds. */
export interface TreeEdge {
  readonly range: CompactRange;
  /** By level of tiles: the hashes of its last, unfinished tile. */
  readonly unfinished: readonly (readonly Uint8Array[])[];
}

export const EMPTY_EDGE: TreeEdge = { range: EMPTY_RANGE, unfinished: [] };

/** The tree some leaves larger, and the tiles that these leaves completed. */
export function extendEdge(
  edge: TreeEdge,
  leaves: readonly Uint8Array[],
): { readonly edge: TreeEdge; readonly tiles: readonly Tile[] } {
  const growing = growingFrom(edge);
  for (const leaf of leaves) addNode(growing, 0, leaf);
  return { edge: settled(growing), tiles: growing.tiles };
}

export function edgeRoot(edge: TreeEdge): Uint8Array {
  return rangeRoot(edge.range, sha256);
}

/**
 * The edge of the tree of the first `size` leaves, from a few hundred stored hashes; undefined if any of
 * them is missing. Whether they are right shows only when the root is compared with a signed one.
 */
export async function readEdge(size: number, reads: LedgerReads): Promise<TreeEdge | undefined> {
  const growing = growingFrom(EMPTY_EDGE);
  for (let level = topLevelOf(size); level >= 0; level--) {
    const to = Math.floor(size / TILE_WIDTH ** level);
    const from = Math.floor(to / TILE_WIDTH) * TILE_WIDTH;
    const hashes = to > from ? await reads.hashes(level, from, to) : [];
    if (hashes.length !== to - from) return undefined;
    for (const hash of hashes) addNode(growing, level, hash);
  }
  return settled(growing);
}

function topLevelOf(size: number): number {
  let level = 0;
  while (TILE_WIDTH ** (level + 1) <= size) level++;
  return level;
}

interface Growing {
  size: number;
  readonly peaks: Uint8Array[];
  readonly unfinished: Uint8Array[][];
  readonly tiles: Tile[];
}

function growingFrom({ range, unfinished }: TreeEdge): Growing {
  return {
    size: range.size,
    peaks: [...range.peaks],
    unfinished: unfinished.map((hashes) => [...hashes]),
    tiles: [],
  };
}

function settled({ size, peaks, unfinished }: Growing): TreeEdge {
  return { range: { size, peaks }, unfinished };
}

/** Adds the root of a perfect subtree of 256^level leaves; the tree's size must be a multiple of that. */
function addNode(tree: Growing, level: number, node: Uint8Array): void {
  const span = TILE_WIDTH ** level;
  keep(tree, level, node);
  let hash = node;
  let height = level * TILE_HEIGHT;
  for (let rest = tree.size / span; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = tree.peaks.pop();
    if (left === undefined) throw new TypeError(`no peaks for a tree of size ${tree.size}`);
    hash = fastNodeHash(left, hash);
    height++;
    if (height % TILE_HEIGHT === 0) cutTile(tree, height / TILE_HEIGHT - 1, hash);
  }
  tree.peaks.push(hash);
  tree.size += span;
}

function keep(tree: Growing, level: number, hash: Uint8Array): void {
  const hashes = tree.unfinished[level];
  if (hashes === undefined) {
    while (tree.unfinished.length < level) tree.unfinished.push([]);
    tree.unfinished.push([hash]);
  } else {
    hashes.push(hash);
  }
}

/** Called while a leaf is being added, so `size` does not count it yet. */
function cutTile(tree: Growing, level: number, root: Uint8Array): void {
  const hashes = tree.unfinished[level] ?? [];
  const n = Math.floor(tree.size / TILE_WIDTH ** (level + 1));
  tree.tiles.push({ level, n, root, hashes: Buffer.concat(hashes) });
  tree.unfinished[level] = [];
  keep(tree, level + 1, root);
}
