/**
 * Writes commits: under the store's lock it follows what others appended, seals, signs one head, inserts.
 *
 * It knows where the ledger stands, and never moves on from there on anything but what is durable.
 *
 * @module
 */
import { setTimeout as wait } from 'node:timers/promises';
import { CrumbError, isCrumbError } from '../errors.ts';
import { equalBytes } from '../evidence/bytes.ts';
import { follow, forkedAt } from './follow.ts';
import type { AppendResult } from './ledger.ts';
import { CommitUnknownError, type LedgerStore, type LedgerTx } from './ledger-store.ts';
import type { PreparedCall } from './prepared-call.ts';
import type { Publisher } from './publication.ts';
import { sealCalls, type SealedCommit, type WriterState } from './seal.ts';
import type { HeadKey, SignedHead } from './tree-head.ts';

/** More foreign entries than this are followed without the lock, so that others can go on writing. */
const MAX_FOLLOWED_UNDER_LOCK = 10_000;

/** How often a commit whose answer was lost is asked about, and how long in between at first. */
const MAX_UNKNOWN_COMMITS = 6;
const FIRST_ASK_MS = 20;

export interface LedgerWriter {
  /** Number of entries, as far as this writer knows. */
  readonly size: number;

  /** Appends calls in one commit. @throws {CrumbError} As `Ledger.append`; then none was appended. */
  commit(calls: readonly PreparedCall[]): Promise<readonly AppendResult[]>;

  /** Publishes the last head. @throws {CrumbError} As `Ledger.checkpoint`. */
  publish(): Promise<string>;
}

export interface WriterOptions {
  readonly store: LedgerStore;
  readonly key: HeadKey;
  readonly publisher: Publisher;
  readonly state: WriterState;
  readonly head: SignedHead;
}

interface Commit {
  readonly sealed: SealedCommit;
  readonly head: SignedHead;
}

export function createLedgerWriter(options: WriterOptions): LedgerWriter {
  const { store, key, publisher } = options;
  let { state, head } = options;
  let forked: CrumbError | undefined;

  async function catchUp(tx: LedgerTx): Promise<void> {
    const end = await tx.end();
    const { size } = state.edge.range;
    if (end.size === size && equalBytes(end.leaf, state.leaf)) return;
    if (end.size <= size) throw forkedAt(size - 1);
    if (end.size - size > MAX_FOLLOWED_UNDER_LOCK) throw new TailTooLong(end.size);
    ({ state, head } = await follow(state, end.size, { reads: tx, key }));
  }

  async function build(tx: LedgerTx, calls: readonly PreparedCall[]): Promise<Commit> {
    await catchUp(tx);
    const sealed = await sealCalls(state, calls, (use, max) => tx.spend(use, max));
    if (sealed.entries.length === 0) return { sealed, head };
    const next = await key.sign(sealed.next.edge);
    await tx.insert(sealed.entries, next.signature, sealed.tiles);
    return { sealed, head: next };
  }

  async function followWithoutLock(size: number): Promise<void> {
    ({ state, head } = await follow(state, size, { reads: store, key }));
  }

  async function guarded<T>(run: () => Promise<T>): Promise<T> {
    if (forked !== undefined) throw forked;
    try {
      return await run();
    } catch (error) {
      if (isCrumbError(error) && error.code === 'ledger_forked') forked = error;
      throw error;
    }
  }

  return {
    get size() {
      return state.edge.range.size;
    },
    commit: (calls) =>
      guarded(async () => {
        const done = await persist<Commit>({ store, followWithoutLock }, async (tx, last) =>
          last !== undefined && (await holds(tx, last.sealed)) ? last : build(tx, calls),
        );
        ({ head } = done);
        state = done.sealed.next;
        return done.sealed.calls.map(({ entries, spent }) => ({
          entries,
          spent,
          head: done.head.note,
        }));
      }),
    publish: () =>
      guarded(() =>
        persist({ store, followWithoutLock }, async (tx) => {
          await catchUp(tx);
          return publisher.publish(tx, { state, head });
        }),
      ),
  };
}

interface Persistence {
  readonly store: LedgerStore;
  readonly followWithoutLock: (size: number) => Promise<void>;
}

/**
 * Runs under the lock, again and again while others wrote too much or the answer to a commit is lost.
 *
 * @param work Given what it returned before, if the answer to that commit was lost.
 */
async function persist<T>(
  { store, followWithoutLock }: Persistence,
  work: (tx: LedgerTx, last: T | undefined) => Promise<T>,
): Promise<T> {
  let last: T | undefined;
  let unknown: CommitUnknownError | undefined;
  for (let asked = 0; ;) {
    try {
      return await store.write(async (tx) => {
        const result = await work(tx, last);
        unknown = undefined; // the lock was ours: what was in flight has landed or never will
        last = result;
        return result;
      });
    } catch (error) {
      if (error instanceof TailTooLong) {
        await followWithoutLock(error.size);
        continue;
      }
      if (error instanceof CommitUnknownError) unknown = error;
      if (unknown === undefined) throw error;
      if (++asked === MAX_UNKNOWN_COMMITS) {
        throw new CrumbError('ledger_unwritable', { cause: unknown });
      }
      await wait(FIRST_ASK_MS * 2 ** asked);
    }
  }
}

/** Whether a commit whose answer was lost is there: it is, as a whole, if its first entry is. */
async function holds(tx: LedgerTx, { entries }: SealedCommit): Promise<boolean> {
  const [first] = entries;
  if (first === undefined) return false;
  const [row] = await tx.page(first.seq, first.seq + 1);
  return row !== undefined && equalBytes(row.leaf, first.leaf);
}

/** Rolls back a transaction whose writer is far behind. */
class TailTooLong extends Error {
  readonly size: number;

  constructor(size: number) {
    super('many entries of other writers');
    this.size = size;
  }
}
