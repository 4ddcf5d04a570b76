/**
 * Merkle proofs out of the tiles that a ledger stores: O(log n) rows, nothing recomputed.
 *
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-tiles.md
 * @module
 */
import { rootHash } from '../src/evidence/merkle.ts';
import {
  assembleProof,
  planConsistency,
  planInclusion,
  type ProofPlan,
} from '../src/evidence/proof.ts';
import { sha256 } from '../src/ledger/sha256.ts';
import { TILE_WIDTH } from '../src/ledger/tree-edge.ts';
import { connectReader, type ReadConnection } from '../src/store/libsql/connection.ts';
import { readsOver } from '../src/store/libsql/ledger-rows.ts';
import { blobOf } from '../src/store/libsql/rows.ts';

const TILE_HEIGHT = 8;
const HASH_BYTES = 32;

export interface Prover {
  inclusion(index: number): Promise<readonly Uint8Array[]>;
  consistency(oldSize: number): Promise<readonly Uint8Array[]>;
  close(): Promise<void>;
}

/** Hashes of tile `n` of a level, as far as there are any. */
type Tiles = ReadonlyMap<string, readonly Uint8Array[]>;

interface TileName {
  readonly level: number;
  readonly n: number;
}

/** Proofs towards the tree of the first `size` crumbs. */
export function openProver(path: string, size: number): Prover {
  const connection = connectReader({ url: `file:${path}` });
  const prove = async (plan: ProofPlan): Promise<readonly Uint8Array[]> =>
    assembleProof(plan, hashesFrom(await readTiles(connection, tilesOf(plan), size)));
  return {
    inclusion: (index) => prove(planInclusion({ index, size })),
    consistency: (oldSize) => prove(planConsistency({ oldSize, newSize: size })),
    close: () => connection.close(),
  };
}

/** The tiles in which the subtrees of a plan lie, each once. */
function tilesOf(plan: ProofPlan): readonly TileName[] {
  const tiles = new Map<string, TileName>();
  for (const { level, index } of plan.flat()) {
    const n = Math.floor((index * 2 ** (level % TILE_HEIGHT)) / TILE_WIDTH);
    const tile = { level: Math.floor(level / TILE_HEIGHT), n };
    tiles.set(`${tile.level}/${n}`, tile);
  }
  return [...tiles.values()];
}

/** Full tiles are rows, all read at once; what the last tile of a level has so far stands elsewhere. */
async function readTiles(
  { read }: ReadConnection,
  tiles: readonly TileName[],
  size: number,
): Promise<Tiles> {
  const isFull = ({ level, n }: TileName): boolean =>
    (n + 1) * TILE_WIDTH <= Math.floor(size / TILE_WIDTH ** level);
  const full = tiles.filter(isFull);
  const found = new Map<string, readonly Uint8Array[]>();
  if (full.length > 0) {
    const names = full.map(() => '(?, ?)').join(', ');
    const sql = `SELECT level, n, hashes FROM tile WHERE (level, n) IN (VALUES ${names})`;
    const { rows } = await read(
      sql,
      full.flatMap(({ level, n }) => [level, n]),
    );
    for (const row of rows)
      found.set(`${Number(row['level'])}/${Number(row['n'])}`, cut(blobOf(row, 'hashes')));
  }
  const reads = readsOver(read);
  for (const { level, n } of tiles.filter((tile) => !isFull(tile))) {
    const to = Math.floor(size / TILE_WIDTH ** level);
    found.set(`${level}/${n}`, await reads.hashes(level, n * TILE_WIDTH, to));
  }
  return found;
}

function cut(hashes: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: TILE_WIDTH }, (_none, n) =>
    hashes.subarray(n * HASH_BYTES, (n + 1) * HASH_BYTES),
  );
}

function hashesFrom(tiles: Tiles): (level: number, index: number) => Uint8Array {
  return (level, index) => {
    const width = 2 ** (level % TILE_HEIGHT);
    const first = index * width;
    const tile = tiles.get(`${Math.floor(level / TILE_HEIGHT)}/${Math.floor(first / TILE_WIDTH)}`);
    const from = first % TILE_WIDTH;
    const hashes = tile?.slice(from, from + width) ?? [];
    if (hashes.length !== width) throw new Error('a stored hash is missing');
    return rootHash(hashes, sha256);
  };
}
