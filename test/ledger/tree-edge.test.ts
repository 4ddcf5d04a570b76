import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rootHash } from '../../src/evidence/merkle.ts';
import type { LedgerReads, Tile } from '../../src/ledger/ledger-store.ts';
import { sha256 } from '../../src/ledger/sha256.ts';
import { missingTiles } from '../../src/ledger/tile-repair.ts';
import {
  EMPTY_EDGE,
  edgeRoot,
  extendEdge,
  readEdge,
  type TreeEdge,
} from '../../src/ledger/tree-edge.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const leafOf = (n: number): Uint8Array => sha256(Buffer.from(`leaf ${n}`));
const LEAVES = Array.from({ length: 70_000 }, (_, n) => leafOf(n));

/** The store's side of the tree, in memory. */
function hashesOf(leaves: readonly Uint8Array[], tiles: readonly Tile[]): LedgerReads {
  const refuse = async (): Promise<never> => {
    throw new Error('not asked for');
  };
  return {
    origin: refuse,
    end: refuse,
    page: refuse,
    checkpoint: refuse,
    hashes: async (level, from, to) => {
      if (level === 0) return leaves.slice(from, to);
      return tiles
        .filter((tile) => tile.level === level - 1 && tile.n >= from && tile.n < to)
        .toSorted((a, b) => a.n - b.n)
        .map(({ root }) => root);
    },
  };
}

function grow(sizes: readonly number[]): { edge: TreeEdge; tiles: Tile[] } {
  let edge = EMPTY_EDGE;
  const tiles: Tile[] = [];
  let from = 0;
  for (const to of sizes) {
    const next = extendEdge(edge, LEAVES.slice(from, to));
    ({ edge } = next);
    tiles.push(...next.tiles);
    from = to;
  }
  return { edge, tiles };
}

it('has the root of RFC 6962 at every size, however it grew', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 6 }), (steps) => {
      const sizes = steps.map((_, n) => steps.slice(0, n + 1).reduce((a, b) => a + b, 0));
      const size = sizes.at(-1) ?? 0;
      expect(hex(edgeRoot(grow(sizes).edge))).toBe(hex(rootHash(LEAVES.slice(0, size))));
    }),
    { numRuns: 30 },
  );
});

it('cuts each tile once, when it is full, with its hashes and their root', () => {
  const { tiles } = grow([100, 256, 700, 1024]);
  expect(tiles.map(({ level, n }) => [level, n])).toEqual([
    [0, 0],
    [0, 1],
    [0, 2],
    [0, 3],
  ]);
  const [, second] = tiles;
  expect(second?.hashes).toEqual(Buffer.concat(LEAVES.slice(256, 512)));
  expect(second?.root).toEqual(Buffer.from(rootHash(LEAVES.slice(256, 512))));
});

it('cuts the tile of tiles too', () => {
  const { tiles } = grow([65_535, 65_536, 70_000]);
  const [upper] = tiles.filter(({ level }) => level === 1);
  expect(upper?.n).toBe(0);
  expect(upper?.root).toEqual(Buffer.from(rootHash(LEAVES.slice(0, 65_536))));
  expect(tiles.filter(({ level }) => level === 0)).toHaveLength(273);
});

it.each([0, 1, 255, 256, 257, 511, 512, 1000, 65_535, 65_536, 65_537, 69_999])(
  'is read back from a few hundred stored hashes at size %i, and grows on from there',
  async (size) => {
    const { edge, tiles } = grow([size]);
    const read = await readEdge(size, hashesOf(LEAVES.slice(0, size), tiles));
    expect(read?.range).toEqual(edge.range);
    const more = LEAVES.slice(size, size + 600);
    expect(extendEdge(read ?? EMPTY_EDGE, more)).toEqual(extendEdge(edge, more));
  },
);

it('is not read when a hash is missing', async () => {
  const { tiles } = grow([600]);
  expect(await readEdge(600, hashesOf(LEAVES.slice(0, 600), tiles.slice(1)))).toBeUndefined();
  expect(await readEdge(600, hashesOf(LEAVES.slice(0, 599), tiles))).toBeUndefined();
});

it('makes lost tiles again from the leaves, and tiles of tiles from those', async () => {
  const { tiles } = grow([66_000]);
  const lost = tiles.filter(({ level, n }) => level === 1 || n === 7 || n === 256);
  const kept = tiles.filter((tile) => !lost.includes(tile));
  const made = await missingTiles(66_000, hashesOf(LEAVES.slice(0, 66_000), kept));
  const byPlace = (a: Tile, b: Tile): number => a.level - b.level || a.n - b.n;
  expect(made.toSorted(byPlace)).toEqual(lost.toSorted(byPlace));
});

it('cannot make tiles of leaves that are gone', async () => {
  const reads = hashesOf(LEAVES.slice(0, 200), []);
  await expect(missingTiles(600, reads)).rejects.toMatchObject({ code: 'ledger_forked' });
});
