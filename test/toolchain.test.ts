import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { satisfies, supportedNodes } from '../scripts/engines.mjs';
import { summaryLine } from './support/summary-reporter.ts';

const VITEST = resolve('node_modules/vitest/vitest.mjs');

const PLANTED = {
  'mixed.test.ts': `import { expect, it } from 'vitest';
    it('passes', () => {});
    it('fails', () => { expect(1).toBe(2); });
    it.skip('is left out', () => {});`,
  'unloadable.test.ts': `import './no-such-file.ts';`,
  'hook.test.ts': `import { beforeAll, describe, it } from 'vitest';
    describe('a suite', () => {
      beforeAll(() => { throw new Error('planted'); });
      it('never runs', () => {});
    });`,
};

describe('the Node that runs these tests', () => {
  it('is one that `engines` allows', () => {
    expect(satisfies(process.versions.node)).toBe(true);
  });

  it('is the one that CRUMB_NODE asks for, which else would pass on another in silence', () => {
    const { node } = process.versions;
    const wanted = process.env['CRUMB_NODE'] ?? node;
    expect([node, node.split('.')[0]]).toContain(wanted);
  });
});

describe('the range of Nodes', () => {
  it.each([
    ['20.20.2', false],
    ['22.22.1', false],
    ['22.22.2', true],
    ['22.30.0', true],
    ['23.9.0', false],
    ['24.14.9', false],
    ['24.15.0', true],
    ['25.1.0', false],
    ['26.0.0', true],
    ['27.3.1', true],
  ])('%s: %s', (version, allowed) => {
    expect(satisfies(version)).toBe(allowed);
  });

  it('is refused where its form is not understood, not taken for satisfied', () => {
    expect(() => satisfies('24.0.0', '~24')).toThrow(TypeError);
  });

  it('stands in package.json', () => {
    expect(supportedNodes()).toMatch(/\^22/);
  });
});

describe('the launcher', () => {
  it('runs a script on the present Node when that will do, and passes arguments and exit code on', () => {
    const script = 'scripts/with-node.mjs';
    const code = 'process.stdout.write(process.version); process.exitCode = 3';
    const run = (): string =>
      execFileSync(process.execPath, [script, '--eval', code], { encoding: 'utf8' });
    expect(run).toThrow(expect.objectContaining({ status: 3, stdout: process.version }));
  });
});

describe('the last line of a run', () => {
  it.each([
    [{ passed: 2, failed: 0, skipped: 0 }, '2 passed, 0 failed'],
    [{ passed: 2, failed: 1, skipped: 3 }, '2 passed, 1 failed, 3 skipped'],
  ])('%o', (tally, line) => {
    expect(summaryLine(tally)).toBe(line);
  });

  it('counts a file that does not load and a hook that throws as failures', () => {
    const root = mkdtempSync(join(tmpdir(), 'crumb-planted-'));
    try {
      symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
      mkdirSync(join(root, 'test'));
      for (const [name, source] of Object.entries(PLANTED)) {
        writeFileSync(join(root, 'test', name), source);
      }
      const { status, stdout } = spawnSync(
        process.execPath,
        [VITEST, 'run', '--root', root, '--config', resolve('vitest.config.ts')],
        { encoding: 'utf8' },
      );
      expect(status).toBe(1);
      expect(stdout.trimEnd().split('\n').at(-1)).toBe('1 passed, 3 failed, 2 skipped');
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
