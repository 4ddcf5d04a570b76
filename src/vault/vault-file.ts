/**
 * The vault's database: one connection, one writer at a time in this process, and patience with
 * writers of other processes that does not stop the event loop.
 *
 * @module
 */
import { closeSync, existsSync, openSync } from 'node:fs';
import { createClient, LibsqlError, type Client, type Transaction } from '@libsql/client';
import { drizzle, type LibSQLDatabase } from 'drizzle-orm/libsql';
import { CrumbError, isCrumbError } from '../errors.ts';

/** How long one statement may wait for a lock inside libSQL, where it blocks the event loop. */
const BUSY_MS = 100;

/** How long a call waits for a lock altogether. */
const PATIENCE_MS = 10_000;

/** `full` survives a power failure, `normal` only the death of the process; neither can tear a row. */
export type Durability = 'full' | 'normal';

export interface VaultFile {
  /** Reads; drizzle for typed rows. */
  read<T>(work: (db: LibSQLDatabase) => Promise<T>): Promise<T>;

  /**
   * Runs `work` alone, across all processes, and commits. It may run more than once: a lock that was
   * lost starts it afresh.
   */
  write<T>(durability: Durability, work: (tx: Transaction) => Promise<T>): Promise<T>;

  /**
   * Folds the write-ahead log into the file and empties it, so that it holds no old versions. Waits
   * for readers in other processes, at most `patienceMs`.
   */
  truncateLog(patienceMs?: number): Promise<void>;

  close(): Promise<void>;
}

/** Where a vault's database is. */
export interface VaultPlace {
  /** `file:` path or `libsql:` URL. */
  readonly url: string;
  /** For a server. */
  readonly authToken?: string;
}

/**
 * A server's durability, and whether it overwrites deleted rows, are its own affair: the PRAGMAs here
 * reach a file only.
 *
 * @throws {CrumbError} `vault_unwritable`.
 */
export async function openVaultFile(place: VaultPlace): Promise<VaultFile> {
  const isFile = place.url.startsWith('file:');
  if (isFile) createPrivateFile(place.url);
  const client = connect(place);
  const db = drizzle(client);
  const once = createMutex();
  let synchronous: Durability | undefined;

  /** PRAGMAs bind a connection, and `reconnect` makes a new one: hence before each use. */
  const prepare = async (durability: Durability): Promise<void> => {
    if (!isFile || synchronous === durability) return;
    if (synchronous === undefined) {
      await client.execute('PRAGMA journal_mode = WAL');
      // Always, not only while erasing: pages that are split leave copies behind too.
      await client.execute('PRAGMA secure_delete = ON');
      await client.execute('PRAGMA cache_size = -32768'); // KiB: the index of commitments is random
      await client.execute('PRAGMA fullfsync = ON'); // macOS: fsync alone does not reach the disk
    }
    await client.execute(`PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`);
    synchronous = durability;
  };
  const reconnect = (): void => {
    synchronous = undefined;
    client.reconnect();
  };
  const patiently = <T>(work: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> =>
    once(() => retry(work, reconnect, patienceMs));

  const file: VaultFile = {
    read: (work) =>
      patiently(async () => {
        await prepare(synchronous ?? 'full');
        return work(db);
      }),
    write: (durability, work) =>
      patiently(async () => {
        await prepare(durability);
        const tx = await client.transaction('write');
        try {
          const result = await work(tx);
          await tx.commit();
          return result;
        } finally {
          tx.close(); // rolls back unless committed
        }
      }),
    truncateLog: (patienceMs) =>
      patiently(async () => {
        if (!isFile) return;
        await prepare('full');
        const { rows } = await client.execute('PRAGMA wal_checkpoint(TRUNCATE)');
        if (rows[0]?.['busy'] !== 0) throw new LibsqlError('log in use', 'SQLITE_BUSY');
      }, patienceMs),
    close: () =>
      once(async () => {
        client.close();
      }),
  };
  return file;
}

/** Makes the file so that only its owner reads it; its log and the log's index take over its mode. */
function createPrivateFile(url: string): void {
  const local = /^file:(?!:memory:)([^?#]+)/.exec(url)?.[1];
  if (local === undefined) return;
  try {
    const path = local.startsWith('//') ? new URL(`file:${local}`) : decodeURIComponent(local);
    if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  } catch (cause) {
    throw new CrumbError('vault_unwritable', { cause });
  }
}

function connect({ url, authToken }: VaultPlace): Client {
  try {
    const auth = authToken === undefined ? {} : { authToken };
    return createClient({ url, ...auth, concurrency: 1, timeout: BUSY_MS });
  } catch (cause) {
    throw new CrumbError('vault_unwritable', { cause });
  }
}

/** Runs what it is given one after the other: an open transaction owns the only connection. */
function createMutex(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

async function retry<T>(
  work: () => Promise<T>,
  reconnect: () => void,
  patienceMs: number,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (let wait = 2; ; wait = Math.min(wait * 2, 200)) {
    try {
      return await work();
    } catch (error) {
      if (isCrumbError(error)) throw error;
      if (!isBusy(error) || Date.now() > deadline) {
        throw new CrumbError('vault_unwritable', { cause: error });
      }
      reconnect(); // after SQLITE_BUSY a connection can keep saying so
      await pause(wait * (0.5 + Math.random()));
    }
  }
}

/** drizzle wraps what the driver throws. */
function isBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof LibsqlError && /^SQLITE_(BUSY|LOCKED)/.test(error.code)) return true;
  return isBusy(error.cause);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
