/**
 * A ledger in libSQL by its URL: what the gateway and the command line open.
 *
 * @module
 */
import { ledgerOver, openLedger } from '../../ledger/open-ledger.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { createSigner } from '../../ledger/signer.ts';
import { openGuard } from './libsql-guard.ts';
import type { LibsqlLedgerOptions } from './libsql-ledger-options.ts';
import { openLibsqlStore } from './libsql-store.ts';
import { openWriterThread } from './writer-thread.ts';

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

export type { LibsqlLedgerOptions };
