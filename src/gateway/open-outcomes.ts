/**
 * Outcomes that the ledger did not take yet. The tool has already acted: turning its success into an
 * error would make a model do it again. So they are tried again until `close`, which then says so.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';
import type { OutcomeBody } from '../evidence/kinds.ts';
import type { Ledger } from '../ledger/ledger.ts';

export interface OpenOutcomes {
  /** Appends an outcome now or, if the ledger refuses it, later. Never throws. */
  append(body: OutcomeBody): Promise<void>;

  /** How many the ledger did not take yet. */
  readonly waiting: number;

  /** A last try. @throws {CrumbError} `ledger_unwritable`: some calls stay "outcome unknown". */
  drain(): Promise<void>;
}

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 10_000;

export function createOpenOutcomes(ledger: Ledger): OpenOutcomes {
  const waiting: OutcomeBody[] = [];
  let timer: NodeJS.Timeout | undefined;
  let delayMs = FIRST_RETRY_MS;
  let cause: unknown;
  let running: Promise<void> | undefined;

  /** One at a time: two would append the same outcome twice. */
  function retry(): Promise<void> {
    running ??= appendWaiting().finally(() => {
      running = undefined;
    });
    return running;
  }

  async function appendWaiting(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    for (let body = waiting[0]; body !== undefined; body = waiting[0]) {
      try {
        await ledger.append([{ kind: 'outcome', body }]);
      } catch (error) {
        cause = error;
        delayMs = Math.min(delayMs * 2, LAST_RETRY_MS);
        schedule();
        return;
      }
      waiting.shift();
      delayMs = FIRST_RETRY_MS;
    }
  }

  function schedule(): void {
    timer ??= setTimeout(() => void retry(), delayMs);
    timer.unref(); // what cannot be written must not keep a process alive
  }

  return {
    get waiting() {
      return waiting.length;
    },
    async append(body) {
      try {
        await ledger.append([{ kind: 'outcome', body }]);
      } catch (error) {
        cause = error;
        waiting.push(body);
        schedule();
      }
    },
    async drain() {
      await running;
      await retry();
      clearTimeout(timer);
      if (waiting.length > 0) throw new CrumbError('ledger_unwritable', { cause });
    },
  };
}
