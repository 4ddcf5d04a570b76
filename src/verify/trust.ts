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
