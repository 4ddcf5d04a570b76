/**
 * The version of this package, from its own package.json.
 *
 * @module
 */
import { readFileSync } from 'node:fs';

/** From `src/cli` and from `dist/cli` alike, it lies two folders up. */
const PACKAGE = new URL('../../package.json', import.meta.url);

export function version(): string {
  const { version: text } = readPackage();
  return typeof text === 'string' ? text : 'unknown';
}

/** The range of Nodes that run Crumb. */
export function engines(): string {
  const { engines: range } = readPackage();
  return typeof range === 'object' && range !== null && 'node' in range ? String(range.node) : '';
}

function readPackage(): { readonly version?: unknown; readonly engines?: unknown } {
  // Our own file; each member is checked where it is used.
  return JSON.parse(readFileSync(PACKAGE, 'utf8')) as ReturnType<typeof readPackage>;
}
