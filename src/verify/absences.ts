/**
 * Commitments that nobody opened: erased with their person, or just not there.
 *
 * @module
 */
import type { Entry, ErasureBody } from '../evidence/kinds.ts';
import type { Facts } from './facts.ts';
import type { FindingLog } from './finding-log.ts';
import type { CommitmentPlace, Openings } from './openings.ts';

interface Missing {
  readonly seq: number;
  count: number;
}

export interface Absences {
  /** By pseudonym; empty for nobody's. */
  readonly missing: Map<string, Missing>;
  /** Whose openings are on record as erased. */
  readonly erased: Set<string>;
  /** Identities on record as erased: the first entry, and how many. */
  readonly identities: { seq: number; readonly humans: Set<string> };
  verdicts: Missing | undefined;
}

export function startAbsences(): Absences {
  return {
    missing: new Map(),
    erased: new Set(),
    identities: { seq: -1, humans: new Set() },
    verdicts: undefined,
  };
}

/** Counts what an entry commits to and nobody opened. Identities and tokens are counted elsewhere. */
export function noteAbsent(
  { missing }: Absences,
  context: { readonly entry: Entry; readonly facts: Facts; readonly openings: Openings },
  places: readonly CommitmentPlace[],
): void {
  const { entry, facts, openings } = context;
  const human = humanOf(entry, facts);
  if (entry.kind === 'refusal' && entry.body.code === 'arguments_not_json') return; // kept nowhere
  for (const { c, labels } of places) {
    if (openings.known.has(c) || labels.includes('token') || labels.includes('claims')) continue;
    const known = missing.get(human);
    if (known === undefined) missing.set(human, { seq: entry.seq, count: 1 });
    else known.count++;
  }
}

export function noteErasure(absences: Absences, seq: number, { humans, what }: ErasureBody): void {
  const { erased, identities } = absences;
  for (const human of humans) {
    if (what.includes('openings')) erased.add(human);
    if (!what.includes('identity')) continue;
    if (identities.humans.size === 0) identities.seq = seq;
    identities.humans.add(human);
  }
}

/** Counts a verdict that could not be judged again. */
export function noteUnjudged(absences: Absences, seq: number): void {
  absences.verdicts ??= { seq, count: 0 };
  absences.verdicts.count++;
}

/** Says what was not established. */
export function reportAbsences(absences: Absences, log: FindingLog): void {
  const { missing, erased, identities, verdicts } = absences;
  const all = [...missing];
  const gone = sumOf(all.filter(([human]) => erased.has(human)));
  const lost = sumOf(all.filter(([human]) => !erased.has(human)));
  if (gone !== undefined) log.add({ code: 'opening_erased', ...gone });
  if (lost !== undefined) log.add({ code: 'opening_missing', ...lost });
  const { size } = identities.humans;
  if (size > 0) log.add({ code: 'identity_erased', seq: identities.seq, count: size });
  if (verdicts !== undefined) log.add({ code: 'verdict_not_recomputed', ...verdicts });
}

function sumOf(some: readonly (readonly [string, Missing])[]): Missing | undefined {
  if (some.length === 0) return undefined;
  return {
    seq: Math.min(...some.map(([, { seq }]) => seq)),
    count: some.reduce((sum, [, { count }]) => sum + count, 0),
  };
}

function humanOf({ kind, body }: Entry, facts: Facts): string {
  switch (kind) {
    case 'session':
    case 'approval':
    case 'intent':
    case 'refusal':
    case 'observed':
      return body.human ?? '';
    case 'outcome':
      return facts.openFor.get(body.intent) ?? '';
    default:
      return '';
  }
}
