/**
 * What Crumb is held against: the same rows, written by nobody's chain, tree, encoding or signature.
 *
 * @module
 */
import { createClient, type Client, type InValue } from '@libsql/client';
import pino from 'pino';
import { MIGRATIONS } from '../src/store/libsql/migrations.ts';

/** Size of an intent and of an outcome as the benchmark's calls make them, in bytes. */
export const INTENT_BYTES = 790;
export const OUTCOME_BYTES = 340;

/** Appends one row, durable when it resolves. */
export type Append = (bytes: Uint8Array) => Promise<unknown>;

export const INTENT = new Uint8Array(INTENT_BYTES).fill(0x78);
export const OUTCOME = new Uint8Array(OUTCOME_BYTES).fill(0x78);

const LEAF = new Uint8Array(32);
const HEAD = new Uint8Array(64);

/** Those of src/store/libsql/connection.ts. */
const PRAGMAS = [
  'page_size = 8192',
  'journal_mode = WAL',
  'synchronous = FULL',
  'cache_size = -65536',
  'wal_autocheckpoint = 5000',
  'secure_delete = ON',
];

/** The ledger's own table, with its triggers and no other index than the row's number. */
async function openTable(path: string): Promise<Client> {
  const client = createClient({ url: `file:${path}`, concurrency: 1, timeout: 100 });
  for (const pragma of PRAGMAS) await client.execute(`PRAGMA ${pragma}`);
  for (const { sql } of MIGRATIONS[0]?.objects ?? []) await client.execute(sql);
  return client;
}

/** One durable insert for each row. */
export async function bareInsert(path: string): Promise<Append> {
  const client = await openTable(path);
  const sql = 'INSERT INTO entry (seq, prev, leaf, head, bytes) VALUES (?, ?, ?, ?, ?)';
  let seq = 0;
  return (bytes) => client.execute({ sql, args: [seq++, LEAF, LEAF, HEAD, bytes] });
}

/** Takes what is waiting, at most 128, into one transaction. */
export async function bareGroupCommit(path: string): Promise<Append> {
  const client = await openTable(path);
  const texts = new Map<number, string>();
  let seq = 0;
  const waiting: { readonly bytes: Uint8Array; readonly resolve: () => void }[] = [];
  let running = false;
  const run = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0) {
      await new Promise((resolve) => void setImmediate(resolve));
      const batch = waiting.splice(0, 128);
      const { length } = batch;
      const args: InValue[] = [];
      for (const [n, { bytes }] of batch.entries()) {
        args.push(seq++, LEAF, LEAF, n === length - 1 ? HEAD : null, bytes);
      }
      const values = texts.get(length) ?? Array(length).fill('(?,?,?,?,?)').join(',');
      texts.set(length, values);
      const transaction = await client.transaction('write');
      await transaction.execute({
        sql: `INSERT INTO entry (seq, prev, leaf, head, bytes) VALUES ${values}`,
        args,
      });
      await transaction.commit();
      for (const { resolve } of batch) resolve();
    }
    running = false;
  };
  return (bytes) =>
    new Promise<void>((resolve) => {
      waiting.push({ bytes, resolve });
      if (!running) void run();
    });
}

/** A log line, on disk when it returns. */
export function pinoWithFsync(path: string): (line: object) => void {
  const logger = pino(pino.destination({ dest: path, sync: true, fsync: true }));
  return (line) => {
    logger.info(line);
  };
}
