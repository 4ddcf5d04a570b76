import { createClient } from '@libsql/client';
import { closeSync, copyFileSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerifyReport } from '../../src/verify/report.ts';
import { bundleLines } from '../../src/ledger/export-bundle.ts';
import type { StoredEntry } from '../../src/ledger/ledger-store.ts';
import { openLibsqlReader } from '../../src/store/libsql/libsql-reader.ts';
import { runCli, runMain, type CliResult } from '../support/run-cli.ts';
import { ORIGIN, openWorld, READ_42, type CrumbWorld } from '../world.ts';

let world: CrumbWorld;
let vkey: string;
let sound: string;
beforeAll(async () => {
  world = await openWorld();
  const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
  await planner.invoke({ tool: 'readRecord', args: { id: 42 } }, () => 'read');
  await planner.invoke({ tool: 'readRecord', args: { id: 43 } }, () => 'read');
  await world.crumb.flush();
  await world.crumb.checkpoint();
  ({ vkey } = world.crumb.ledger);
  sound = world.ledgerFile;
});
afterAll(async () => world.close());

const run = async (...words: string[]): Promise<CliResult> =>
  runMain(['verify', ...words], { cwd: world.folder });

async function report(...words: string[]): Promise<{ code: number | null; report: VerifyReport }> {
  const { code, stdout } = await run(...words, '--json');
  return { code, report: JSON.parse(stdout) as VerifyReport }; // the documented shape
}

/** A copy of the ledger in which somebody without the key changed something. */
async function tampered(name: string, ...statements: string[]): Promise<string> {
  const path = join(world.folder, name);
  const client = createClient({ url: `file:${sound}` });
  await client.execute(`VACUUM INTO '${path}'`);
  client.close();
  const copy = createClient({ url: `file:${path}` });
  const { rows } = await copy.execute(`SELECT name FROM sqlite_schema WHERE type = 'trigger'`);
  // Names are text.
  for (const { name: trigger } of rows) await copy.execute(`DROP TRIGGER "${trigger as string}"`);
  for (const statement of statements) await copy.execute(statement);
  copy.close();
  return path;
}

async function bundle(name: string): Promise<string> {
  const path = join(world.folder, name);
  const reader = await openLibsqlReader({ url: `file:${sound}` });
  const { size } = await reader.end();
  const rows: StoredEntry[] = [];
  for await (const row of reader.readRows(0, size)) rows.push(row);
  async function* pages(): AsyncIterable<typeof rows> {
    yield rows;
  }
  const lines = [];
  for await (const line of bundleLines({ origin: ORIGIN, size, pages: pages() })) lines.push(line);
  await reader.close();
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

describe('crumb verify of a database', () => {
  it('is 0 and sound under the key that was published', async () => {
    const { code, report: found } = await report(sound, '--key', vkey);
    expect(code).toBe(0);
    expect(found).toMatchObject({
      readable: true,
      sound: true,
      level: 'signed',
      origin: ORIGIN,
      key: vkey,
      mode: 'range',
      path: 'fast',
      findings: [],
    });
    expect(found.stats.verdicts).toMatchObject({ authorized: 1, unauthorized: 1 });
    expect(found.notEstablished.map(({ code: one }) => one)).toContain('tail_uncovered');
  });

  it('takes the key from a file, and checks every signature if asked', async () => {
    writeFileSync(join(world.folder, 'ledger.vkey'), `${vkey}\n`);
    const { code, report: found } = await report(sound, '--key', 'ledger.vkey', '--full');
    expect(code).toBe(0);
    expect(found.path).toBe('full');
    expect(found.stats.heads.checked).toBe(found.stats.heads.seen);
  });

  it('says that a key from the data itself proves nothing', async () => {
    const { code, report: found } = await report(sound);
    expect(code).toBe(0);
    expect(found.level).toBe('none');
    expect(found.notEstablished.map(({ code: one }) => one)).toContain('key_not_confirmed');
  });

  it('is 1 and names the row that somebody changed', async () => {
    const path = await tampered(
      'changed.db',
      `UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT), '"unauthorized"', '"authorized"') AS BLOB)
       WHERE CAST(bytes AS TEXT) LIKE '%"unauthorized"%'`,
    );
    const row = (await world.crumbsOf('intent')).find(
      ({ body }) => body.verdict === 'unauthorized',
    )?.seq;
    const { code, report: found } = await report(path, '--key', vkey);
    expect(code).toBe(1);
    expect(found.findings).toContainEqual(
      expect.objectContaining({ code: 'chain_broken', seq: row }),
    );
    const { stdout } = await run(path, '--key', vkey);
    expect(stdout).toContain('Not sound');
    expect(stdout).toContain(`crumb ${row} was changed`);
    expect(stdout).toContain('trigger entry_update');
  });

  it.each([
    ['cut', `DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)`],
    ['holed', `DELETE FROM entry WHERE seq = 3`],
    ['headless', `UPDATE entry SET head = NULL WHERE seq = (SELECT max(seq) FROM entry)`],
  ])('is 1 for a %s ledger', async (name, statement) => {
    const path = await tampered(`${name}.db`, statement);
    expect((await report(path, '--key', vkey)).code).toBe(1);
  });

  it('is 1 under another key, or another name', async () => {
    const other = vkey.replace(/.{6}$/, 'AAAAA=');
    const { code } = await run(sound, '--key', other);
    expect(code).toBe(2); // its id does not fit: not a key at all
    expect((await report(sound, '--origin', 'other.example/crumb')).code).toBe(1);
  });

  it('still contains a head that somebody kept, or says that it does not', async () => {
    const head = await world.crumb.checkpoint();
    writeFileSync(join(world.folder, 'kept.note'), head);
    expect((await report(sound, '--key', vkey, '--head', 'kept.note')).code).toBe(0);
    const path = await tampered(
      'shorter.db',
      'DELETE FROM checkpoint',
      'DELETE FROM entry WHERE seq > 4',
    );
    expect((await report(path, '--key', vkey, '--head', 'kept.note')).code).toBe(1);
  });

  it('prints what it could not establish, every time', async () => {
    const { code, stdout } = await run(sound, '--key', vkey);
    expect(code).toBe(0);
    expect(stdout).toContain('Sound');
    expect(stdout).toContain('Not established');
    expect(stdout).toContain('that whoever holds the key did not rewrite everything');
  });

  it('works as a process, and leaves the database as it was', async () => {
    const { code, stdout, stderr } = await runCli(['verify', sound, '--key', vkey], {
      cwd: world.folder,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^✓ Sound/);
  });
});

describe('crumb verify of a bundle', () => {
  it('is 0 and sound, as the database is', async () => {
    const { code, report: found } = await report(await bundle('a.bundle'), '--key', vkey);
    expect(code).toBe(0);
    expect(found).toMatchObject({ sound: true, level: 'signed', origin: ORIGIN });
  });

  it.each([
    ['a byte changed', (text: string) => text.replace('read_record', 'reed_record'), 1],
    ['its end cut off', (text: string) => text.slice(0, -200), 1],
    ['another beginning', (text: string) => `x${text}`, 2],
    ['a line without end', (text: string) => `${'y'.repeat(2_000_000)}${text}`, 2],
    ['no line at all', () => '\n', 2],
  ])('with %s is not', async (_what, change, code) => {
    const path = await bundle('changed.bundle');
    writeFileSync(path, change(readFileSync(path, 'utf8')));
    expect((await run(path, '--key', vkey)).code).toBe(code);
  });
});

describe('crumb verify of something else', () => {
  it.each([
    ['nothing', ['none.db'], 'file_unreadable'],
    ['a folder', ['.'], 'file_unreadable'],
    ['another database', ['other.db'], 'ledger_invalid'],
    ['an empty file', ['empty.db'], 'ledger_invalid'],
    ['a key that is none', ['other.db', '--key', 'secret'], 'usage_invalid'],
    ['a head that is not there', ['other.db', '--head', 'none'], 'file_unreadable'],
    ['keys that are no JSON', ['other.db', '--issuer-keys', 'empty.db'], 'usage_invalid'],
  ])('is 2: %s', async (_what, words, error) => {
    const other = createClient({ url: `file:${join(world.folder, 'other.db')}` });
    await other.execute('CREATE TABLE IF NOT EXISTS t (x)');
    other.close();
    writeFileSync(join(world.folder, 'empty.db'), '');
    const { code, stdout } = await run(...words, '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: error } });
  });

  it('is 2 for a database whose pages are damaged', async () => {
    const path = join(world.folder, 'torn.db');
    copyFileSync(sound, path);
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(8192, 7), 0, 8192, 4096);
    closeSync(file);
    expect([1, 2]).toContain((await run(path, '--key', vkey)).code);
  });
});
