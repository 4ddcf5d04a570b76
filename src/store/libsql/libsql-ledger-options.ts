/**
 * What a ledger in libSQL is opened with.
 *
 * @module
 */
import type { LedgerOptions } from '../../ledger/ledger-core.ts';
import type { SigningKey } from '../../ledger/signer.ts';
import type { ConnectionOptions } from './connection.ts';
import type { GuardPlace } from './libsql-guard.ts';

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
