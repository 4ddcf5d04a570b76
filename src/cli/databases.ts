/**
 * Which database a command means: a path as people type it, a URL, or the configuration's own.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CrumbError } from '../errors.ts';
import { visible } from '../evidence/visible.ts';
import type { CrumbOptions } from '../gateway/create-crumb.ts';
import { isDatabaseUrl, parseLocation } from '../store/libsql/location.ts';
import { usage } from './arguments.ts';
import type { Terminal } from './terminal/terminal.ts';

/** Where a ledger is. */
export interface DatabasePlace {
  readonly url: string;
  readonly authToken?: string;
  /** Where the file is, if it is one. */
  readonly path?: string;
}

/** The environment variable with the token of a libSQL server. */
export const AUTH_TOKEN = 'CRUMB_LEDGER_TOKEN';

/**
 * Finds the ledger's database. A file must be there: reading must not make one.
 *
 * @throws {CrumbError} `file_unreadable`, `usage_invalid`.
 */
export function ledgerPlace(
  { cwd, env }: Pick<Terminal, 'cwd' | 'env'>,
  operand: string | undefined,
  config: CrumbOptions | undefined,
): DatabasePlace {
  const typed = operand ?? config?.ledger.url;
  if (typed === undefined) throw usage('name a database, or run this where crumb.config.ts is');
  const url = isDatabaseUrl(typed) ? typed : pathToFileURL(resolve(cwd, typed)).href;
  const location = parseLocation(url);
  if (location.kind === 'file') {
    if (!existsSync(location.path))
      throw new CrumbError('file_unreadable', { names: [visible(typed)] });
    return { url, path: location.path };
  }
  const authToken =
    env[AUTH_TOKEN] ?? (operand === undefined ? config?.ledger.authToken : undefined);
  return authToken === undefined ? { url } : { url, authToken };
}
