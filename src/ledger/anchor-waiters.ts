/**
 * Who waits for anchors: tool calls that must not run before they are covered, and commands.
 *
 * @module
 */
import { CrumbError, isCrumbError, type CrumbErrorCode } from '../errors.ts';
import type { ReceiptAccepted } from '../evidence/receipt-claim.ts';

export interface WaitOptions {
  /** `witnessed` takes witnesses; `anchored` any anchor. */
  readonly level: 'anchored' | 'witnessed';
  /** After that it is `anchor_timeout`. */
  readonly timeoutMs: number;
}

/** What an anchor answered. */
export interface AnchorAnswered {
  readonly receipt: ReceiptAccepted | undefined;
  readonly error: CrumbErrorCode | undefined;
}

export interface AnchorWaiters {
  /** @throws {CrumbError} `anchor_timeout`, or what {@link AnchorWaiters.end} says. */
  wait(size: number, options: WaitOptions): Promise<void>;
  /** The next answer of an anchor about this size or a larger one. */
  answerOf(anchor: string, size: number, timeoutMs: number): Promise<AnchorAnswered>;
  /** Largest size that somebody waits for; 0 if nobody does. */
  largest(): number;
  /** Smallest size that somebody waits for; Infinity if nobody does. */
  smallest(): number;
  accept(anchor: string, receipt: ReceiptAccepted): void;
  fail(anchor: string, size: number, error: CrumbErrorCode): void;
  end(reason: CrumbError): void;
}

interface Answer extends AnchorAnswered {
  readonly anchor: string;
  readonly size: number;
}

/** What somebody waits for. */
interface Wish {
  readonly size: number;
  readonly takes: (answer: Answer) => boolean;
}

interface Waiter extends Wish {
  readonly settle: (answer: Answer) => void;
  readonly reject: (reason: CrumbError) => void;
}

export function createAnchorWaiters(allowDevelopment: boolean): AnchorWaiters {
  const waiters = new Set<Waiter>();
  /** Sizes that are covered already. */
  const covered = { anchored: 0, witnessed: 0 };

  function counts({ receipt }: AnchorAnswered, level: WaitOptions['level']): boolean {
    if (receipt === undefined || (receipt.development && !allowDevelopment)) return false;
    return level === 'anchored' || receipt.type === 'witness';
  }

  function tell(answer: Answer): void {
    for (const waiter of waiters) {
      if (answer.size >= waiter.size && waiter.takes(answer)) waiter.settle(answer);
    }
  }

  return {
    async wait(size, { level, timeoutMs }) {
      if (covered[level] >= size) return;
      await addWaiter(waiters, { size, takes: (answer) => counts(answer, level) }, timeoutMs);
    },
    async answerOf(anchor, size, timeoutMs) {
      try {
        const wish: Wish = { size, takes: (answer) => answer.anchor === anchor };
        const { receipt, error } = await addWaiter(waiters, wish, timeoutMs);
        return { receipt, error };
      } catch (error) {
        if (!isCrumbError(error)) throw error;
        return { receipt: undefined, error: error.code };
      }
    },
    largest: () => Math.max(0, ...Array.from(waiters, ({ size }) => size)),
    smallest: () => Math.min(...Array.from(waiters, ({ size }) => size)),
    accept(anchor, receipt) {
      const answer: Answer = { anchor, size: receipt.size, receipt, error: undefined };
      for (const level of ['anchored', 'witnessed'] as const) {
        if (counts(answer, level)) covered[level] = Math.max(covered[level], receipt.size);
      }
      tell(answer);
    },
    fail: (anchor, size, error) => tell({ anchor, size, receipt: undefined, error }),
    end(reason) {
      for (const waiter of waiters) waiter.reject(reason);
    },
  };
}

function addWaiter(waiters: Set<Waiter>, wish: Wish, timeoutMs: number): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const end = (): void => {
    clearTimeout(timer);
    waiters.delete(waiter);
  };
  const waiter: Waiter = {
    ...wish,
    settle: (answer) => {
      end();
      resolve(answer);
    },
    reject: (reason) => {
      end();
      reject(reason);
    },
  };
  const timer = setTimeout(() => waiter.reject(new CrumbError('anchor_timeout')), timeoutMs);
  waiters.add(waiter);
  return promise;
}
