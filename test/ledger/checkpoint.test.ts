import { expect, it } from 'vitest';
import { rootHash } from '../../src/evidence/merkle.ts';
import { numberOf, textOf } from '../../src/store/libsql/rows.ts';
import {
  openAt,
  openHead,
  outcome,
  rowsAt,
  tamper,
  temporaryPlace,
  type Place,
} from './fixtures.ts';

async function checkpoints(place: Place): Promise<readonly (readonly [number, string])[]> {
  const [found] = await tamper(place, 'SELECT size, note FROM checkpoint ORDER BY size');
  return (found?.rows ?? []).map((row) => [numberOf(row, 'size'), textOf(row, 'note')]);
}

it('publishes the last head as it was signed', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const { head } = await ledger.append([outcome(1), outcome(2)]);
  const note = await ledger.checkpoint();
  expect(note).toBe(head);
  const { size, root } = await openHead(note, ledger.vkey);
  const leaves = (await rowsAt(place)).map(({ leaf }) => leaf);
  expect([size, Buffer.from(root)]).toEqual([3, Buffer.from(rootHash(leaves))]);
  expect(await checkpoints(place)).toEqual([[3, note]]);
});

it('publishes a size once', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.append([outcome(1)]);
  const notes = await Promise.all([ledger.checkpoint(), ledger.checkpoint()]);
  expect(notes[0]).toBe(notes[1]);
  expect(await ledger.checkpoint()).toBe(notes[0]);
  expect(await checkpoints(place)).toHaveLength(1);
});

it('publishes when as many entries have come as genesis says', async () => {
  const place = temporaryPlace();
  const policy = { checkpoint: { entries: 100, seconds: 3600 }, anchor: null };
  const ledger = await openAt(place, { policy });
  for (let n = 0; n < 5; n++) await ledger.append(Array.from({ length: 60 }, () => outcome(n)));
  await ledger.flush();
  expect((await checkpoints(place)).map(([size]) => size)).toEqual([121, 241]);
});

it('publishes when the time has come, without anyone asking', async () => {
  const place = temporaryPlace();
  const policy = { checkpoint: { entries: 1000, seconds: 0 }, anchor: null };
  const ledger = await openAt(place, { policy });
  await ledger.append([outcome(1)]);
  await expect.poll(async () => (await checkpoints(place)).map(([size]) => size)).toEqual([2]);
});

it('publishes when it is closed', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.append([outcome(1)]);
  await ledger.close();
  expect((await checkpoints(place)).map(([size]) => size)).toEqual([2]);
});

it('publishes what another writer appended, after checking it', async () => {
  const place = temporaryPlace();
  const [one, two] = [await openAt(place), await openAt(place)];
  await one.append([outcome(1)]);
  const { head } = await one.append([outcome(2)]);
  expect(await two.checkpoint()).toBe(head);
});

it('publishes nothing more once the ledger does not contain what was published', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.append([outcome(1)]);
  await ledger.checkpoint();
  await tamper(
    place,
    'DROP TRIGGER checkpoint_update',
    'UPDATE checkpoint SET root = randomblob(32)',
  );
  await ledger.append([outcome(2)]);
  await expect(ledger.checkpoint()).rejects.toMatchObject({ code: 'ledger_forked' });
  await expect(ledger.append([outcome(3)])).rejects.toMatchObject({ code: 'ledger_forked' });
});

it('reports a scheduled checkpoint that fails, and goes on appending', async () => {
  const place = temporaryPlace();
  const problems: string[] = [];
  const policy = { checkpoint: { entries: 1, seconds: 3600 }, anchor: null };
  const guard = `${place.directory}/no\0such`; // a path that no system has
  const ledger = await openAt(place, { policy });
  await ledger.close();
  const again = await openAt(place, {
    guard: place.guard,
    onProblem: ({ code }) => problems.push(code),
  });
  await tamper(
    place,
    "CREATE TRIGGER full BEFORE INSERT ON checkpoint BEGIN SELECT RAISE(ABORT, 'full'); END",
  );
  await again.append([outcome(1)]);
  await again.append([outcome(2)]);
  await again.flush();
  expect(problems).toEqual(['ledger_unwritable', 'ledger_unwritable']);
  await tamper(place, 'DROP TRIGGER full');
  await again.append([outcome(3)]);
  await again.flush();
  expect((await checkpoints(place)).map(([size]) => size)).toEqual([1, 4]);
  await expect(openAt(place, { guard })).rejects.toMatchObject({ code: 'ledger_unwritable' });
});
