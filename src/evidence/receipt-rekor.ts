/**
 * Receipts of Rekor logs: that a pinned log has exactly this note's digest under exactly the anchor key, and
 * since when.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { equalBytes, toBase64, utf8 } from './bytes.ts';
import {
  accepted,
  refused,
  timestampFault,
  type AnchorKey,
  type CheckedClaim,
  type ReceiptFault,
  type ReceiptRefused,
  type ReceiptResult,
} from './receipt-claim.ts';
import { readRekorBody, rekorBodyV1, rekorBodyV2 } from './rekor-body.ts';
import { verifyLogged } from './rekor-proof.ts';
import { keyHintOf, parseRekorReceipt, type RekorReceipt } from './rekor-receipt.ts';
import { parseSpki, verifyWithKey } from './spki.ts';
import { verifyTimestamp } from './timestamp-token.ts';
import type { TrustedLog, TrustedRoot } from './trusted-root.ts';

/**
 * Checks a receipt of a transparency log.
 *
 * @throws {CryptoMissingError} Nothing was judged.
 */
export async function verifyRekorReceipt(claim: CheckedClaim): Promise<ReceiptResult> {
  const { note, receipt, trust } = claim;
  const rekor = parseRekorReceipt(receipt);
  if (rekor === undefined) return refused('malformed');
  if (!equalBytes(rekor.digest, sha256(utf8(note)))) return refused('note_mismatch');
  const anchorKey = findAnchorKey(rekor, claim);
  if (typeof anchorKey === 'string') return refused(anchorKey);
  if (!(await isSignedBy(anchorKey, note, rekor.signature))) return refused('signature_invalid');
  const found = findLog(rekor, trust.roots ?? []);
  if (typeof found === 'string') return refused(found);
  const { log, root } = found;
  const fault = await verifyLogged(rekor.entry, log);
  if (fault !== undefined) return refused(fault);
  const timed = await timeOf(rekor, trust.roots ?? []);
  if ('ok' in timed) return timed;
  const { at } = timed;
  if (at < log.from || (log.to !== null && at > log.to)) return refused('outside_validity');
  if (anchorKey.revokedSince !== null && at >= anchorKey.revokedSince)
    return refused('key_revoked');
  return {
    ...accepted(claim, root.digest),
    log: log.name,
    index: rekor.entry.index,
    at,
    development: log.development || timed.development,
  };
}

/**
 * The anchor key under which exactly this is logged. Nothing that the body says is believed: it is built
 * anew for each key that may have logged it.
 */
function findAnchorKey(
  { version, digest, signature, keyHint, entry }: RekorReceipt,
  { ledger, size }: CheckedClaim,
): AnchorKey | ReceiptFault {
  const build = version === 1 ? rekorBodyV1 : rekorBodyV2;
  const logs = ({ spki }: AnchorKey): boolean =>
    equalBytes(build({ digest, signature, spki }), entry.body);
  const keys = ledger.anchorKeys.filter(logs);
  const inForce = keys.find(({ from, to }) => size >= from && (to === null || size < to));
  if (inForce !== undefined) {
    return equalBytes(keyHintOf(inForce.spki), keyHint) ? inForce : 'key_mismatch';
  }
  if (keys.length > 0) return 'key_not_in_force';
  const stored = readRekorBody(entry.body);
  const isOurKey = ledger.anchorKeys.some(
    ({ spki }) => stored.spki !== undefined && equalBytes(spki, stored.spki),
  );
  if (!isOurKey) return stored.spki === undefined ? 'body_mismatch' : 'key_mismatch';
  return stored.digest === toBase64(digest) ? 'body_mismatch' : 'note_mismatch';
}

async function isSignedBy(key: AnchorKey, note: string, signature: Uint8Array): Promise<boolean> {
  const parsed = parseSpki(key.spki);
  if (parsed?.kind !== 'ecdsa' || parsed.curve !== 'P-256') return false;
  return verifyWithKey(parsed, { message: utf8(note), signature, hash: 'SHA-256' });
}

function findLog(
  { version, entry }: RekorReceipt,
  roots: readonly TrustedRoot[],
): { readonly log: TrustedLog; readonly root: TrustedRoot } | ReceiptFault {
  for (const root of roots) {
    const log = root.logs.find(({ id }) => equalBytes(id, entry.logId));
    if (log === undefined) continue;
    // v2 has one index, and the proof of the one proves the other.
    return version === 2 && entry.index !== entry.proof.index ? 'inclusion_invalid' : { log, root };
  }
  return 'log_unknown';
}

/** By when the entry was there: v1 promises a time; for v2 an authority saw the signature. */
async function timeOf(
  { signature, timestamp, entry }: RekorReceipt,
  roots: readonly TrustedRoot[],
): Promise<{ readonly at: Date; readonly development: boolean } | ReceiptRefused> {
  if (timestamp === null) return { at: new Date(entry.integratedTime * 1000), development: false };
  const authorities = roots.flatMap((root) => root.authorities);
  const authority = await verifyTimestamp(timestamp, signature, authorities);
  return typeof authority === 'string'
    ? refused(timestampFault(authority))
    : { at: timestamp.time, development: authority.development };
}
