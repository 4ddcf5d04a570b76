/**
 * What the commands that run a development service have in common.
 *
 * @module
 */
import { once } from 'node:events';
import { CrumbError } from '../errors.ts';
import { visible } from '../evidence/visible.ts';
import { EXIT } from './command.ts';
import type { Style } from './terminal/style.ts';
import type { Answer, Terminal } from './terminal/terminal.ts';

/**
 * Runs a service that has started, until Ctrl-C.
 *
 * @returns The exit code.
 */
export async function runUntilStopped(
  service: { close(): Promise<void> },
  terminal: Terminal,
  banner: Answer,
): Promise<number> {
  // From the first line on that somebody can read.
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  terminal.print(banner);
  await stopped;
  await service.close();
  return EXIT.ok;
}

/** Writes the events of a service beside its answer, for people, each with the time of day. */
export function noteEvents<E>(
  terminal: Terminal,
  describe: (event: E) => string,
): (event: E) => void {
  return (event) => {
    if (terminal.json) return;
    const moment = new Date().toISOString().slice(11, 19);
    terminal.note(`${terminal.noteStyle.dim(moment)} ${visible(describe(event))}`);
  };
}

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

/** Names a port that is taken; throws anything else as it is. */
export function portTaken(cause: unknown): never {
  const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
  if (taken) throw new CrumbError('port_taken', { names: ['choose another with --port'] });
  throw cause;
}
