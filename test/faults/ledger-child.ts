/**
 * A process that writes to a ledger until it is killed, for ledger-processes.test.ts.
 *
 * Reads its task as JSON from its argument. Says `ready` once it is open, and then `seq leaf` for each entry
 * after it was acknowledged. Writes without buffering, so that what it said before it died was said.
 *
 * @module
 */
import { writeSync } from 'node:fs';
import { isCrumbError } from '../../src/errors.ts';
import type { Draft } from '../../src/ledger/ledger.ts';
import { openLibsqlLedger } from '../../src/store/libsql/libsql-ledger.ts';

export interface Task {
  readonly url: string;
  readonly origin: string;
  readonly signingKey: string;
  readonly guard?: string;
  readonly writer: 'inline' | 'worker';
  /** How many append at the same time. */
  readonly callers: number;
  /** How many entries in all; then it closes the ledger. */
  readonly entries: number;
  /** What each appends: an outcome, or an intent after which the process kills itself. */
  readonly draft: Draft;
  readonly dieAfterFirst?: boolean;
  /** Whom to become first: permissions do not hold root. */
  readonly uid?: number | undefined;
}

// Beyond a file size limit a write is to fail, not to end the process.
process.on('SIGXFSZ', () => {});

const say = (line: string): void => void writeSync(1, `${line}\n`);

async function run(task: Task): Promise<void> {
  if (task.uid !== undefined) process.setuid?.(task.uid);
  const ledger = await openLibsqlLedger(task);
  say('ready');
  let left = task.entries;
  const append = async (): Promise<void> => {
    while (left-- > 0) {
      const { entries } = await ledger.append([task.draft]);
      for (const { seq, leaf } of entries) say(`${seq} ${Buffer.from(leaf).toString('hex')}`);
      if (task.dieAfterFirst === true) process.kill(process.pid, 'SIGKILL');
      if (left % 50 === 0) await ledger.checkpoint();
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: task.callers }, append));
  for (const result of settled) if (result.status === 'rejected') throw result.reason;
  await ledger.close();
}

const task: Task = JSON.parse(process.argv[2] ?? '{}');
try {
  await run(task);
  say('closed');
} catch (error) {
  say(`failed ${isCrumbError(error) ? error.code : String(error)}`);
  process.exitCode = 1;
}
