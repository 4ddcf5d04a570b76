/**
 * Takes checkpoints to anchors: as genesis declares it, and at once where somebody waits. It never stands in
 * the way of a tool call; what does not succeed is tried again, also after a restart.
 *
 * @module
 */
import { CrumbError, isCrumbError, type CrumbErrorCode } from '../errors.ts';
import type { ReceiptAccepted, ReceiptType } from '../evidence/receipt-claim.ts';
import type { Anchor } from './anchor.ts';
import type { AnchoredLedger } from './anchor-attempt.ts';
import { planCheckpoint, planDue, type AnchorPlanning } from './anchor-plan.ts';
import type { AnchorJob } from './anchor-records.ts';
import { createAnchorRunner, type AnchorRunner } from './anchor-runner.ts';
import { createAnchorWaiters, type AnchorWaiters, type WaitOptions } from './anchor-waiters.ts';

export interface AnchorSchedulerOptions {
  /** Closed by its owner, after the scheduler. */
  readonly ledger: AnchoredLedger;
  /** Each of its own name, and prepared. */
  readonly anchors: readonly Anchor[];
  /** Whether logs and witnesses for development satisfy who waits. Default false. */
  readonly allowDevelopment?: boolean | undefined;
  /** Default: the system's clock. */
  readonly clock?: (() => Date) | undefined;
  /** From 0 to 1: spreads retries. Default: random. */
  readonly spread?: (() => number) | undefined;
  /** Told about attempts that failed, with the name of the anchor. They are made again. */
  readonly onProblem?: ((problem: CrumbError, anchor: string | undefined) => void) | undefined;
}

/** What became of one anchor. */
export interface AnchorOutcome {
  readonly anchor: string;
  readonly type: ReceiptType;
  /** undefined if there was none in time. */
  readonly receipt: ReceiptAccepted | undefined;
  /** Why not. */
  readonly error: CrumbErrorCode | undefined;
}

export interface AnchorScheduler {
  /** Whether an anchor of this kind is there. */
  has(type: ReceiptType): boolean;

  /**
   * Waits until entries up to a size are covered. It takes a checkpoint to the anchors at once.
   *
   * @param size Number of entries that must be covered.
   * @throws {CrumbError} `anchor_timeout`; `config_invalid`: there is no anchor that could;
   *   `ledger_closed`.
   */
  waitFor(size: number, options: WaitOptions): Promise<void>;

  /** Takes what there is to every anchor now, and says what became of it. */
  anchorNow(options: { readonly timeoutMs: number }): Promise<readonly AnchorOutcome[]>;

  /** Does what is due, and resolves when nothing more is. The timer calls it; so may a job of the host. */
  run(): Promise<void>;

  /** Jobs that wait. */
  jobs(): Promise<readonly AnchorJob[]>;

  /** Ends attempts; what is not done stays a job for the next start. */
  close(): Promise<void>;
}

/** Other processes append too: how often to look, at least and at most, in milliseconds. */
const LOOK_MS = { least: 100, most: 60_000 } as const;

/** Starts looking after the anchors of a ledger. */
export function createAnchorScheduler(options: AnchorSchedulerOptions): AnchorScheduler {
  const { ledger, anchors, clock = () => new Date(), spread = Math.random } = options;
  const planning: AnchorPlanning = { ledger, anchors, clock };
  const waiters = createAnchorWaiters(options.allowDevelopment ?? false);
  let closed = false;
  const onProblem = (problem: CrumbError, anchor: string | undefined): void => {
    if (!closed) options.onProblem?.(problem, anchor);
  };
  const runner = createAnchorRunner({
    ...planning,
    waiters,
    spread,
    onProblem,
    onEnd: () => void pulse.beat(),
  });
  const pulse = createPulse(async () => {
    try {
      return await look(planning, { runner, waiters });
    } catch (error) {
      if (isCrumbError(error)) onProblem(error, undefined);
      return LOOK_MS.most;
    }
  });

  return {
    has: (type) => anchors.some((anchor) => anchor.type === type),
    async waitFor(size, wait) {
      if (closed) throw new CrumbError('ledger_closed');
      const isThere = anchors.some(({ type }) => wait.level === 'anchored' || type === 'witness');
      if (!isThere) throw new CrumbError('config_invalid', { names: ['anchors'] });
      const covered = waiters.wait(size, wait);
      void pulse.beat();
      await covered;
    },
    async anchorNow({ timeoutMs }) {
      const size = await planCheckpoint(planning, true);
      const asked = anchors.map(async ({ name, type }) => {
        const answer = await waiters.answerOf(name, size, timeoutMs);
        return { anchor: name, type, ...answer };
      });
      void pulse.beat();
      return Promise.all(asked);
    },
    async run() {
      do {
        await pulse.beat();
        await runner.settled();
      } while (pulse.isBeating() || runner.isBusy());
    },
    jobs: () => ledger.anchoring.jobs(),
    async close() {
      closed = true;
      runner.abort();
      waiters.end(new CrumbError('ledger_closed'));
      await pulse.stop();
      await runner.settled();
    },
  };
}

/** Plans and starts what is due; answers in how many milliseconds to look again. */
async function look(
  planning: AnchorPlanning,
  { runner, waiters }: { readonly runner: AnchorRunner; readonly waiters: AnchorWaiters },
): Promise<number> {
  await recall(planning, waiters);
  const due = await planDue(planning, waiters.largest());
  await runner.startDue();
  const next = Math.min(due, await runner.nextAt());
  return Math.min(next - planning.clock().getTime(), LOOK_MS.most);
}

interface Pulse {
  /** Looks now; once more if it is looking already. Resolves when it is done. */
  beat(): Promise<void>;
  isBeating(): boolean;
  stop(): Promise<void>;
}

/** Looks now, whenever it is told to, and when the last look said. Never twice at a time. */
function createPulse(lookNow: () => Promise<number>): Pulse {
  let beating: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function beat(): Promise<void> {
    let delay: number = LOOK_MS.most;
    do {
      again = false;
      delay = await lookNow();
    } while (again);
    arm(delay);
  }

  function arm(delayMs: number): void {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(() => void pulse.beat(), Math.max(delayMs, LOOK_MS.least));
    timer.unref(); // anchoring must not keep a process alive: the job is there at the next start
  }

  const pulse: Pulse = {
    beat() {
      if (stopped) return Promise.resolve();
      clearTimeout(timer);
      again = true;
      beating ??= beat().finally(() => {
        beating = undefined;
      });
      return beating;
    },
    isBeating: () => beating !== undefined,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await beating;
    },
  };
  arm(0);
  return pulse;
}

/** Receipts that another process was given, or that were there before. */
async function recall({ ledger, anchors }: AnchorPlanning, waiters: AnchorWaiters): Promise<void> {
  const { anchoring, origin, vkey } = ledger;
  const wanted = waiters.smallest();
  if (wanted === Infinity) return;
  for (const anchor of anchors) {
    const kept = await anchoring.lastReceipt(anchor.name);
    if (kept === undefined || kept.size < wanted) continue;
    const note = (await anchoring.note(kept.size)) ?? '';
    const verdict = await anchor.verify({ note, origin, vkey, size: kept.size }, kept);
    if (verdict.ok) waiters.accept(anchor.name, verdict);
  }
}
