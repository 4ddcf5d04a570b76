/**
 * The side of a ledger that its anchors need: where it stands, what they have not seen, proofs that it grew.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';
import { parseCheckpoint } from '../evidence/checkpoint.ts';
import { parseNote } from '../evidence/note.ts';
import type { AnchorRecords, LedgerAnchoring, Unseen } from './anchor-records.ts';
import type { LedgerReads } from './ledger-store.ts';
import { knownEntry } from './opening.ts';
import { consistencyFrom } from './stored-proofs.ts';

/** Entries looked at in one step: of those after an anchored size the first are `anchor`, the next is not. */
const STEP = 16;

export function createAnchoring(reads: LedgerReads, records: AnchorRecords): LedgerAnchoring {
  return {
    ...records,
    unseen: (size) => unseenFrom(reads, size),
    published: async () => (await reads.checkpoint())?.size ?? 0,
    async proof(oldSize, note) {
      const { size, root } = parseCheckpoint(parseNote(note).text);
      if (oldSize < 1 || oldSize > size) throw new CrumbError('ledger_forked');
      return consistencyFrom(reads, oldSize, { size, root });
    },
  };
}

async function unseenFrom(reads: LedgerReads, size: number): Promise<Unseen | undefined> {
  const end = await reads.end();
  for (let from = size; from < end.size; from += STEP) {
    for (const row of await reads.page(from, Math.min(from + STEP, end.size))) {
      const entry = knownEntry(row);
      if (entry?.kind === 'anchor') continue;
      // What was pruned was seen; what cannot be read is old enough for anything.
      const time = entry === undefined ? new Date(0) : new Date(entry.time);
      return { seq: row.seq, time, entries: end.size - row.seq };
    }
  }
  return undefined;
}
