import { existsSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
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
