/**
 * Makes Merkle proofs out of stored subtree hashes, in O(log n).
 *
 * Which hashes a proof needs follows from the sizes alone. So a store can plan, fetch all of them at
 * once from wherever they lie, and then assemble.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.1
 * @module
 */
import { foldPeaks, nodeHash } from './merkle.ts';

/** A perfect subtree: leaves `index * 2^level` up to, not including, `(index + 1) * 2^level`. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** The hash of a perfect subtree; at level 0, a leaf hash. */
export type HashReader = (level: number, index: number) => Uint8Array;

/**
 * The hashes of a proof in order, each as the perfect subtrees, left to right, whose hashes fold to
 * it.
 */
export type ProofPlan = readonly (readonly Subtree[])[];

/** What an inclusion proof for a leaf needs. @throws {TypeError} If there is no such leaf. */
export function planInclusion(of: { readonly index: number; readonly size: number }): ProofPlan {
  const { index, size } = of;
  if (!isCount(index) || !isCount(size) || index >= size) throw new TypeError('no such leaf');
  return inclusionOf(index, 0, size);
}

/** What a consistency proof needs. @throws {TypeError} Unless 0 < oldSize <= newSize. */
export function planConsistency(of: {
  readonly oldSize: number;
  readonly newSize: number;
}): ProofPlan {
  const { oldSize, newSize } = of;
  if (!isCount(oldSize) || !isCount(newSize) || oldSize === 0 || oldSize > newSize) {
    throw new TypeError('no such trees');
  }
  return consistencyOf(oldSize, newSize);
}

/** The perfect subtrees of a whole tree, left to right: the peaks of its compact range. */
export function planPeaks(size: number): readonly Subtree[] {
  if (!isCount(size)) throw new TypeError('no such tree');
  return peaksOf(0, size);
}

/** The proof that a plan describes. */
export function assembleProof(plan: ProofPlan, read: HashReader): readonly Uint8Array[] {
  return plan.map((peaks) => foldPeaks(peaks.map(({ level, index }) => read(level, index))));
}

/** Proof that a leaf is in the tree of `size` leaves: see `verifyInclusion`. */
export function inclusionProof(
  of: { readonly index: number; readonly size: number },
  read: HashReader,
): readonly Uint8Array[] {
  return assembleProof(planInclusion(of), read);
}

/** Proof that one tree is the beginning of another: see `verifyConsistency`. */
export function consistencyProof(
  of: { readonly oldSize: number; readonly newSize: number },
  read: HashReader,
): readonly Uint8Array[] {
  return assembleProof(planConsistency(of), read);
}

/** Reads from leaf hashes in memory, hashing each subtree anew: for small trees. */
export function leavesReader(leaves: readonly Uint8Array[]): HashReader {
  return function read(level: number, index: number): Uint8Array {
    if (level > 0) return nodeHash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1));
    const leaf = leaves[index];
    if (leaf === undefined) throw new TypeError('no such leaf');
    return leaf;
  };
}

/** PATH of RFC 9162 section 2.1.3.1, within the subtree of leaves [start, end). */
function inclusionOf(index: number, start: number, end: number): ProofPlan {
  const path: (readonly Subtree[])[] = [];
  let [from, to] = [start, end];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      path.push(peaksOf(middle, to));
      to = middle;
    } else {
      path.push(peaksOf(from, middle));
      from = middle;
    }
  }
  return path.toReversed();
}

/** SUBPROOF of RFC 9162 section 2.1.4.1. */
function consistencyOf(oldSize: number, newSize: number): ProofPlan {
  const path: (readonly Subtree[])[] = [];
  let [from, to] = [0, newSize];
  while (to !== oldSize) {
    const middle = from + splitOf(to - from);
    if (oldSize <= middle) {
      path.push(peaksOf(middle, to));
      to = middle;
    } else {
      path.push(peaksOf(from, middle));
      from = middle;
    }
  }
  // What is left is a part of both trees. If it is the whole old tree, its root is known.
  if (from > 0) path.push(peaksOf(from, to));
  return path.toReversed();
}

/** Perfect subtrees of leaves [start, end), left to right. `start` is where such a run can start. */
function peaksOf(start: number, end: number): readonly Subtree[] {
  const peaks: Subtree[] = [];
  for (let from = start; from < end;) {
    let [level, width] = [0, 1];
    while (width * 2 <= end - from) [level, width] = [level + 1, width * 2];
    peaks.push({ level, index: from / width });
    from += width;
  }
  return peaks;
}

/** The largest power of two below `size`: the leaves of the left subtree. */
function splitOf(size: number): number {
  let width = 1; // not by logarithm: near 2^53 it rounds up
  while (width * 2 < size) width *= 2;
  return width;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
