/**
 * The statements over entries, tiles and checkpoints, for a reader and for a transaction alike.
 *
 * @module
 */
import { MAX_ENTRY_BYTES } from '../../evidence/entry.ts';
import type {
  LedgerReads,
  SealedEntry,
  StoredCheckpoint,
  StoredEntry,
  Tile,
} from '../../ledger/ledger-store.ts';
import type { Run, SqlValue } from './connection.ts';
import { blobOf, checkpointOf, endOf, entryOf, textOf } from './rows.ts';

/** Rows of a page: one million at once takes 2.4 GB. */
export const PAGE = 1_000;

/** Rows of one INSERT. */
const MAX_ROWS = 128;

export const END = `SELECT seq + 1 AS size, ${upTo(32, 'leaf')} FROM entry ORDER BY seq DESC LIMIT 1`;

const ENTRY = `seq, ${upTo(32, 'prev')}, ${upTo(32, 'leaf')}, ${upTo(64, 'head')}, ${upTo(MAX_ENTRY_BYTES, 'bytes')}`;

/** A note is some hundred bytes, and as many again for each cosignature. */
const CHECKPOINT = `size, ${upTo(32, 'root')}, ${upTo(65_536, 'note')}`;

/**
 * A column that somebody else may have filled, with megabytes in each row: what is longer than `max` is
 * cut off one after it, so that it is wrong for whoever checks it and yet does not fill the memory.
 */
export function upTo(max: number, column: string): string {
  return `substr(${column}, 1, ${max + 1}) AS ${column}`;
}

export function readsOver(run: Run): LedgerReads {
  return {
    async origin() {
      const [row] = (await run(`SELECT ${upTo(1024, 'origin')} FROM ledger LIMIT 1`)).rows;
      return row === undefined ? undefined : textOf(row, 'origin');
    },
    async end() {
      return endOf(await run(END));
    },
    async page(from, to) {
      const sql = `SELECT ${ENTRY} FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ${PAGE}`;
      return (await run(sql, [from, to])).rows.map(entryOf);
    },
    async hashes(level, from, to) {
      if (level === 0) {
        const sql = `SELECT ${upTo(32, 'leaf')} FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq`;
        return (await run(sql, [from, to])).rows.map((row) => blobOf(row, 'leaf'));
      }
      const sql = `SELECT ${upTo(32, 'root')} FROM tile WHERE level = ? AND n >= ? AND n < ? ORDER BY n`;
      return (await run(sql, [level - 1, from, to])).rows.map((row) => blobOf(row, 'root'));
    },
    async checkpoint() {
      const sql = `SELECT ${CHECKPOINT} FROM checkpoint ORDER BY size DESC LIMIT 1`;
      return (await run(sql)).rows.map(checkpointOf)[0];
    },
  };
}

/** All published tree heads, smallest first. */
export async function readCheckpoints(run: Run): Promise<readonly StoredCheckpoint[]> {
  const { rows } = await run(`SELECT ${CHECKPOINT} FROM checkpoint ORDER BY size`);
  return rows.map(checkpointOf);
}

/** Entries in order, by pages: see `LedgerStore.read`. */
export async function* readPages(
  reads: Pick<LedgerReads, 'page'>,
  from: number,
  to = Number.MAX_SAFE_INTEGER,
): AsyncIterable<StoredEntry> {
  for (let next = from; next < to;) {
    const rows = await reads.page(next, to);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield* rows;
    next = last.seq + 1;
  }
}

/** One statement for all entries of a commit; more only beyond 128. The head stands on the last one. */
export async function insertEntries(
  run: Run,
  entries: readonly SealedEntry[],
  head: Uint8Array,
): Promise<void> {
  for (let start = 0; start < entries.length; start += MAX_ROWS) {
    const rows = entries.slice(start, start + MAX_ROWS);
    const isLast = start + rows.length === entries.length;
    const args: SqlValue[] = [];
    for (const { seq, prev, leaf, bytes } of rows) args.push(seq, prev, leaf, bytes);
    args.push(isLast ? head : null);
    await run(insertText(rows.length), args);
  }
}

export async function insertTiles(
  run: Run,
  verb: 'INSERT' | 'INSERT OR REPLACE',
  tiles: readonly Tile[],
): Promise<void> {
  const sql = `${verb} INTO tile (level, n, root, hashes) VALUES (?, ?, ?, ?)`;
  for (const { level, n, root, hashes } of tiles) await run(sql, [level, n, root, hashes]);
}

const insertTexts = new Map<number, string>();

/** Kept by number of rows: making the text anew costs more than running it. */
function insertText(rows: number): string {
  let text = insertTexts.get(rows);
  if (text === undefined) {
    const values = ['(?, ?, ?, ?, ?)', ...Array<string>(rows - 1).fill('(?, ?, ?, ?, NULL)')];
    text = `INSERT INTO entry (seq, prev, leaf, bytes, head) VALUES ${values.toReversed().join(', ')}`;
    insertTexts.set(rows, text);
  }
  return text;
}
