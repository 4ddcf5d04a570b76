/**
 * The anchor key in the ledger: a receipt counts only if the ledger itself says whose key logged it.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';
import { equalBytes, toBase64url, utf8 } from '../evidence/bytes.ts';
import type { GenesisBody, KeyBody } from '../evidence/kinds.ts';
import type { Anchor } from './anchor.ts';
import type { AnchoredLedger } from './anchor-attempt.ts';
import { sha256 } from './sha256.ts';

/** What genesis declares when nothing else is said. Seconds; entries. */
export const DEFAULT_ANCHOR_POLICY = {
  entries: 5_000,
  seconds: 15 * 60,
  heartbeat: 24 * 60 * 60,
  maxGap: 60 * 60,
} as const;

type AnchorPolicy = NonNullable<GenesisBody['policy']['anchor']>;

/** What a new ledger with these anchors promises. */
export function anchorPolicyOf(anchors: readonly Pick<Anchor, 'type'>[]): AnchorPolicy {
  const require = [...new Set(anchors.map(({ type }) => type))].toSorted();
  return { ...DEFAULT_ANCHOR_POLICY, require };
}

/**
 * Makes anchors ready, before their ledger is opened.
 *
 * @returns SPKI of the one key that they log under; undefined if none of them logs.
 * @throws {CrumbError} `config_invalid`: two of them have the same name, or keys that differ; what
 *   `Anchor.prepare` throws.
 */
export async function prepareAnchors(
  anchors: readonly Anchor[],
  keyFile: string | undefined,
): Promise<Uint8Array | undefined> {
  const names = new Set(anchors.map(({ name }) => name));
  if (names.size < anchors.length || [...names].some((name) => name === '' || name.length > 128)) {
    throw new CrumbError('config_invalid', { names: ['names of anchors'] });
  }
  let spki: Uint8Array | undefined;
  for (const anchor of anchors) {
    const key = await anchor.prepare({ keyFile });
    if (key === undefined) continue;
    if (spki !== undefined && !equalBytes(spki, key)) {
      throw new CrumbError('config_invalid', { names: ['one anchor key for all anchors'] });
    }
    spki = key;
  }
  return spki;
}

/**
 * Sees to it that the ledger names the anchor key. One that was made without anchors gets a `key` entry;
 * one that names another key must be told on purpose.
 *
 * @throws {CrumbError} `ledger_key_unknown`: the ledger names another anchor key, or has given this one
 *   up. What appending throws.
 */
export async function declareAnchorKey(ledger: AnchoredLedger, spki: Uint8Array): Promise<void> {
  const key = toBase64url(spki);
  if (ledger.genesis.anchorKey === key) return;
  // Spent with the entry: so a later start need not read the whole ledger to find it.
  const use = new Uint8Array(sha256(utf8(`crumb anchor key\n${key}`)));
  if (!(await ledger.peek(use, 1))) return;
  const known = await ledger.anchoring.anchorKeys();
  const last = known.findLast((entry) => entry.key === key);
  if (last?.op === 'add') return;
  if (ledger.genesis.anchorKey !== null || known.length > 0) {
    throw new CrumbError('ledger_key_unknown', { names: ['anchor key'] });
  }
  const body: KeyBody = { role: 'anchor', op: 'add', key, proof: null, since: null, reason: null };
  await ledger.append([{ kind: 'key', body }], { spend: { key: use, max: 1, otherwise: [] } });
}
