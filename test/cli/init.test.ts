import { createPrivateKey, createPublicKey } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configText, exampleText, type Setup } from '../../src/cli/commands/init-texts.ts';
import { parseVkey } from '../../src/evidence/note.ts';
import { compileTexts, repositoryOptions } from '../support/compile.ts';
import { runMain } from '../support/run-cli.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'crumb-init-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

interface Facts {
  readonly written: readonly string[];
  readonly kept: readonly string[];
  readonly gitignore: boolean;
  readonly origin: string;
  readonly vkey: string;
  readonly application: string;
  readonly agents: readonly string[];
}

async function init(...words: string[]): Promise<Facts> {
  const { code, stdout, stderr } = await runMain(['init', ...words, '--json'], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Facts; // the documented shape
}

const read = (path: string): string => readFileSync(join(cwd, path), 'utf8');
const modeOf = (path: string): number => statSync(join(cwd, path)).mode & 0o777;

describe('crumb init', () => {
  it('makes keys that only their owner can read, each of its own', async () => {
    await init();
    const keys = readdirSync(join(cwd, '.crumb/keys'));
    expect(keys.length).toBe(6);
    expect(keys.map((key) => modeOf(`.crumb/keys/${key}`))).toEqual(keys.map(() => 0o600));
    expect(modeOf('.crumb/keys')).toBe(0o700);
    expect(new Set(keys.map((key) => read(`.crumb/keys/${key}`))).size).toBe(keys.length);
  });

  it('writes public halves that fit the private ones, and nothing private among them', async () => {
    const { application, agents, vkey, origin } = await init();
    for (const name of [application, ...agents]) {
      const { keys } = JSON.parse(read(`.crumb/register/${name}.json`)) as { keys: object[] };
      const key = createPrivateKey(read(`.crumb/keys/${name}.pem`));
      expect(keys).toEqual([
        expect.objectContaining(createPublicKey(key).export({ format: 'jwk' })),
      ]);
      expect(keys[0]).not.toHaveProperty('d');
    }
    expect(read('.crumb/ledger.vkey').trim()).toBe(vkey);
    expect(parseVkey(vkey)?.name).toBe(origin);
  });

  it('leaves what is there alone, and says so', async () => {
    writeFileSync(join(cwd, 'crumb.config.mjs'), '// mine\n');
    const first = await init();
    const ledgerKey = read('.crumb/keys/ledger.pem');
    const second = await init();
    expect(first.kept).toEqual(['crumb.config.mjs']);
    expect(read('crumb.config.mjs')).toBe('// mine\n');
    expect(second.written).toEqual([]);
    expect(read('.crumb/keys/ledger.pem')).toBe(ledgerKey);
    expect(second.vkey).toBe(first.vkey);
  });

  it.each([
    [undefined, '# Crumb: keys and databases\n.crumb/\n', true],
    ['dist', 'dist\n# Crumb: keys and databases\n.crumb/\n', true],
    ['.crumb/\ndist\n', '.crumb/\ndist\n', false],
  ])('keeps keys out of git, after %j', async (before, after, added) => {
    if (before !== undefined) writeFileSync(join(cwd, '.gitignore'), before);
    expect((await init()).gitignore).toBe(added);
    expect(read('.gitignore')).toBe(after);
  });

  it('names things after the project', async () => {
    writeFileSync(join(cwd, 'package.json'), '{"name":"@acme/Support_Desk"}');
    expect(await init()).toMatchObject({
      origin: 'support-desk.example/crumb',
      application: 'support-desk',
      agents: ['planner', 'researcher'],
    });
  });

  it('takes agents and a name for the ledger', async () => {
    const { agents } = await init('--agent', 'desk', '--origin', 'acme.example/log');
    expect(agents).toEqual(['desk']);
    expect(read('crumb.config.mjs')).toContain("origin: 'acme.example/log'");
    expect(read('crumb.config.mjs')).toContain("desk: { key: key('desk') }");
  });

  it('writes a configuration that loads as it is', async () => {
    await init();
    // From its folder, for that is what its paths are relative to.
    const code = `const { config } = await import(process.argv[1]);
      console.log(config.issuer.agents.planner.key.includes('PRIVATE'), config.ledger.origin)`;
    const { spawnSync } = await import('node:child_process');
    const args = ['--input-type=module', '-e', code, join(cwd, 'crumb.config.mjs')];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({
      stdout: expect.stringMatching(/^true crumb-init-.*\.example\/crumb\n$/),
      stderr: '',
    });
  });

  it.each([
    ['a name that no client may have', ['--agent', 'Not A Name']],
    ['a name that is a path', ['--agent', '../../etc/planner']],
    ['the name of another key', ['--agent', 'vault']],
    ['the same name twice', ['--agent', 'a', '--agent', 'a']],
  ])('refuses %s before it writes anything', async (_what, words) => {
    const { code } = await runMain(['init', ...words], { cwd });
    expect(code).toBe(2);
    expect(existsSync(join(cwd, '.crumb'))).toBe(false);
  });
});

describe('what init writes', { timeout: 120_000 }, () => {
  const setup = (change: Partial<Setup>): Setup => ({
    typescript: true,
    configImport: './crumb.config',
    application: 'desk',
    agents: ['planner', 'second-reader'],
    origin: 'acme.example/crumb',
    issuer: 'http://127.0.0.1:4280',
    ...change,
  });
  const options = repositoryOptions();
  const bundler = {
    ...options,
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    rewriteRelativeImportExtensions: false,
  };

  it.each([
    ['a bundler', './crumb.config', bundler],
    ['Node', './crumb.config.js', options],
    ['type stripping', './crumb.config.ts', options],
  ])('compiles, strictly, for %s', (_what, configImport, compilerOptions) => {
    const texts = new Map([
      [resolve('planted/crumb.config.ts'), configText(setup({ configImport }))],
      [resolve('planted/crumb.example.ts'), exampleText(setup({ configImport }))],
    ]);
    expect(compileTexts(texts, compilerOptions)).toEqual([]);
  });

  it('is JavaScript for a project without TypeScript', () => {
    const plain = setup({ typescript: false, configImport: './crumb.config.mjs' });
    const texts = new Map([
      [resolve('planted/crumb.config.mjs'), configText(plain)],
      [resolve('planted/crumb.example.mjs'), exampleText(plain)],
    ]);
    const found = compileTexts(texts, {
      ...options,
      allowJs: true,
      checkJs: true,
      noImplicitAny: false,
    });
    expect(found).toEqual([]);
  });
});
