/**
 * The Merkle tree of RFC 6962 section 2.1, over hashes that are already leaf hashes.
 *
 * Everything that verifies answers true or false: a bad proof is an answer, not an exception.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6962#section-2.1
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2
 * @module
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { equalBytes } from './bytes.ts';

/** SHA-256. Where a faster one is at hand (`node:crypto`), it can be passed instead of ours. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

const HASH_BYTES = 32;

/** A leaf starts with 0x00 and a node with 0x01, so that none can be shown as the other. */
const LEAF = 0x00;
const NODE = 0x01;

/** Hash of an entry as a leaf: SHA-256(0x00 ‖ bytes). */
export function leafHash(bytes: Uint8Array, sha256: Sha256 = nobleSha256): Uint8Array {
  const data = new Uint8Array(bytes.length + 1);
  data[0] = LEAF;
  data.set(bytes, 1);
  return sha256(data);
}

/** Hash of two subtrees, the left one perfect: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(
  left: Uint8Array,
  right: Uint8Array,
  sha256: Sha256 = nobleSha256,
): Uint8Array {
  const data = new Uint8Array(1 + 2 * HASH_BYTES);
  data[0] = NODE;
  data.set(left, 1);
  data.set(right, 1 + HASH_BYTES);
  return sha256(data);
}

/** Root of the tree without leaves: SHA-256 of nothing. */
export function emptyRoot(): Uint8Array {
  return nobleSha256(new Uint8Array(0));
}

/**
 * Root of the tree over these leaf hashes, in order. O(n) time, O(log n) extra space.
 *
 * @param leaves Results of {@link leafHash}, 32 bytes each.
 */
export function rootHash(leaves: readonly Uint8Array[], sha256: Sha256 = nobleSha256): Uint8Array {
  const peaks: Uint8Array[] = [];
  for (const [n, leaf] of leaves.entries()) {
    let hash = leaf;
    for (let size = n; size % 2 === 1; size = (size - 1) / 2) {
      hash = nodeHash(peaks.pop() ?? hash, hash, sha256); // size counts the peaks: one is there
    }
    peaks.push(hash);
  }
  return foldPeaks(peaks, sha256);
}

/** Root over perfect subtrees, left (largest) to right. */
export function foldPeaks(peaks: readonly Uint8Array[], sha256: Sha256 = nobleSha256): Uint8Array {
  if (peaks.length === 0) return emptyRoot();
  return peaks.reduceRight((right, left) => nodeHash(left, right, sha256));
}

/** That a leaf stands at an index of a tree. */
export interface InclusionClaim {
  /** The leaf hash, 32 bytes. */
  readonly leaf: Uint8Array;
  /** From 0. */
  readonly index: number;
  /** Number of leaves of the tree. */
  readonly size: number;
  readonly root: Uint8Array;
  /** Sibling hashes from the leaf up. */
  readonly proof: readonly Uint8Array[];
}

/**
 * Whether the proof shows that `leaf` is at `index` of the tree of `size` leaves under `root`
 * (RFC 9162 section 2.1.3.2). Never throws: whatever is malformed proves nothing.
 */
export function verifyInclusion(claim: InclusionClaim): boolean {
  const { leaf, index, size, root, proof } = claim;
  if (!isCount(index) || !isCount(size) || index >= size) return false;
  if (!isHash(leaf) || !isHash(root) || !areHashes(proof)) return false;

  let at = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false; // a hash more than the tree is high
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equalBytes(hash, root);
}

/** That a tree grew out of an earlier one by appending only. */
export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly newSize: number;
  readonly oldRoot: Uint8Array;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * Whether the proof shows that the first `oldSize` leaves of the new tree are the old tree (RFC 9162
 * section 2.1.4.2). Equal sizes need equal roots and an empty proof. `oldSize` 0 is false: everything
 * follows from nothing, so there is nothing to prove. Never throws.
 */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { oldSize, newSize, oldRoot, newRoot, proof } = claim;
  if (!isCount(oldSize) || !isCount(newSize) || oldSize === 0 || oldSize > newSize) return false;
  if (!isHash(oldRoot) || !isHash(newRoot) || !areHashes(proof)) return false;
  if (oldSize === newSize) return proof.length === 0 && equalBytes(oldRoot, newRoot);

  // A perfect old tree is a node of the new one: the proof leaves it out, because we know it.
  const [seed, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  if (seed === undefined) return false;

  let at = oldSize - 1;
  let last = newSize - 1;
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  let oldHash = seed;
  let newHash = seed;
  for (const hash of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      oldHash = nodeHash(hash, oldHash);
      newHash = nodeHash(hash, newHash);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      newHash = nodeHash(newHash, hash);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equalBytes(oldHash, oldRoot) && equalBytes(newHash, newRoot);
}

/** Whether a value is a hash of this tree. */
export function isHash(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === HASH_BYTES;
}

function areHashes(value: unknown): boolean {
  return Array.isArray(value) && value.every(isHash);
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

// Arithmetic, not bit operators: those cut numbers to 32 bits, and an index may have 53.
function half(n: number): number {
  return Math.floor(n / 2);
}

function isPowerOfTwo(n: number): boolean {
  let rest = n;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}
