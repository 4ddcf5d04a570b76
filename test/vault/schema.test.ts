import { getTableConfig } from 'drizzle-orm/sqlite-core';
import { expect, it } from 'vitest';
import { erasing, keySet, opening, subject, vault } from '../../src/vault/schema.ts';
import { openVaultFile } from '../../src/vault/vault-file.ts';
import { newVaultPath, rawClient, vaultAt } from './vault-files.ts';

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
