import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CrumbError } from '../../src/errors.ts';
import type { AnchorBody, Entry } from '../../src/evidence/kinds.ts';
import {
  createAnchorScheduler,
  type AnchorScheduler,
  type AnchorSchedulerOptions,
} from '../../src/ledger/anchor-scheduler.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openLibsqlReader } from '../../src/store/libsql/libsql-reader.ts';
import type { LibsqlLedgerOptions } from '../../src/store/libsql/libsql-ledger.ts';
import { fakeAnchor, testClock, type FakeAnchor } from './anchor-fakes.ts';
import { auditRows, openAt, outcome, rowsAt, temporaryPlace, type Place } from './fixtures.ts';

const MINUTE = 60;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
const coded = (code: string): unknown => expect.objectContaining({ code });
const POLICY = {
  checkpoint: { entries: 1024, seconds: 3600 },
  anchor: { entries: 100, seconds: 900, heartbeat: 86_400, maxGap: 3600, require: ['rekor'] },
};

interface World {
  readonly place: Place;
  readonly ledger: Ledger;
  readonly scheduler: AnchorScheduler;
  readonly clock: ReturnType<typeof testClock>;
  readonly problems: string[];
}

async function worldOf(
  anchors: readonly FakeAnchor[],
  options: Partial<LibsqlLedgerOptions & AnchorSchedulerOptions> & { place?: Place } = {},
): Promise<World> {
  const place = options.place ?? temporaryPlace();
  const clock = testClock();
  const ledger = await openAt(place, { clock: clock.now, policy: POLICY, ...options });
  const problems: string[] = [];
  const scheduler = createAnchorScheduler({
    ledger,
    anchors,
    clock: clock.now,
    spread: () => 1,
    onProblem: (problem, anchor) => problems.push(`${anchor}: ${problem.code}`),
    ...options,
  });
  onTestFinished(() => scheduler.close());
  return { place, ledger, scheduler, clock, problems };
}

async function entriesOf({ place, ledger }: World): Promise<readonly Entry[]> {
  return auditRows(await rowsAt(place), ledger.vkey);
}

async function anchorsOf(world: World): Promise<readonly AnchorBody[]> {
  return (await entriesOf(world)).flatMap((entry) => (entry.kind === 'anchor' ? [entry.body] : []));
}

describe('an anchor schedule', () => {
  it('takes a new ledger to its anchor, and writes back what came of it', async () => {
    const anchor = fakeAnchor();
    const world = await worldOf([anchor]);
    await world.scheduler.run();
    expect(anchor.submitted).toEqual([1]);

    const reader = await openLibsqlReader({ url: world.place.url });
    const [checkpoint] = await reader.checkpoints();
    const receipts = await reader.receipts();
    await reader.close();
    expect(receipts).toMatchObject([
      { anchor: 'rekor', type: 'rekor', size: 1, text: 'rekor saw 1, 1' },
    ]);
    expect(await anchorsOf(world)).toEqual([
      {
        type: 'rekor',
        size: 1,
        note: sha256(checkpoint?.note ?? ''),
        receipt: sha256('rekor saw 1, 1'),
        log: 'rekor.test',
        index: 7,
        at: '2026-11-24T10:00:00.000Z',
        trust: 'A'.repeat(43),
      },
    ]);
    expect(await world.scheduler.jobs()).toEqual([]);
  });

  it('is set off by no anchor entry, only by others, after the time of the policy', async () => {
    const anchor = fakeAnchor();
    const { scheduler, clock, ledger } = await worldOf([anchor]);
    await scheduler.run();
    clock.move(60 * MINUTE);
    await scheduler.run();
    expect(anchor.submitted).toEqual([1]);

    await ledger.append([outcome(0)]);
    clock.move(15 * MINUTE - 1);
    await scheduler.run();
    expect(anchor.submitted).toEqual([1]);
    clock.move(1);
    await scheduler.run();
    expect(anchor.submitted).toEqual([1, 3]);
  });

  it('is set off by as many entries as the policy says', async () => {
    const anchor = fakeAnchor();
    const { scheduler, ledger } = await worldOf([anchor]);
    await scheduler.run();
    await ledger.append(Array.from({ length: 99 }, () => outcome(0)));
    await scheduler.run();
    expect(anchor.submitted).toEqual([1]);
    await ledger.append([outcome(0)]);
    await scheduler.run();
    expect(anchor.submitted).toEqual([1, 102]);
  });

  it('beats when nothing happens, so that silence means something', async () => {
    const anchor = fakeAnchor();
    const { scheduler, clock } = await worldOf([anchor]);
    await scheduler.run();
    clock.move(24 * 60 * MINUTE - 1);
    await scheduler.run();
    expect(anchor.submitted).toEqual([1]);
    clock.move(1);
    await scheduler.run();
    expect(anchor.submitted).toEqual([1, 2]); // over the anchor entry of the first
  });

  it('holds without a policy in genesis too', async () => {
    const anchor = fakeAnchor();
    const { scheduler, clock, ledger } = await worldOf([anchor], {
      policy: { ...POLICY, anchor: null },
    });
    await scheduler.run();
    await ledger.append([outcome(0)]);
    clock.move(15 * MINUTE);
    await scheduler.run();
    expect(anchor.submitted).toEqual([1, 3]);
  });

  it('keeps anchors apart: one that is down stops no other', async () => {
    const log = fakeAnchor();
    const witness = fakeAnchor('witness');
    log.failure = new CrumbError('anchor_unreachable');
    const world = await worldOf([log, witness]);
    await world.scheduler.run();
    expect((await anchorsOf(world)).map(({ type }) => type)).toEqual(['witness']);
    expect(await world.scheduler.jobs()).toMatchObject([{ anchor: 'rekor', size: 1, tries: 1 }]);
  });

  it('works through a writer thread as well', async () => {
    const anchor = fakeAnchor();
    const world = await worldOf([anchor], { writer: 'worker' });
    await world.scheduler.run();
    expect(await anchorsOf(world)).toHaveLength(1);
    await expect(
      world.scheduler.waitFor(1, { level: 'anchored', timeoutMs: 1000 }),
    ).resolves.toBeUndefined();
  });
});

describe('an attempt that fails', () => {
  it('is made again, ever later, and says why', async () => {
    const anchor = fakeAnchor();
    anchor.failure = new CrumbError('anchor_unreachable');
    const { scheduler, clock, problems } = await worldOf([anchor]);
    const delays = [5, 10, 20, 40, 80, 160, 320, 640, 900, 900];
    for (const [n, delay] of delays.entries()) {
      await scheduler.run();
      expect(anchor.submitted).toHaveLength(n + 1);
      expect(await scheduler.jobs()).toEqual([
        {
          anchor: 'rekor',
          size: expect.any(Number),
          tries: n + 1,
          nextAt: new Date(clock.now().getTime() + delay * 1000),
          error: 'anchor_unreachable',
        },
      ]);
      clock.move(delay - 1);
      await scheduler.run();
      expect(anchor.submitted).toHaveLength(n + 1);
      clock.move(1);
    }
    expect(new Set(problems)).toEqual(new Set(['rekor: anchor_unreachable']));
  });

  it('gives way to a later checkpoint, which waits as long', async () => {
    const anchor = fakeAnchor();
    anchor.failure = new CrumbError('anchor_unreachable');
    const { scheduler, clock, ledger } = await worldOf([anchor]);
    await scheduler.run();
    await ledger.append(Array.from({ length: 100 }, () => outcome(0)));
    await scheduler.run();
    expect(anchor.submitted).toEqual([1]);
    expect(await scheduler.jobs()).toMatchObject([{ size: 101, tries: 1 }]);
    anchor.failure = undefined;
    clock.move(5);
    await scheduler.run();
    expect(anchor.submitted).toEqual([1, 101]);
    expect(await scheduler.jobs()).toEqual([]);
  });

  it('leaves no trace of a receipt that does not hold', async () => {
    const anchor = fakeAnchor();
    anchor.verdict = () => ({ ok: false, fault: 'key_mismatch' });
    const world = await worldOf([anchor]);
    await world.scheduler.run();
    expect(await anchorsOf(world)).toEqual([]);
    expect(world.problems).toEqual(['rekor: anchor_receipt_invalid']);
    const reader = await openLibsqlReader({ url: world.place.url });
    expect(await reader.receipts()).toEqual([]);
    await reader.close();
  });

  it('is spread in time, so that many ledgers do not come back at once', async () => {
    const anchor = fakeAnchor();
    anchor.failure = new CrumbError('anchor_unreachable');
    const { scheduler, clock } = await worldOf([anchor], { spread: () => 0 });
    await scheduler.run();
    const [job] = await scheduler.jobs();
    expect(job?.nextAt).toEqual(new Date(clock.now().getTime() + 2500));
  });

  it('says it when a witness has seen another history', async () => {
    const witness = fakeAnchor('witness');
    witness.failure = new CrumbError('ledger_forked');
    const { scheduler, problems } = await worldOf([witness]);
    await scheduler.run();
    expect(problems).toEqual(['witness: ledger_forked']);
    expect(await scheduler.jobs()).toMatchObject([{ error: 'ledger_forked' }]);
  });
});

describe('waiting for anchors', () => {
  const anchored = { level: 'anchored', timeoutMs: 5000 } as const;
  const witnessed = { level: 'witnessed', timeoutMs: 5000 } as const;

  it('takes a checkpoint there at once, also past a delay', async () => {
    const anchor = fakeAnchor();
    anchor.failure = new CrumbError('anchor_unreachable');
    const { scheduler, ledger } = await worldOf([anchor]);
    await scheduler.run();
    anchor.failure = undefined;
    const { entries } = await ledger.append([outcome(0)]);
    await scheduler.waitFor((entries[0]?.seq ?? 0) + 1, anchored);
    expect(anchor.submitted).toEqual([1, 2]);
    await scheduler.waitFor(2, anchored); // known already
    expect(anchor.submitted).toEqual([1, 2]);
  });

  it('covers many who wait with one checkpoint', async () => {
    const anchor = fakeAnchor();
    const { scheduler, ledger } = await worldOf([anchor]);
    await scheduler.run();
    const { promise, resolve } = Promise.withResolvers<void>();
    anchor.gate = promise;
    await ledger.append([outcome(0)]);
    const first = scheduler.waitFor(3, anchored);
    await expect.poll(() => anchor.submitted).toEqual([1, 3]);
    // These come while the first is under way.
    await ledger.append(Array.from({ length: 5 }, () => outcome(0)));
    const others = [4, 5, 8].map((size) => scheduler.waitFor(size, anchored));
    resolve();
    await Promise.all([first, ...others]);
    expect(anchor.submitted).toEqual([1, 3, expect.any(Number)]);
  });

  it('ends in time, whatever the anchors do', async () => {
    const anchor = fakeAnchor();
    anchor.gate = new Promise(() => {});
    const { scheduler } = await worldOf([anchor]);
    const late = scheduler.waitFor(1, { level: 'anchored', timeoutMs: 20 });
    await expect(late).rejects.toThrow(coded('anchor_timeout'));
  });

  it('for witnesses takes no log for one', async () => {
    const log = fakeAnchor();
    const witness = fakeAnchor('witness');
    witness.failure = new CrumbError('anchor_unreachable');
    const { scheduler } = await worldOf([log, witness]);
    await scheduler.waitFor(1, anchored);
    const late = scheduler.waitFor(1, { level: 'witnessed', timeoutMs: 50 });
    await expect(late).rejects.toThrow(coded('anchor_timeout'));
    witness.failure = undefined;
    await scheduler.waitFor(2, witnessed);
  });

  it('is refused where no anchor could satisfy it', async () => {
    const { scheduler } = await worldOf([fakeAnchor()]);
    await expect(scheduler.waitFor(1, witnessed)).rejects.toThrow(coded('config_invalid'));
    const bare = (await worldOf([])).scheduler;
    await expect(bare.waitFor(1, anchored)).rejects.toThrow(coded('config_invalid'));
    expect([scheduler.has('rekor'), scheduler.has('witness')]).toEqual([true, false]);
  });

  it('is not satisfied by a log for development, unless that is allowed', async () => {
    const development = (): FakeAnchor => {
      const anchor = fakeAnchor();
      anchor.verdict = (verdict) => (verdict.ok ? { ...verdict, development: true } : verdict);
      return anchor;
    };
    const { scheduler } = await worldOf([development()]);
    const late = scheduler.waitFor(1, { level: 'anchored', timeoutMs: 50 });
    await expect(late).rejects.toThrow(coded('anchor_timeout'));
    const allowed = await worldOf([development()], { allowDevelopment: true });
    await allowed.scheduler.waitFor(1, anchored);
  });

  it('ends when the scheduler is closed', async () => {
    const anchor = fakeAnchor();
    anchor.gate = new Promise(() => {});
    const { scheduler, problems } = await worldOf([anchor]);
    const waiting = scheduler.waitFor(1, anchored);
    await expect.poll(() => anchor.submitted).toHaveLength(1);
    const [ended] = await Promise.allSettled([waiting, scheduler.close()]);
    expect(ended).toMatchObject({ reason: { code: 'ledger_closed' } });
    await expect(scheduler.waitFor(1, anchored)).rejects.toThrow(coded('ledger_closed'));
    expect(problems).toEqual([]);
    // As if it had not been tried.
    expect(await scheduler.jobs()).toMatchObject([{ size: 1, tries: 0, error: null }]);
  });
});

describe('anchoring now', () => {
  it('says of each anchor what became of it', async () => {
    const log = fakeAnchor();
    const witness = fakeAnchor('witness');
    witness.failure = new CrumbError('anchor_refused');
    const slow = fakeAnchor('timestamp');
    slow.gate = new Promise(() => {});
    const { scheduler } = await worldOf([log, witness, slow]);
    expect(await scheduler.anchorNow({ timeoutMs: 300 })).toMatchObject([
      { anchor: 'rekor', type: 'rekor', receipt: { size: 1 }, error: undefined },
      { anchor: 'witness', receipt: undefined, error: 'anchor_refused' },
      { anchor: 'timestamp', receipt: undefined, error: 'anchor_timeout' },
    ]);
  });

  it('gives what is there already where nothing was appended since', async () => {
    const anchor = fakeAnchor();
    const { scheduler, ledger } = await worldOf([anchor]);
    await scheduler.anchorNow({ timeoutMs: 5000 });
    const checkpoint = await ledger.anchoring.published();
    expect(checkpoint).toBe(1);
    await scheduler.anchorNow({ timeoutMs: 5000 }); // covers the anchor entry
    expect(anchor.submitted).toEqual([1, 2]);
    const [first] = await scheduler.anchorNow({ timeoutMs: 5000 });
    expect(first?.receipt?.size).toBe(3);
  });
});
