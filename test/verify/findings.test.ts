import { expect, it } from 'vitest';
import { describeFinding } from '../../src/verify/describe-finding.ts';
import { SEVERITIES, type FindingCode } from '../../src/verify/findings.ts';
import './content-cases.ts';
import { cases } from './finding-cases.ts';
import './receipt-cases.ts';
import './structure-cases.ts';

it.each(cases)('finds $finding.code: $what', async ({ finding, make }) => {
  const report = await make();
  const severity = SEVERITIES[finding.code];
  const list = {
    failing: report.findings,
    warning: report.warnings,
    not_established: report.notEstablished,
  };
  expect(list[severity]).toContainEqual(finding);
  expect(report.counts[finding.code]).toBeGreaterThan(0);
  if (severity === 'failing') expect(report.sound).toBe(false);
});

it('has a case for every code', () => {
  const covered = new Set(cases.map(({ finding }) => finding.code));
  const missing = Object.keys(SEVERITIES).filter((code) => !covered.has(code as FindingCode)); // its keys
  expect(missing).toEqual([]);
});

it.each(cases)('says in one sentence what $finding.code is: $what', ({ finding }) => {
  const sentence = describeFinding(finding);
  expect(sentence).toMatch(/^\S.{15,}[^.]$/);
  expect(sentence).not.toMatch(/undefined|null|NaN|\[object/);
});

it('does not let text from a ledger steer a terminal', () => {
  const kind = '\u001B[2J\u202Eevil';
  const sentence = describeFinding({ code: 'entry_unknown_kind', seq: 1, kind });
  expect(sentence).toContain('\\u{1b}[2J\\u{202e}evil');
});
