/**
 * The append-only ledger as the rest of Crumb sees it.
 *
 * @module
 */
import type { Bodies, Kind } from '../evidence/kinds.ts';

/**
 * What is to be appended. A body may depend on the sequence numbers of the drafts before it in the
 * same call, which are only known under the write lock.
 */
export type Draft = {
  readonly [K in Kind]: {
    readonly kind: K;
    readonly body: Bodies[K] | ((seqs: readonly number[]) => Bodies[K]);
  };
}[Kind];

/** One use of something that may be used `max` times, taken in the transaction that appends. */
export interface Spend {
  /** 32 bytes; says nothing to who has no key. */
  readonly key: Uint8Array;
  readonly max: number;
  /** Appended instead when no use is left. */
  readonly otherwise: readonly Draft[];
}

/** A durable entry. */
export interface Appended {
  readonly seq: number;
  /** RFC 6962 leaf hash of its bytes. */
  readonly leaf: Uint8Array;
  readonly kind: Kind;
  readonly time: Date;
}

export interface AppendResult {
  readonly entries: readonly Appended[];
  /** Whether the use was taken; true when none was asked for. */
  readonly spent: boolean;
  /** The signed tree head that covers them, as a signed note. */
  readonly head: string;
}

export interface Ledger {
  readonly origin: string;

  /**
   * Makes drafts durable, together and in order. Resolves after the commit that holds them.
   *
   * @throws {CrumbError} Nothing was appended: `ledger_overloaded`, `ledger_closed`, `ledger_forked`,
   *   `ledger_busy`, `ledger_unwritable`, `entry_too_large`, `entry_malformed`.
   */
  append(drafts: readonly Draft[], options?: { readonly spend?: Spend }): Promise<AppendResult>;

  /** Whether a use is left, without taking it. */
  peek(key: Uint8Array, max: number): Promise<boolean>;

  /** Waits for what is queued. */
  flush(): Promise<void>;

  /** Refuses further drafts, drains, and leaves the file in one piece. */
  close(): Promise<void>;
}

/** Makes tree-head signatures; a key service is one. Messages stay under 1 KB. */
export interface Signer {
  readonly algorithm: 'ed25519';
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Promise<Uint8Array>;
}
