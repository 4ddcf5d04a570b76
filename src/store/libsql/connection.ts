/**
 * One database through `@libsql/client`, with everything that this driver needs to be told.
 *
 * A writer with a single connection that a mutex owns, and a reader of its own, because an open
 * transaction makes all other calls of its client fail.
 *
 * @module
 */
import {
  createClient,
  type Client,
  type InStatement,
  type ResultSet,
  type Transaction,
} from '@libsql/client';
import { setTimeout as wait } from 'node:timers/promises';
import { CrumbError } from '../../errors.ts';
import { CommitUnknownError } from '../../ledger/ledger-store.ts';
import { isBusy, translate } from './driver-errors.ts';
import { canonicalPath, createPrivateFile, parseLocation, type Location } from './location.ts';
import { createMutex, mutexOf } from './mutex.ts';

export interface ConnectionOptions {
  /** See `parseLocation`. */
  readonly url: string;
  /** For a server. */
  readonly authToken?: string | undefined;
  /** How long to wait for the lock, in milliseconds. Default 10000. */
  readonly busyTimeoutMs?: number | undefined;
  /** Replaces the global `fetch` for a server. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** Runs a statement; errors are already ours. */
export type Run = (sql: string, args?: readonly SqlValue[]) => Promise<ResultSet>;
export type SqlValue = null | string | number | Uint8Array;

/** For who only reads. */
export interface ReadConnection {
  /** Reads without lock. */
  readonly read: Run;
  /** The client below it, for drizzle. */
  readonly reader: Client;
  close(): Promise<void>;
}

export interface Connection extends ReadConnection {
  readonly location: Location;
  /**
   * Runs `work` in a transaction that holds the write lock from its first moment. Durable when it
   * resolves.
   *
   * @param first A statement whose result `work` is given; it is how a server says that it is busy.
   * @throws {CommitUnknownError} There was no answer to the commit.
   */
  write<T>(first: string, work: (run: Run, result: ResultSet) => Promise<T>): Promise<T>;
  /** The same for work that does no harm when it is done twice: then the answer to a commit may be lost. */
  repeatably<T>(work: (run: Run) => Promise<T>): Promise<T>;
}

/**
 * How long the driver itself waits for a lock. It blocks the event loop meanwhile, so not for long: the
 * rest of the waiting is ours.
 */
const DRIVER_TIMEOUT_MS = 100;
const BUSY_TIMEOUT_MS = 10_000;

/** For every connection that writes to a file, and asserted again after each reconnect. */
const PRAGMAS: readonly string[] = [
  'PRAGMA cache_size = -65536', // 64 MB
  'PRAGMA wal_autocheckpoint = 5000', // 40 MB
  'PRAGMA secure_delete = ON', // the salts of approvals must not live on in free pages
  // On macOS fsync returns before the disk has the data; elsewhere these do nothing.
  'PRAGMA fullfsync = ON',
  'PRAGMA checkpoint_fullfsync = ON',
];

/** @throws {CrumbError} `config_invalid`, `ledger_unwritable`, `ledger_busy`, `ledger_invalid`. */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const location = parseLocation(options.url);
  const { busyTimeoutMs = BUSY_TIMEOUT_MS } = options;
  const patience = { busyTimeoutMs };
  if (location.kind === 'file') createPrivateFile(location.path);
  const mutex = location.kind === 'file' ? mutexOf(canonicalPath(location.path)) : createMutex();
  const writer = await openWriter(location, options);
  const reading = connectReader(options);
  let closed = false;
  const write: Connection['write'] = async (first, work) => {
    if (closed) throw new CrumbError('ledger_closed');
    return mutex(() => transact(writer, { first, work, patience }));
  };
  return {
    location,
    reader: reading.reader,
    read: (sql, args) => reading.read(sql, args),
    write,
    repeatably: (work) => repeat(() => write('SELECT 1', work)),
    async close() {
      if (closed) return;
      closed = true;
      await mutex(async () => {
        await reading.close();
        try {
          // Puts all there is into the one file. A reader that holds it up is no reason to fail.
          if (location.kind === 'file')
            await writer.client.execute('PRAGMA wal_checkpoint(TRUNCATE)');
        } catch (error) {
          if (!isBusy(error)) throw translate(error);
        } finally {
          writer.client.close();
        }
      });
    },
  };
}

/** A connection that only reads. It makes no file. */
export function connectReader(options: ConnectionOptions): ReadConnection {
  const { busyTimeoutMs = BUSY_TIMEOUT_MS } = options;
  const reader = clientFor(parseLocation(options.url), options);
  let closed = false;
  return {
    reader,
    async read(sql, args = []) {
      if (closed) throw new CrumbError('ledger_closed');
      return patiently({ busyTimeoutMs }, () => reader.execute({ sql, args: [...args] }));
    },
    async close() {
      closed = true;
      reader.close();
    },
  };
}

interface Writer {
  readonly client: Client;
  /** Makes the connection fit for the next transaction. */
  ready(): Promise<void>;
  /** Something failed: the driver can keep saying "statements in progress" on this connection. */
  suspect(): void;
}

async function openWriter(location: Location, options: ConnectionOptions): Promise<Writer> {
  const client = clientFor(location, options);
  let sound = false;
  let fresh = true;
  const writer: Writer = {
    client,
    async ready() {
      if (sound) return;
      if (!fresh) {
        const reconnected: unknown = client.reconnect(); // a promise, whatever its type says
        await reconnected;
      }
      fresh = false;
      if (location.kind === 'file') await assertDurable(client);
      sound = true;
    },
    suspect() {
      sound = false;
    },
  };
  const { busyTimeoutMs = BUSY_TIMEOUT_MS } = options;
  try {
    await patiently({ busyTimeoutMs }, () => writer.ready());
  } catch (error) {
    client.close();
    throw error;
  }
  return writer;
}

function clientFor(location: Location, options: ConnectionOptions): Client {
  const { authToken, fetch } = options;
  try {
    return createClient({
      url: location.url,
      concurrency: 1,
      intMode: 'number',
      timeout: DRIVER_TIMEOUT_MS,
      ...(authToken !== undefined && { authToken }),
      ...(fetch !== undefined && { fetch }),
    });
  } catch (error) {
    throw translate(error);
  }
}

/** A commit must be on disk when it returns, on this very connection. */
async function assertDurable(client: Client): Promise<void> {
  // Of a new file. Rows of 400 to 900 bytes leave less of it empty: 666 bytes a crumb instead of 721.
  await client.execute('PRAGMA page_size = 8192');
  const journal = await client.execute('PRAGMA journal_mode = WAL');
  if (journal.rows[0]?.[0] !== 'wal') {
    throw new CrumbError('ledger_unwritable', {
      names: ['no write-ahead log on this file system'],
    });
  }
  await client.execute('PRAGMA synchronous = FULL');
  const synchronous = await client.execute('PRAGMA synchronous');
  if (synchronous.rows[0]?.[0] !== 2) {
    throw new CrumbError('ledger_unwritable', { names: ['synchronous'] });
  }
  for (const pragma of PRAGMAS) await client.execute(pragma);
}

interface Transact<T> {
  readonly first: string;
  readonly work: (run: Run, result: ResultSet) => Promise<T>;
  readonly patience: Patience;
}

async function transact<T>(writer: Writer, { first, work, patience }: Transact<T>): Promise<T> {
  const { transaction, result } = await patiently(patience, () => begin(writer, first));
  let value: T;
  try {
    value = await work(runIn(transaction, writer), result);
  } catch (error) {
    await rollBack(transaction, writer);
    throw error;
  }
  try {
    await transaction.commit();
  } catch (error) {
    writer.suspect();
    throw new CommitUnknownError(error);
  }
  return value;
}

async function begin(
  writer: Writer,
  first: string,
): Promise<{ readonly transaction: Transaction; readonly result: ResultSet }> {
  let transaction: Transaction | undefined;
  try {
    await writer.ready();
    transaction = await writer.client.transaction('write');
    return { transaction, result: await transaction.execute(first) };
  } catch (error) {
    transaction?.close();
    writer.suspect();
    throw error;
  }
}

function runIn(transaction: Transaction, writer: Writer): Run {
  return async (sql, args = []) => {
    try {
      const statement: InStatement = { sql, args: [...args] };
      return await transaction.execute(statement);
    } catch (error) {
      writer.suspect();
      throw translate(error);
    }
  };
}

/** What could not be rolled back is dropped with its connection. */
async function rollBack(transaction: Transaction, writer: Writer): Promise<void> {
  try {
    await transaction.rollback();
  } catch {
    writer.suspect();
    transaction.close();
  }
}

const MAX_REPEATS = 3;

async function repeat<T>(write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof CommitUnknownError)) throw error;
      if (tries === MAX_REPEATS) throw translate(error.cause);
    }
  }
}

interface Patience {
  readonly busyTimeoutMs: number;
}

/** Tries again while another process holds the lock. Waits without blocking, a random time. */
async function patiently<T>({ busyTimeoutMs }: Patience, run: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + busyTimeoutMs;
  for (let delayMs = 2; ; delayMs = Math.min(delayMs * 2, 50)) {
    try {
      return await run();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw translate(error);
      await wait(delayMs * (0.5 + Math.random()));
    }
  }
}
