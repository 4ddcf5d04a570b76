/**
 * Makes the tables of a new database, and looks whether those of an old one are all as they were made.
 *
 * @module
 */
import { CrumbError } from '../../errors.ts';
import type { Connection, Run } from './connection.ts';
import { MIGRATIONS, type SchemaObject } from './migrations.ts';
import { textOf } from './rows.ts';

const SCHEMA = `SELECT type, name, sql FROM sqlite_schema
  WHERE sql IS NOT NULL AND (type = 'trigger' OR name NOT LIKE 'sqlite\\_%' ESCAPE '\\')`;

interface Found {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

/**
 * Brings a database to the present layout.
 *
 * @throws {CrumbError} `ledger_invalid`, naming what is missing, changed or not ours; also for a database
 *   that holds something else.
 */
export async function prepareSchema(connection: Connection): Promise<void> {
  const found = await readSchema(connection.read);
  if (await isCurrent(connection.read, found)) return refuse(differences(found));
  await connection.repeatably(async (run) => {
    // Again, now under the lock: another process may have been first.
    const present = await readSchema(run);
    if (present.length > 0 && !present.some(({ name }) => name === 'migration')) {
      throw new CrumbError('ledger_invalid', { names: ['the database holds something else'] });
    }
    const version = await versionOf(run, present);
    for (const migration of MIGRATIONS.filter((m) => m.version > version)) {
      for (const { sql } of migration.objects) await run(sql);
      for (const sql of migration.statements) await run(sql);
      const row = 'INSERT INTO migration (version, name) VALUES (?, ?)';
      await run(row, [migration.version, migration.name]);
    }
    refuse(differences(await readSchema(run)));
  });
}

/** What is not as the migrations left it, in words such as `trigger entry_chain missing`. */
export async function schemaDifferences(run: Run): Promise<readonly string[]> {
  return differences(await readSchema(run));
}

function refuse(differences: readonly string[]): void {
  if (differences.length > 0) throw new CrumbError('ledger_invalid', { names: differences });
}

async function readSchema(run: Run): Promise<readonly Found[]> {
  const { rows } = await run(SCHEMA);
  return rows.map((row) => ({
    type: textOf(row, 'type'),
    name: textOf(row, 'name'),
    sql: textOf(row, 'sql'),
  }));
}

async function isCurrent(run: Run, found: readonly Found[]): Promise<boolean> {
  return (await versionOf(run, found)) >= MIGRATIONS.length;
}

async function versionOf(run: Run, found: readonly Found[]): Promise<number> {
  if (!found.some(({ name }) => name === 'migration')) return 0;
  const { rows } = await run('SELECT coalesce(max(version), 0) AS version FROM migration');
  const version = Number(rows[0]?.['version']);
  if (version > MIGRATIONS.length) {
    throw new CrumbError('ledger_invalid', { names: ['made by a newer version of Crumb'] });
  }
  return version;
}

function differences(found: readonly Found[]): readonly string[] {
  const expected = MIGRATIONS.flatMap(({ objects }) => objects);
  const triggers = new Set(
    expected.filter(({ type }) => type === 'trigger').map(({ name }) => name),
  );
  return [
    ...expected.flatMap((object) => differenceOf(object, found)),
    // A trigger that is not ours can undo what ours do, whatever its name and its table.
    ...found
      .filter(({ type, name }) => type === 'trigger' && !triggers.has(name))
      .map(() => 'a trigger that is not ours'),
  ];
}

function differenceOf(
  { type, name, sql }: SchemaObject,
  found: readonly Found[],
): readonly string[] {
  const object = found.find((candidate) => candidate.type === type && candidate.name === name);
  if (object === undefined) return [`${type} ${name} missing`];
  return plain(object.sql) === plain(sql) ? [] : [`${type} ${name} changed`];
}

function plain(sql: string): string {
  return sql.replaceAll(/\s+/g, ' ').trim();
}
