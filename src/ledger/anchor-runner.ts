/**
 * Attempts that are under way, one for each anchor, and what becomes of those that fail.
 *
 * @module
 */
import { CrumbError, isCrumbError } from '../errors.ts';
import type { Anchor } from './anchor.ts';
import { attemptAnchor } from './anchor-attempt.ts';
import type { AnchorPlanning } from './anchor-plan.ts';
import type { AnchorJob } from './anchor-records.ts';
import type { AnchorWaiters } from './anchor-waiters.ts';

export interface AnchorRunnerOptions extends AnchorPlanning {
  readonly waiters: AnchorWaiters;
  /** From 0 to 1: spreads retries. */
  readonly spread: () => number;
  readonly onProblem: (problem: CrumbError, anchor: string | undefined) => void;
  /** An attempt has ended: there may be more to do. */
  readonly onEnd: () => void;
}

export interface AnchorRunner {
  /** Starts all jobs that are due, at anchors that are free. */
  startDue(): Promise<void>;
  /** When the next job of a free anchor is due, in milliseconds since 1970. */
  nextAt(): Promise<number>;
  isBusy(): boolean;
  settled(): Promise<void>;
  /** Ends attempts. Their jobs stay, as if they had not been tried. */
  abort(): void;
}

/** After a crash in the middle of an attempt, others may try. Longer than any attempt takes. */
const LEASE_MS = 120_000;

const RETRY_MS = { first: 5_000, most: 15 * 60_000 } as const;

export function createAnchorRunner(options: AnchorRunnerOptions): AnchorRunner {
  const { ledger, anchors, clock, waiters, onEnd } = options;
  const { anchoring } = ledger;
  const attempts = new Map<string, Promise<void>>();
  const abort = new AbortController();

  function start(anchor: Anchor, job: AnchorJob): void {
    const attempt = (async () => {
      try {
        const { signal } = abort;
        const receipt = await attemptAnchor({ ledger, anchor, job, clock, signal });
        waiters.accept(anchor.name, receipt);
      } catch (error) {
        const failure = { job, error, isAborted: abort.signal.aborted };
        await putBack(options, failure);
      }
    })();
    attempts.set(
      anchor.name,
      attempt.finally(() => {
        attempts.delete(anchor.name);
        onEnd();
      }),
    );
  }

  return {
    async startDue() {
      for (;;) {
        const free = anchors.filter(({ name }) => !attempts.has(name));
        const now = clock();
        const until = new Date(now.getTime() + LEASE_MS);
        const job = await anchoring.take({ anchors: free.map(({ name }) => name), now, until });
        const anchor = free.find(({ name }) => name === job?.anchor);
        if (job === undefined || anchor === undefined) return;
        start(anchor, job);
      }
    },
    async nextAt() {
      const free = anchors.filter(({ name }) => !attempts.has(name));
      const jobs = (await anchoring.jobs()).filter(({ anchor }) =>
        free.some(({ name }) => name === anchor),
      );
      return Math.min(...jobs.map(({ nextAt }) => nextAt.getTime()));
    },
    isBusy: () => attempts.size > 0,
    async settled() {
      await Promise.all(attempts.values());
    },
    abort: () => abort.abort(),
  };
}

interface Failure {
  readonly job: AnchorJob;
  readonly error: unknown;
  readonly isAborted: boolean;
}

async function putBack(
  { ledger, clock, spread, waiters, onProblem }: AnchorRunnerOptions,
  { job, error, isAborted }: Failure,
): Promise<void> {
  const problem = isCrumbError(error)
    ? error
    : new CrumbError('anchor_unreachable', { cause: error });
  if (!isAborted) onProblem(problem, job.anchor);
  waiters.fail(job.anchor, job.size, problem.code);
  const tries = isAborted ? job.tries : job.tries + 1;
  const delay = isAborted ? 0 : delayAfter(tries, spread());
  const nextAt = new Date(clock().getTime() + delay);
  const failed = { ...job, tries, nextAt, error: isAborted ? job.error : problem.code };
  // If this does not succeed either, the lease runs out.
  await ledger.anchoring.retry(failed).catch((second: unknown) => {
    if (!isAborted && isCrumbError(second)) onProblem(second, job.anchor);
  });
}

function delayAfter(tries: number, spread: number): number {
  return Math.min(RETRY_MS.first * 2 ** (tries - 1), RETRY_MS.most) * (0.5 + spread / 2);
}
