import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryOptions } from '../support/compile.ts';
import {
  installPackage,
  linkPackage,
  readPackageJson,
  type PackedPackage,
} from '../support/package-files.ts';
import { builtInsReachedFrom } from '../support/reach.ts';

const json = readPackageJson();
const subpaths = Object.keys(json.exports).filter((subpath) => subpath !== './package.json');
const specifierOf = (subpath: string): string => subpath.replace('.', json.name);

let installed: PackedPackage;
beforeAll(() => {
  installed = installPackage();
}, 120_000);
afterAll(() => installed.remove());

describe('the exports', () => {
  it('are the faces of the parts, all of them and nothing else', () => {
    const faces = globSync('src/**/index.ts').map((path) => path.replace(/^src/, './dist'));
    const targets = Object.values(json.exports).map((target) => target.replace(/\.js$/, '.ts'));
    expect(new Set(targets)).toEqual(new Set([...faces, './package.json']));
  });
});

describe('the tarball', () => {
  it('holds what it exports, with types', () => {
    const paths = installed.files.map(({ path }) => path);
    for (const target of [...Object.values(json.exports), ...Object.values(json.bin)]) {
      expect(paths).toContain(target.replace(/^\.\//, ''));
    }
    for (const subpath of subpaths) {
      expect(paths).toContain(json.exports[subpath]?.replace(/^\.\/(.*)\.js$/, '$1.d.ts'));
    }
  });

  it('holds nothing else than it should', () => {
    const allowed =
      /^(dist\/.+\.(js|js\.map|d\.ts)|docs\/.+|README\.md|CHANGELOG\.md|LICENSE|package\.json)$/;
    expect(installed.files.map(({ path }) => path).filter((path) => !allowed.test(path))).toEqual(
      [],
    );
    for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md', 'package.json']) {
      expect(installed.files.map(({ path }) => path)).toContain(file);
    }
  });

  it('holds no output of a file that is gone', () => {
    const orphans = installed.files
      .map(({ path }) => /^dist\/(.+)\.js$/.exec(path)?.[1])
      .filter((name) => name !== undefined && !existsSync(`src/${name}.ts`));
    expect(orphans).toEqual([]);
  });

  it('is of a size that somebody would install', () => {
    const bytes = installed.files.reduce((sum, { size }) => sum + size, 0);
    // Half of it is what debuggers need: maps with their sources.
    expect(bytes).toBeLessThan(5_000_000);
  });

  it('maps to sources that it carries along', () => {
    const map = JSON.parse(
      readFileSync(
        join(installed.project, 'node_modules', json.name, 'dist/errors.js.map'),
        'utf8',
      ),
    ) as { sourcesContent?: string[] }; // a source map
    expect(map.sourcesContent?.[0]).toContain('export class CrumbError');
  });
});

describe('tools that judge packages', () => {
  it.each([
    ['publint', 'publint/src/cli.js', ['--strict']],
    ['attw', '@arethetypeswrong/cli/dist/index.js', ['--pack', '.', '--profile', 'esm-only']],
  ])('%s has nothing to say', (_name, script, words) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [resolve('node_modules', script), ...words],
      { encoding: 'utf8' },
    );
    expect(status, stdout + stderr).toBe(0);
  });
});

describe('a project that installs it', () => {
  it('imports every subpath without an optional peer, but the provider for development', () => {
    const needsPeer = new Set(['./dev']);
    for (const subpath of subpaths.filter((one) => !needsPeer.has(one))) {
      const code = `import * as m from '${specifierOf(subpath)}'; if (Object.keys(m).length === 0) throw 1;`;
      const args = ['--input-type=module', '--eval', code];
      const { status, stderr } = spawnSync(process.execPath, args, {
        cwd: installed.project,
        encoding: 'utf8',
      });
      expect({ subpath, status, stderr }).toEqual({ subpath, status: 0, stderr: '' });
    }
  });

  it('compiles against every subpath, also when the compiler looks into our declarations', () => {
    for (const peer of ['ai', '@types/node']) linkPackage(installed.project, peer);
    const names = subpaths.map((subpath, n) => ({
      name: `m${n}`,
      specifier: specifierOf(subpath),
    }));
    const path = join(installed.project, 'consumer.ts');
    writeFileSync(
      path,
      [
        ...names.map(({ name, specifier }) => `import * as ${name} from '${specifier}';`),
        `export const all: object[] = [${names.map(({ name }) => name).join(', ')}];`,
        `export type Options = import('${json.name}').CrumbOptions;`,
        `export const code: import('${json.name}').CrumbErrorCode = 'chain_mismatch';`,
      ].join('\n'),
    );
    const program = ts.createProgram([path], { ...repositoryOptions(), skipLibCheck: false });
    // Ours alone, one by one: libraries answer for their own declarations, and take a minute.
    const ours = program
      .getSourceFiles()
      .filter(({ fileName }) => fileName === path || fileName.includes(`/${json.name}/dist/`))
      .flatMap((file) => program.getSemanticDiagnostics(file))
      .map(({ file, messageText }) => {
        return `${file?.fileName} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
      });
    expect(program.getSourceFiles().length).toBeGreaterThan(subpaths.length);
    expect(ours).toEqual([]);
  }, 120_000);

  it('runs `crumb`', () => {
    const bin = join(installed.project, 'node_modules', json.name, json.bin['crumb'] ?? '');
    expect(readFileSync(bin, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const run = (...words: string[]): string =>
      execFileSync(process.execPath, [bin, ...words], { cwd: installed.project, encoding: 'utf8' });
    expect(run('--version').trim()).toBe(json.version);
    expect(run('help', 'verify')).toContain('crumb verify');
    expect(JSON.parse(run('init', '--json'))).toMatchObject({ kept: [] });
  });
});

describe('what a stranger runs to check evidence', () => {
  it.each(['verify', 'evidence'])(
    'crumb-ai/%s reaches no built-in of Node and nothing that writes',
    (part) => {
      const start = resolve(`dist/${part}/index.js`);
      const { files, builtIns } = builtInsReachedFrom(start);
      expect(builtIns).toEqual([]);
      const ours = files.filter((file) => file.startsWith(resolve('dist')));
      const parts = new Set(
        ours.map((file) => relative(resolve('dist'), file).split(sep)[0] ?? ''),
      );
      const allowed = ['attribution', 'errors.js', 'evidence', part];
      expect([...parts].filter((one) => !allowed.includes(one))).toEqual([]);
      expect(files.length).toBeGreaterThan(ours.length);
    },
  );

  it('is caught reaching one, also through a package', () => {
    const { builtIns } = builtInsReachedFrom(resolve('dist/gateway/scope.js'));
    expect(builtIns).toContain('node:async_hooks');
  });
});
