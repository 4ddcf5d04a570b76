/**
 * The package as it will be published: `npm pack`, unpacked once for all tests of a file.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

/** package.json, as far as tests look at it. */
export interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

export function readPackageJson(): PackageJson {
  // Our own file, whose form npm checks at each install.
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson;
}

export interface PackedFile {
  readonly path: string;
  readonly size: number;
  readonly mode: number;
}

export interface PackedPackage {
  /** A project into which the package, and only what it depends on, is installed. */
  readonly project: string;
  readonly files: readonly PackedFile[];
  remove(): void;
}

/**
 * Packs and installs. Dependencies are the ones of this repository, linked one by one as package.json
 * lists them: what the package imports and does not list is not there. With
 * `CRUMB_PACKAGE_INSTALL=npm`, npm resolves and installs them as it does for a user.
 */
export function installPackage(): PackedPackage {
  if (!existsSync(join(ROOT, 'dist/index.js'))) throw new Error('run `npm run build` first');
  const project = mkdtempSync(join(tmpdir(), 'crumb-package-'));
  const [packed] = JSON.parse(
    npm(['pack', '--json', '--ignore-scripts', '--pack-destination', project], ROOT),
  ) as { filename: string; files: PackedFile[] }[]; // what npm documents
  if (packed === undefined) throw new Error('npm packed nothing');
  const tarball = join(project, packed.filename);
  writeFileSync(join(project, 'package.json'), '{"private":true,"type":"module"}');
  if (process.env['CRUMB_PACKAGE_INSTALL'] === 'npm') {
    npm(['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], project);
  } else unpack(tarball, project);
  return { project, files: packed.files, remove: () => rmSync(project, { recursive: true }) };
}

/** Gives a project a package of this repository that the user would install beside Crumb. */
export function linkPackage(project: string, name: string): void {
  const target = join(project, 'node_modules', name);
  if (existsSync(target)) return;
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules', name), target);
}

function unpack(tarball: string, project: string): void {
  const { name, dependencies } = readPackageJson();
  const target = join(project, 'node_modules', name);
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
  for (const dependency of Object.keys(dependencies)) linkPackage(project, dependency);
}

function npm(words: readonly string[], cwd: string): string {
  return execFileSync('npm', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
