/** Which parts hang on which. This table is the diagram; the documents only draw it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import {
  cyclesOf,
  forbiddenImports,
  importsOf,
  partOf,
  readSources,
  starExportsOf,
  targetOf,
  undocumentedExports,
  unprovedCastsIn,
  valueImportsOf,
  type PartRules,
  type Source,
} from './support/source-tree.ts';

const BELOW_TOKEN = ['errors', 'attribution', 'evidence'];
const BESIDE_GATEWAY = ['token', 'ledger', 'exchange', 'store', 'vault', 'anchor', 'resource'];
const BELOW_GATEWAY = [...BELOW_TOKEN, ...BESIDE_GATEWAY];
const DATABASE = ['@libsql/client', 'drizzle-orm', 'node:crypto', 'node:fs', 'node:path'];

/** A package stands for its subpaths too. A part without an entry may import nothing and not exist. */
const RULES: PartRules = {
  errors: { parts: [], packages: [] },
  attribution: { parts: ['errors'], packages: ['canonicalize'] },
  // No built-ins: these bytes are checked in browsers and workers too.
  evidence: { parts: ['errors', 'attribution'], packages: ['@noble', 'canonicalize'] },
  verify: { parts: BELOW_TOKEN, packages: ['@noble/hashes'] }, // and never what writes
  token: { parts: BELOW_TOKEN, packages: ['jose'] },
  ledger: {
    parts: BELOW_TOKEN,
    packages: ['node:crypto', 'node:fs', 'node:path', 'node:timers/promises', 'node:util'],
  },
  exchange: { parts: [...BELOW_TOKEN, 'token', 'ledger'], packages: ['jose', 'openid-client'] },
  store: {
    parts: [...BELOW_TOKEN, 'ledger'],
    packages: [...DATABASE, 'node:timers/promises', 'node:url', 'node:worker_threads'],
  },
  vault: { parts: [...BELOW_TOKEN, 'ledger'], packages: DATABASE },
  anchor: {
    parts: [...BELOW_TOKEN, 'ledger'],
    packages: ['@noble/hashes', '@sigstore', 'node:crypto', 'node:fs', 'node:path'],
  },
  resource: { parts: [...BELOW_TOKEN, 'token'], packages: ['jose', 'node:http'] },
  gateway: {
    parts: BELOW_GATEWAY,
    packages: ['node:async_hooks', 'node:crypto', 'node:fs'],
  },
  ai: { parts: [...BELOW_GATEWAY, 'gateway'], packages: ['ai', 'node:crypto'] },
  dev: {
    parts: [...BELOW_TOKEN, 'token'],
    packages: ['@noble/curves', 'jose', 'oidc-provider', ...builtIns('crypto events fs http path')],
  },
  index: { parts: [...BELOW_GATEWAY, 'gateway'], packages: [] },
  cli: {
    parts: [...BELOW_GATEWAY, 'gateway', 'ai', 'dev', 'verify'],
    packages: [
      '@ai-sdk/openai',
      '@libsql/client',
      'ai',
      'jose',
      'zod',
      ...builtIns('child_process crypto events fs http module os path process stream url util'),
    ],
  },
};

/** Optional peers: who does not use a host must not need it. */
const TYPES_ONLY = ['ai', 'openai'];

const sources = readSources('src/**/*.ts');

function builtIns(names: string): string[] {
  return names.split(' ').flatMap((name) => [`node:${name}`]);
}

function planted(path: string, text: string): Source[] {
  return [...sources, { path, text }];
}

describe('parts', () => {
  it('are all known, and no others', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect([...new Set(sources.map(({ path }) => partOf(path)))].toSorted()).toEqual(
      Object.keys(RULES).toSorted(),
    );
  });

  it('import only what stands in their row', () => {
    expect(forbiddenImports(sources, RULES)).toEqual([]);
  });

  it.each([
    ['upwards', 'src/evidence/planted.ts', `import type { Ledger } from '../ledger/ledger.ts';`],
    ['what writes', 'src/verify/planted.ts', `export { openVault } from '../vault/open-vault.ts';`],
    ['a built-in', 'src/verify/planted.ts', `import { readFileSync } from 'node:fs';`],
    ['a package', 'src/token/planted.ts', `const { z } = await import('zod');`],
    [
      'a type in passing',
      'src/errors.ts',
      `export type P = import('./attribution/judge.ts').Verdict;`,
    ],
    ['another part of the repository', 'src/dev/planted.ts', `import '../../test/support/x.ts';`],
    ['from a part nobody knows', 'src/utils/planted.ts', `import '../errors.ts';`],
  ])('are caught importing %s', (_what, path, text) => {
    expect(forbiddenImports([{ path, text }], RULES)).toHaveLength(1);
  });
});

describe('files', () => {
  it('import each other in no circle', () => {
    expect(cyclesOf(sources)).toEqual([]);
  });

  it('are caught in a circle, also of types and across folders', () => {
    const circle: Source[] = [
      { path: 'src/a/one.ts', text: `import type { Two } from '../b/two.ts';` },
      { path: 'src/b/two.ts', text: `export { three } from './three.ts';` },
      { path: 'src/b/three.ts', text: `await import('../a/one.ts');` },
    ];
    expect(cyclesOf(circle)).toEqual([
      'src/a/one.ts -> src/b/two.ts -> src/b/three.ts -> src/a/one.ts',
    ]);
  });

  const faces = (list: readonly Source[]): string[] =>
    list.flatMap((source) =>
      importsOf(source)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => targetOf(source, specifier))
        .filter((target) => target.endsWith('/index.ts')),
    );

  it('reach past the public faces, which are for users alone', () => {
    expect(faces(sources)).toEqual([]);
    expect(
      faces(planted('src/cli/x.ts', `import { leafHash } from '../evidence/index.ts';`)),
    ).toEqual(['src/evidence/index.ts']);
  });

  it('take types alone from packages that a user may not have, or load them when asked to', () => {
    // The demo is run where they are; the packaging test runs the rest of `crumb` where they are not.
    const parts = sources.filter(({ path }) => !path.startsWith('src/cli/demo/'));
    expect(valueImportsOf(parts, TYPES_ONLY)).toEqual([]);
    const text = `import { tool, type Tool } from 'ai';\nimport type { UIMessage } from 'ai';`;
    expect(valueImportsOf([{ path: 'src/ai/x.ts', text }], TYPES_ONLY)).toEqual([
      'src/ai/x.ts -> ai',
    ]);
  });

  it('export names, never a whole file', () => {
    expect(starExportsOf(sources)).toEqual([]);
    expect(starExportsOf([{ path: 'src/x.ts', text: `export * from './y.ts';` }])).toHaveLength(1);
  });

  it('cast only under a comment that proves it', () => {
    expect(unprovedCastsIn(sources)).toEqual([]);
    const text = '// It is one.\nexport const a = x as A;\n\nexport const b = y as B;\nz as const;';
    expect(unprovedCastsIn([{ path: 'src/x.ts', text }])).toEqual(['src/x.ts:4']);
  });

  it('have names that say what is inside', () => {
    const vague = /(^|-)(util|utils|helper|helpers|common|manager|handle|process|data|misc)(-|$)/;
    const names = sources.map(({ path }) => path.split('/').at(-1)?.replace(/\.ts$/, '') ?? '');
    expect(
      names.filter((name) => vague.test(name) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)),
    ).toEqual([]);
  });

  it('open with what they are', () => {
    const silent = sources.filter(({ text }) => !/^(#!.*\n)?\/\*\*[^]*?\*\/\n/.test(text));
    expect(silent.map(({ path }) => path)).toEqual([]);
  });
});

describe('the public faces', { timeout: 120_000 }, () => {
  const entries = sources.map(({ path }) => path).filter((path) => path.endsWith('/index.ts'));
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)).config,
    ts.sys,
    '.',
  );

  it('document every name', () => {
    expect(entries.length).toBeGreaterThan(4);
    const paths = entries.map((path) => resolve(path));
    expect(undocumentedExports(paths, options)).toEqual([]);
  });

  it('are caught with a name that nobody explains', () => {
    const folder = mkdtempSync(join(tmpdir(), 'crumb-planted-'));
    try {
      const path = join(folder, 'index.ts');
      writeFileSync(path, '/** Said. */\nexport const said = 1;\nexport const silent = 2;\n');
      expect(undocumentedExports([path], options)).toEqual([`${path}: silent`]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
