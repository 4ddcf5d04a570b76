/**
 * What is counted on the way.
 *
 * @module
 */
import type { Verdict } from '../attribution/judge.ts';
import type { Entry } from '../evidence/kinds.ts';
import type { VerifyStats } from './report.ts';

export interface Tally {
  readonly kinds: Record<string, number>;
  readonly verdicts: Record<Verdict, number>;
  readonly outcomes: Record<keyof VerifyStats['outcomes'], number>;
  judged: number;
  from: string | null;
  to: string | null;
  /** Seq and time of one entry in 64, to find a time again. */
  readonly samples: { readonly seq: number; readonly time: string }[];
}

const SAMPLE = 64;

export function startTally(): Tally {
  return {
    kinds: {},
    verdicts: { authorized: 0, unauthorized: 0, unattributed: 0 },
    outcomes: { ok: 0, error: 0, aborted: 0, refused: 0, unknown: 0 },
    judged: 0,
    from: null,
    to: null,
    samples: [],
  };
}

export function countKind({ kinds }: Tally, kind: string): void {
  kinds[kind] = (kinds[kind] ?? 0) + 1;
}

export function countEntry(tally: Tally, entry: Entry): void {
  const { kind, body } = entry;
  if (kind === 'intent' || kind === 'refusal') tally.verdicts[body.verdict]++;
  if (kind === 'refusal') tally.outcomes.refused++;
  if (kind === 'outcome') tally.outcomes[body.status]++;
}

/** Notes the time of an entry; false if it is before that of the entry before it. */
export function noteTime(tally: Tally, { seq, time }: { seq: number; time: string }): boolean {
  const forward = tally.to === null || time >= tally.to;
  tally.from ??= time;
  tally.to = time;
  if (seq % SAMPLE === 0) tally.samples.push({ seq, time });
  return forward;
}

/** A seq from which on, at the latest, entries claim this time or a later one. */
export function firstSince({ samples }: Tally, since: string): number {
  return samples.findLast(({ time }) => time < since)?.seq ?? 0;
}
