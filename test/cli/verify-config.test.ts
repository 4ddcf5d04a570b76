/** A folder of evidence may hold a configuration too: it must not run, nor say which key to trust. */
import { createClient } from '@libsql/client';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { VerifyReport } from '../../src/verify/report.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { ORIGIN, openWorld, READ_42, type CrumbWorld } from '../world.ts';

const NAMES = ['crumb.config.ts', 'crumb.config.mts', 'crumb.config.mjs', 'crumb.config.js'];

let world: CrumbWorld;
let folder: string;
let ran: string;
beforeAll(async () => {
  world = await openWorld();
  const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
  await planner.invoke({ tool: 'readRecord', args: { id: 42 } }, () => 'read');
  await world.crumb.flush();
  const note = await world.crumb.checkpoint();
  folder = join(world.folder, 'evidence');
  ran = join(folder, 'ran');
  mkdirSync(folder);
  const client = createClient({ url: `file:${world.ledgerFile}` });
  await client.execute(`VACUUM INTO '${join(folder, 'crumb.db')}'`);
  client.close();
  writeFileSync(join(folder, 'head.note'), note);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  // Whoever planted it would have signed the ledger with a key of theirs: here it is loadable, and its
  // name is another one, so that its use would show.
  const config = `import { writeFileSync } from 'node:fs';
    writeFileSync(${JSON.stringify(ran)}, 'here');
    export const config = {
      issuer: { url: 'https://idp.example', client: { id: 'app' }, agents: {} },
      ledger: {
        url: ${JSON.stringify(pathToFileURL(join(folder, 'crumb.db')).href)},
        origin: 'planted.example/crumb',
        signingKey: 'none.pem',
      },
      vault: { url: 'file:none.db', key: 'none' },
    };\n`;
  for (const name of NAMES) writeFileSync(join(folder, name), config);
});
beforeEach(() => rmSync(ran, { force: true }));
afterAll(async () => world.close());

// As a process: a module is loaded once, and what ran before in this one would hide what runs now.
const run = async (...words: string[]): Promise<CliResult> => runCli(words, { cwd: folder });

describe('beside a ledger that is named, a configuration of the folder', () => {
  it('does not run, and gives `crumb verify` neither key nor name', async () => {
    const { code, stdout } = await run('verify', 'crumb.db', '--json');
    const report = JSON.parse(stdout) as VerifyReport; // the documented shape
    expect(code).toBe(0);
    expect(report).toMatchObject({ sound: true, level: 'none', origin: ORIGIN });
    expect(report.notEstablished.map((finding) => finding.code)).toContain('key_not_confirmed');
    expect(existsSync(ran)).toBe(false);
  });

  it.each([
    ['export', ['export', 'crumb.db'], 0],
    ['log', ['log', 'crumb.db'], 0],
    ['log --names', ['log', 'crumb.db', '--names', 'audit'], 2],
    ['verify of a bundle', ['verify', 'crumb-bundle.ndjson'], 0],
    ['verify of what is not there', ['verify', 'none.db'], 2],
    ['two heads without a key', ['verify', '--equivocation', 'head.note', 'head.note'], 2],
    ['one head', ['verify', '--equivocation', 'head.note'], 2],
  ])('does not run for %s', async (_what, words, code) => {
    expect((await run(...words)).code).toBe(code);
    expect(existsSync(ran)).toBe(false);
  });

  it.each([
    ['it is named as well', ['log', 'crumb.db', '--config', 'crumb.config.mjs']],
    ['no ledger is', ['log']],
  ])('runs if %s', async (_what, words) => {
    expect((await run(...words)).code).toBe(0);
    expect(existsSync(ran)).toBe(true);
  });
});
