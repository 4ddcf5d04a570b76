import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@libsql/client';
import { expect, it } from 'vitest';
import { openLibsqlStore } from '../../src/store/libsql/libsql-store.ts';
import { tamper, temporaryDirectory, temporaryPlace } from '../ledger/fixtures.ts';
import { describeStore, entriesFrom } from './contract.ts';

describeStore('a libSQL file', async () => {
  const { url } = temporaryPlace();
  return () => openLibsqlStore({ url });
});

it('writes ahead and to the disk: WAL, synchronous FULL', async () => {
  const place = temporaryPlace();
  const store = await openLibsqlStore({ url: place.url });
  expect(existsSync(`${place.path}-wal`)).toBe(true);
  const [mode] = await tamper(place, 'PRAGMA journal_mode');
  expect(mode?.rows[0]?.['journal_mode']).toBe('wal');
  await store.close();
});

it('leaves one file when it is closed', async () => {
  const place = temporaryPlace();
  const store = await openLibsqlStore({ url: place.url });
  await store.write(async (tx) =>
    tx.insert(entriesFrom(await tx.end(), 9), new Uint8Array(64), []),
  );
  await store.close();
  const wal = `${place.path}-wal`;
  expect(existsSync(wal) ? statSync(wal).size : 0).toBe(0);
});

it('makes a file that only its owner can read', async () => {
  const place = temporaryPlace();
  const store = await openLibsqlStore({ url: place.url });
  for (const file of [place.path, `${place.path}-wal`]) {
    expect(statSync(file).mode & 0o077).toBe(0);
  }
  await store.close();
});

it.each(['crumb.db', ':memory:', 'file::memory:', 'file:', 'mysql://x', ''])(
  'refuses %j: not the URL of a database that lasts',
  async (url) => {
    await expect(openLibsqlStore({ url })).rejects.toMatchObject({ code: 'config_invalid' });
  },
);

it('refuses a directory that is not there', async () => {
  const url = `file:${join(temporaryDirectory(), 'none', 'crumb.db')}`;
  await expect(openLibsqlStore({ url })).rejects.toMatchObject({ code: 'ledger_unwritable' });
});

it('refuses a file that is no database', async () => {
  const place = temporaryPlace();
  writeFileSync(place.path, 'this is no database, but long enough to be looked at'.repeat(20));
  await expect(openLibsqlStore({ url: place.url })).rejects.toMatchObject({
    code: 'ledger_invalid',
  });
});

it('refuses a database of something else, and leaves it as it is', async () => {
  const place = temporaryPlace();
  await tamper(place, 'CREATE TABLE customers (name TEXT)');
  await expect(openLibsqlStore({ url: place.url })).rejects.toMatchObject({
    code: 'ledger_invalid',
  });
  const [tables] = await tamper(place, 'SELECT name FROM sqlite_schema');
  expect(tables?.rows.map((row) => row['name'])).toEqual(['customers']);
});

it('waits for another who holds the lock, without holding up the event loop', async () => {
  const place = temporaryPlace();
  const store = await openLibsqlStore({ url: place.url });
  const other = createClient({ url: place.url });
  const transaction = await other.transaction('write');
  const work = store.write(async (tx) => tx.end());
  let turns = 0;
  const timer = setInterval(() => turns++, 10);
  await expect.poll(() => turns, { timeout: 5_000 }).toBeGreaterThan(3);
  clearInterval(timer);
  await transaction.commit();
  expect((await work).size).toBe(0);
  await store.close();
  other.close();
});

it('gives up on a lock in time', async () => {
  const place = temporaryPlace();
  const store = await openLibsqlStore({ url: place.url, busyTimeoutMs: 300 });
  const other = createClient({ url: place.url });
  const transaction = await other.transaction('write');
  await expect(store.write((tx) => tx.end())).rejects.toMatchObject({ code: 'ledger_busy' });
  await transaction.rollback();
  expect((await store.write((tx) => tx.end())).size).toBe(0);
  await store.close();
  other.close();
});
