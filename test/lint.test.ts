/** The linter's rules, each against a planted fault: a rule that catches nothing guards nothing. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const lines = (count: number, line: string): string => Array<string>(count).fill(line).join('\n');

const FAULTS: readonly (readonly [rule: string, path: string, text: string])[] = [
  ['max-lines', 'src/long.ts', lines(401, 'void 0;')],
  ['max-lines-per-function', 'src/f.ts', `export function f(): void {\n${lines(61, 'void 0;')}\n}`],
  ['max-depth', 'src/deep.ts', 'if (a) { if (b) { if (c) { if (d) { void 0; } } } }'],
  [
    'max-params',
    'src/params.ts',
    'export const f = (a: 1, b: 1, c: 1, d: 1): void => void [a, b, c, d];',
  ],
  ['no-explicit-any', 'src/any.ts', 'export const a = (x: any): void => void x;'],
  ['no-non-null-assertion', 'src/bang.ts', 'export const a = (x?: string): string => x!;'],
  ['explicit-module-boundary-types', 'src/ret.ts', 'export const a = (x: number) => x;'],
  ['no-floating-promises', 'src/floating.ts', 'async function f() {}\nf();'],
  [
    'no-misused-promises',
    'src/misused.ts',
    'export const a = (x: number[]): void => x.forEach(async () => {});',
  ],
  ['only-throw-error', 'src/thrown.ts', `export function f(): never { throw 'text'; }`],
  [
    'return-await',
    'src/await.ts',
    'export async function f(p: Promise<1>): Promise<1> { try { return p; } catch { return 1; } }',
  ],
  [
    'switch-exhaustiveness-check',
    'src/open.ts',
    `export function f(x: 'a' | 'b'): void { switch (x) { case 'a': break; } }`,
  ],
  ['no-default-export', 'src/default.ts', 'export default 1;'],
  ['no-console', 'src/print.ts', `console.log('');`],
  ['no-cycle', 'src/one.ts', `import { b } from './two.ts';\nexport const a = (): unknown => b;`],
  ['no-unused-vars', 'src/unused.ts', 'const a = 1;'],
  ['prefer-node-protocol', 'src/builtin.ts', `import 'fs';`],
  ['no-warning-comments', 'src/left.ts', `// ${'todo'.toUpperCase()}: later\nvoid 0;`],
  [
    'no-focused-tests',
    'test/only.test.ts',
    `import { it } from 'vitest';\nit.only('x', () => {});`,
  ],
  [
    'no-disabled-tests',
    'test/skip.test.ts',
    `import { it } from 'vitest';\nit.skip('x', () => {});`,
  ],
  [
    'valid-expect',
    'test/expect.test.ts',
    `import { expect, it } from 'vitest';\nit('x', () => { expect(1); });`,
  ],
];

const ALLOWED: readonly (readonly [what: string, path: string, text: string])[] = [
  ['printing in the command line', 'src/cli/print.ts', `console.log('');`],
  ['a long test', 'test/long.test.ts', `export function f() {\n${lines(61, 'void 0;')}\n}`],
  ['a default export that a tool wants', 'tool.config.ts', 'export default 1;'],
];

let root: string;
let found: ReadonlyMap<string, readonly string[]>;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'crumb-lint-'));
  const other = [
    '',
    'src/two.ts',
    `import { a } from './one.ts';\nexport const b = (): unknown => a;`,
  ] as const;
  for (const [, path, text] of [...FAULTS, ...ALLOWED, other]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'node_modules']) {
    symlinkSync(resolve(file), join(root, file));
  }
  const { stdout } = spawnSync(
    process.execPath,
    [resolve('node_modules/oxlint/bin/oxlint'), '--format', 'json', '.'],
    { cwd: root, encoding: 'utf8' },
  );
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { code: string; filename: string }[]; // the linter's documented output
  };
  const byFile = new Map<string, string[]>();
  for (const { code, filename } of diagnostics) {
    byFile.set(filename, [...(byFile.get(filename) ?? []), code]);
  }
  found = byFile;
}, 60_000);
afterAll(() => rmSync(root, { recursive: true }));

describe('the linter', () => {
  it.each(FAULTS)('catches %s', (rule, path) => {
    expect(found.get(path)?.map((code) => /\(([^)]+)\)/.exec(code)?.[1])).toContain(rule);
  });

  it.each(ALLOWED)('allows %s', (_what, path) => {
    expect(found.get(path)).toBeUndefined();
  });
});
