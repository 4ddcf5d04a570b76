import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { defineCommand, type Command } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/registry.ts';
import { CrumbError } from '../../src/errors.ts';
import { runCli, runMain, type CliResult } from '../support/run-cli.ts';

const cwd = mkdtempSync(join(tmpdir(), 'crumb-cli-'));
afterAll(() => rmSync(cwd, { recursive: true }));

const describedAs = (name: string): Pick<Command, 'name' | 'summary' | 'about' | 'operands'> => ({
  name,
  summary: 'a command for the test',
  about: ['Teaches.'],
  operands: [],
});

const failing = (error: Error = new Error('never run')): Command =>
  defineCommand({
    ...describedAs('fail'),
    options: {},
    examples: [],
    run: () => Promise.reject(error),
  });

const run = async (words: readonly string[], commands: readonly Command[]): Promise<CliResult> =>
  runMain(words, { cwd, commands });

describe('help', () => {
  it.each([[[]], [['--help']], [['-h']], [['help']]])(
    'lists every command for %j',
    async (words) => {
      const { code, stdout, stderr } = await run(words, COMMANDS);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      for (const { name, summary } of COMMANDS) {
        expect(stdout).toContain(name);
        expect(stdout.replaceAll(/\s+/g, ' ')).toContain(summary);
      }
    },
  );

  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    'of `%s` teaches: what for, what it takes, examples, exit codes',
    async (name, command) => {
      const words = name.split(' ');
      const [before, after, behind] = await Promise.all([
        run(['help', ...words], COMMANDS),
        run([...words, '--help'], COMMANDS),
        run([...words, '-h', '--json'], COMMANDS),
      ]);
      expect(before).toEqual(after);
      expect(before).toEqual(behind);
      expect(before.code).toBe(0);
      for (const title of ['Usage', 'Options', 'Examples', 'Exit codes', '--json']) {
        expect(before.stdout).toContain(title);
      }
      expect(command.about.length).toBeGreaterThan(0);
      expect(command.examples.length).toBeGreaterThan(1);
    },
  );

  it('fits a terminal of 100 columns', async () => {
    for (const { name } of COMMANDS) {
      const { stdout } = await run(['help', ...name.split(' ')], COMMANDS);
      // Examples are for copying, and stay in one piece.
      const lines = stdout.split('\n').filter((line) => !line.startsWith('  crumb'));
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
    }
  });

  it('of a group lists its members', async () => {
    const commands = [
      failing(),
      { ...failing(), name: 'dev one' },
      { ...failing(), name: 'dev two' },
    ];
    const { code, stdout } = await run(['dev'], commands);
    expect(code).toBe(0);
    expect(stdout).toContain('crumb dev one');
    expect(stdout).toContain('crumb dev two');
  });

  it('gives examples that parse', async () => {
    for (const command of COMMANDS) {
      for (const { line } of command.examples) {
        const words = line.replace(/^crumb /, '').split(' ');
        expect(words.slice(0, command.name.split(' ').length).join(' ')).toBe(command.name);
        const { code } = await run([...words, '--help'], COMMANDS);
        expect(code, line).toBe(0);
      }
    }
  });
});

describe('failure', () => {
  it('is a sentence, a code and what to do, on stderr', async () => {
    const error = new CrumbError('key_invalid', { cause: new Error('below') });
    const { code, stdout, stderr } = await run(['fail'], [failing(error)]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(error.message);
    expect(stderr).toContain('[key_invalid]');
    expect(stderr).toContain('because below');
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(error.hint);
    expect(stderr).not.toContain('    at ');
  });

  it('is one JSON document with --json', async () => {
    const error = new CrumbError('key_invalid');
    const { code, stdout, stderr } = await run(['fail', '--json'], [failing(error)]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'key_invalid', text: error.message, hint: error.hint },
    });
  });

  it('shows where a bug is', async () => {
    const { code, stderr } = await run(['fail'], [failing(new RangeError('no such thing'))]);
    expect(code).toBe(2);
    expect(stderr).toContain('no such thing');
    expect(stderr).toContain('    at ');
  });

  it('does not let a message rewrite the terminal', async () => {
    const { stderr } = await run(['fail'], [failing(new Error('\u001b[2J\u202egone'))]);
    expect(stderr).not.toMatch(/[\u001b\u202e]/);
  });

  it.each([
    [['verfy'], 'unknown command verfy'],
    [['help', 'verfy'], 'unknown command verfy'],
  ])('of %j names what was meant', async (words, text) => {
    const { code, stderr } = await run(words, [{ ...failing(), name: 'verify' }]);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
    expect(stderr).toContain('`crumb verify`');
    expect(stderr).toContain('[usage_invalid]');
  });
});

describe('the bin', () => {
  it('runs as a process, says its version, and colours only for terminals', async () => {
    const [version, overview, forced, wrong] = await Promise.all([
      runCli(['--version'], { cwd }),
      runCli([], { cwd }),
      runCli([], { cwd, env: { FORCE_COLOR: '1' } }),
      runCli(['keygen', 'nothing'], { cwd }),
    ]);
    expect(version).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
    expect(overview.code).toBe(0);
    expect(overview.stdout).not.toContain('\u001b');
    expect(forced.stdout).toContain('\u001b[1m');
    expect(wrong.code).toBe(2);
  });
});
