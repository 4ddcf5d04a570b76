/**
 * What the commands that run a development service have in common.
 *
 * @module
 */
import { once } from 'node:events';
import { CrumbError } from '../errors.ts';
import { visible } from '../evidence/visible.ts';
import type { Style } from './terminal/style.ts';

/** Says loudly what it is not for, and then where things are. @param because Half a sentence. */
export function developmentBanner(
  style: Style,
  because: string,
  rows: readonly (readonly [string, string])[],
): readonly string[] {
  const line = (text: string): string => style.yellow(`  ${text.padEnd(72)}  `);
  return [
    style.yellow('━'.repeat(76)),
    line(`FOR DEVELOPMENT ONLY: ${because}`),
    line('What it signs proves nothing outside this machine.'),
    style.yellow('━'.repeat(76)),
    ...rows.map(([term, text]) => `${style.bold(term.padEnd(12))} ${visible(text)}`),
    '',
    style.dim('Stop with Ctrl-C.'),
  ];
}

/** The time of day, for a line of a log. */
export function moment(): string {
  return new Date().toISOString().slice(11, 19);
}

export async function untilStopped(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

/** Names a port that is taken; throws anything else as it is. */
export function portTaken(cause: unknown): never {
  const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
  if (taken) throw new CrumbError('port_taken', { names: ['choose another with --port'] });
  throw cause;
}
