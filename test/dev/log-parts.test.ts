/** Parts of the development log that are functions, held to slow models and to the words of their formats. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certificateTime, oid } from '../../src/dev/transparency/der-values.ts';
import { GrowingTree, hashesAt } from '../../src/dev/transparency/growing-tree.ts';
import { parseTilePath, tilePath } from '../../src/dev/transparency/tile-path.ts';
import { judgeGrowth, type AddCheckpoint } from '../../src/dev/transparency/witness-request.ts';
import { readDer, readOid, readTime } from '../../src/evidence/der.ts';
import { leafHash, rootHash } from '../../src/evidence/merkle.ts';
import { consistencyProof, leavesReader } from '../../src/evidence/proof.ts';

const leaves = Array.from({ length: 600 }, (_, n) => leafHash(Buffer.from(`leaf ${n}`)));

describe('a growing tree', () => {
  it('has at every size the root that a tree made anew has', () => {
    const tree = new GrowingTree();
    for (const leaf of leaves) tree.append(leaf);
    for (let size = 0; size <= 130; size++) {
      expect(tree.rootAt(size)).toEqual(rootHash(leaves.slice(0, size)));
    }
    expect(tree.rootAt(600)).toEqual(rootHash(leaves));
  });

  it('has in its tiles what tlog-tiles says', () => {
    const tree = new GrowingTree();
    for (const leaf of leaves) tree.append(leaf);
    expect(tree.tile(0, 1, 256)).toEqual(leaves.slice(256, 512));
    expect(tree.tile(1, 0, 2)).toEqual([
      rootHash(leaves.slice(0, 256)),
      rootHash(leaves.slice(256, 512)),
    ]);
    expect(() => tree.tile(1, 0, 3)).toThrow(TypeError);
    // The example of the specification.
    expect([0, 1, 2, 3].map((level) => hashesAt(level, 70_000))).toEqual([70_000, 273, 1, 0]);
    expect([0, 1].map((level) => hashesAt(level, 256))).toEqual([256, 1]);
  });
});

describe('an address of a tile', () => {
  it('is read back as it was written', () => {
    const level = fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 }));
    const index = fc.nat({ max: 1e14 });
    fc.assert(
      fc.property(fc.record({ level, index, width: fc.integer({ min: 1, max: 256 }) }), (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual(tile);
      }),
    );
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('/tile/0/x001/x234/067');
  });

  it('has one spelling', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^\/tile\/[0-9a-z]{1,7}\/[x0-9/]{1,12}(\.p\/[0-9]{1,3})?$/),
        (path) => {
          const tile = parseTilePath(path);
          expect(tile === undefined ? path : tilePath(tile)).toBe(path);
        },
      ),
    );
  });
});

describe('a value in DER', () => {
  it('is an object identifier that is read back', () => {
    const arcs = fc.array(fc.nat({ max: 2 ** 40 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 }),
        fc.nat({ max: 39 }),
        arcs,
        (first, second, rest) => {
          const dotted = [first, second, ...rest].join('.');
          expect(readOid(readDer(oid(dotted)))).toBe(dotted);
        },
      ),
    );
    expect(readOid(readDer(oid('2.999.3161.1')))).toBe('2.999.3161.1');
  });

  it.each(['1999-12-31T23:59:59Z', '2049-12-31T23:59:59Z', '2050-01-01T00:00:00Z'])(
    'is the time %s, in two digits of the year or in four',
    (text) => {
      expect(readTime(readDer(certificateTime(new Date(text))))).toEqual(new Date(text));
    },
  );
});

describe('what a witness says', () => {
  const request = (oldSize: number, size: number, of = leaves): AddCheckpoint => ({
    oldSize,
    proof:
      oldSize === 0 || oldSize > size
        ? []
        : consistencyProof({ oldSize, newSize: size }, leavesReader(of)),
    note: '',
    checkpoint: { origin: 'o', size, root: rootHash(of.slice(0, size)) },
  });
  const known = (size: number): { size: number; root: Uint8Array } => ({
    size,
    root: rootHash(leaves.slice(0, size)),
  });

  it('of every two sizes of one history is the same as that one is not larger', () => {
    for (let oldSize = 1; oldSize <= 20; oldSize++) {
      for (let size = 1; size <= 20; size++) {
        const { kind } = judgeGrowth(request(oldSize, size), known(oldSize));
        expect(kind).toBe(oldSize > size ? 'backwards' : 'consistent');
      }
    }
  });

  it('of every two histories is no', () => {
    for (let at = 0; at < 8; at++) {
      const other = leaves.map((leaf, n) => (n === at ? leafHash(Buffer.from('other')) : leaf));
      for (let size = 8; size <= 20; size++) {
        expect(judgeGrowth(request(8, size, other), known(8)).kind).toBe('inconsistent');
      }
    }
  });
});
