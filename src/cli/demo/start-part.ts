/**
 * Starts the demo's processes and stops them again.
 *
 * @module
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import type { PartConfig, PartMessage } from './part.ts';

export interface StartedPart {
  readonly url: string;
  readonly pid: number;
  /** Asks it to end and waits until it has. */
  stop(): Promise<void>;
}

const START_MS = 30_000;

/** Provider keys of the parent are nobody's business in a child that needs none. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TEMP',
  'SystemRoot',
  'NODE_ENV',
  'NO_COLOR',
  'FORCE_COLOR',
];

/** @param env What the process gets besides the usual: only the agent's gets a model's key. */
export async function startPart(
  config: PartConfig,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<StartedPart> {
  const file = new URL(`./part${extname(import.meta.filename)}`, import.meta.url);
  const usual = Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]]));
  const child = fork(file, {
    env: { ...usual, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaints = '';
  child.stderr?.on(
    'data',
    (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-4096)),
  );
  child.send(config);

  const deadline = AbortSignal.timeout(START_MS);
  const answer: unknown = await Promise.race([
    once(child, 'message', { signal: deadline }).then(([message]: unknown[]) => message),
    once(child, 'exit', { signal: deadline }).then(() => ({
      failed: complaints || 'it ended at once',
    })),
  ]).catch(() => ({ failed: `it was not ready after ${START_MS / 1000} seconds` }));
  if (!isReady(answer)) {
    child.kill();
    throw new Error(`the demo's ${config.part} process did not start: ${failureOf(answer)}`);
  }
  return {
    url: answer.ready,
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

function isReady(message: unknown): message is Extract<PartMessage, { ready: string }> {
  return typeof message === 'object' && message !== null && 'ready' in message;
}

function failureOf(message: unknown): string {
  const failed = typeof message === 'object' && message !== null && 'failed' in message;
  return failed ? String(message.failed) : 'it gave no sign of life';
}
