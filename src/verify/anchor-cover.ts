/**
 * What receipts come to together: how far third parties hold the ledger, since when, and whether that was in
 * time.
 *
 * @module
 */
import { meetsQuorum } from '../evidence/witness-policy.ts';
import {
  CLOCK_SKEW_MS,
  fits,
  type Mark,
  type Receipts,
  type SeenReceipt,
} from './receipt-check.ts';
import type { AnchoredTo, WitnessedTo } from './report.ts';

/** How far each level reaches. */
export interface Cover {
  readonly anchored: AnchoredTo | null;
  readonly witnessed: WitnessedTo | null;
}

/** A checkpoint that third parties hold. */
interface Point {
  readonly mark: Mark;
  /** By when it existed, in milliseconds since 1970. */
  readonly at: number;
  readonly log: string;
  /** Names of the witnesses, where they are enough. */
  readonly operators: readonly string[];
}

/** Says what all receipts together establish, once each has been checked. */
export function finishReceipts(receipts: Receipts): Cover {
  const { log, anchors, seen } = receipts;
  for (const anchor of anchors) {
    const receipt = seen.get(anchor.body.receipt);
    if (receipt === undefined) log.add({ code: 'receipt_missing', seq: anchor.seq });
    else if (!fits(anchor, receipt)) log.add({ code: 'receipt_invalid', size: anchor.body.size });
  }
  const good = [...seen.values()].filter((one) => counts(receipts, one));
  const points = [...pointsOf(good), ...witnessedPoints(receipts, good)];
  const ordered = points.toSorted((a, b) => a.mark.size - b.mark.size || a.at - b.at);
  checkBrackets(receipts, ordered, new Set(good));
  checkGaps(receipts, ordered);
  return coverOf(ordered);
}

/** Whether a receipt holds, for the tree that is here, under a key that nobody had stolen by then. */
function counts({ log, anchorKeys }: Receipts, receipt: SeenReceipt): boolean {
  const { accepted, agreed, spki, line } = receipt;
  if (accepted === undefined || !agreed || accepted.size !== line.size) return false;
  const since = spki === undefined ? undefined : anchorKeys.revokedSince(spki);
  if (since !== undefined && accepted.at >= since) {
    log.add({ code: 'key_compromised_window', from: 0, size: line.size });
    return false;
  }
  if (accepted.development) log.add({ code: 'anchor_development', size: line.size });
  return true;
}

function pointsOf(good: readonly SeenReceipt[]): readonly Point[] {
  return good.flatMap(({ accepted, mark, line }) =>
    accepted === undefined || line.type === 'witness'
      ? []
      : [{ mark, at: accepted.at.getTime(), log: accepted.log, operators: [] }],
  );
}

/** Witnesses count together, and only where they are enough: fewer are perhaps the operator's own. */
function witnessedPoints({ trusted }: Receipts, good: readonly SeenReceipt[]): readonly Point[] {
  const quorum = trusted.witnesses?.quorum ?? 'none';
  if (quorum === 'none') return [];
  const bySize = Map.groupBy(
    good.filter(({ line }) => line.type === 'witness'),
    ({ line }) => line.size,
  );
  return [...bySize.values()].flatMap((some) => {
    const cosigners = some.flatMap(({ accepted }) => accepted?.cosigners ?? []);
    const mark = some[0]?.mark;
    if (mark === undefined) return [];
    if (!meetsQuorum(quorum, new Set(cosigners.map(({ vkey }) => vkey)))) return [];
    const operators = [...new Set(cosigners.map(({ name }) => name))].toSorted();
    const at = Math.max(...cosigners.map((one) => one.at.getTime()));
    return [{ mark, at, log: operators.join(' '), operators }];
  });
}

/** A crumb lies between the last anchor before it and the first that covers it. */
function checkBrackets(
  { early, seen, log, header }: Receipts,
  points: readonly Point[],
  good: ReadonlySet<SeenReceipt>,
): void {
  if (header.mode === 'selection') return;
  for (const { seq, receipt } of early) {
    const anchor = seen.get(receipt);
    if (anchor !== undefined && good.has(anchor)) log.add({ code: 'time_outside_bracket', seq });
  }
  const latest = earliestFrom(points);
  for (const [n, { mark }] of points.entries()) {
    const by = latest[n] ?? Infinity;
    const isFirst = points[n - 1]?.mark.size !== mark.size;
    if (isFirst && mark.last !== null && Date.parse(mark.last) > by + CLOCK_SKEW_MS) {
      log.add({ code: 'time_outside_bracket', seq: mark.size - 1 });
    }
  }
}

/** For each point, the earliest time of it and of all larger ones: they cover the same entries too. */
function earliestFrom(points: readonly Point[]): readonly number[] {
  let earliest = Infinity;
  return points
    .toReversed()
    .map(({ at }) => (earliest = Math.min(earliest, at)))
    .toReversed();
}

/** Only who trusts some third party, or asks for it, can say that nothing was anchored in time. */
function checkGaps(receipts: Receipts, points: readonly Point[]): void {
  const { trust, trusted, policy, header, log, begin } = receipts;
  const { maxGap = policy?.maxGap, now = new Date() } = trust;
  const knows = (trusted.roots ?? []).length > 0 || trusted.witnesses !== undefined;
  if (maxGap === undefined || header.mode === 'selection') return;
  if (!knows && trust.maxGap === undefined) return;
  const latest = earliestFrom(points);
  let before = begin;
  for (const [n, { mark }] of points.entries()) {
    const { first } = before;
    const isCovered = first !== undefined && first.seq < mark.size;
    if (isCovered && (latest[n] ?? 0) - Date.parse(first.time) > maxGap * 1000) {
      log.add({ code: 'anchor_gap', from: first.seq, size: mark.size });
    }
    before = mark;
  }
  const { first } = before;
  if (first !== undefined && now.getTime() - Date.parse(first.time) > maxGap * 1000) {
    log.add({ code: 'anchor_gap', from: first.seq, size: receipts.needed });
  }
  checkSilence(receipts, points, maxGap);
}

/** An anchor is renewed even if nothing happens: who stops for a while may be rewriting. */
function checkSilence({ policy, log }: Receipts, points: readonly Point[], maxGap: number): void {
  const heartbeat = policy?.heartbeat ?? 0;
  if (heartbeat === 0) return;
  const inTime = points.toSorted((a, b) => a.at - b.at);
  for (const [n, { at, mark }] of inTime.entries()) {
    const earlier = inTime[n - 1];
    if (earlier === undefined || at - earlier.at <= (heartbeat + maxGap) * 1000) continue;
    log.add({ code: 'anchor_gap', from: earlier.mark.size, size: mark.size });
  }
}

function coverOf(points: readonly Point[]): Cover {
  const last = points.at(-1);
  const first = points.find(({ mark }) => mark.size === last?.mark.size);
  const witnessed = points.findLast(({ operators }) => operators.length > 0);
  return {
    anchored:
      first === undefined
        ? null
        : { size: first.mark.size, at: new Date(first.at).toISOString(), log: first.log },
    witnessed:
      witnessed === undefined
        ? null
        : {
            size: witnessed.mark.size,
            at: new Date(witnessed.at).toISOString(),
            operators: witnessed.operators,
          },
  };
}
