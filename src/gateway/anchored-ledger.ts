/**
 * A ledger together with the third parties that its checkpoints are taken to.
 *
 * @module
 */
import { toBase64url } from '../evidence/bytes.ts';
import type { Anchor } from '../ledger/anchor.ts';
import { anchorPolicyOf, declareAnchorKey, prepareAnchors } from '../ledger/anchor-key-entry.ts';
import { createAnchorScheduler, type AnchorScheduler } from '../ledger/anchor-scheduler.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { openLibsqlLedger, type LibsqlLedgerOptions } from '../store/libsql/libsql-ledger.ts';
import { isDatabaseUrl, parseLocation } from '../store/libsql/location.ts';

export interface AnchoredLedger {
  readonly ledger: Ledger;
  /** Undefined without anchors. Closed before the ledger. */
  readonly anchors: AnchorScheduler | undefined;
}

/**
 * Opens a ledger and, if there are anchors, starts looking after them.
 *
 * @throws {CrumbError} What opening throws; `config_invalid`, `ledger_key_unknown`, `key_invalid` for
 *   anchors that cannot be used with this ledger.
 */
export async function openAnchoredLedger(
  options: LibsqlLedgerOptions,
  anchors: readonly Anchor[],
  allowDevelopment: boolean,
): Promise<AnchoredLedger> {
  if (anchors.length === 0) return { ledger: await openLibsqlLedger(options), anchors: undefined };
  const spki = await prepareAnchors(anchors, keyFileOf(options));
  const ledger = await openLibsqlLedger({
    ...options,
    ...(spki === undefined ? {} : { anchorKey: toBase64url(spki) }),
    policy: { checkpoint: { entries: 1024, seconds: 60 }, anchor: anchorPolicyOf(anchors) },
  });
  try {
    if (spki !== undefined) await declareAnchorKey(ledger, spki);
  } catch (error) {
    await ledger.close();
    throw error;
  }
  const { clock } = options;
  return { ledger, anchors: createAnchorScheduler({ ledger, anchors, allowDevelopment, clock }) };
}

/** Beside the guard, or beside the ledger; a ledger on a server has no such place. */
function keyFileOf({ guard, url }: LibsqlLedgerOptions): string | undefined {
  if (guard !== undefined && !isDatabaseUrl(guard)) return `${guard}.anchor.pem`;
  const location = parseLocation(url);
  return location.kind === 'file' ? `${location.path}.anchor.pem` : undefined;
}
