/**
 * Group commit: what arrives while one commit is written goes into the next. There is no timer; the
 * running commit is the window.
 *
 * @module
 */
import { CrumbError, isCrumbError } from '../errors.ts';
import { createCheckpointSchedule, type CheckpointSchedule } from './checkpoint-schedule.ts';
import type { AppendResult } from './ledger.ts';
import type { LedgerWriter } from './ledger-writer.ts';
import type { PreparedCall } from './prepared-call.ts';

/** Most of one commit. 128 rows keep an event loop's stalls near 18 ms, 512 give 35 to 55. */
const MAX_DRAFTS = 128;
const MAX_BYTES = 1 << 20;

export interface AppendQueue {
  append(call: PreparedCall): Promise<AppendResult>;
  checkpoint(): Promise<string>;
  /** Waits until nothing is queued or being written. */
  flush(): Promise<void>;
  /** Refuses more, waits, and publishes the last head. */
  close(): Promise<void>;
}

export interface QueueOptions {
  readonly writer: LedgerWriter;
  /** When to publish. */
  readonly policy: { readonly entries: number; readonly seconds: number };
  /** Size that a checkpoint covers already. */
  readonly published: number;
  /** Told about a scheduled publication that failed; the next one is tried in time. */
  readonly onProblem?: ((problem: CrumbError) => void) | undefined;
}

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

interface WaitingCall extends Waiting<AppendResult> {
  readonly call: PreparedCall;
}

export function createAppendQueue({
  writer,
  policy,
  published,
  onProblem,
}: QueueOptions): AppendQueue {
  const calls: WaitingCall[] = [];
  const readers: Waiting<string>[] = [];
  const schedule = createCheckpointSchedule({
    ...policy,
    published,
    onTime: () => {
      readers.push(scheduled);
      start();
    },
  });
  const scheduled: Waiting<string> = {
    resolve: () => {},
    reject: (error) => {
      if (isCrumbError(error)) onProblem?.(error);
    },
  };
  let running: Promise<void> | undefined;
  let closed: Promise<void> | undefined;

  function start(): void {
    running ??= serve({ writer, calls, readers, schedule, scheduled }).finally(() => {
      running = undefined;
      if (calls.length > 0 || readers.length > 0) start();
      else schedule.rest(writer.size);
    });
  }

  function enqueue<T>(add: (waiting: Waiting<T>) => void): Promise<T> {
    if (closed !== undefined) throw new CrumbError('ledger_closed');
    return new Promise((resolve, reject) => {
      add({ resolve, reject });
      start();
    });
  }

  async function drain(): Promise<void> {
    for (let last = running; last !== undefined; last = running) await last;
  }

  return {
    append: (call) => enqueue((waiting) => void calls.push({ call, ...waiting })),
    checkpoint: () => enqueue((waiting) => void readers.push(waiting)),
    flush: drain,
    close() {
      closed ??= (async () => {
        schedule.stop();
        await drain();
        await writer.publish();
      })();
      return closed;
    },
  };
}

interface Desk {
  readonly writer: LedgerWriter;
  readonly calls: WaitingCall[];
  readonly readers: Waiting<string>[];
  readonly schedule: CheckpointSchedule;
  readonly scheduled: Waiting<string>;
}

/** One commit at a time, until nobody waits. Never rejects: every failure belongs to someone who waits. */
async function serve({ writer, calls, readers, schedule, scheduled }: Desk): Promise<void> {
  while (calls.length > 0 || readers.length > 0) {
    // Lets everyone who waited for the last commit come back with the next draft before we look.
    await new Promise<void>((resolve) => void setImmediate(resolve));
    await commit(writer, take(calls));
    if (schedule.isDue(writer.size)) readers.push(scheduled);
    if (readers.length === 0) continue;
    const isPublished = await publish(writer, readers.splice(0));
    if (isPublished) schedule.published(writer.size);
    else schedule.failed(writer.size);
  }
}

/** As many waiting calls as one commit takes, in order, and at least one. */
function take(calls: WaitingCall[]): readonly WaitingCall[] {
  let count = 0;
  let bytes = 0;
  let taken = 0;
  for (const { call } of calls) {
    count += call.count;
    bytes += call.bytes;
    if (taken > 0 && (call.alone || count > MAX_DRAFTS || bytes > MAX_BYTES)) break;
    taken++;
    if (call.alone) break;
  }
  return calls.splice(0, taken);
}

async function commit(writer: LedgerWriter, batch: readonly WaitingCall[]): Promise<void> {
  if (batch.length === 0) return;
  try {
    const results = await writer.commit(batch.map(({ call }) => call));
    for (const [n, result] of results.entries()) batch[n]?.resolve(result);
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}

async function publish(writer: LedgerWriter, asked: readonly Waiting<string>[]): Promise<boolean> {
  try {
    const note = await writer.publish();
    for (const { resolve } of asked) resolve(note);
    return true;
  } catch (error) {
    for (const { reject } of asked) reject(error);
    return false;
  }
}
