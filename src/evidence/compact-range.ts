/**
 * The least that is needed to append to a tree and to know its root: the roots of its perfect
 * subtrees, one for each bit that is set in its size.
 *
 * @module
 */
import { foldPeaks, isHash, nodeHash, type Sha256 } from './merkle.ts';

/** A tree of `size` leaves, from 0 on. An immutable value: a failed commit leaves the old one intact. */
export interface CompactRange {
  readonly size: number;
  /** Roots of the perfect subtrees, left (largest) to right (smallest). */
  readonly peaks: readonly Uint8Array[];
}

/** The tree without leaves. */
export const EMPTY_RANGE: CompactRange = { size: 0, peaks: [] };

/** Takes peaks from someone else; undefined if there are not exactly those that `size` needs. */
export function parseRange(size: number, peaks: readonly Uint8Array[]): CompactRange | undefined {
  if (!Number.isSafeInteger(size) || size < 0) return undefined;
  if (!peaks.every(isHash) || peaks.length !== bitsSetIn(size)) return undefined;
  return { size, peaks: [...peaks] };
}

/** The tree one leaf larger. @param leaf Its leaf hash. */
export function appendLeaf(range: CompactRange, leaf: Uint8Array, sha256?: Sha256): CompactRange {
  const peaks = [...range.peaks];
  let hash = leaf;
  for (let size = range.size; size % 2 === 1; size = (size - 1) / 2) {
    const left = peaks.pop();
    if (left === undefined) throw new TypeError(`no peaks for a range of size ${range.size}`);
    hash = nodeHash(left, hash, sha256);
  }
  peaks.push(hash);
  return { size: range.size + 1, peaks };
}

/** Its RFC 6962 root. */
export function rangeRoot(range: CompactRange, sha256?: Sha256): Uint8Array {
  return foldPeaks(range.peaks, sha256);
}

function bitsSetIn(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
