/**
 * Findings as they come in, bounded: a ledger that is wrong everywhere must not fill the memory of who
 * checks it.
 *
 * @module
 */
import { SEVERITIES, type Finding, type FindingCode, type Severity } from './findings.ts';

/** How many of each code are kept. */
const KEPT = 20;

export interface FindingLog {
  add(finding: Finding): void;
  /** Kept findings of a severity, by code and place. */
  of(severity: Severity): readonly Finding[];
  has(code: FindingCode): boolean;
  counts(): Readonly<Partial<Record<FindingCode, number>>>;
}

export function createFindingLog(): FindingLog {
  const kept = new Map<FindingCode, Finding[]>();
  const counts: Partial<Record<FindingCode, number>> = {};
  return {
    add(finding) {
      const { code } = finding;
      counts[code] = (counts[code] ?? 0) + 1;
      const list = kept.get(code) ?? [];
      kept.set(code, list);
      // Signatures are checked out of order: the first in the ledger stay, not the first that came.
      const last = list.at(-1);
      if (list.length === KEPT && last !== undefined && !isBefore(finding, last)) return;
      const at = list.findIndex((other) => isBefore(finding, other));
      list.splice(at === -1 ? list.length : at, 0, finding);
      if (list.length > KEPT) list.pop();
    },
    of(severity) {
      return codes
        .filter((code) => SEVERITIES[code] === severity)
        .flatMap((code) => kept.get(code) ?? []);
    },
    has: (code) => kept.has(code),
    counts: () => ({ ...counts }),
  };
}

const codes = Object.keys(SEVERITIES) as readonly FindingCode[]; // the keys of a literal

function isBefore(a: Finding, b: Finding): boolean {
  const distance = placeOf(a) - placeOf(b);
  return distance === 0 ? JSON.stringify(a) < JSON.stringify(b) : distance < 0;
}

function placeOf(finding: Finding): number {
  if ('seq' in finding) return finding.seq;
  if ('from' in finding) return finding.from;
  if ('size' in finding) return finding.size ?? 0;
  return 'line' in finding ? finding.line : 0;
}
