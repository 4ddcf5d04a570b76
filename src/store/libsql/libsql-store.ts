/**
 * `LedgerStore` over libSQL: a file, or a server by the same statements.
 *
 * @module
 */
import type { LedgerStore, LedgerTx } from '../../ledger/ledger-store.ts';
import type { ResultSet } from '@libsql/client';
import { anchorRecordsOver } from './anchor-rows.ts';
import { connect, type Connection, type ConnectionOptions, type Run } from './connection.ts';
import { END, insertEntries, insertTiles, readPages, readsOver } from './ledger-rows.ts';
import { rebuildLookup } from './lookup.ts';
import { isUseLeft, pendingOver, spendUse, sweepPending } from './pending-rows.ts';
import { endOf } from './rows.ts';
import { prepareSchema } from './schema-check.ts';
import type { TrailItem, TrailQuery } from './trail.ts';

export interface LibsqlStoreOptions extends ConnectionOptions {
  /** For what expires. Default: the system's clock. */
  readonly clock?: (() => Date) | undefined;
}

export interface LibsqlStore extends LedgerStore {
  /** Whether the database is a file of this machine; else its server's word is what durability means. */
  readonly isFile: boolean;

  /**
   * Attempts with their outcomes, a page at a time. Catches up with what was appended first.
   *
   * @throws {CrumbError} `ledger_busy`, `ledger_unwritable`, `ledger_closed`.
   */
  queryTrail(query: TrailQuery): Promise<readonly TrailItem[]>;

  /** Forgets all that was made for searching and makes it again. */
  rebuildLookup(): Promise<void>;
}

/**
 * Opens a database as a ledger's store, and makes its tables if it is new.
 *
 * @throws {CrumbError} `ledger_invalid`, naming what is missing or changed; `ledger_unwritable`,
 *   `ledger_busy`, `config_invalid`.
 */
export async function openLibsqlStore(options: LibsqlStoreOptions): Promise<LibsqlStore> {
  const { clock = () => new Date() } = options;
  const connection = await connect(options);
  try {
    await prepareSchema(connection);
    await connection.repeatably((run) => sweepPending(run, clock()));
  } catch (error) {
    await connection.close();
    throw error;
  }
  return storeOver(connection, clock);
}

function storeOver(connection: Connection, clock: () => Date): LibsqlStore {
  const reads = readsOver(connection.read);
  return {
    ...reads,
    isFile: connection.location.kind === 'file',
    pending: pendingOver(connection, clock),
    anchors: anchorRecordsOver(connection),
    write: (work) => connection.write(END, (run, end) => work(transactionOver(run, end))),
    read: (from, to) => readPages(reads, from, to),
    peek: (key, max) => isUseLeft(connection.read, key, max),
    async queryTrail(query) {
      // Only who searches waits for drizzle: it takes longer to load than all the rest of a recorder.
      const trail = await import('./trail.ts');
      return trail.queryTrail(connection, query);
    },
    rebuildLookup: () => rebuildLookup(connection),
    close: () => connection.close(),
  };
}

function transactionOver(run: Run, end: ResultSet): LedgerTx {
  const reads = readsOver(run);
  let known: ResultSet | undefined = end;
  return {
    ...reads,
    // What the transaction began with is still true until it inserts.
    end: async () => (known === undefined ? reads.end() : endOf(known)),
    async name(origin) {
      await run('INSERT INTO ledger (id, origin) VALUES (1, ?)', [origin]);
    },
    spend: (key, max) => spendUse(run, key, max),
    async insert(entries, head, tiles) {
      known = undefined;
      await insertEntries(run, entries, head);
      await insertTiles(run, 'INSERT', tiles);
    },
    restore: (tiles) => insertTiles(run, 'INSERT OR REPLACE', tiles),
    async publish({ size, root, note }) {
      await run('INSERT INTO checkpoint (size, root, note) VALUES (?, ?, ?)', [size, root, note]);
    },
  };
}
