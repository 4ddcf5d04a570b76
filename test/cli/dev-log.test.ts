/** `crumb dev log` and `crumb dev witness`, as processes of their own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { checkpointText } from '../../src/evidence/checkpoint.ts';
import { ed25519Signer } from '../../src/evidence/ed25519.ts';
import { openNote, signNote, vkeyOf } from '../../src/evidence/note.ts';
import { parseTrustedRoot } from '../../src/evidence/trusted-root.ts';
import { parseWitnessPolicy } from '../../src/evidence/witness-policy.ts';
import { runCli, runMain } from '../support/run-cli.ts';

const BIN = resolve('src/cli/crumb.ts');
const running: ChildProcess[] = [];
const folders: string[] = [];

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crumb-dev-log-'));
  folders.push(folder);
  return folder;
}

interface Started {
  readonly lines: readonly string[];
  stop(): Promise<unknown>;
}

/** Runs a command until it has printed a line. */
async function start(cwd: string, words: readonly string[], until: RegExp): Promise<Started> {
  const child = spawn(process.execPath, [BIN, 'dev', ...words], { cwd });
  running.push(child);
  const lines: string[] = [];
  await new Promise<void>((found, fail) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      if (until.test(line)) found();
    });
    child.once('exit', () => fail(new Error(`ended: ${lines.join('\n')}`)));
  });
  return {
    lines,
    async stop() {
      const exit = once(child, 'exit');
      child.kill('SIGINT');
      return (await exit)[0];
    },
  };
}

const factsOf = ({ lines }: Started): Record<string, unknown> =>
  JSON.parse(lines.join('\n')) as Record<string, unknown>;

describe('crumb dev log', () => {
  it('says loudly what it is, and where', async () => {
    const cwd = newFolder();
    const log = await start(cwd, ['log', '--port', '0'], /Ctrl-C/);
    const text = log.lines.join('\n');
    expect(text).toContain('FOR DEVELOPMENT ONLY');
    const url = /Log +(\S+)/.exec(text)?.[1] ?? '';
    expect(await (await fetch(`${url}/checkpoint`)).text()).toContain('\n0\n');
    const root = readFileSync(join(cwd, '.crumb/dev/log/trusted_root.json'), 'utf8');
    expect(parseTrustedRoot(root).development).toBe(true);
    expect(await log.stop()).toBe(0);
    expect(existsSync(join(cwd, '.crumb/dev/log/lock'))).toBe(false);
  });

  it('is the same log at the next start, wherever it listens', async () => {
    const cwd = newFolder();
    const words = ['log', '--port', '0', '--dir', 'my-log', '--json'];
    const first = await start(cwd, words, /^\}/);
    const before = factsOf(first);
    await first.stop();
    const second = await start(cwd, words, /^\}/);
    expect(factsOf(second)).toMatchObject({
      name: before['name'],
      vkey: before['vkey'],
      trustRoot: join(cwd, 'my-log', 'trusted_root.json'),
      size: 0,
    });
    await second.stop();
  });

  it('names what is in its way', async () => {
    const cwd = newFolder();
    const log = await start(cwd, ['log', '--port', '0', '--json'], /^\}/);
    const inUse = await runMain(['dev', 'log', '--port', '0', '--json'], { cwd });
    expect([inUse.code, JSON.parse(inUse.stdout)]).toMatchObject([
      2,
      { error: { code: 'folder_in_use' } },
    ]);
    const { port } = new URL(String(factsOf(log)['url']));
    const taken = await runMain(['dev', 'log', '--port', port, '--dir', 'x', '--json'], { cwd });
    expect(JSON.parse(taken.stdout)).toMatchObject({ error: { code: 'port_taken' } });
    await log.stop();
  });

  it.each(['log', 'witness'])('and %s refuse production', async (name) => {
    const cwd = newFolder();
    const ledger = vkeyOf('acme.example/crumb', ed25519Signer(new Uint8Array(32)).publicKey);
    const words = ['dev', name, '--port', '0', '--json'];
    const { code, stdout } = await runCli(name === 'log' ? words : [...words, '--ledger', ledger], {
      cwd,
      env: { NODE_ENV: 'production' },
    });
    expect([code, JSON.parse(stdout)]).toMatchObject([2, { error: { code: 'development_only' } }]);
  });
});

describe('crumb dev witness', () => {
  const signer = ed25519Signer(new Uint8Array(32).fill(1));
  const origin = 'acme.example/crumb';
  const vkey = vkeyOf(origin, signer.publicKey);

  it('cosigns for the ledgers whose keys it is given', async () => {
    const cwd = newFolder();
    writeFileSync(join(cwd, 'ledger.vkey'), `${vkey}\n`);
    const words = ['witness', '--port', '0', '--ledger', 'ledger.vkey', '--json'];
    const witness = await start(cwd, words, /^\}/);
    const { url, policy, ledgers } = factsOf(witness);
    expect(ledgers).toEqual([origin]);
    const pinned = parseWitnessPolicy(readFileSync(String(policy), 'utf8'));
    expect(pinned.development).toBe(true);
    const text = checkpointText({ origin, size: 5, root: new Uint8Array(32).fill(9) });
    const note = await signNote(text, origin, signer);
    const answer = await fetch(`${String(url)}/add-checkpoint`, {
      method: 'POST',
      body: `old 0\n\n${note}`,
    });
    const keys = pinned.witnesses.map((one) => one.vkey);
    expect((await openNote(note + (await answer.text()), keys)).signatures).toHaveLength(1);
    expect(await witness.stop()).toBe(0);
  });

  it('takes the ledger of the configuration', async () => {
    const cwd = newFolder();
    writeFileSync(join(cwd, 'package.json'), '{"name":"desk"}');
    expect((await runMain(['init'], { cwd })).code).toBe(0);
    const witness = await start(cwd, ['witness', '--port', '0'], /Ctrl-C/);
    expect(witness.lines.join('\n')).toMatch(/Ledgers +\S+/);
    expect(await witness.stop()).toBe(0);
  });

  it.each([
    ['no key and no configuration', []],
    ['a key that is none', ['--ledger', 'nobody']],
    ['the key of a witness', ['--ledger', vkeyOf('w', signer.publicKey, 'cosignature')]],
  ])('refuses %s', async (_what, words) => {
    const cwd = newFolder();
    const all = ['dev', 'witness', '--port', '0', ...words, '--json'];
    const { code, stdout } = await runMain(all, { cwd });
    expect([code, JSON.parse(stdout)]).toMatchObject([2, { error: { code: 'usage_invalid' } }]);
  });
});
