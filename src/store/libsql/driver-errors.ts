/**
 * What the driver throws, in our words.
 *
 * @module
 */
import { LibsqlError } from '@libsql/client';
import { CrumbError, isCrumbError } from '../../errors.ts';

/** Whether someone else holds the lock, so that trying again may help. */
export function isBusy(error: unknown): boolean {
  return error instanceof LibsqlError && /^SQLITE_(?:BUSY|LOCKED)/.test(error.code);
}

/** Errors of ours pass. */
export function translate(error: unknown): CrumbError {
  if (isCrumbError(error)) return error;
  if (!(error instanceof LibsqlError)) return new CrumbError('ledger_unwritable', { cause: error });
  // Triggers speak through the message: the driver gives no other place.
  if (/crumb:(?:chain|append-only)/.test(error.message)) {
    return new CrumbError('ledger_forked', { cause: error });
  }
  return new CrumbError(codeOf(error.code), { cause: error });
}

function codeOf(
  code: string,
): 'ledger_busy' | 'ledger_closed' | 'ledger_invalid' | 'ledger_unwritable' {
  if (/^SQLITE_(?:BUSY|LOCKED)/.test(code)) return 'ledger_busy';
  if (/^SQLITE_(?:NOTADB|CORRUPT|SCHEMA)/.test(code)) return 'ledger_invalid';
  return code === 'CLIENT_CLOSED' ? 'ledger_closed' : 'ledger_unwritable';
}
