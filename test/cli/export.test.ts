import { createClient } from '@libsql/client';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerifyReport } from '../../src/verify/report.ts';
import { runMain, type CliResult } from '../support/run-cli.ts';
import { openWorld, READ_42, type CrumbWorld } from '../world.ts';

let world: CrumbWorld;
beforeAll(async () => {
  world = await openWorld();
  const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
  await planner.invoke({ tool: 'readRecord', args: { id: 42 } }, () => 'read');
  await world.crumb.flush();
  await world.crumb.checkpoint();
});
afterAll(async () => world.close());

const run = async (...words: string[]): Promise<CliResult> => runMain(words, { cwd: world.folder });

describe('crumb export', () => {
  it('writes a bundle of every crumb that verifies as the database does', async () => {
    const { code, stdout } = await run('export', world.ledgerFile, '--out', 'all.ndjson', '--json');
    const { size } = JSON.parse(stdout) as { size: number }; // the documented shape
    expect({ code, size }).toEqual({ code: 0, size: (await world.readCrumbs()).length });
    const { vkey } = world.crumb.ledger;
    const verified = await run('verify', 'all.ndjson', '--key', vkey, '--json');
    const report = JSON.parse(verified.stdout) as VerifyReport; // the documented shape
    expect(report).toMatchObject({ sound: true, size, level: 'signed' });
    expect(statSync(join(world.folder, 'all.ndjson')).mode & 0o077).toBe(0);
  });

  it('never writes over a file', async () => {
    expect((await run('export', world.ledgerFile, '--out', 'kept.ndjson')).code).toBe(0);
    const before = readFileSync(join(world.folder, 'kept.ndjson'), 'utf8');
    expect((await run('export', world.ledgerFile, '--out', 'kept.ndjson')).code).toBe(2);
    expect(readFileSync(join(world.folder, 'kept.ndjson'), 'utf8')).toBe(before);
  });

  it('puts each receipt behind its checkpoint', async () => {
    const path = join(world.folder, 'receipts.db');
    const client = createClient({ url: `file:${world.ledgerFile}` });
    await client.execute(`VACUUM INTO '${path}'`);
    client.close();
    const copy = createClient({ url: `file:${path}` });
    const columns = (await copy.execute(`SELECT name FROM pragma_table_info('receipt')`)).rows;
    expect(columns.length).toBeGreaterThan(0);
    const { rows } = await copy.execute('SELECT max(size) AS size FROM checkpoint');
    const size = Number(rows[0]?.['size']);
    await copy.execute({
      sql: `INSERT INTO receipt (name, type, size, bytes, kept_at, sha256) VALUES ('w', 'witness', ?, ?, 1, ?)`,
      args: [size, new TextEncoder().encode('given'), new Uint8Array(32)],
    });
    copy.close();
    expect((await run('export', path, '--out', 'receipts.ndjson')).code).toBe(0);
    const text = readFileSync(join(world.folder, 'receipts.ndjson'), 'utf8');
    const lines = text.trim().split('\n');
    const at = lines.findIndex((line) => line.includes('"t":"receipt"'));
    expect(JSON.parse(lines[at] ?? '')).toEqual({
      t: 'receipt',
      size,
      type: 'witness',
      raw: 'given',
    });
    expect(JSON.parse(lines[at - 1] ?? '')).toMatchObject({ t: 'checkpoint' });
  });
});
