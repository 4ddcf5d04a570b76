/**
 * One checkpoint taken to one anchor, and what came back written into the ledger.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';
import { toBase64url, utf8 } from '../evidence/bytes.ts';
import type { AnchorBody } from '../evidence/kinds.ts';
import type { ReceiptAccepted } from '../evidence/receipt-claim.ts';
import { CAPS } from '../evidence/shape.ts';
import type { Anchor, AnchorCheckpoint, UnverifiedReceipt } from './anchor.ts';
import type { AnchorJob } from './anchor-records.ts';
import type { Ledger } from './ledger.ts';
import { sha256, sha256Text } from './sha256.ts';

export interface AnchorAttempt {
  readonly ledger: AnchoredLedger;
  readonly anchor: Anchor;
  readonly job: AnchorJob;
  readonly clock: () => Date;
  readonly signal: AbortSignal;
}

/** What anchoring needs of a ledger. */
export type AnchoredLedger = Pick<
  Ledger,
  'origin' | 'vkey' | 'genesis' | 'anchoring' | 'append' | 'checkpoint' | 'peek'
>;

/**
 * Makes an attempt. Each step is durable before the next, and may be done twice: after a crash a receipt
 * that was kept is not fetched again, and its entry not appended again.
 *
 * @throws {CrumbError} What `Anchor.submit` throws; `anchor_receipt_invalid`, naming the fault; what the
 *   ledger throws.
 */
export async function attemptAnchor(attempt: AnchorAttempt): Promise<ReceiptAccepted> {
  const { ledger, anchor, job, clock } = attempt;
  const { anchoring } = ledger;
  const checkpoint = await checkpointOf(ledger, job.size);
  const kept = await anchoring.receipt(anchor.name, job.size);
  const receipt = kept ?? (await submit(attempt, checkpoint));

  const verdict = await anchor.verify(checkpoint, receipt);
  if (!verdict.ok) {
    // One that was accepted before, by another trust root: the next checkpoint gets one by this.
    if (kept !== undefined) await anchoring.finish(job, clock());
    throw new CrumbError('anchor_receipt_invalid', { names: [verdict.fault] });
  }

  // The receipt before its entry: an entry whose receipt is lost would be one more thing to explain.
  const { type, text } = receipt;
  await anchoring.keep({ anchor: anchor.name, type, size: job.size, text, keptAt: clock() });
  await appendEntry(ledger, { checkpoint, receipt, verdict });
  await anchoring.finish(job, clock());
  return verdict;
}

async function checkpointOf(
  { origin, vkey, anchoring }: AnchoredLedger,
  size: number,
): Promise<AnchorCheckpoint> {
  const note = await anchoring.note(size);
  if (note === undefined) throw new CrumbError('ledger_invalid', { names: ['checkpoint'] });
  return { note, origin, vkey, size };
}

async function submit(
  { ledger, anchor, signal }: AnchorAttempt,
  checkpoint: AnchorCheckpoint,
): Promise<UnverifiedReceipt> {
  const { anchoring } = ledger;
  const answer = anchor.submit({
    ...checkpoint,
    signal,
    published: () => anchoring.published(),
    proofFrom: (oldSize) => anchoring.proof(oldSize, checkpoint.note),
  });
  // An anchor that does not heed the signal must not keep the ledger from closing.
  const answered = new AbortController();
  return Promise.race([answer, abandoned(signal, answered.signal)]).finally(() => answered.abort());
}

/** Rejects when an attempt is given up; never resolves. Stops listening at `over`. */
async function abandoned(signal: AbortSignal, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = (): void => reject(new CrumbError('anchor_unreachable'));
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true, signal: over });
  });
}

interface Accepted {
  readonly checkpoint: AnchorCheckpoint;
  readonly receipt: UnverifiedReceipt;
  readonly verdict: ReceiptAccepted;
}

async function appendEntry(
  ledger: AnchoredLedger,
  { checkpoint, receipt, verdict }: Accepted,
): Promise<void> {
  const digest = sha256Text(utf8(receipt.text));
  const body: AnchorBody = {
    type: receipt.type,
    size: checkpoint.size,
    note: sha256Text(utf8(checkpoint.note)),
    receipt: digest,
    log: fitting(verdict.log),
    index: verdict.index,
    at: verdict.at.toISOString(),
    trust: verdict.trust,
  };
  // A use of its own for each receipt: whoever tries to append it a second time finds it spent.
  const key = new Uint8Array(sha256(utf8(`crumb anchor entry\n${digest}`)));
  await ledger.append([{ kind: 'anchor', body }], { spend: { key, max: 1, otherwise: [] } });
}

/** As many whole names as an entry holds. Only for people to read. */
function fitting(names: string): string {
  let text = names;
  while (utf8(text).length > CAPS.uri) {
    const end = text.lastIndexOf(' ');
    text = end < 0 ? toBase64url(sha256(utf8(names))) : text.slice(0, end);
  }
  return text;
}
