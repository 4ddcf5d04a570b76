import { getTableName, is } from 'drizzle-orm';
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core';
import { expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/store/libsql/migrations.ts';
import * as schema from '../../src/store/libsql/schema.ts';
import { openLibsqlStore } from '../../src/store/libsql/libsql-store.ts';
import { numberOf, textOf } from '../../src/store/libsql/rows.ts';
import { openAt, outcome, rowsAt, tamper, temporaryPlace, type Place } from '../ledger/fixtures.ts';

const OBJECTS = MIGRATIONS.flatMap(({ objects }) => objects);
const TABLES = Object.values(schema).filter((value) => is(value, SQLiteTable));

async function madePlace(): Promise<Place> {
  const place = temporaryPlace();
  await (await openLibsqlStore({ url: place.url })).close();
  return place;
}

it('mirrors every table for typed reads', () => {
  const tables = OBJECTS.filter(({ type }) => type === 'table').map(({ name }) => name);
  expect(TABLES.map((table) => getTableName(table)).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
    tables.toSorted((a, b) => (a < b ? -1 : 1)),
  );
});

it.each(TABLES.map((table) => [getTableName(table), table] as const))(
  'mirrors the columns, keys and indexes of %s',
  async (name, table) => {
    const place = await madePlace();
    const [columns, indexes] = await tamper(
      place,
      `PRAGMA table_info(${name})`,
      `PRAGMA index_list(${name})`,
    );
    const mirror = getTableConfig(table);
    const composite = mirror.primaryKeys.flatMap((key) => key.columns.map((column) => column.name));
    expect(
      mirror.columns.map((column) => ({
        name: column.name,
        type: column.getSQLType().toUpperCase(),
        isKey: column.primary || composite.includes(column.name),
        notNull: column.notNull && !column.primary,
      })),
    ).toEqual(
      (columns?.rows ?? []).map((row) => ({
        name: textOf(row, 'name'),
        type: textOf(row, 'type'),
        isKey: numberOf(row, 'pk') > 0,
        notNull:
          numberOf(row, 'notnull') === 1 && numberOf(row, 'pk') === 0
            ? true
            : composite.includes(textOf(row, 'name')),
      })),
    );
    const made = (indexes?.rows ?? []).filter((row) => textOf(row, 'origin') === 'c');
    expect(
      mirror.indexes.map(({ config }) => config.name).toSorted((a, b) => (a < b ? -1 : 1)),
    ).toEqual(made.map((row) => textOf(row, 'name')).toSorted((a, b) => (a < b ? -1 : 1)));
  },
);

it.each(OBJECTS.filter(({ type }) => type !== 'table').map(({ type, name }) => [type, name]))(
  'does not open without its %s %s, and names it',
  async (type, name) => {
    const place = await madePlace();
    await tamper(place, `DROP ${type} ${name}`);
    await expect(openLibsqlStore({ url: place.url })).rejects.toMatchObject({
      code: 'ledger_invalid',
      message: expect.stringContaining(`${type} ${name} missing`),
    });
  },
);

it('does not open with a trigger that was changed', async () => {
  const place = await madePlace();
  await tamper(
    place,
    'DROP TRIGGER entry_delete',
    'CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN SELECT 1; END',
  );
  await expect(openLibsqlStore({ url: place.url })).rejects.toMatchObject({
    code: 'ledger_invalid',
    message: expect.stringContaining('trigger entry_delete changed'),
  });
});

it.each([
  ['of another name', 'CREATE TRIGGER mine AFTER INSERT ON entry BEGIN DELETE FROM tile; END'],
  ['named like its table', 'CREATE TRIGGER uses AFTER INSERT ON uses BEGIN DELETE FROM uses; END'],
  [
    'named like another table',
    'CREATE TRIGGER tile AFTER INSERT ON entry BEGIN DELETE FROM uses; END',
  ],
  [
    'named like an index',
    'CREATE TRIGGER lookup_human AFTER INSERT ON uses BEGIN DELETE FROM uses; END',
  ],
  [
    'on a table spelled otherwise',
    'CREATE TRIGGER mine AFTER INSERT ON USES BEGIN DELETE FROM uses; END',
  ],
])('does not open with a trigger that is not ours, %s', async (_what, statement) => {
  const place = await madePlace();
  await tamper(place, statement);
  await expect(openLibsqlStore({ url: place.url })).rejects.toMatchObject({
    code: 'ledger_invalid',
    message: expect.stringContaining('a trigger that is not ours'),
  });
});

it('does not open what a newer version made', async () => {
  const place = await madePlace();
  await tamper(place, "INSERT INTO migration (version, name) VALUES (99, 'later')");
  await expect(openLibsqlStore({ url: place.url })).rejects.toMatchObject({
    code: 'ledger_invalid',
  });
});

it('brings an older layout up to date', async () => {
  const place = temporaryPlace();
  const [first] = MIGRATIONS;
  await tamper(
    place,
    ...(first?.objects ?? []).map(({ sql }) => sql),
    "INSERT INTO migration (version, name) VALUES (1, 'ledger')",
  );
  const store = await openLibsqlStore({ url: place.url });
  expect(await store.queryTrail({})).toEqual([]);
  await store.close();
  const [versions] = await tamper(place, 'SELECT version FROM migration ORDER BY version');
  expect(versions?.rows.map((row) => row['version'])).toEqual(
    MIGRATIONS.map(({ version }) => version),
  );
});

it.each([
  ['updates an entry', "UPDATE entry SET bytes = CAST('{}' AS BLOB) WHERE seq = 1"],
  ['renames a leaf', 'UPDATE entry SET leaf = randomblob(32) WHERE seq = 1'],
  ['takes a head off', 'UPDATE entry SET head = NULL'],
  ['deletes an entry', 'DELETE FROM entry WHERE seq = 1'],
  ['deletes all', 'DELETE FROM entry'],
  ['prunes what nobody said is pruned', 'UPDATE entry SET bytes = NULL WHERE seq = 1'],
  [
    'replaces an entry',
    "INSERT OR REPLACE INTO entry SELECT seq, prev, leaf, head, CAST('{}' AS BLOB) FROM entry WHERE seq = 1",
  ],
  [
    'replaces the last entry',
    'INSERT OR REPLACE INTO entry SELECT * FROM entry ORDER BY seq DESC LIMIT 1',
  ],
  [
    'inserts an entry that does not follow',
    'INSERT INTO entry SELECT seq + 2, prev, leaf, head, bytes FROM entry ORDER BY seq DESC LIMIT 1',
  ],
  [
    'inserts one without bytes',
    'INSERT INTO entry SELECT seq + 1, leaf, leaf, head, NULL FROM entry ORDER BY seq DESC LIMIT 1',
  ],
  ['changes a checkpoint', "UPDATE checkpoint SET note = ''"],
  ['deletes a checkpoint', 'DELETE FROM checkpoint'],
  [
    'replaces a checkpoint',
    "INSERT OR REPLACE INTO checkpoint SELECT size, root, '' FROM checkpoint",
  ],
  ['renames the ledger', "UPDATE ledger SET origin = 'other'"],
  ['makes it two ledgers', "INSERT OR REPLACE INTO ledger VALUES (1, 'other')"],
  ['forgets which ledger it is', 'DELETE FROM ledger'],
])('does not let a statement through that %s', async (_what, statement) => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.append([outcome(1), outcome(2)]);
  await ledger.checkpoint();
  const before = await rowsAt(place);
  await expect(tamper(place, statement)).rejects.toThrow(/crumb:|constraint/);
  expect(await rowsAt(place)).toEqual(before);
  await ledger.append([outcome(3)]);
});
