/**
 * Addresses of C2SP tlog-tiles.
 *
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-tiles.md#merkle-tree
 * @module
 */
import { TILE_WIDTH } from './growing-tree.ts';

/** What an address names: hashes of a level, or the entries under a tile of level 0. */
export interface TilePath {
  readonly level: number | 'entries';
  readonly index: number;
  /** How many hashes or entries: 256 unless the address ends in `.p/<W>`. */
  readonly width: number;
}

const MAX_LEVEL = 63;
const FORM = /^\/tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** Reads an address; undefined for any other spelling than {@link tilePath} has. */
export function parseTilePath(path: string): TilePath | undefined {
  const [, level = '', digits = '', partial] = FORM.exec(path) ?? [];
  const tile: TilePath = {
    level: level === 'entries' ? level : Number(level),
    index: Number(digits.replaceAll(/[x/]/g, '')),
    width: partial === undefined ? TILE_WIDTH : Number(partial),
  };
  if (tile.level !== 'entries' && tile.level > MAX_LEVEL) return undefined;
  return tilePath(tile) === path ? tile : undefined;
}

/** The address of a tile. */
export function tilePath({ level, index, width }: TilePath): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const name = groups.map((group, n) => (n < groups.length - 1 ? `x${group}` : group)).join('/');
  return `/tile/${level}/${name}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}
