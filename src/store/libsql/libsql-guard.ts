/**
 * The rollback guard in a libSQL database: for where there is no file, or none that outlives the machine.
 *
 * @module
 */
import type { Row } from '@libsql/client';
import {
  fileGuard,
  sameMark,
  type GuardMark,
  type RollbackGuard,
} from '../../ledger/rollback-guard.ts';
import { connect, type ConnectionOptions, type Run } from './connection.ts';
import { isDatabaseUrl } from './location.ts';
import { blobOf, numberOf, textOf } from './rows.ts';

const TABLE = `CREATE TABLE IF NOT EXISTS guard (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  origin TEXT NOT NULL,
  size INTEGER NOT NULL,
  root BLOB NOT NULL CHECK (length(root) = 32),
  leaf BLOB NOT NULL CHECK (length(leaf) = 32)
) STRICT`;

const MARK = 'SELECT origin, size, root, leaf FROM guard';

export interface GuardPlace {
  /**
   * A file path, or a libSQL URL. It belongs on another disk than the ledger. Without one, a restored backup
   * is not noticed here.
   */
  readonly guard?: string | undefined;
  /** For a guard on a server. */
  readonly guardAuthToken?: string | undefined;
  readonly busyTimeoutMs?: number | undefined;
}

/** The guard at that place, if one is named. @throws {CrumbError} As {@link openLibsqlGuard}. */
export async function openGuard(place: GuardPlace): Promise<RollbackGuard | undefined> {
  const { guard, guardAuthToken: authToken, busyTimeoutMs } = place;
  if (guard === undefined) return undefined;
  return isDatabaseUrl(guard)
    ? openLibsqlGuard({ url: guard, authToken, busyTimeoutMs })
    : fileGuard(guard);
}

/**
 * Opens a guard in a database of its own.
 *
 * @throws {CrumbError} `ledger_unwritable`, `ledger_busy`, `ledger_invalid`, `config_invalid`.
 */
export async function openLibsqlGuard(options: ConnectionOptions): Promise<RollbackGuard> {
  const connection = await connect(options);
  try {
    await connection.repeatably((run) => run(TABLE));
  } catch (error) {
    await connection.close();
    throw error;
  }
  return {
    read: () => readMark(connection.read),
    replace: (expected, next) =>
      connection.repeatably(async (run) => {
        const mark = await readMark(run);
        if (sameMark(mark, next)) return true; // also when our own answer was lost
        if (!sameMark(mark, expected)) return false;
        await run(
          'INSERT OR REPLACE INTO guard (id, origin, size, root, leaf) VALUES (1, ?, ?, ?, ?)',
          [next.origin, next.size, next.root, next.leaf],
        );
        return true;
      }),
    close: () => connection.close(),
  };
}

async function readMark(run: Run): Promise<GuardMark | undefined> {
  return (await run(MARK)).rows.map(markOf)[0];
}

function markOf(row: Row): GuardMark {
  return {
    origin: textOf(row, 'origin'),
    size: numberOf(row, 'size'),
    root: blobOf(row, 'root'),
    leaf: blobOf(row, 'leaf'),
  };
}
