/**
 * What the reader of a bundle brings along. Nothing in a bundle is trusted; all trust is here.
 *
 * @module
 */
import type { Sha256 } from '../evidence/merkle.ts';

/** What the reader knows from elsewhere. Each part that is missing is reported as not established. */
export interface Trust {
  /** Name that the ledger must have. */
  readonly origin?: string;
  /**
   * The ledger's key: its vkey, or the leaf hash of its genesis in base64url. From the operator's own
   * publication, not from the bundle.
   */
  readonly key?: string;
  /** Signed tree heads that someone kept, as notes: the ledger must still contain them. */
  readonly heads?: readonly string[];
  /** Key sets by issuer, as parsed JSON, from the issuers themselves. */
  readonly issuerKeys?: Readonly<Record<string, unknown>>;
  /**
   * Logs and timestamp authorities whose receipts count: texts of `trusted_root.json` files, exactly as
   * pinned. Without, no receipt raises a level.
   */
  readonly roots?: readonly string[];
  /** Witnesses that count, and how many are enough: the text of a C2SP policy. */
  readonly witnesses?: string;
  /** When this is. Crumbs that no anchor covers by then may have waited too long. Default: the clock. */
  readonly now?: Date;
  /** For how long a crumb may be without an anchor, in seconds. Default: what genesis promises. */
  readonly maxGap?: number;
  /**
   * Counts receipts of logs and witnesses that are marked as for development, and says so each time:
   * they prove nothing outside the machine that they run on. Default false: they are unknown.
   */
  readonly allowDevelopment?: boolean;
}

/** Incremental SHA-256, as `createHash('sha256')` of `node:crypto` is. */
export interface StreamingSha256 {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** How to verify. None of this changes what is found. */
export interface VerifyOptions {
  /** Checks the signature of every commit, not only the last one's. Default false. */
  readonly full?: boolean;
  /** Called now and then with how many entries were checked, of how many. */
  readonly onProgress?: (progress: { readonly entries: number; readonly size: number }) => void;
  /** A faster SHA-256 than ours, where there is one. */
  readonly sha256?: Sha256;
  /** The same for the digest over a whole file. */
  readonly createSha256?: () => StreamingSha256;
}
