/** A real ledger at the development log, its authority, and the development witness. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { rekor } from '../../src/anchor/rekor.ts';
import { timestamp } from '../../src/anchor/timestamp.ts';
import { witness } from '../../src/anchor/witness.ts';
import { toBase64url } from '../../src/evidence/bytes.ts';
import type { AnchorBody } from '../../src/evidence/kinds.ts';
import type { ReceiptLedger } from '../../src/evidence/receipt-claim.ts';
import { verifyReceipt } from '../../src/evidence/receipt.ts';
import { parseTrustedRoot } from '../../src/evidence/trusted-root.ts';
import { parseWitnessPolicy } from '../../src/evidence/witness-policy.ts';
import type { Anchor } from '../../src/ledger/anchor.ts';
import { anchorPolicyOf, prepareAnchors } from '../../src/ledger/anchor-key-entry.ts';
import { createAnchorScheduler, type AnchorScheduler } from '../../src/ledger/anchor-scheduler.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openLibsqlReader } from '../../src/store/libsql/libsql-reader.ts';
import { devLog, devWitness } from '../dev/log-world.ts';
import {
  auditRows,
  openAt,
  outcome,
  rowsAt,
  temporaryPlace,
  type Place,
} from '../ledger/fixtures.ts';

interface World {
  readonly place: Place;
  readonly anchors: readonly Anchor[];
  readonly ledger: Ledger;
  readonly scheduler: AnchorScheduler;
  readonly problems: string[];
  readonly spki: Uint8Array;
  readonly trust: Parameters<typeof verifyReceipt>[0]['trust'];
}

async function schedule(
  place: Place,
  anchors: readonly Anchor[],
): Promise<Pick<World, 'ledger' | 'scheduler' | 'problems' | 'spki'>> {
  const spki =
    (await prepareAnchors(anchors, join(place.directory, 'anchor.pem'))) ?? new Uint8Array();
  const ledger = await openAt(place, {
    anchorKey: toBase64url(spki),
    policy: { checkpoint: { entries: 1024, seconds: 60 }, anchor: anchorPolicyOf(anchors) },
  });
  const problems: string[] = [];
  const scheduler = createAnchorScheduler({
    ledger,
    anchors,
    allowDevelopment: true,
    onProblem: (problem, anchor) => problems.push(`${anchor}: ${problem.code}`),
  });
  onTestFinished(() => scheduler.close());
  return { ledger, scheduler, problems, spki };
}

async function world(): Promise<World> {
  const log = await devLog();
  const probe = await openAt(temporaryPlace());
  const witnessed = await devWitness({ logs: [probe.vkey] }); // all ledgers of these tests have this key
  const { url, timestampUrl, trustRoot } = log;
  const anchors = [
    rekor({ trust: trustRoot, version: 2, url, timestamp: { url: timestampUrl } }),
    timestamp({ trust: trustRoot, url: timestampUrl }),
    witness({ policy: witnessed.policy }),
  ];
  const place = temporaryPlace();
  const trust = {
    roots: [parseTrustedRoot(trustRoot)],
    witnesses: parseWitnessPolicy(witnessed.policy),
  };
  return { place, anchors, trust, ...(await schedule(place, anchors)) };
}

describe('a ledger with anchors', () => {
  it('grows, and shows receipts that a stranger accepts', async () => {
    const { place, ledger, scheduler, spki, trust, problems } = await world();
    for (let round = 0; round < 3; round++) {
      const { entries } = await ledger.append([outcome(0), outcome(0)]);
      const size = (entries.at(-1)?.seq ?? 0) + 1;
      await Promise.all(
        (['anchored', 'witnessed'] as const).map((level) =>
          scheduler.waitFor(size, { level, timeoutMs: 20_000 }),
        ),
      );
    }
    await scheduler.anchorNow({ timeoutMs: 20_000 });
    expect(problems).toEqual([]);

    const reader = await openLibsqlReader({ url: place.url });
    const receipts = await reader.receipts();
    const notes = new Map((await reader.checkpoints()).map(({ size, note }) => [size, note]));
    await reader.close();
    const known: ReceiptLedger = {
      origin: ledger.origin,
      vkeys: [ledger.vkey],
      anchorKeys: [{ spki, from: 0, to: null, revokedSince: null }],
    };
    for (const { type, size, text } of receipts) {
      const note = notes.get(size) ?? '';
      const result = await verifyReceipt({ type, note, receipt: text, ledger: known, trust });
      expect(result).toMatchObject({ ok: true, type, size, development: true });
    }
    const entries = await auditRows(await rowsAt(place), ledger.vkey);
    const bodies = entries.flatMap((entry): AnchorBody[] =>
      entry.kind === 'anchor' ? [entry.body] : [],
    );
    expect(bodies).toHaveLength(receipts.length);
    expect(new Set(bodies.map(({ type }) => type))).toEqual(
      new Set(['rekor', 'timestamp', 'witness']),
    );
    expect(entries[0]).toMatchObject({ body: { anchorKey: toBase64url(spki) } });
    for (const type of ['rekor', 'timestamp', 'witness']) {
      const sizes = bodies.filter((body) => body.type === type).map(({ size }) => size);
      expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
      expect(new Set(sizes).size).toBe(sizes.length);
    }
  }, 60_000);

  it('that is restored from a copy is found out by the witness', async () => {
    const { place, anchors, ledger, scheduler } = await world();
    await scheduler.anchorNow({ timeoutMs: 20_000 });
    await scheduler.close();
    await ledger.close();
    const copy = temporaryPlace();
    cpSync(place.path, copy.path);
    cpSync(join(place.directory, 'anchor.pem'), join(copy.directory, 'anchor.pem'));

    const later = await schedule(place, anchors);
    await later.ledger.append(Array.from({ length: 20 }, () => outcome(0)));
    await later.scheduler.anchorNow({ timeoutMs: 20_000 });
    await later.scheduler.close();

    // The copy knows nothing of these entries, and its guard lies with it.
    const restored = await schedule(copy, anchors);
    await restored.ledger.append([outcome(0)]);
    const outcomes = await restored.scheduler.anchorNow({ timeoutMs: 20_000 });
    expect(outcomes.map(({ type, error }) => [type, error])).toEqual([
      ['rekor', undefined], // a log takes any history
      ['timestamp', undefined],
      ['witness', 'ledger_forked'],
    ]);
    expect(restored.problems).toContain('witness: ledger_forked');
  }, 60_000);
});
