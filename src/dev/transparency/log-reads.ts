/**
 * What a development log shows to everyone: its checkpoint, tiles and entries, as C2SP tlog-tiles has them.
 *
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-tiles.md#apis
 * @module
 */
import { concatBytes } from '../../evidence/bytes.ts';
import { entryBundle } from './entry-file.ts';
import { hashesAt, TILE_WIDTH, type GrowingTree } from './growing-tree.ts';
import type { PlainAnswer } from './loopback-server.ts';
import type { LogHead } from './sequencer.ts';
import { parseTilePath } from './tile-path.ts';

/** A history, as far as it is published. */
export interface LogView {
  readonly head: LogHead;
  readonly tree: Pick<GrowingTree, 'tile'>;
  read(from: number, to: number): Promise<readonly Uint8Array[]>;
}

/** Rekor v2 has the same addresses below this one. */
const PREFIX = /^\/api\/v2(?=\/)/;

const CHANGES = { 'cache-control': 'no-cache' };
const NEVER_CHANGES = { 'cache-control': 'max-age=31536000, immutable' };

const NOTICE = `This is a development log: it proves nothing outside this machine.

GET  /checkpoint               the signed head of the tree
GET  /tile/<L>/<N>[.p/<W>]     hashes
GET  /tile/entries/<N>[.p/<W>] entries
POST /api/v2/log/entries       logs a signature (Rekor v2, hashedrekord)
POST /api/v1/timestamp         timestamps (RFC 3161)
`;

/** Answers a read; undefined if there is nothing at this address. */
export async function readLog(path: string, view: LogView): Promise<PlainAnswer | undefined> {
  if (path === '/') return { status: 200, body: NOTICE };
  const plain = path.replace(PREFIX, '');
  if (plain === '/checkpoint') return { status: 200, headers: CHANGES, body: view.head.note };
  const tile = parseTilePath(plain);
  if (tile === undefined) return undefined;
  const { level, index, width } = tile;
  const from = index * TILE_WIDTH;
  // Only what is published: a head covers it.
  const published = hashesAt(level === 'entries' ? 0 : level, view.head.size);
  if (from + width > published) return undefined;
  const body =
    level === 'entries'
      ? entryBundle(await view.read(from, from + width))
      : concatBytes(...view.tree.tile(level, index, width));
  return { status: 200, type: 'application/octet-stream', headers: NEVER_CHANGES, body };
}
