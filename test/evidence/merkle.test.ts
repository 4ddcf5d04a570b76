import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../src/evidence/bytes.ts';
import {
  appendLeaf,
  EMPTY_RANGE,
  parseRange,
  rangeRoot,
  type CompactRange,
} from '../../src/evidence/compact-range.ts';
import {
  leafHash,
  nodeHash,
  rootHash,
  verifyConsistency,
  verifyInclusion,
} from '../../src/evidence/merkle.ts';
import {
  assembleProof,
  consistencyProof,
  inclusionProof,
  planConsistency,
  planInclusion,
  planPeaks,
  type HashReader,
} from '../../src/evidence/proof.ts';
import { slowConsistency, slowInclusion, slowLeaf, slowRoot } from '../vectors/slow-model.ts';

const MAX_SIZE = 130;

const leaves = Array.from({ length: MAX_SIZE }, (_, n) => leafHash(Uint8Array.of(n)));
const slowLeaves = leaves.map((leaf) => Buffer.from(leaf));

/** Every subtree of the largest tree, hashed once. */
const levels: Uint8Array[][] = [leaves];
for (let below = leaves; below.length > 1;) {
  const pairs = Math.floor(below.length / 2);
  below = Array.from({ length: pairs }, (_, n) =>
    nodeHash(below[2 * n] ?? new Uint8Array(), below[2 * n + 1] ?? new Uint8Array()),
  );
  levels.push(below);
}
const read: HashReader = (level, index) => {
  const hash = levels[level]?.[index];
  if (hash === undefined) throw new RangeError(`no subtree ${level}/${index}`);
  return hash;
};

const ranges: CompactRange[] = [EMPTY_RANGE];
for (const leaf of leaves) ranges.push(appendLeaf(ranges.at(-1) ?? EMPTY_RANGE, leaf));
const roots = ranges.map((range) => rangeRoot(range));
const rootOf = (size: number): Uint8Array => roots[size] ?? new Uint8Array();

/** The proof with a bit flipped, a hash less, a hash more at either end; where, changes with `turn`. */
function mutationsOf(proof: readonly Uint8Array[], turn: number): (readonly Uint8Array[])[] {
  const more = [
    [...proof, rootOf(1)],
    [rootOf(1), ...proof],
  ];
  const at = turn % Math.max(proof.length, 1);
  const hash = proof[at];
  if (hash === undefined) return more;
  const byte = turn % 32;
  const flipped = hash.with(byte, (hash[byte] ?? 0) ^ (1 << (turn % 8)));
  return [...more, proof.with(at, flipped), proof.toSpliced(at, 1), [...proof, hash]];
}

describe('trees of every size to 130', () => {
  it('have the root of RFC 6962, by leaves and by compact range', () => {
    expect(Buffer.from(rootOf(0))).toEqual(createHash('sha256').digest());
    for (let size = 0; size <= MAX_SIZE; size++) {
      expect(equalBytes(rootHash(leaves.slice(0, size)), slowRoot(slowLeaves.slice(0, size)))).toBe(
        true,
      );
      expect(equalBytes(rootOf(size), slowRoot(slowLeaves.slice(0, size)))).toBe(true);
    }
  });

  it('have the inclusion proofs of RFC 6962, which verify, and none of whose mutations does', () => {
    for (let size = 1; size <= MAX_SIZE; size++) {
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof({ index, size }, read);
        const claim = { leaf: read(0, index), index, size, root: rootOf(size), proof };
        if (!verifyInclusion(claim)) expect.fail(`${index} of ${size} does not verify`);
        const bad = mutationsOf(proof, size + index).filter((mutation) =>
          verifyInclusion({ ...claim, proof: mutation }),
        );
        if (bad.length > 0) expect.fail(`a mutation verifies for ${index} of ${size}`);
        const elsewhere = { ...claim, index: (index + 1) % size };
        if (size > 1 && verifyInclusion(elsewhere)) expect.fail(`${index} of ${size} as next`);
        if (size > 1 && verifyInclusion({ ...claim, leaf: read(0, (index + 1) % size) })) {
          expect.fail(`the leaf after ${index} of ${size}`);
        }
      }
    }
  });

  it('have the consistency proofs of RFC 6962, which verify, and none of whose mutations does', () => {
    for (let newSize = 1; newSize <= MAX_SIZE; newSize++) {
      for (let oldSize = 1; oldSize <= newSize; oldSize++) {
        const proof = consistencyProof({ oldSize, newSize }, read);
        const [oldRoot, newRoot] = [rootOf(oldSize), rootOf(newSize)];
        const claim = { oldSize, newSize, oldRoot, newRoot, proof };
        if (!verifyConsistency(claim)) expect.fail(`${oldSize} to ${newSize} does not verify`);
        const bad = mutationsOf(proof, oldSize + newSize).filter((mutation) =>
          verifyConsistency({ ...claim, proof: mutation }),
        );
        if (bad.length > 0) expect.fail(`a mutation verifies for ${oldSize} to ${newSize}`);
        if (oldSize === newSize) continue;
        const swapped = { ...claim, oldRoot: newRoot, newRoot: oldRoot };
        if (verifyConsistency(swapped)) expect.fail(`${newSize} to ${oldSize}`);
        if (verifyConsistency({ ...claim, oldRoot: rootOf(oldSize - 1) })) expect.fail('old root');
        if (verifyConsistency({ ...claim, newRoot: rootOf(newSize - 1) })) expect.fail('new root');
      }
    }
  });

  it('give the same proofs as a recursive model', () => {
    for (const size of [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 130]) {
      const own = slowLeaves.slice(0, size);
      for (let n = 0; n < size; n++) {
        const inclusion = inclusionProof({ index: n, size }, read);
        expect(inclusion.map((hash) => Buffer.from(hash))).toEqual(slowInclusion(n, own));
      }
      for (let oldSize = 1; oldSize <= size; oldSize += 3) {
        const consistency = consistencyProof({ oldSize, newSize: size }, read);
        expect(consistency.map((hash) => Buffer.from(hash))).toEqual(slowConsistency(oldSize, own));
      }
    }
  });

  it('have the peaks of their compact range where the plan says', () => {
    for (const { size, peaks } of ranges) {
      const planned = planPeaks(size).map(({ level, index }) => read(level, index));
      expect(planned).toEqual(peaks);
      expect(parseRange(size, planned)).toEqual({ size, peaks });
      expect(parseRange(size, [...planned, rootOf(1)])).toBeUndefined();
    }
  });
});

describe('inclusion', () => {
  it('is false in a larger tree than the root is of, and in a smaller one', () => {
    for (let size = 1; size <= MAX_SIZE; size++) {
      const larger = 2 ** (Math.ceil(Math.log2(size)) + 1);
      for (const index of [0, Math.floor(size / 2), size - 1]) {
        const proof = inclusionProof({ index, size }, read);
        const claim = { leaf: read(0, index), index, root: rootOf(size), proof };
        // The path ends below the root, at a hash that is a root, but of another tree.
        expect(verifyInclusion({ ...claim, size: larger })).toBe(false);
        if (size > 1) expect(verifyInclusion({ ...claim, index: 0, size: 1 })).toBe(false);
      }
    }
  });

  it('is false at an index that is none', () => {
    const claim = { leaf: read(0, 0), size: 1, root: rootOf(1), proof: [] };
    expect(verifyInclusion({ ...claim, index: 0 })).toBe(true);
    for (const index of [1, -1, 0.5, Number.NaN]) {
      expect(verifyInclusion({ ...claim, index })).toBe(false);
    }
  });
});

describe('consistency', () => {
  it('is false from nothing, backwards, and between two roots of one size', () => {
    const claim = { newSize: 3, newRoot: rootOf(3), proof: [] };
    expect(verifyConsistency({ ...claim, oldSize: 0, oldRoot: rootOf(0) })).toBe(false);
    expect(verifyConsistency({ ...claim, oldSize: 4, oldRoot: rootOf(4) })).toBe(false);
    expect(verifyConsistency({ ...claim, oldSize: 3, oldRoot: rootOf(2) })).toBe(false);
    expect(verifyConsistency({ ...claim, oldSize: 3, oldRoot: rootOf(3) })).toBe(true);
  });

  it('is false to a larger tree than the new root is of', () => {
    for (let newSize = 2; newSize <= MAX_SIZE; newSize++) {
      const oldSize = Math.ceil(newSize / 2);
      const proof = consistencyProof({ oldSize, newSize }, read);
      const claim = { oldSize, oldRoot: rootOf(oldSize), newRoot: rootOf(newSize), proof };
      expect(verifyConsistency({ ...claim, newSize })).toBe(true);
      const larger = 2 ** (Math.ceil(Math.log2(newSize)) + 1);
      expect(verifyConsistency({ ...claim, newSize: larger })).toBe(false);
    }
  });

  it('is false for a tree in which one old leaf was changed', () => {
    const forged = slowLeaves.slice(0, 9).with(2, Buffer.from(slowLeaf(Buffer.from('another'))));
    expect(
      verifyConsistency({
        oldSize: 5,
        newSize: 9,
        oldRoot: rootOf(5),
        newRoot: slowRoot(forged),
        proof: slowConsistency(5, forged),
      }),
    ).toBe(false);
  });
});

describe('trees beyond 2^32', () => {
  // All leaves alike: then every subtree of a level is the same, and the whole tree is at hand.
  const perfect = [leafHash(Uint8Array.of(1))];
  for (let level = 1; level < 53; level++) {
    const below = perfect[level - 1] ?? new Uint8Array();
    perfect.push(nodeHash(below, below));
  }
  const same: HashReader = (level) => perfect[level] ?? new Uint8Array();
  const sizes = [2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 12_345, 2 ** 53 - 2, 2 ** 53 - 1];
  const rootAt = (size: number): Uint8Array =>
    rangeRoot({ size, peaks: planPeaks(size).map(({ level, index }) => same(level, index)) });

  it.each(sizes)('prove inclusion in %d leaves with few hashes', (size) => {
    for (const index of [0, 1, 2 ** 31, 2 ** 32 - 2, size - 2, size - 1]) {
      const plan = planInclusion({ index, size });
      expect(plan.flat().length).toBeLessThanOrEqual(2 * 53);
      const proof = assembleProof(plan, same);
      const claim = { leaf: same(0, 0), index, size, root: rootAt(size), proof };
      expect(verifyInclusion(claim)).toBe(true);
      expect(verifyInclusion({ ...claim, proof: proof.slice(1) })).toBe(false);
    }
  });

  it.each(sizes)('prove consistency up to %d leaves with few hashes', (newSize) => {
    for (const oldSize of [1, 2 ** 31 + 7, 2 ** 32 - 1, newSize - 1]) {
      const plan = planConsistency({ oldSize, newSize });
      expect(plan.flat().length).toBeLessThanOrEqual(2 * 53);
      const proof = assembleProof(plan, same);
      const claim = { oldSize, newSize, oldRoot: rootAt(oldSize), newRoot: rootAt(newSize), proof };
      expect(verifyConsistency(claim)).toBe(true);
      expect(verifyConsistency({ ...claim, oldRoot: rootAt(oldSize + 1) })).toBe(false);
    }
  });
});

describe('verifying', () => {
  it('never throws, whatever it is given', () => {
    const value = fc.oneof(
      fc.anything(),
      fc.array(fc.uint8Array({ minLength: 31, maxLength: 33 })),
      fc.constantFrom(0, 1, 2, 3, 2 ** 53, -1, 1.5, Number.NaN, leaves[0]),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 5, maxLength: 5 }), (values) => {
        const [a, b, c, d, proof] = values as never[];
        const inclusion = { leaf: a, index: b, size: c, root: d, proof } as never;
        const consistency = { oldSize: a, newSize: b, oldRoot: c, newRoot: d, proof } as never;
        expect(typeof verifyInclusion(inclusion)).toBe('boolean');
        expect(typeof verifyConsistency(consistency)).toBe('boolean');
      }),
      { numRuns: 300 },
    );
  });

  it('does not take a node for a leaf', () => {
    // Without the prefixes, the bytes of a node would be an entry of a smaller tree.
    const node = Buffer.concat([leaves[0] ?? Buffer.of(), leaves[1] ?? Buffer.of()]);
    const root = rootOf(2);
    expect(verifyInclusion({ leaf: leafHash(node), index: 0, size: 1, root, proof: [] })).toBe(
      false,
    );
  });
});

describe('a compact range', () => {
  it('is a value: appending leaves the old one as it was', () => {
    const before = ranges[7] ?? EMPTY_RANGE;
    const copy = structuredClone(before);
    appendLeaf(before, leaves[0] ?? new Uint8Array());
    expect(before).toEqual(copy);
  });

  it('hashes with the function it is given', () => {
    let calls = 0;
    const sha256 = (bytes: Uint8Array): Uint8Array => {
      calls++;
      return createHash('sha256').update(bytes).digest();
    };
    let range = EMPTY_RANGE;
    for (let n = 0; n < 8; n++)
      range = appendLeaf(range, leafHash(Uint8Array.of(n), sha256), sha256);
    expect(equalBytes(rangeRoot(range, sha256), rootOf(8))).toBe(true);
    expect(calls).toBe(8 + 7);
  });

  it.each([
    ['a wrong number of peaks', 3, 1],
    ['a fraction', 1.5, 2],
    ['a negative size', -1, 0],
  ])('does not come from %s', (_what, size, count) => {
    expect(parseRange(size, leaves.slice(0, count))).toBeUndefined();
  });
});

describe('planning', () => {
  it.each([
    [() => planInclusion({ index: 3, size: 3 })],
    [() => planInclusion({ index: 0, size: 0 })],
    [() => planInclusion({ index: 0.5, size: 3 })],
    [() => planConsistency({ oldSize: 0, newSize: 3 })],
    [() => planConsistency({ oldSize: 4, newSize: 3 })],
    [() => planPeaks(2 ** 53)],
  ])('refuses what is in no tree (%#)', (plan) => {
    expect(plan).toThrow(TypeError);
  });
});
