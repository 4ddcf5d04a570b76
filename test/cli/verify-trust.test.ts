/** `crumb verify --trust`, `--allow-development` and `--equivocation`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerifyReport } from '../../src/verify/report.ts';
import { runMain, type CliResult } from '../support/run-cli.ts';
import { testWitness } from '../evidence/receipt-world.ts';
import { anchoredScene, cosignHead, publicLog, textWithReceipts } from '../verify/anchor-world.ts';
import { noteOf, vkeyOfBuilder } from '../verify/build-ledger.ts';
import { logIn } from '../verify/story.ts';

const folder = mkdtempSync(join(tmpdir(), 'crumb-verify-trust-'));
const near = testWitness('near.example/w', 41);
let vkey: string;

beforeAll(async () => {
  const log = await publicLog(true);
  const { builder, receipts } = await anchoredScene(log);
  const size = builder.rows.length;
  receipts.push(await cosignHead(builder, near));
  vkey = vkeyOfBuilder(builder);
  put('bundle.ndjson', (await textWithReceipts(builder, receipts)).join('\n') + '\n');
  put('trusted_root.json', log.root);
  put('policy.txt', `witness near ${near.vkey}\nquorum near\n`);
  put('one.note', noteOf((await logIn({ body: { acr: 'one' } })).builder));
  put('two.note', noteOf((await logIn({ body: { acr: 'two' } })).builder));
  put('other-size.note', noteOf(builder));
  expect(size).toBe(6);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

const run = async (...words: string[]): Promise<CliResult> =>
  runMain(['verify', ...words], { cwd: folder });

async function report(...words: string[]): Promise<VerifyReport> {
  const { stdout } = await run('bundle.ndjson', '--key', vkey, ...words, '--json');
  return JSON.parse(stdout) as VerifyReport; // the documented shape
}

describe('crumb verify --trust', () => {
  it('counts no receipt of a log or witness that is not named', async () => {
    expect(await report()).toMatchObject({ level: 'signed', anchored: null, witnessed: null });
  });

  it('tells a trust root from a policy', async () => {
    const both = await report('--trust', 'trusted_root.json', '--trust', 'policy.txt');
    expect(both).toMatchObject({ level: 'witnessed', witnessed: { operators: [near.name] } });
  });

  it('counts what is for development only if that is allowed, and says so', async () => {
    const words = ['--trust', 'trusted_root.json'];
    expect(await report(...words)).toMatchObject({ level: 'signed', anchored: null });
    const allowed = await report(...words, '--allow-development');
    expect(allowed).toMatchObject({ anchored: { size: 5 }, counts: { anchor_development: 1 } });
  });

  it('refuses a file that is neither', async () => {
    put('nothing.txt', 'hello\n');
    const { code } = await run('bundle.ndjson', '--key', vkey, '--trust', 'nothing.txt');
    expect(code).not.toBe(0);
  });
});

describe('crumb verify --equivocation', () => {
  const compare = async (...notes: string[]): Promise<CliResult> =>
    run('--equivocation', ...notes, '--key', vkey, '--json');

  it('is 1 and names both roots, if the key signed two histories', async () => {
    const { code, stdout } = await compare('one.note', 'two.note');
    expect(code).toBe(1);
    const { equivocation } = JSON.parse(stdout) as { equivocation: { size: number; roots: [] } };
    expect(equivocation.size).toBe(3);
    expect(new Set(equivocation.roots).size).toBe(2);
  });

  it('is 0 for heads that do not contradict each other', async () => {
    expect(await compare('one.note', 'one.note')).toMatchObject({ code: 0 });
    expect(await compare('one.note', 'other-size.note')).toMatchObject({ code: 0 });
  });

  it('needs two heads and a key', async () => {
    const usage = await compare('one.note');
    expect(usage.code).toBeGreaterThan(1);
    const { code } = await run('--equivocation', 'one.note', 'two.note');
    expect(code).toBeGreaterThan(1);
  });
});
