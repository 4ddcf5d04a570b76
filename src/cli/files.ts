/**
 * Files that the command line makes: never over another one, secrets for their owner alone.
 *
 * @module
 */
import { mkdirSync, openSync, closeSync, fsyncSync, writeSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { CrumbError } from '../errors.ts';
import { visible } from '../evidence/visible.ts';

export const SECRET_MODE = 0o600;
export const PUBLIC_MODE = 0o644;

/** A file to be made. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly secret: boolean;
}

/**
 * Writes a file that is not there yet; it is on disk when this returns.
 *
 * @returns Whether it was written: false, and nothing changed, if there is one.
 * @throws {CrumbError} `file_unwritable`.
 */
export function writeNew({ path, text, secret }: NewFile): boolean {
  const fail = (cause: unknown): never => {
    throw new CrumbError('file_unwritable', { cause, names: [visible(path)] });
  };
  try {
    mkdirSync(dirname(path), { recursive: true, mode: secret ? 0o700 : 0o755 });
  } catch (cause) {
    fail(cause);
  }
  try {
    // `wx` is one step: no file can slip in between a look and a write, and no link is followed.
    const file = openSync(path, 'wx', secret ? SECRET_MODE : PUBLIC_MODE);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return true;
  } catch (cause) {
    return isExisting(cause) ? false : fail(cause);
  }
}

/** A path as a person would type it here. */
export function shown(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') ? path : short;
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
