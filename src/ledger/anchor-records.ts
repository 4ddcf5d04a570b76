/**
 * What a ledger remembers of its anchors: checkpoints that are still to be taken there, and what came back.
 *
 * @module
 */
import type { ReceiptType } from '../evidence/receipt-claim.ts';

/** A checkpoint that an anchor has not answered for yet. Each anchor has at most one: the latest. */
export interface AnchorJob {
  /** Name of the anchor. */
  readonly anchor: string;
  /** Size of the checkpoint. */
  readonly size: number;
  /** Attempts that failed since the last one that did not. */
  readonly tries: number;
  /** Not before. */
  readonly nextAt: Date;
  /** Code of the last failure. */
  readonly error: string | null;
}

/** A receipt that was accepted. */
export interface KeptReceipt {
  /** Name of the anchor. */
  readonly anchor: string;
  readonly type: ReceiptType;
  /** Size of the checkpoint. */
  readonly size: number;
  readonly text: string;
  readonly keptAt: Date;
}

/** A `key` entry that speaks of an anchor key. */
export interface AnchorKeyEntry {
  readonly seq: number;
  readonly op: 'add' | 'retire' | 'revoke';
  /** SPKI in base64url. */
  readonly key: string;
}

/**
 * Durable, and shared by all processes that write the ledger.
 *
 * @throws {CrumbError} Everything here may throw `ledger_busy`, `ledger_unwritable`, `ledger_closed`.
 */
export interface AnchorRecords {
  /**
   * Asks for a checkpoint to be anchored. An earlier one that waits at this anchor gives way to it, and
   * leaves it its delay: a log that is down is not asked more often because more has to be told.
   *
   * @param urgent Somebody waits: then at once.
   */
  plan(job: Pick<AnchorJob, 'anchor' | 'size' | 'nextAt'>, urgent: boolean): Promise<void>;

  /** Takes the job that has been due longest; until then nobody else is given it. */
  take(of: TakeJob): Promise<AnchorJob | undefined>;

  /** Puts a job back that failed, unless a later checkpoint took its place. */
  retry(job: AnchorJob): Promise<void>;

  /** All jobs, the next one first. */
  jobs(): Promise<readonly AnchorJob[]>;

  /** Keeps a receipt; one for the same anchor and size stays if it is there. */
  keep(receipt: KeptReceipt): Promise<void>;

  receipt(anchor: string, size: number): Promise<KeptReceipt | undefined>;

  /** The receipt for the largest size. */
  lastReceipt(anchor: string): Promise<KeptReceipt | undefined>;

  /** Ends a job; a later checkpoint of the same anchor is due at once. */
  finish(job: Pick<AnchorJob, 'anchor' | 'size'>, now: Date): Promise<void>;

  /** The checkpoint of this size, as a note. */
  note(size: number): Promise<string | undefined>;

  /** What `key` entries say of anchor keys, oldest first. Reads the whole ledger. */
  anchorKeys(): Promise<readonly AnchorKeyEntry[]>;
}

export interface TakeJob {
  /** Names of the anchors at hand. */
  readonly anchors: readonly string[];
  readonly now: Date;
  /** When the job is anyone's again, if nothing is heard of it: after a crash. */
  readonly until: Date;
}

/** Entries that no anchor has seen. `anchor` entries do not count: they would call for ever more of themselves. */
export interface Unseen {
  /** Sequence number of the first. */
  readonly seq: number;
  /** When it was written, as it says. */
  readonly time: Date;
  /** How many follow it, itself included. */
  readonly entries: number;
}

/** The side of a ledger that its anchors need. */
export interface LedgerAnchoring extends AnchorRecords {
  /** What anchors have not seen beyond `size` entries. */
  unseen(size: number): Promise<Unseen | undefined>;

  /** Size of the largest published checkpoint; 0 if there is none. */
  published(): Promise<number>;

  /**
   * Proof that the first `oldSize` entries are the beginning of the tree of a checkpoint. Verified.
   *
   * @throws {CrumbError} `ledger_forked`: what is stored is not what was signed.
   */
  proof(oldSize: number, note: string): Promise<readonly Uint8Array[]>;
}
