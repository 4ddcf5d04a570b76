/**
 * The append-only ledger as the rest of Crumb sees it.
 *
 * @module
 */
import type { Bodies, Commitment, GenesisBody, Kind, TokenRecord } from '../evidence/kinds.ts';
import type { LedgerAnchoring } from './anchor-records.ts';

/**
 * Stands for the sequence number of draft `draft` of the same `append` call, counted from 0; that
 * number is only known under the write lock. It is data, not a function, so that drafts can cross to
 * the writer thread.
 *
 * @example { kind: 'intent', body: { ...intent, session: { draft: 0 } } }
 */
export interface DraftSeq {
  readonly draft: number;
}

/** Members that name another entry by its sequence number. */
type ReferenceName = 'session' | 'intent' | 'parent' | 'hop' | 'approval' | 'jwks' | 'of';

/** A token as a draft records it: the `key` entry of its issuer may be a draft of the same call. */
export type TokenDraft = Omit<TokenRecord, 'jwks'> & { readonly jwks: number | DraftSeq };

/** A body in which a reference may stand for another draft of the same call. */
export type DraftBody<Body> = {
  readonly [Member in keyof Body]: Member extends ReferenceName
    ? Body[Member] | DraftSeq
    : Member extends 'token'
      ? Body[Member] extends Commitment | null
        ? Body[Member]
        : TokenDraft | Exclude<Body[Member], TokenRecord>
      : Body[Member];
};

/** What is to be appended: plain data, nothing else. A reference must point at an earlier draft. */
export type Draft = {
  readonly [K in Kind]: { readonly kind: K; readonly body: DraftBody<Bodies[K]> };
}[Kind];

/** One use of something that may be used `max` times, taken in the transaction that appends. */
export interface Spend {
  /** 32 bytes; says nothing to who has no key. A pending approval of this key goes with the use. */
  readonly key: Uint8Array;
  readonly max: number;
  /** Appended in place of all drafts of the call when no use is left; its references count here. */
  readonly otherwise: readonly Draft[];
}

export interface AppendOptions {
  readonly spend?: Spend;
  /** `each`: these drafts get a commit, and so a signature, of their own. Default: shared with others. */
  readonly sign?: 'each';
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

/** A call that waits for a human's yes. It and its salt go when it is spent or has expired. */
export interface PendingApproval {
  /** 32 bytes: the key that `Spend` takes, with `max` 1. Spending it deletes the row. */
  readonly key: Uint8Array;
  /** Stable name of the login that asked; says nothing to who has no key. */
  readonly session: string;
  /** Subject of the agent that asked. */
  readonly agent: string;
  /** The host's id of the call. */
  readonly callId: string;
  readonly tool: string;
  readonly args: Commitment;
  /** 32 bytes: opens `args`. */
  readonly salt: Uint8Array;
  readonly expires: Date;
}

export interface PendingApprovals {
  /** Keeps a request; durable when it resolves. A row of the same key is replaced. */
  put(request: PendingApproval): Promise<void>;

  /** The newest request for this call that is neither spent nor expired. */
  find(of: {
    readonly session: string;
    readonly agent: string;
    readonly callId: string;
    readonly tool: string;
  }): Promise<PendingApproval | undefined>;

  /** Takes a request back, as when the human says no. */
  remove(key: Uint8Array): Promise<void>;
}

/** What was found when the ledger was opened, for the caller to say. */
export interface LedgerOpening {
  /** Whether this call made it; then `size` is 1, the genesis entry. */
  readonly created: boolean;
  /** Entries found or made. */
  readonly size: number;
  /** Entries that no checkpoint covers yet. */
  readonly unpublished: number;
  /** Among the last `looked` entries: intents without an outcome, as a crash leaves them. */
  readonly outcomeUnknown: readonly number[];
  readonly looked: number;
  /** Tiles that were missing and were made again from the leaves. */
  readonly tilesRepaired: number;
}

export interface Ledger {
  readonly origin: string;

  /** vkey of the signing key, as genesis names it. */
  readonly vkey: string;

  /** What the first entry says. */
  readonly genesis: GenesisBody;

  readonly opened: LedgerOpening;

  readonly pending: PendingApprovals;

  /** What anchors need of the ledger: see `createAnchorScheduler`. */
  readonly anchoring: LedgerAnchoring;

  /**
   * Makes drafts durable, together and in order. Resolves after the commit that holds them.
   *
   * @throws {CrumbError} Nothing was appended: `ledger_overloaded`, `ledger_closed`, `ledger_forked`,
   *   `ledger_busy`, `ledger_unwritable`, `entry_too_large`, `entry_malformed`. Only when the answer to
   *   a commit was lost and the ledger cannot be asked either, `ledger_unwritable` leaves it open
   *   whether something was.
   */
  append(drafts: readonly Draft[], options?: AppendOptions): Promise<AppendResult>;

  /** Whether a use is left, without taking it. */
  peek(key: Uint8Array, max: number): Promise<boolean>;

  /**
   * Publishes the last durable tree head and answers it as a signed note; the last one again if nothing
   * was appended since.
   *
   * @throws {CrumbError} `ledger_forked`, `ledger_busy`, `ledger_unwritable`, `ledger_closed`.
   */
  checkpoint(): Promise<string>;

  /** Waits for what is queued. */
  flush(): Promise<void>;

  /** Refuses further drafts, drains, publishes a checkpoint and leaves the file in one piece. */
  close(): Promise<void>;
}

/** Makes tree-head signatures; a key service is one. Messages stay under 1 KB. */
export interface Signer {
  readonly algorithm: 'ed25519';
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Promise<Uint8Array>;
}
