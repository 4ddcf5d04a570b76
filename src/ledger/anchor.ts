/**
 * The port to third parties that fix a checkpoint in time. Three implementations: a Rekor log, a timestamp
 * authority, witnesses.
 *
 * @module
 */
import type { ReceiptAccepted, ReceiptFault, ReceiptType } from '../evidence/receipt-claim.ts';

/** A checkpoint to be anchored. */
export interface AnchorCheckpoint {
  /** The signed note with the ledger's line only: what is anchored is exactly this text. */
  readonly note: string;
  readonly origin: string;
  /** vkey of the ledger's key that signed it. */
  readonly vkey: string;
  readonly size: number;
}

/** A checkpoint on its way to an anchor, with what it may have to prove there. */
export interface AnchorRequest extends AnchorCheckpoint {
  /**
   * Proof that the tree of the first `oldSize` entries is the beginning of this one.
   *
   * @throws {CrumbError} What reading the ledger throws.
   */
  proofFrom(oldSize: number): Promise<readonly Uint8Array[]>;

  /** Size of the largest checkpoint published by now: another may have overtaken this one. */
  published(): Promise<number>;

  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/** What an anchor gave. Nothing has been verified. */
export interface UnverifiedReceipt {
  readonly type: ReceiptType;
  /** As docs/formats/receipt-v1.md has it. */
  readonly text: string;
}

/** What became of a receipt: `second_opinion` is that other software than ours does not accept it. */
export type AnchorVerdict =
  ReceiptAccepted | { readonly ok: false; readonly fault: ReceiptFault | 'second_opinion' };

/** Where an anchor may keep a key of its own. */
export interface AnchorPlace {
  /** A file for the anchor key, made if it is missing; undefined if there is no place for one. */
  readonly keyFile: string | undefined;
}

/** A third party that a ledger's checkpoints are taken to. */
export interface Anchor {
  readonly type: ReceiptType;

  /** Its own name in the ledger: jobs and receipts are kept under it. At most 128 characters. */
  readonly name: string;

  /**
   * Called once, before the ledger is opened.
   *
   * @returns SPKI of the key that it logs under, which genesis must name; undefined if it has none.
   * @throws {CrumbError} `key_invalid`, `config_invalid`, `file_unwritable`.
   */
  prepare(place: AnchorPlace): Promise<Uint8Array | undefined>;

  /**
   * Takes a checkpoint there.
   *
   * @throws {CrumbError} `anchor_unreachable`: try again. `anchor_refused`, `anchor_frozen`,
   *   `anchor_receipt_invalid`: trying again may help only after someone has looked. `ledger_forked`: the
   *   other side has seen another history of this ledger, or more of it.
   */
  submit(request: AnchorRequest): Promise<UnverifiedReceipt>;

  /** Checks a receipt, with our own code and where there is some with that of others. */
  verify(checkpoint: AnchorCheckpoint, receipt: UnverifiedReceipt): Promise<AnchorVerdict>;
}
