/**
 * Where a database is: a file of this machine, or a libSQL server.
 *
 * @module
 */
import { closeSync, existsSync, openSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CrumbError } from '../../errors.ts';

export type Location =
  | { readonly kind: 'file'; readonly url: string; readonly path: string }
  | { readonly kind: 'server'; readonly url: string };

const SERVER = /^(?:libsql|https?|wss?):\/\//;

/**
 * @param url `file:crumb.db`, `file:///var/crumb.db`, `libsql://…`, `https://…`, `http://…`, `ws(s)://…`.
 * @throws {CrumbError} `config_invalid` for anything else. In-memory databases are none of these: each
 *   connection would have its own.
 */
export function parseLocation(url: string): Location {
  if (SERVER.test(url)) return { kind: 'server', url };
  const path = /^file:(?!:memory:)([^?#]+)$/.exec(url)?.[1];
  if (path === undefined) throw new CrumbError('config_invalid', { names: ['database URL'] });
  const local = path.startsWith('//') ? fileURLToPath(url) : resolve(decodeURIComponent(path));
  return { kind: 'file', url, path: local };
}

/** Whether this is the URL of a database, and not a path. */
export function isDatabaseUrl(text: string): boolean {
  return SERVER.test(text) || text.startsWith('file:');
}

/** One name for one file, however it is reached. The file need not exist, its directory must. */
export function canonicalPath(path: string): string {
  try {
    return existsSync(path)
      ? realpathSync(path)
      : join(realpathSync(dirname(path)), basename(path));
  } catch (cause) {
    throw new CrumbError('ledger_unwritable', { cause });
  }
}

/** Makes the file so that only its owner reads it; its journal takes over its mode. */
export function createPrivateFile(path: string): void {
  if (existsSync(path)) return;
  try {
    closeSync(openSync(path, 'a', 0o600));
  } catch (cause) {
    throw new CrumbError('ledger_unwritable', { cause });
  }
}
