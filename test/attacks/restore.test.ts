/**
 * Claim: a ledger that is restored from an old copy does not go on as if nothing had happened, where a
 * rollback guard is kept outside of it.
 *
 * On the disk of the ledger the guard catches mistakes. A snapshot of the whole volume takes it along.
 */
import { copyFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCheckpoint } from '../../src/evidence/checkpoint.ts';
import { openNote } from '../../src/evidence/note.ts';
import { openAt, temporaryPlace, type Place } from '../ledger/fixtures.ts';
import { auditFile, seen } from './real-file.ts';

interface Restored extends Place {
  readonly key: string;
  /** What the ledger signed and published after the copy was made. */
  readonly published: string;
  /** A head that a caller was answered after the copy was made. */
  readonly answered: string;
}

/** A ledger that went on after a copy was made, and was then put back to it. */
async function restored(options: (place: Place) => { readonly guard?: string }): Promise<Restored> {
  const place = temporaryPlace();
  const backup = join(place.directory, 'backup.db');
  const first = await openAt(place, options(place));
  await first.append([seen('before')]);
  await first.close();
  copyFileSync(place.path, backup);

  const second = await openAt(place, options(place));
  const { head: answered } = await second.append([seen('export of record 43')]);
  const published = await second.checkpoint();
  await second.close();

  // Closed in one piece, so that one file is the whole of it.
  expect(statSync(`${place.path}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0);
  copyFileSync(backup, place.path);
  return { ...place, key: first.vkey, published, answered };
}

describe('a ledger that is restored from an old copy', () => {
  it('signs a second history under the same key, where no guard is kept', async () => {
    const place = await restored(() => ({}));
    const ledger = await openAt(place);
    await ledger.append([seen('something harmless')]);
    const again = await ledger.checkpoint();
    await ledger.close();

    const notes = [place.published, again];
    const heads = await Promise.all(
      notes.map(async (note) => (await openNote(note, [place.key])).text),
    );
    const [one, two] = heads.map(parseCheckpoint);
    expect(one?.size).toBe(two?.size);
    expect(one?.root).not.toEqual(two?.root);
    // In itself, the second history is sound.
    expect(await auditFile(place, { key: place.key })).toMatchObject({
      sound: true,
      level: 'signed',
    });
  });

  it.each([
    ['a file', (place: Place) => ({ guard: place.guard })],
    ['a database', (place: Place) => ({ guard: `file:${place.guard}.db` })],
  ])('signs nothing where a guard is kept in %s', async (_where, options) => {
    const place = await restored(options);
    const before = readFileSync(place.path);
    await expect(openAt(place, options(place))).rejects.toMatchObject({ code: 'ledger_forked' });
    expect(readFileSync(place.path).equals(before)).toBe(true);
  });

  it('opens where a guard is kept and nothing was restored', async () => {
    const place = temporaryPlace();
    const guard = { guard: place.guard };
    const first = await openAt(place, guard);
    await first.append([seen('before')]);
    await first.close();
    const second = await openAt(place, guard);
    await second.append([seen('after')]);
    await second.close();
    expect(await auditFile(place, { key: first.vkey })).toMatchObject({ sound: true, size: 3 });
  });

  it('is too short for whoever kept a head, with and without a guard', async () => {
    const place = await restored(() => ({}));
    const report = await auditFile(place, { key: place.key, heads: [place.answered] });
    expect(report.findings).toEqual([{ code: 'size_beyond_entries', size: 3, entries: 2 }]);
  });

  it('is proved to have two histories by two signed notes of one size', async () => {
    const place = await restored(() => ({}));
    const ledger = await openAt(place);
    await ledger.append([seen('something harmless')]);
    await ledger.close();
    const report = await auditFile(place, { key: place.key, heads: [place.published] });
    expect(report.counts).toMatchObject({ checkpoints_inconsistent: 1, root_mismatch: 1 });
  });

  it('takes the guard along, if that was restored with it: this is not caught', async () => {
    const place = temporaryPlace();
    const guard = { guard: place.guard };
    const [backup, mark] = [join(place.directory, 'backup.db'), join(place.directory, 'mark')];
    const first = await openAt(place, guard);
    await first.close();
    copyFileSync(place.path, backup);
    copyFileSync(place.guard, mark);
    const second = await openAt(place, guard);
    await second.append([seen('lost')]);
    await second.close();
    copyFileSync(backup, place.path);
    copyFileSync(mark, place.guard);
    const third = await openAt(place, guard);
    expect(third.opened.size).toBe(1);
  });
});
