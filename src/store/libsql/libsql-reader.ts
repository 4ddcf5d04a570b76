/**
 * A ledger's database for who only reads it: the verifier's feed, and the trail. It opens what is damaged
 * too, and says what it found.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { CrumbError } from '../../errors.ts';
import type { KeptReceipt } from '../../ledger/anchor-records.ts';
import type { LedgerReads, StoredCheckpoint, StoredEntry } from '../../ledger/ledger-store.ts';
import { readReceipts } from './anchor-rows.ts';
import { connectReader, type ConnectionOptions, type ReadConnection } from './connection.ts';
import { readCheckpoints, readPages, readsOver } from './ledger-rows.ts';
import { parseLocation } from './location.ts';
import { schemaDifferences } from './schema-check.ts';

export interface LedgerReader extends Omit<LedgerReads, 'page' | 'hashes' | 'checkpoint'> {
  /** What is not as Crumb made it, such as `trigger entry_chain missing`. None for an intact ledger. */
  readonly schemaDifferences: readonly string[];

  /**
   * Entries `[from, to)` as they are stored, oldest first, in pages of 1,000. Missing rows are missing
   * here too; nothing is verified. `to` defaults to the end.
   */
  readRows(from: number, to?: number): AsyncIterable<StoredEntry>;

  /** All published tree heads, smallest first. */
  checkpoints(): Promise<readonly StoredCheckpoint[]>;

  /** All receipts of anchors, smallest size first. Nothing is verified. */
  receipts(): Promise<readonly KeptReceipt[]>;

  close(): Promise<void>;
}

/**
 * Opens a ledger's database for reading. Makes no file, takes no lock, needs no key.
 *
 * @throws {CrumbError} `ledger_invalid`: no such file, not a database, or no entries' table in it.
 *   `ledger_unwritable`: the server cannot be reached. `config_invalid`.
 */
export async function openLibsqlReader(options: ConnectionOptions): Promise<LedgerReader> {
  const location = parseLocation(options.url);
  if (location.kind === 'file' && !existsSync(location.path)) {
    throw new CrumbError('ledger_invalid', { names: ['no such file'] });
  }
  const connection = connectReader(options);
  try {
    return await readerOver(connection);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function readerOver(connection: ReadConnection): Promise<LedgerReader> {
  const { read } = connection;
  const differences = await schemaDifferences(read);
  if (differences.includes('table entry missing')) {
    throw new CrumbError('ledger_invalid', { names: differences.slice(0, 1) });
  }
  const reads = readsOver(read);
  return {
    schemaDifferences: differences,
    origin: async () => (differences.includes('table ledger missing') ? undefined : reads.origin()),
    end: () => reads.end(),
    readRows: (from, to) => readPages(reads, from, to),
    async checkpoints() {
      return differences.includes('table checkpoint missing') ? [] : readCheckpoints(read);
    },
    async receipts() {
      return differences.includes('table receipt missing') ? [] : readReceipts(read);
    },
    close: () => connection.close(),
  };
}
