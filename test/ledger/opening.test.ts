import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { textOf } from '../../src/store/libsql/rows.ts';
import {
  auditRows,
  intent,
  openAt,
  openHead,
  outcome,
  rowsAt,
  tamper,
  temporaryPlace,
  type Place,
} from './fixtures.ts';

/** A closed ledger with so many entries. */
async function ledgerOf(size: number): Promise<Place> {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  if (size > 1) {
    const drafts = Array.from({ length: size - 1 }, (_, n) => outcome(n));
    await ledger.append(drafts);
  }
  await ledger.close();
  return place;
}

it.each([1, 2, 255, 256, 257, 600])('goes on where it ended at size %i', async (size) => {
  const place = await ledgerOf(size);
  const ledger = await openAt(place);
  expect(ledger.opened).toMatchObject({ created: false, size, unpublished: 0, tilesRepaired: 0 });
  const { head } = await ledger.append([outcome(1)]);
  expect(await openHead(head, ledger.vkey)).toMatchObject({ size: size + 1 });
  await auditRows(await rowsAt(place), ledger.vkey);
});

it('says which intents have no outcome, as a crash leaves them', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  for (let n = 0; n < 3; n++) await ledger.append([intent()]);
  await ledger.append([outcome(2)]);
  await ledger.close();
  const again = await openAt(place);
  expect(again.opened).toMatchObject({ outcomeUnknown: [1, 3], looked: 5 });
});

it('refuses another key', async () => {
  const place = await ledgerOf(3);
  const signingKey = generateKeyPairSync('ed25519').privateKey;
  await expect(openAt(place, { signingKey })).rejects.toMatchObject({ code: 'ledger_key_unknown' });
});

it('refuses another origin', async () => {
  const place = await ledgerOf(3);
  await expect(openAt(place, { origin: 'other.example/crumb' })).rejects.toMatchObject({
    code: 'ledger_invalid',
  });
});

it.each(['', 'with space', 'with+plus', 'https://x\n'])('refuses %j as a name', async (origin) => {
  await expect(openAt(temporaryPlace(), { origin })).rejects.toMatchObject({
    code: 'config_invalid',
  });
});

it('keeps to what genesis declared, whatever is asked for later', async () => {
  const place = temporaryPlace();
  const policy = { checkpoint: { entries: 3, seconds: 3600 }, anchor: null };
  const ledger = await openAt(place, { policy });
  await ledger.close();
  const again = await openAt(place, {
    policy: { checkpoint: { entries: 9, seconds: 9 }, anchor: null },
  });
  for (let n = 0; n < 3; n++) await again.append([outcome(n)]);
  await again.flush();
  const [sizes] = await tamper(place, 'SELECT size FROM checkpoint ORDER BY size');
  expect(sizes?.rows.map((row) => row['size'])).toEqual([1, 4]);
});

it.each([
  [
    'the last entry',
    "UPDATE entry SET bytes = CAST('{}' AS BLOB), leaf = randomblob(32) WHERE seq = 9",
  ],
  ['an earlier leaf', 'UPDATE entry SET leaf = randomblob(32) WHERE seq = 4'],
  ['the head', 'UPDATE entry SET head = randomblob(64) WHERE seq = 9'],
  ['no head', 'UPDATE entry SET head = NULL WHERE seq = 9'],
  ['a row too few', 'DELETE FROM entry WHERE seq = 5'],
  ['the end cut off', 'DELETE FROM entry WHERE seq > 6'],
])('refuses a ledger with %s tampered with', async (_what, statement) => {
  const place = await ledgerOf(10);
  await withoutTriggers(place, statement);
  await expect(openAt(place)).rejects.toMatchObject({ code: 'ledger_forked' });
});

it('refuses a ledger whose tile was tampered with', async () => {
  const place = await ledgerOf(300);
  await tamper(place, 'UPDATE tile SET root = randomblob(32)');
  await expect(openAt(place)).rejects.toMatchObject({ code: 'ledger_forked' });
});

it('makes a lost tile again, and says so', async () => {
  const place = await ledgerOf(800);
  const [before] = await tamper(place, 'SELECT * FROM tile ORDER BY level, n');
  await tamper(place, 'DELETE FROM tile WHERE n = 1');
  const ledger = await openAt(place);
  expect(ledger.opened.tilesRepaired).toBe(1);
  const [after] = await tamper(place, 'SELECT * FROM tile ORDER BY level, n');
  expect(after?.rows).toEqual(before?.rows);
});

it('refuses a ledger whose genesis was pruned', async () => {
  const place = await ledgerOf(10);
  await tamper(
    place,
    'INSERT INTO pruned (start, "end") VALUES (0, 1)',
    'UPDATE entry SET bytes = NULL WHERE seq = 0',
  );
  await expect(openAt(place)).rejects.toMatchObject({ code: 'ledger_invalid' });
});

it('opens and goes on when entries were pruned', async () => {
  const place = await ledgerOf(10);
  await tamper(
    place,
    'INSERT INTO pruned (start, "end") VALUES (3, 10)',
    'UPDATE entry SET bytes = NULL WHERE seq BETWEEN 3 AND 9',
  );
  const ledger = await openAt(place);
  const { entries } = await ledger.append([outcome(1)]);
  expect(entries[0]?.seq).toBe(10);
});

it('makes one genesis when two open a new file at the same time', async () => {
  const place = temporaryPlace();
  const ledgers = await Promise.all([openAt(place), openAt(place), openAt(place)]);
  expect(ledgers.filter(({ opened }) => opened.created)).toHaveLength(1);
  expect(await rowsAt(place)).toHaveLength(1);
});

/** What the owner of the file can do: drop the triggers, change rows, put the triggers back. */
async function withoutTriggers(place: Place, statement: string): Promise<void> {
  const [triggers] = await tamper(
    place,
    `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`,
  );
  const rows = triggers?.rows ?? [];
  await tamper(
    place,
    ...rows.map((row) => `DROP TRIGGER ${textOf(row, 'name')}`),
    statement,
    ...rows.map((row) => textOf(row, 'sql')),
  );
}
