/**
 * A ledger in libSQL with its anchors: what the gateway and the command line open.
 *
 * @module
 */
import { dirname, join } from 'node:path';
import type { CrumbError } from '../../errors.ts';
import { toBase64url } from '../../evidence/bytes.ts';
import type { Anchor } from '../../ledger/anchor.ts';
import { anchorPolicyOf, declareAnchorKey, prepareAnchors } from '../../ledger/anchor-key-entry.ts';
import { createAnchorScheduler, type AnchorScheduler } from '../../ledger/anchor-scheduler.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { DEFAULT_POLICY } from '../../ledger/ledger-core.ts';
import { openLibsqlLedger } from './libsql-ledger.ts';
import type { LibsqlLedgerOptions } from './libsql-ledger-options.ts';
import { isDatabaseUrl, parseLocation } from './location.ts';

export interface AnchoredLedgerOptions extends Omit<
  LibsqlLedgerOptions,
  'onProblem' | 'anchorKey'
> {
  readonly anchors: readonly Anchor[];
  /** Whether anchors for development satisfy who waits. Default false. */
  readonly allowDevelopment?: boolean | undefined;
  /**
   * Told about checkpoints and attempts that failed, with the name of the anchor. They are made again.
   */
  readonly onProblem?: ((problem: CrumbError, anchor: string | undefined) => void) | undefined;
}

export interface OpenedLedger {
  readonly ledger: Ledger;
  /** undefined where there are no anchors. To be closed before the ledger. */
  readonly scheduler: AnchorScheduler | undefined;
}

/** Name of the file with the anchor key, where the configuration gives none. */
const KEY_FILE = 'crumb-anchor-key.pem';

/**
 * Opens a ledger, and starts looking after its anchors.
 *
 * @throws {CrumbError} As `openLibsqlLedger`, `prepareAnchors` and `declareAnchorKey`. Nothing stays open.
 */
export async function openAnchoredLedger(options: AnchoredLedgerOptions): Promise<OpenedLedger> {
  const { anchors, allowDevelopment, onProblem, ...place } = options;
  const told = (problem: CrumbError): void => onProblem?.(problem, undefined);
  if (anchors.length === 0) {
    return { ledger: await openLibsqlLedger({ ...place, onProblem: told }), scheduler: undefined };
  }
  const spki = await prepareAnchors(anchors, keyFileOf(place));
  const checkpoint = place.policy?.checkpoint ?? DEFAULT_POLICY.checkpoint;
  const anchor = place.policy?.anchor ?? anchorPolicyOf(anchors);
  const ledger = await openLibsqlLedger({
    ...place,
    policy: { checkpoint, anchor },
    anchorKey: spki === undefined ? undefined : toBase64url(spki),
    onProblem: told,
  });
  try {
    if (spki !== undefined) await declareAnchorKey(ledger, spki);
  } catch (error) {
    await ledger.close();
    throw error;
  }
  const { clock } = place;
  const scheduler = createAnchorScheduler({ ledger, anchors, allowDevelopment, clock, onProblem });
  return { ledger, scheduler };
}

/** Beside the rollback guard, or where that is no file, beside the ledger; undefined if that is none either. */
function keyFileOf({ url, guard }: Pick<LibsqlLedgerOptions, 'url' | 'guard'>): string | undefined {
  if (guard !== undefined && !isDatabaseUrl(guard)) return join(dirname(guard), KEY_FILE);
  const location = parseLocation(url);
  return location.kind === 'file' ? join(dirname(location.path), KEY_FILE) : undefined;
}
