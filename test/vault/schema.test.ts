import { getTableConfig } from 'drizzle-orm/sqlite-core';
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { erasing, keySet, opening, subject, vault } from '../../src/vault/schema.ts';
import { openVault } from '../../src/vault/open-vault.ts';
import { openVaultFile } from '../../src/vault/vault-file.ts';
import { ALICE, KEY, newVaultPath, rawClient, vaultAt } from './vault-files.ts';

it('mirrors in drizzle exactly the tables that the SQL makes', async () => {
  const path = newVaultPath();
  await vaultAt(path);
  const raw = rawClient(path);
  const names = (
    await raw.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
  ).rows;
  const mirrored = [erasing, keySet, opening, subject, vault].map(getTableConfig);
  expect(names.map((row) => row['name'])).toEqual(mirrored.map(({ name }) => name));
  for (const { name, columns } of mirrored) {
    const { rows } = await raw.execute(`PRAGMA table_info(${name})`);
    expect(
      rows.map((row) => [row['name'], row['type'], row['notnull'] === 1 || row['pk'] === 1]),
    ).toEqual(
      columns.map((column) => [column.name, column.getSQLType().toUpperCase(), column.notNull]),
    );
  }
});

it.each([
  ['full', 2],
  ['normal', 1],
] as const)('writes %s with the flushing that it promises', async (durability, level) => {
  const file = await openVaultFile({ url: `file:${newVaultPath()}` });
  const pragma = (name: string): Promise<unknown> =>
    file.write(durability, async (tx) => (await tx.execute(`PRAGMA ${name}`)).rows[0]?.[name]);
  expect(await pragma('synchronous')).toBe(level);
  expect(await pragma('journal_mode')).toBe('wal');
  expect(await pragma('secure_delete')).toBe(1);
  await file.close();
});

it.each([
  ['a path', (path: string) => `file:${path}`],
  ['a URL', (path: string) => pathToFileURL(path).href],
])('makes files that only their owner reads, at %s', async (_what, urlOf) => {
  const path = join(dirname(newVaultPath()), 'a vault.db');
  const before = process.umask(0o022);
  try {
    const vault = await openVault({ url: urlOf(path), key: KEY });
    await vault.subject(ALICE, {});
    const modes = readdirSync(dirname(path)).map((name) => [
      name,
      statSync(join(dirname(path), name)).mode & 0o777,
    ]);
    await vault.close();
    expect(Object.fromEntries(modes)).toEqual({
      'a vault.db': 0o600,
      'a vault.db-shm': 0o600,
      'a vault.db-wal': 0o600,
    });
  } finally {
    process.umask(before);
  }
});
