/**
 * A ledger in libSQL by its URL: what the gateway and the command line open.
 *
 * @module
 */
import { ledgerOver, openLedger } from '../../ledger/open-ledger.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { LedgerOptions } from '../../ledger/ledger-core.ts';
import { createSigner, type SigningKey } from '../../ledger/signer.ts';
import type { ConnectionOptions } from './connection.ts';
import { openGuard, type GuardPlace } from './libsql-guard.ts';
import { openLibsqlStore } from './libsql-store.ts';
import { openWriterThread } from './writer-thread.ts';

export interface LibsqlLedgerOptions
  extends
    Omit<ConnectionOptions, 'fetch'>,
    Omit<LedgerOptions, 'store' | 'signer' | 'guard'>,
    GuardPlace {
  /** See `createSigner`. */
  readonly signingKey: SigningKey;
  /**
   * `worker`: a thread of its own writes, so that the event loop is not held up by the disk; a call alone
   * takes longer. Default `inline`.
   */
  readonly writer?: 'inline' | 'worker' | undefined;
}

/** @throws {CrumbError} As `openLibsqlStore` and `openLedger`; `key_invalid`. */
export async function openLibsqlLedger(options: LibsqlLedgerOptions): Promise<Ledger> {
  if (options.writer === 'worker') {
    const { origin, clock = () => new Date() } = options;
    return ledgerOver(await openWriterThread(options), { origin, clock });
  }
  const signer = createSigner(options.signingKey); // before anything is opened
  const store = await openLibsqlStore(options);
  const guard = await openGuard(options).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  return openLedger({ ...options, store, signer, guard });
}
