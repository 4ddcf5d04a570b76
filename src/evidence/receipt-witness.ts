/**
 * Receipts of witnesses: the lines that they put under a checkpoint, as C2SP has them.
 *
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-cosignature.md
 * @module
 */
import { isCrumbError } from '../errors.ts';
import { openNote, parseNote } from './note.ts';
import {
  accepted,
  refused,
  type CheckedClaim,
  type Cosigner,
  type ReceiptResult,
} from './receipt-claim.ts';
import { meetsQuorum, type WitnessPolicy } from './witness-policy.ts';

/** Checks the lines of witnesses. */
export async function verifyWitnessReceipt(claim: CheckedClaim): Promise<ReceiptResult> {
  const { text, receipt, trust } = claim;
  const policy = trust.witnesses;
  const note = `${text}\n${receipt}`;
  // A receipt could hold an empty line of its own, and so move the end of the text.
  if (textOf(note) !== text) return refused('malformed');
  if (policy === undefined) return refused('witness_unknown');
  const keys = policy.witnesses.map(({ vkey }) => vkey);
  const cosigners: Cosigner[] = [];
  try {
    const { signatures } = await openNote(note, keys);
    for (const { name, vkey, time } of signatures) {
      if (time !== undefined) cosigners.push({ name, vkey, at: time });
    }
  } catch (error) {
    if (!isCrumbError(error)) throw error;
    return refused(hasLineOf(note, policy) ? 'cosignature_invalid' : 'witness_unknown');
  }
  const vkeys = new Set(cosigners.map(({ vkey }) => vkey));
  return {
    ...accepted(claim, policy.digest),
    log: cosigners.map(({ name }) => name).join(' '),
    index: null,
    at: new Date(Math.max(...cosigners.map(({ at }) => at.getTime()))),
    development: policy.development,
    cosigners,
    quorum: policy.quorum !== 'none' && meetsQuorum(policy.quorum, vkeys),
  };
}

function textOf(note: string): string | undefined {
  try {
    return parseNote(note).text;
  } catch {
    return undefined;
  }
}

function hasLineOf(note: string, { witnesses }: WitnessPolicy): boolean {
  const starts = witnesses.map(({ vkey }) => `— ${vkey.split('+')[0] ?? ''} `);
  return note.split('\n').some((line) => starts.some((start) => line.startsWith(start)));
}
