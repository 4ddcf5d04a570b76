/**
 * Receipts of timestamp authorities: a token over the note itself.
 *
 * @module
 */
import { equalBytes, fromBase64, utf8 } from './bytes.ts';
import {
  accepted,
  refused,
  timestampFault,
  type CheckedClaim,
  type ReceiptResult,
} from './receipt-claim.ts';
import { parseTimestamp, verifyTimestamp } from './timestamp-token.ts';

/**
 * Checks a receipt of a timestamp authority.
 *
 * @throws {CryptoMissingError} Nothing was judged.
 */
export async function verifyTimestampReceipt(claim: CheckedClaim): Promise<ReceiptResult> {
  const { note, receipt, trust } = claim;
  const der = fromBase64(receipt);
  const token = der === undefined ? undefined : parseTimestamp(der);
  // The token alone: what stands around it in a response nobody signed.
  if (der === undefined || token === undefined || !equalBytes(token.bytes, der)) {
    return refused('malformed');
  }
  const roots = trust.roots ?? [];
  const authorities = roots.flatMap((root) => root.authorities);
  const authority = await verifyTimestamp(token, utf8(note), authorities);
  if (authority === 'imprint') return refused('note_mismatch');
  if (typeof authority === 'string') return refused(timestampFault(authority));
  const root = roots.find((one) => one.authorities.includes(authority));
  return {
    ...accepted(claim, root?.digest ?? ''),
    log: authority.name,
    index: null,
    at: token.time,
    development: authority.development,
  };
}
