/**
 * A Merkle tree in memory that only grows, with the hash of every perfect subtree at hand.
 *
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-tiles.md
 * @module
 */
import { createHash } from 'node:crypto';
import { foldPeaks, nodeHash } from '../../evidence/merkle.ts';
import { planPeaks } from '../../evidence/proof.ts';

/** Hashes in a full tile, and how many levels of the tree it spans. */
export const TILE_WIDTH = 256;
const TILE_LEVELS = 8;

export class GrowingTree {
  /** At level l, the hashes of the perfect subtrees of 2^l leaves. */
  readonly #levels: Uint8Array[][] = [];

  get size(): number {
    return this.#levels[0]?.length ?? 0;
  }

  append(leaf: Uint8Array): void {
    let hash = leaf;
    for (let level = 0; ; level++) {
      const hashes = (this.#levels[level] ??= []);
      hashes.push(hash);
      if (hashes.length % 2 === 1) return;
      hash = nodeHash(hashes[hashes.length - 2] ?? hash, hash, sha256);
    }
  }

  /** Hash of leaves `index * 2^level` and on, as proofs are made of. @throws {TypeError} There are not so many. */
  hash(level: number, index: number): Uint8Array {
    const hash = this.#levels[level]?.[index];
    if (hash === undefined) throw new TypeError('no such subtree');
    return hash;
  }

  /** The root as it was at this size. */
  rootAt(size: number): Uint8Array {
    return foldPeaks(
      planPeaks(size).map(({ level, index }) => this.hash(level, index)),
      sha256,
    );
  }

  /** The hashes of a tile of tlog-tiles. @throws {TypeError} There are not so many. */
  tile(level: number, index: number, width: number): readonly Uint8Array[] {
    return Array.from({ length: width }, (_, n) =>
      this.hash(level * TILE_LEVELS, index * TILE_WIDTH + n),
    );
  }
}

/** How many hashes the tiles of a level hold in a tree of this size. */
export function hashesAt(tileLevel: number, size: number): number {
  let count = size;
  for (let level = 0; level < tileLevel && count > 0; level++)
    count = Math.floor(count / TILE_WIDTH);
  return count;
}

/** SHA-256 of `node:crypto`: faster than one in JavaScript, and the same. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
