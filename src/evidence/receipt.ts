/**
 * Receipts: what third parties gave for a checkpoint, checked offline and on our own. The same code runs
 * where a receipt comes in and where an auditor reads it, so the answer cannot differ.
 *
 * docs/formats/receipt-v1.md is the specification.
 *
 * @module
 */
import { isCrumbError } from '../errors.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { openNote, parseNote } from './note.ts';
import {
  refused,
  type CheckedClaim,
  type ReceiptClaim,
  type ReceiptResult,
} from './receipt-claim.ts';
import { verifyRekorReceipt } from './receipt-rekor.ts';
import { verifyTimestampReceipt } from './receipt-timestamp.ts';
import { verifyWitnessReceipt } from './receipt-witness.ts';
import { CryptoMissingError } from './spki.ts';

/** Longest text of a receipt, in UTF-16 units. */
const MAX_RECEIPT_LENGTH = 64 * 1024;

/**
 * Checks a receipt by itself. What needs the rest of the ledger stays with the caller: that the tree has
 * this root at this size, that anchored sizes grow, and that the times fit the entries around it.
 *
 * Never throws for what stands in a claim, except for vkeys of the ledger that are none.
 *
 * @throws {CrumbError} `key_invalid`.
 */
export async function verifyReceipt(claim: ReceiptClaim): Promise<ReceiptResult> {
  const { type, receipt } = claim;
  if (receipt.length > MAX_RECEIPT_LENGTH || !receipt.isWellFormed()) return refused('malformed');
  const checkpoint = await openCheckpoint(claim);
  if (checkpoint === undefined) return refused('note_invalid');
  const checked: CheckedClaim = { ...claim, ...checkpoint };
  try {
    if (type === 'rekor') return await verifyRekorReceipt(checked);
    return await (type === 'timestamp'
      ? verifyTimestampReceipt(checked)
      : verifyWitnessReceipt(checked));
  } catch (error) {
    if (error instanceof CryptoMissingError) return refused('unsupported');
    throw error;
  }
}

/** Size and root, if the note is exactly one line of this ledger's key under its checkpoint. */
async function openCheckpoint({
  note,
  ledger,
}: ReceiptClaim): Promise<{ text: string; size: number; root: Uint8Array } | undefined> {
  try {
    if (parseNote(note).lines.length !== 1) return undefined;
    const { text } = await openNote(note, ledger.vkeys);
    const { origin, size, root } = parseCheckpoint(text);
    return origin === ledger.origin ? { text, size, root } : undefined;
  } catch (error) {
    if (isCrumbError(error) && error.code !== 'key_invalid') return undefined;
    throw error;
  }
}
