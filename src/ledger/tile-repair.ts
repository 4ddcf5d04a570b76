/**
 * Tiles that are not where they should be. They are caches: the leaves have all that is in them.
 *
 * @module
 */
import { rootHash } from '../evidence/merkle.ts';
import { forkedAt } from './follow.ts';
import type { LedgerReads, Tile } from './ledger-store.ts';
import { sha256 } from './sha256.ts';
import { TILE_WIDTH } from './tree-edge.ts';

/**
 * The full tiles of the tree of `size` leaves that the store lacks. Walks the whole level below each gap.
 *
 * @throws {CrumbError} `ledger_forked` if leaves are missing.
 */
export async function missingTiles(size: number, reads: LedgerReads): Promise<readonly Tile[]> {
  const missing: Tile[] = [];
  const made = new Map<string, Uint8Array>();
  for (let level = 0; TILE_WIDTH ** (level + 1) <= size; level++) {
    const count = Math.floor(size / TILE_WIDTH ** (level + 1));
    for (let n = 0; n < count; n++) {
      if ((await reads.hashes(level + 1, n, n + 1)).length === 1) continue;
      const hashes = await hashesBelow(level, n, { reads, made });
      const root = rootHash(hashes, sha256);
      made.set(`${level}/${n}`, root);
      missing.push({ level, n, root, hashes: Buffer.concat(hashes) });
    }
  }
  return missing;
}

async function hashesBelow(
  level: number,
  n: number,
  source: { readonly reads: LedgerReads; readonly made: ReadonlyMap<string, Uint8Array> },
): Promise<readonly Uint8Array[]> {
  const from = n * TILE_WIDTH;
  const stored = await source.reads.hashes(level, from, from + TILE_WIDTH);
  if (stored.length === TILE_WIDTH) return stored;
  const hashes: Uint8Array[] = [];
  for (let at = from; at < from + TILE_WIDTH; at++) {
    const hash =
      source.made.get(`${level - 1}/${at}`) ?? (await source.reads.hashes(level, at, at + 1))[0];
    if (hash === undefined) throw forkedAt(at * TILE_WIDTH ** level);
    hashes.push(hash);
  }
  return hashes;
}
