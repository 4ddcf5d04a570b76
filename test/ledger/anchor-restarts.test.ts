import { expect, it, onTestFinished } from 'vitest';
import { CrumbError } from '../../src/errors.ts';
import { toBase64url } from '../../src/evidence/bytes.ts';
import {
  anchorPolicyOf,
  declareAnchorKey,
  prepareAnchors,
} from '../../src/ledger/anchor-key-entry.ts';
import type { AnchoredLedger } from '../../src/ledger/anchor-attempt.ts';
import { createAnchorScheduler, type AnchorScheduler } from '../../src/ledger/anchor-scheduler.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openLibsqlReader } from '../../src/store/libsql/libsql-reader.ts';
import { fakeAnchor, testClock, type FakeAnchor } from './anchor-fakes.ts';
import { auditRows, openAt, outcome, rowsAt, temporaryPlace, type Place } from './fixtures.ts';

const clock = testClock();
const coded = (code: string): unknown => expect.objectContaining({ code });

function schedule(ledger: AnchoredLedger, anchor: FakeAnchor): AnchorScheduler {
  const scheduler = createAnchorScheduler({
    ledger,
    anchors: [anchor],
    clock: clock.now,
    spread: () => 1,
  });
  onTestFinished(() => scheduler.close());
  return scheduler;
}

async function anchorEntries(place: Place, { vkey }: Ledger): Promise<number> {
  const entries = await auditRows(await rowsAt(place), vkey);
  return entries.filter(({ kind }) => kind === 'anchor').length;
}

/** A ledger that dies at some step of an attempt, as a process would. */
function dyingAt(ledger: Ledger, step: 'keep' | 'append' | 'appended' | 'finish'): AnchoredLedger {
  const die = (): never => {
    throw new CrumbError('ledger_unwritable');
  };
  const { anchoring } = ledger;
  return {
    ...ledger,
    anchoring: {
      ...anchoring,
      keep: async (receipt) => (step === 'keep' ? die() : anchoring.keep(receipt)),
      finish: async (job, now) => (step === 'finish' ? die() : anchoring.finish(job, now)),
      retry: async () => die(), // a dead process puts nothing back
    },
    async append(drafts, options) {
      if (step === 'append') return die();
      const result = await ledger.append(drafts, options);
      return step === 'appended' ? die() : result;
    },
  };
}

it.each([
  ['keep', 2],
  ['append', 1],
  ['appended', 1],
  ['finish', 1],
] as const)(
  'a death at %s leaves one receipt and one entry after the next start',
  async (step, submits) => {
    const place = temporaryPlace();
    const ledger = await openAt(place, { clock: clock.now });
    const anchor = fakeAnchor();
    await schedule(dyingAt(ledger, step), anchor).run();
    expect(anchor.submitted).toEqual([1]);

    const next = schedule(ledger, anchor);
    await next.run();
    expect(anchor.submitted).toHaveLength(1); // its lease has not run out
    clock.move(121);
    await next.run();
    expect(anchor.submitted).toHaveLength(submits);
    expect(await anchorEntries(place, ledger)).toBe(1);
    expect(await next.jobs()).toEqual([]);
    const reader = await openLibsqlReader({ url: place.url });
    expect(await reader.receipts()).toHaveLength(1);
    await reader.close();
  },
);

it('a job survives its process', async () => {
  const place = temporaryPlace();
  const anchor = fakeAnchor();
  anchor.failure = new CrumbError('anchor_unreachable');
  const first = await openAt(place, { clock: clock.now });
  const before = schedule(first, anchor);
  await before.run();
  await before.close();
  await first.close();

  anchor.failure = undefined;
  const second = await openAt(place, { clock: clock.now });
  const after = schedule(second, anchor);
  expect(await after.jobs()).toMatchObject([{ size: 1, tries: 1, error: 'anchor_unreachable' }]);
  clock.move(5);
  await after.run();
  expect(anchor.submitted).toEqual([1, 1]);
  expect(await anchorEntries(place, second)).toBe(1);
});

it('a receipt that no longer holds, as under another trust root, gives way to the next checkpoint', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place, { clock: clock.now });
  const anchor = fakeAnchor();
  await schedule(dyingAt(ledger, 'append'), anchor).run();
  clock.move(121);
  anchor.verdict = () => ({ ok: false, fault: 'log_unknown' });
  const next = schedule(ledger, anchor);
  await next.run();
  expect(await anchorEntries(place, ledger)).toBe(0);
  anchor.verdict = (verdict) => verdict;
  await ledger.append([outcome(0)]);
  await next.waitFor(2, { level: 'anchored', timeoutMs: 5000 });
  expect(await anchorEntries(place, ledger)).toBe(1);
});

it('two processes share the work, and who waits in one is told of the other', async () => {
  const place = temporaryPlace();
  const [one, two] = [
    await openAt(place, { clock: clock.now }),
    await openAt(place, { clock: clock.now }),
  ];
  const anchor = fakeAnchor();
  const schedulers = [schedule(one, anchor), schedule(two, anchor)];
  await Promise.all(schedulers.map((scheduler) => scheduler.run()));
  expect(anchor.submitted).toEqual([1]);
  await Promise.all(
    schedulers.map((scheduler) => scheduler.waitFor(1, { level: 'anchored', timeoutMs: 5000 })),
  );
  expect(anchor.submitted).toEqual([1]);
  expect(await anchorEntries(place, one)).toBe(1);
});

it('anchors of one name, or of several keys, cannot be told apart', async () => {
  const keyed = (name: string, key: number): FakeAnchor => ({
    ...fakeAnchor('rekor', name),
    prepare: async () => new Uint8Array(9).fill(key),
  });
  expect(await prepareAnchors([fakeAnchor()], undefined)).toBeUndefined();
  expect(await prepareAnchors([keyed('a', 1), keyed('b', 1), fakeAnchor()], 'file')).toHaveLength(
    9,
  );
  for (const anchors of [
    [keyed('a', 1), keyed('b', 2)],
    [fakeAnchor(), fakeAnchor()],
    [fakeAnchor('rekor', '')],
  ]) {
    await expect(prepareAnchors(anchors, undefined)).rejects.toThrow(coded('config_invalid'));
  }
  expect(
    anchorPolicyOf([fakeAnchor('witness'), fakeAnchor(), fakeAnchor('rekor', 'other')]),
  ).toEqual({
    entries: 5000,
    seconds: 900,
    heartbeat: 86_400,
    maxGap: 3600,
    require: ['rekor', 'witness'],
  });
});

it('the ledger names the key: genesis, or an entry once', async () => {
  const spki = new Uint8Array(91).fill(4);
  const declared = await openAt(temporaryPlace(), { anchorKey: toBase64url(spki) });
  await declareAnchorKey(declared, spki);
  const other = declareAnchorKey(declared, new Uint8Array(91).fill(5));
  await expect(other).rejects.toThrow(coded('ledger_key_unknown'));

  const place = temporaryPlace();
  const ledger = await openAt(place);
  for (let start = 0; start < 3; start++) await declareAnchorKey(ledger, spki);
  const entries = await auditRows(await rowsAt(place), ledger.vkey);
  expect(entries.slice(1)).toMatchObject([
    { kind: 'key', body: { role: 'anchor', op: 'add', key: toBase64url(spki) } },
  ]);
  await expect(declareAnchorKey(ledger, new Uint8Array(91).fill(5))).rejects.toThrow(
    coded('ledger_key_unknown'),
  );
});
