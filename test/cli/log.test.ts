import { createClient } from '@libsql/client';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoggedCall } from '../../src/cli/trail/logged-call.ts';
import { runMain, type CliResult } from '../support/run-cli.ts';
import { openWorld, READ_42, type CrumbWorld } from '../world.ts';

let world: CrumbWorld;
beforeAll(async () => {
  world = await openWorld({
    tools: { 'evil\u001b[2K\u202e': { resource: 'local', action: 'evil' } },
  });
  const alice = await world.loginAs('alice', [READ_42]);
  const planner = alice.agent('planner');
  await planner.invoke({ tool: 'readRecord', args: { id: 42 } }, () => 'read');
  await planner.delegate('researcher', { tool: 'research', args: {} }, async (researcher) => {
    await researcher.invoke({ tool: 'readRecord', args: { id: 43 } }, () => 'read');
    const exporting = researcher.invoke({ tool: 'exportRecord', args: { id: 43 } }, () => 'gone');
    await exporting.catch(() => undefined); // the provider refuses: Alice granted reading alone
  });
  const bob = await world.loginAs('bob', undefined, { scope: 'openid read_record' });
  await bob.agent('planner').invoke({ tool: 'readRecord', args: { id: 7 } }, () => 'read');
  await bob.agent('planner').invoke({ tool: 'evil\u001b[2K\u202e', args: {} }, () => 'done');
  await world.crumb.flush();
});
afterAll(async () => world.close());

const run = async (...words: string[]): Promise<CliResult> =>
  runMain(['log', world.ledgerFile, ...words], { cwd: world.folder });

async function calls(...words: string[]): Promise<readonly LoggedCall[]> {
  const { code, stdout, stderr } = await run(...words, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return (JSON.parse(stdout) as { calls: LoggedCall[] }).calls; // the documented shape
}

describe('crumb log', () => {
  it('lists every call with its agents, verdict and outcome, the newest last', async () => {
    const all = await calls();
    expect(
      all.map(({ tool, chain, verdict, reason, outcome }) => [
        tool,
        chain.join(' > '),
        verdict,
        reason,
        outcome,
      ]),
    ).toEqual([
      ['readRecord', 'planner', 'authorized', null, 'ok'],
      [expect.any(String), 'planner', 'authorized', null, 'ok'],
      ['readRecord', 'planner > researcher', 'unauthorized', 'argument id', 'ok'],
      ['exportRecord', 'planner > researcher', 'unauthorized', 'action', 'refused'],
      ['readRecord', 'planner', 'authorized', null, 'ok'],
      ['evil\u001b[2K\u202e', 'planner', 'unauthorized', expect.any(String), 'ok'],
    ]);
    expect(all.map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq).toSorted((a, b) => a - b));
    expect(new Set(all.map(({ human }) => human)).size).toBe(2);
  });

  it.each([
    [['--verdict', 'unauthorized'], 3],
    [['--agent', 'researcher'], 2],
    [['--tool', 'readRecord'], 3],
    [['--tool', 'readRecord', '--verdict', 'unauthorized', '--agent', 'researcher'], 1],
    [['--since', '1h'], 6],
    [['--until', '2026-01-01'], 0],
    [['--limit', '2'], 2],
  ])('filters by %j', async (words, count) => {
    expect(await calls(...words)).toHaveLength(count);
  });

  it('takes the whole pseudonym of a human, or its beginning', async () => {
    const human = (await calls())[0]?.human ?? '';
    expect(await calls('--human', human)).toHaveLength(4);
    expect(await calls('--human', human.slice(0, 8))).toHaveLength(4);
    expect(await calls('--human', 'nobody')).toHaveLength(0);
  });

  it('leaves out the oldest, and says so', async () => {
    const [last, newest] = [(await calls()).at(-1), await calls('--limit', '1')];
    expect(newest).toEqual([last]);
    expect((await run('--limit', '1')).stdout).toContain('--limit');
  });

  it('draws humans, agents and calls as a tree, and lets no name steer the terminal', async () => {
    const { stdout } = await run('--as', 'tree');
    const lines = stdout.trimEnd().split('\n');
    const indentOf = (text: string): number => {
      return lines.find((line) => line.includes(text))?.search(/[A-Za-z0-9]/) ?? -1;
    };
    expect(indentOf('exportRecord')).toBeGreaterThan(indentOf('researcher'));
    expect(stdout).not.toMatch(/[\u001b\u202e]/);
    expect(stdout).toContain(String.raw`evil\u{1b}[2K\u{202e}`);
  });

  it('prints one line for each call of the table', async () => {
    const { stdout } = await run();
    expect(stdout.trimEnd().split('\n')).toHaveLength(7);
    expect(stdout).toContain('unauthorized: argument id');
    expect(stdout).not.toMatch(/[\u001b\u202e]/);
  });

  it('says when nothing fits', async () => {
    expect((await run('--tool', 'none')).stdout).toBe('Nothing is recorded that fits.\n');
  });

  it('reads a copy whose schema somebody changed, crumb by crumb', async () => {
    const path = join(world.folder, 'changed.db');
    const client = createClient({ url: `file:${world.ledgerFile}` });
    await client.execute(`VACUUM INTO '${path}'`);
    client.close();
    const copy = createClient({ url: `file:${path}` });
    await copy.execute('DROP TRIGGER entry_delete');
    copy.close();
    const words = ['log', path, '--limit', '3', '--verdict', 'unauthorized'];
    const [whole, changed] = [
      await calls('--limit', '3', '--verdict', 'unauthorized'),
      await runMain([...words, '--json'], { cwd: world.folder }),
    ];
    expect((JSON.parse(changed.stdout) as { calls: LoggedCall[] }).calls).toEqual(whole);
    expect((await runMain(words, { cwd: world.folder })).stderr).toContain('crumb by crumb');
  });

  it('makes no database where there is none', async () => {
    const { code, stdout } = await runMain(['log', 'none.db', '--json'], { cwd: world.folder });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'file_unreadable' } });
    expect(existsSync(join(world.folder, 'none.db'))).toBe(false);
  });

  it.each([
    ['no database', []],
    ['names of another ledger', ['crumb.db', '--names', 'audit']],
    ['no limit', ['crumb.db', '--limit', '0']],
  ])('refuses %s', async (_what, words) => {
    const { code, stdout } = await runMain(['log', ...words, '--json'], { cwd: world.folder });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: expect.stringMatching(/_invalid$/) },
    });
  });
});
