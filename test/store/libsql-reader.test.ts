import { existsSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checkDatabase } from '../../src/cli/check-ledger.ts';
import { openLibsqlReader } from '../../src/store/libsql/libsql-reader.ts';
import { openAt, ORIGIN, outcome, tamper, temporaryPlace } from '../ledger/fixtures.ts';

it('reads a ledger that another process writes', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.append([outcome(1)]);
  const note = await ledger.checkpoint();
  const reader = await openLibsqlReader({ url: place.url });
  expect(reader.schemaDifferences).toEqual([]);
  expect(await reader.origin()).toBe(ORIGIN);
  expect((await reader.end()).size).toBe(2);
  expect(await reader.checkpoints()).toMatchObject([{ size: 2, note }]);
  await ledger.append([outcome(2)]);
  const rows = [];
  for await (const row of reader.readRows(1)) rows.push(row);
  expect(rows.map(({ seq, head }) => [seq, head?.length])).toEqual([
    [1, 64],
    [2, 64],
  ]);
  await reader.close();
});

it('opens what was damaged, and says what it found', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.append([outcome(1)]);
  await ledger.close();
  await tamper(
    place,
    'DROP TRIGGER entry_delete',
    'DROP TABLE checkpoint',
    'DELETE FROM entry WHERE seq = 0',
    'DROP TABLE ledger',
  );
  const reader = await openLibsqlReader({ url: place.url });
  expect(reader.schemaDifferences).toContain('trigger entry_delete missing');
  expect(await reader.checkpoints()).toEqual([]);
  expect(await reader.origin()).toBeUndefined();
  const rows = [];
  for await (const row of reader.readRows(0)) rows.push(row.seq);
  expect(rows).toEqual([1]);
  await reader.close();
});

it.each([
  ['stored', 'bytes BLOB', ', bytes', ', zeroblob(9000000)'],
  ['generated', 'bytes BLOB AS (zeroblob(9000000))', '', ''],
])('cuts off bytes of megabytes that are %s', async (_what, column, name, value) => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.append([outcome(1)]);
  await ledger.close();
  await tamper(
    place,
    'DROP TABLE entry',
    `CREATE TABLE entry (seq INTEGER PRIMARY KEY, prev BLOB, leaf BLOB, head BLOB, ${column})`,
    `INSERT INTO entry (seq, prev, leaf, head${name})
     VALUES (0, zeroblob(32), zeroblob(9000000), NULL${value})`,
  );
  const reader = await openLibsqlReader({ url: place.url });
  expect(reader.schemaDifferences).toContain('table entry changed');
  const rows = [];
  for await (const { leaf, bytes } of reader.readRows(0)) rows.push([leaf.length, bytes?.length]);
  expect(rows).toEqual([[33, 65_536]]);
  await reader.close();
  const { report } = await checkDatabase({ url: place.url });
  expect(report.findings).toContainEqual(
    expect.objectContaining({ code: 'entry_malformed', seq: 0 }),
  );
});

it('cuts off notes and receipts of megabytes', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.close();
  await tamper(
    place,
    'DROP TABLE checkpoint',
    `CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, root BLOB,
       note TEXT AS (hex(zeroblob(9000000))))`,
    'INSERT INTO checkpoint (size, root) VALUES (1, zeroblob(32))',
    'DROP TABLE receipt',
    `CREATE TABLE receipt (size INTEGER, type TEXT, name TEXT, kept_at INTEGER,
       bytes BLOB AS (zeroblob(9000000)))`,
    "INSERT INTO receipt VALUES (1, 'rekor', 'log', 0)",
  );
  const reader = await openLibsqlReader({ url: place.url });
  expect((await reader.checkpoints()).map(({ note }) => note.length)).toEqual([65_537]);
  expect((await reader.receipts()).map(({ text }) => text.length)).toEqual([65_537]);
  await reader.close();
});

it('makes no file where there is none', async () => {
  const place = temporaryPlace();
  await expect(openLibsqlReader({ url: place.url })).rejects.toMatchObject({
    code: 'ledger_invalid',
  });
  expect(existsSync(place.path)).toBe(false);
});

it.each([
  ['no database', (path: string) => writeFileSync(path, 'x'.repeat(5000))],
  ['an empty file', (path: string) => writeFileSync(path, '')],
])('refuses %s', async (_what, make) => {
  const place = temporaryPlace();
  make(place.path);
  await expect(openLibsqlReader({ url: place.url })).rejects.toMatchObject({
    code: 'ledger_invalid',
  });
});
