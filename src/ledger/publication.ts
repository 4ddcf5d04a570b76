/**
 * Publishing a tree head as a checkpoint. No new signature is made: the head was signed when its commit
 * was written. Here it is held against everything said before.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';
import { equalBytes } from '../evidence/bytes.ts';
import { forkedAt } from './follow.ts';
import type { LedgerTx } from './ledger-store.ts';
import type { GuardMark, RollbackGuard } from './rollback-guard.ts';
import type { WriterState } from './seal.ts';
import { missingTiles } from './tile-repair.ts';
import { edgeRoot, readEdge, type TreeEdge } from './tree-edge.ts';
import type { SignedHead } from './tree-head.ts';

/** What is published: a head that is durable. */
export interface DurableHead {
  readonly state: WriterState;
  readonly head: SignedHead;
}

export interface Publisher {
  /**
   * Publishes the last durable head, under the write lock.
   *
   * @returns The note; that of the last checkpoint if nothing was appended since.
   * @throws {CrumbError} `ledger_forked`: the ledger does not contain what was published before.
   */
  publish(tx: LedgerTx, last: DurableHead): Promise<string>;
}

/** @param known The guard's mark, as it was when the ledger was opened and held against it. */
export function createPublisher(
  origin: string,
  guard: RollbackGuard | undefined,
  known: GuardMark | undefined,
): Publisher {
  let mark = known;
  return {
    async publish(tx, { state, head }) {
      const { size } = state.edge.range;
      const next = { origin, size, root: edgeRoot(state.edge), leaf: state.leaf };

      const last = await tx.checkpoint();
      if (last !== undefined) await checkContains(tx, size, last);

      // The guard first: after a crash between the two it only knows of a head that is durable anyway.
      // The other order could publish a checkpoint that a restored copy contradicts unnoticed.
      if (guard !== undefined) await moveGuard(tx, guard, { from: mark, to: next });
      mark = next;

      if (last?.size === size) return last.note;
      await tx.publish({ size, root: next.root, note: head.note });
      return head.note;
    },
  };
}

/**
 * Holds the ledger against its guard.
 *
 * @throws {CrumbError} `ledger_forked`: the ledger is older than the mark, or another. `ledger_invalid`:
 *   the guard is that of another ledger.
 */
export async function checkGuard(
  tx: LedgerTx,
  mark: GuardMark | undefined,
  ledger: { readonly origin: string; readonly size: number },
): Promise<void> {
  if (mark === undefined) return;
  if (mark.origin !== ledger.origin) {
    throw new CrumbError('ledger_invalid', { names: ['rollback guard of another ledger'] });
  }
  await checkContains(tx, ledger.size, mark);
}

/** The tree of the first `size` leaves, from stored hashes; tiles that are missing are made again. */
export async function edgeAt(
  tx: LedgerTx,
  size: number,
): Promise<{ readonly edge: TreeEdge; readonly repaired: number }> {
  const edge = await readEdge(size, tx);
  if (edge !== undefined) return { edge, repaired: 0 };
  const tiles = await missingTiles(size, tx);
  await tx.restore(tiles);
  const restored = await readEdge(size, tx);
  if (restored === undefined) throw forkedAt(size - 1);
  return { edge: restored, repaired: tiles.length };
}

async function checkContains(
  tx: LedgerTx,
  size: number,
  earlier: { readonly size: number; readonly root: Uint8Array },
): Promise<void> {
  if (earlier.size > size) throw forkedAt(size - 1);
  const { edge } = await edgeAt(tx, earlier.size);
  if (!equalBytes(edgeRoot(edge), earlier.root)) throw forkedAt(earlier.size - 1);
}

/** Moves the mark on from where we left it; if someone else moved it, only if ours contains theirs. */
async function moveGuard(
  tx: LedgerTx,
  guard: RollbackGuard,
  { from, to }: { readonly from: GuardMark | undefined; readonly to: GuardMark },
): Promise<void> {
  let mark = from;
  for (let tries = 0; tries < 3; tries++) {
    if (await guard.replace(mark, to)) return;
    mark = await guard.read();
    await checkGuard(tx, mark, to);
  }
  throw new CrumbError('ledger_busy', { names: ['rollback guard'] });
}
