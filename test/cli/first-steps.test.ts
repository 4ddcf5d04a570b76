/** The path of somebody new: an empty project, four commands, one call, and what is on record of it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';

const INDEX = pathToFileURL(resolve('src/index.ts')).href;

/** What the example route does, without a model: one call for whoever sends the token. */
const APPLICATION = `
  import { createCrumb } from '${INDEX}';
  import { config } from './crumb.config.mjs';
  const crumb = await createCrumb({
    ...config,
    issuer: { ...config.issuer, url: process.argv[2] },
  });
  const session = await crumb.session(process.argv[3]);
  const planner = session.agent('planner');
  console.log(await planner.invoke({ tool: 'today', args: {} }, () => 'today'));
  await crumb.close();
`;

let cwd: string;
let idp: ChildProcess;
let issuer: string;
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'crumb-first-'));
  writeFileSync(join(cwd, 'package.json'), '{"name":"desk","type":"module"}');
  expect((await runCli(['init'], { cwd })).code).toBe(0);
  const bin = resolve('src/cli/crumb.ts');
  idp = spawn(process.execPath, [bin, 'dev', 'idp', '--port', '0', '--json'], { cwd });
  const [banner] = (await once(idp.stdout ?? idp, 'data')) as [Buffer]; // one write
  issuer = (JSON.parse(banner.toString()) as { url: string }).url; // the documented shape
  writeFileSync(join(cwd, 'app.mjs'), APPLICATION);
}, 60_000);
afterAll(async () => {
  idp.kill('SIGINT');
  await once(idp, 'exit');
  rmSync(cwd, { recursive: true });
});

describe('an empty project', () => {
  it('has its first call on record after four commands', async () => {
    const login = ['dev', 'login', '--issuer', issuer, '--scope', 'openid read_record'];
    const token = (await runCli(login, { cwd })).stdout.trim();
    const app = spawn(process.execPath, ['app.mjs', issuer, token], { cwd });
    const [out, errors] = await Promise.all([text(app.stdout), text(app.stderr)]);
    expect({ out, errors }).toEqual({ out: 'today\n', errors: '' });

    const log = await runCli(['log'], { cwd });
    expect(log).toMatchObject({ code: 0, stderr: '' });
    expect(log.stdout).toMatch(/planner\s+today\s+unauthorized: \w+\s+ok/);
  });

  it('verifies with the key and the vault of the project', async () => {
    const { code, stdout } = await runCli(['verify', '--json'], { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      sound: true,
      level: 'signed',
      origin: 'desk.example/crumb',
    });
    expect((JSON.parse(stdout) as { stats: { opened: number } }).stats.opened).toBeGreaterThan(0);
  });

  it('verifies for a stranger, who has the database and the published key', async () => {
    const words = ['verify', '.crumb/ledger.db', '--key', '.crumb/ledger.vkey', '--without-vault'];
    const { code, stdout } = await runCli([...words, '--json'], { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ level: 'signed', stats: { opened: 0 } });
  });

  it('names Alice only for a purpose, and remembers that it did', async () => {
    const plain = await runCli(['log'], { cwd });
    expect(plain.stdout).not.toContain('Alice');
    const named = await runCli(['log', '--names', 'incident-42', '--as', 'tree'], { cwd });
    expect(named).toMatchObject({ code: 0, stderr: '' });
    expect(named.stdout).toContain('Alice Lindqvist');
    const { stdout } = await runCli(['verify', '--json'], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ sound: true, stats: { kinds: { observed: 1 } } });
  });
});
