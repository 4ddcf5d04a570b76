/**
 * Starts processes that write to a ledger, and reads what they say.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { KEY, ORIGIN, outcome, type Place } from '../ledger/fixtures.ts';
import type { Task } from './ledger-child.ts';

const CHILD = fileURLToPath(new URL('ledger-child.ts', import.meta.url));
const signingKey = KEY.export({ type: 'pkcs8', format: 'pem' }).toString();

export interface Child {
  /** Resolves when the ledger is open, or the process has ended. */
  readonly ready: Promise<void>;
  /** What it has said so far. */
  readonly lines: readonly string[];
  /** What it said until it ended. */
  readonly said: Promise<readonly string[]>;
  kill(): void;
}

/** @param fileBlocks Largest file, as `ulimit -f` takes it. */
export function start(place: Place, task: Partial<Task>, fileBlocks?: number): Child {
  const full: Task = {
    url: place.url,
    origin: ORIGIN,
    signingKey,
    writer: 'inline',
    callers: 4,
    entries: 1e9,
    draft: outcome(1),
    ...task,
  };
  const command = [process.execPath, CHILD, JSON.stringify(full)];
  const limited = ['bash', '-c', `ulimit -f ${fileBlocks}; exec "$@"`, 'bash', ...command];
  const [program = '', ...args] = fileBlocks === undefined ? command : limited;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  const opened = Promise.withResolvers<void>();
  const said = Promise.withResolvers<readonly string[]>();
  const reader = createInterface(child.stdout);
  reader.on('line', (line) => {
    lines.push(line);
    if (line === 'ready') opened.resolve();
  });
  reader.on('close', () => {
    opened.resolve();
    said.resolve(lines);
  });
  return {
    ready: opened.promise,
    lines,
    said: said.promise,
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Acknowledged entries as `seq leaf`, by everyone. */
export function acknowledged(said: readonly (readonly string[])[]): string[] {
  return said.flat().filter((line) => /^\d+ [0-9a-f]{64}$/.test(line));
}
