/**
 * What verification answers.
 *
 * @module
 */
import type { Verdict } from '../attribution/judge.ts';
import type { Finding, FindingCode } from './findings.ts';

/**
 * How far the crumbs are out of the hands of whoever recorded them, lowest first. `none`: not even a
 * signature under a key that the reader confirmed.
 */
export type Level = 'none' | 'signed' | 'anchored' | 'witnessed';

/** Counts, for people and for reports. */
export interface VerifyStats {
  /** By kind; `unknown`, `pruned` and `malformed` are counted too. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Intents and refusals by what they record. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Intents without outcome are `unknown`; refusals are `refused`. */
  readonly outcomes: Readonly<Record<'ok' | 'error' | 'aborted' | 'refused' | 'unknown', number>>;
  /** Verdicts judged again, with the same result or not. */
  readonly judged: number;
  /** Commitments that were opened. */
  readonly opened: number;
  /** Tokens held against a key set, those that failed included. */
  readonly tokens: number;
  /** Tree heads: those seen, and those whose signature was checked. */
  readonly heads: { readonly seen: number; readonly checked: number };
  readonly checkpoints: number;
  /** Time that the first and last crumb claim; null if there is none. */
  readonly from: string | null;
  readonly to: string | null;
}

/** How far logs, authorities or witnesses hold the ledger. A type, so that it is JSON. */
export type AnchoredTo = {
  /** Crumbs below this number are covered. */
  readonly size: number;
  /** They existed by then. */
  readonly at: string;
  /** Who says so. */
  readonly log: string;
};

/** How far enough witnesses saw nothing but growth. */
export type WitnessedTo = {
  readonly size: number;
  readonly at: string;
  /** Names of the witnesses that signed. */
  readonly operators: readonly string[];
};

/** The answer to a verification. */
export interface VerifyReport {
  /** False if this could not be read as a bundle at all: then nothing else says anything. */
  readonly readable: boolean;
  /** Nothing that was found is failing. It says nothing about what was not established. */
  readonly sound: boolean;
  /** Of all crumbs: the lowest. `anchor` entries at the very end repeat receipts, and do not count. */
  readonly level: Level;
  /** The largest checkpoint that a trusted third party holds; null if there is none. */
  readonly anchored: AnchoredTo | null;
  /** The largest that enough witnesses signed; null if there is none. */
  readonly witnessed: WitnessedTo | null;
  /** Name of the ledger, as its genesis says; null without one. */
  readonly origin: string | null;
  /** vkey that genesis names. */
  readonly key: string | null;
  /** Crumbs `[start, size)` were given, or a selection of those below `size`. */
  readonly start: number;
  readonly size: number;
  readonly mode: 'range' | 'selection';
  /** `fast`: the last head's signature and every checkpoint's; `full`: every head's. */
  readonly path: 'fast' | 'full';
  /** What fails, by code and place; of each code the first 20. */
  readonly findings: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly notEstablished: readonly Finding[];
  /** How often each code was met, those beyond 20 included. */
  readonly counts: Readonly<Partial<Record<FindingCode, number>>>;
  readonly stats: VerifyStats;
}

/** The exit code of a command that verified: 0 sound, 1 failing, 2 unreadable. */
export function exitCodeOf(report: Pick<VerifyReport, 'readable' | 'sound'>): 0 | 1 | 2 {
  if (!report.readable) return 2;
  return report.sound ? 0 : 1;
}
