/**
 * The way in: opens a ledger over a store, in this thread.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';
import { createBackPressure } from './back-pressure.ts';
import type { Ledger } from './ledger.ts';
import { openLedgerCore, type LedgerCore, type LedgerOptions } from './ledger-core.ts';
import { prepareCall } from './prepared-call.ts';

/**
 * Opens a ledger, and makes it if the store is empty.
 *
 * Before it resolves, the tree was rebuilt and found to be the one that the last head signs, and the
 * rollback guard was asked.
 *
 * @throws {CrumbError} `ledger_invalid`: another origin, or not a ledger. `ledger_key_unknown`: another
 *   key. `ledger_forked`: the entries are not what was signed or what the guard remembers; nothing can be
 *   appended. `ledger_busy`, `ledger_unwritable`. The store is closed then.
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { origin, clock = () => new Date() } = options;
  return ledgerOver(await openLedgerCore(options), { origin, clock });
}

/** The public face over a core, wherever that runs. Drafts are checked and encoded in the caller's thread. */
export function ledgerOver(
  core: LedgerCore,
  { origin, clock }: { readonly origin: string; readonly clock: () => Date },
): Ledger {
  const pressure = createBackPressure();
  let closing: Promise<void> | undefined;
  const whileOpen = (): void => {
    if (closing !== undefined) throw new CrumbError('ledger_closed');
  };
  return {
    origin,
    vkey: core.vkey,
    genesis: core.genesis,
    opened: core.opened,
    pending: core.pending,
    anchoring: core.anchoring,
    async append(drafts, options = {}) {
      whileOpen();
      const call = prepareCall(drafts, options, clock().getTime());
      pressure.admit(call);
      try {
        return await core.append(call);
      } finally {
        pressure.release(call);
      }
    },
    async peek(key, max) {
      whileOpen();
      return core.peek(key, max);
    },
    async checkpoint() {
      whileOpen();
      return core.checkpoint();
    },
    flush: () => core.flush(),
    close() {
      closing ??= core.close();
      return closing;
    },
  };
}
