/**
 * The port to what keeps a ledger. Two implementations: a libSQL file, and a libSQL server.
 *
 * @module
 */
import type { AnchorRecords } from './anchor-records.ts';
import type { PendingApprovals } from './ledger.ts';

/** Where a ledger ends. */
export interface LedgerEnd {
  /** Number of entries. */
  readonly size: number;
  /** Leaf hash of the last entry; 32 zero bytes when there is none. */
  readonly leaf: Uint8Array;
}

/** An entry ready to be stored. */
export interface SealedEntry {
  readonly seq: number;
  /** Leaf hash of the entry before it. */
  readonly prev: Uint8Array;
  readonly leaf: Uint8Array;
  readonly bytes: Uint8Array;
}

/** An entry as it is stored. `bytes` and `head` are the evidence; `prev` and `leaf` only caches. */
export interface StoredEntry {
  readonly seq: number;
  readonly prev: Uint8Array;
  readonly leaf: Uint8Array;
  /** Signature over the tree head, 64 bytes: on the last entry of each commit. */
  readonly head: Uint8Array | null;
  /** null once pruned. */
  readonly bytes: Uint8Array | null;
}

/** A full tile: 256 neighbouring hashes of one level, and the hash above them. */
export interface Tile {
  /** 0: leaf hashes; n: roots of the tiles of level n - 1. */
  readonly level: number;
  /** Place in its level, from 0. */
  readonly n: number;
  readonly root: Uint8Array;
  /** 256 × 32 bytes. */
  readonly hashes: Uint8Array;
}

/** A published tree head. */
export interface StoredCheckpoint {
  readonly size: number;
  readonly root: Uint8Array;
  /** Signed note with our line only. */
  readonly note: string;
}

/** What can be read of a ledger, with or without holding its lock. */
export interface LedgerReads {
  /** The origin it was made for; undefined before genesis. */
  origin(): Promise<string | undefined>;

  end(): Promise<LedgerEnd>;

  /** Entries from `from` on, in order: those below `to`, and at most 1,000. */
  page(from: number, to: number): Promise<readonly StoredEntry[]>;

  /**
   * Hashes `[from, to)` of a level: 0 are leaves, n are roots of the subtrees of 256^n leaves. Fewer if
   * some are missing.
   */
  hashes(level: number, from: number, to: number): Promise<readonly Uint8Array[]>;

  /** The last published tree head. */
  checkpoint(): Promise<StoredCheckpoint | undefined>;
}

/** The ledger under its write lock. */
export interface LedgerTx extends LedgerReads {
  /** Names the ledger; once, before its first entry. */
  name(origin: string): Promise<void>;

  /**
   * Takes one use, and with it deletes the pending approval of this key; `false`, and nothing changed,
   * when none is left.
   */
  spend(key: Uint8Array, max: number): Promise<boolean>;

  /**
   * Appends entries that follow the last one.
   *
   * @param head Signature over the tree head after them.
   * @param tiles The tiles that they complete.
   */
  insert(entries: readonly SealedEntry[], head: Uint8Array, tiles: readonly Tile[]): Promise<void>;

  /** Puts back tiles that were lost. */
  restore(tiles: readonly Tile[]): Promise<void>;

  publish(checkpoint: StoredCheckpoint): Promise<void>;
}

/**
 * Durable, append-only storage with one write lock.
 *
 * Nothing in it is trusted by who reads it: the layout is the adapter's own business, the evidence is in
 * the bytes.
 *
 * @throws {CrumbError} Everything here may throw `ledger_busy`, `ledger_unwritable`, `ledger_invalid`,
 *   `ledger_closed`.
 */
export interface LedgerStore extends LedgerReads {
  /**
   * `work` runs alone, across all processes that share the storage: what it read is still true when it
   * writes, or the chain would fork. A throw rolls back. Written means on disk before the promise
   * resolves; for a server, that it said so.
   *
   * @throws {CommitUnknownError} All was done but the answer to the commit: ask `page` what is true.
   * @throws {CrumbError} Nothing was written; also `ledger_forked`, when the entries do not follow.
   */
  write<T>(work: (tx: LedgerTx) => Promise<T>): Promise<T>;

  /** Entries `[from, to)`, oldest first, in pages, without lock. `to` defaults to the end. */
  read(from: number, to?: number): AsyncIterable<StoredEntry>;

  /** Whether a use is left. */
  peek(key: Uint8Array, max: number): Promise<boolean>;

  readonly pending: PendingApprovals;

  readonly anchors: AnchorRecords;

  /** Leaves a file in one piece. Afterwards everything throws `ledger_closed`. */
  close(): Promise<void>;
}

/** A commit whose answer is missing: it may have happened. */
export class CommitUnknownError extends Error {
  override readonly name = 'CommitUnknownError';

  constructor(cause: unknown) {
    super('no answer to the commit', { cause });
  }
}
