/**
 * What a verification came to, in lines for a person: the answer, what it rests on, and what it leaves
 * open.
 *
 * @module
 */
import type { Json } from '../attribution/tool-call.ts';
import { visible } from '../evidence/visible.ts';
import { describeFinding } from '../verify/describe-finding.ts';
import type { Finding } from '../verify/findings.ts';
import type { Level, VerifyReport } from '../verify/report.ts';
import type { LedgerCheck } from './check-ledger.ts';
import type { Paint, Style } from './terminal/style.ts';
import { wrap } from './terminal/width.ts';

const WIDTH = 96;

/** What a level means, and what it does not establish. */
const LEVELS: Readonly<Record<Level, readonly [string, string]>> = {
  none: [
    'no signature under a key that you confirmed covers these crumbs',
    'who signed them: give the key with --key',
  ],
  signed: [
    'entries, chain and tree head verify under the key',
    'that whoever holds the key did not rewrite everything',
  ],
  anchored: [
    'a third party held this checkpoint at that time',
    'that it is the only history: a log accepts conflicting checkpoints',
  ],
  witnessed: [
    'independent operators cosigned consistent growth',
    'anything after the last cosignature',
  ],
};

/** Lines for a person. Everything from the ledger is made safe. */
export function describeCheck(check: LedgerCheck, style: Style): string[] {
  const { report, schemaDifferences } = check;
  if (!report.readable) {
    return [
      style.red('✗ This cannot be read as a ledger or bundle.'),
      ...findingLines(report.findings, '✗', style.red),
    ];
  }
  return [
    ...headline(report, style),
    '',
    ...factLines(report, style),
    ...section('Failing', findingLines(report.findings, '✗', style.red), style),
    ...section('Warnings', findingLines(report.warnings, '!', style.yellow), style),
    ...section('The database itself', schemaLines(schemaDifferences, style), style),
    ...section(
      'Not established',
      [
        ...bullet(LEVELS[report.level][1], '·', style.dim),
        ...findingLines(report.notEstablished, '·', style.dim),
        ...bullet('that what is recorded is true, or that nothing else happened', '·', style.dim),
      ],
      style,
    ),
    ...rest(report, style),
  ];
}

/** The same for a program. Its shape stands in docs/cli.md. */
export function checkFacts({ report, schemaDifferences }: LedgerCheck): Json {
  const said = (finding: Finding): Json => ({ ...finding, text: describeFinding(finding) });
  return {
    ...report,
    findings: report.findings.map(said),
    warnings: report.warnings.map(said),
    notEstablished: report.notEstablished.map(said),
    counts: { ...report.counts },
    stats: { ...report.stats, heads: { ...report.stats.heads } },
    schemaDifferences,
  };
}

function headline({ sound, level }: VerifyReport, style: Style): string[] {
  if (!sound) {
    const text = 'what is recorded contradicts itself, its signatures or its evidence.';
    return [`${style.red('✗ Not sound')}: ${text}`];
  }
  if (level === 'none') {
    return [`${style.yellow('! Sound in itself')}, but under no key that you confirmed.`];
  }
  const meaning = `Level ${level}: ${LEVELS[level][0]}.`;
  return [`${style.green('✓ Sound')}: nothing that was checked fails.`, meaning];
}

function factLines(report: VerifyReport, style: Style): string[] {
  const { origin, key, start, size, stats, path, mode } = report;
  const { verdicts, outcomes, heads } = stats;
  const range = size === start ? 'none' : `${start} to ${size - 1}`;
  const rows: readonly (readonly [string, string])[] = [
    ['ledger', origin ?? 'unnamed'],
    ['key', key ?? 'none'],
    ['crumbs', `${mode === 'range' ? range : `a selection below ${size}`}${period(report)}`],
    ['verdicts', countsOf(verdicts)],
    ['outcomes', countsOf(outcomes)],
    [
      'checked',
      `${heads.checked} of ${heads.seen} signed heads (${path}), ${stats.checkpoints} checkpoints, ` +
        `${stats.judged} verdicts judged again, ${stats.opened} commitments opened, ${stats.tokens} tokens`,
    ],
  ];
  return rows.flatMap(([term, text]) => {
    const [first = '', ...more] = wrap(visible(text), WIDTH - 10);
    return [`${style.bold(term.padEnd(9))} ${first}`, ...more.map((line) => ' '.repeat(10) + line)];
  });
}

function period({ stats: { from, to } }: VerifyReport): string {
  return from === null || to === null ? '' : `, ${from} to ${to} by their own clock`;
}

function countsOf(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.length === 0 ? 'none' : some.map(([word, count]) => `${count} ${word}`).join(', ');
}

function findingLines(findings: readonly Finding[], mark: string, paint: Paint): string[] {
  return findings.flatMap((finding) =>
    bullet(`${describeFinding(finding)} [${finding.code}]`, mark, paint),
  );
}

function schemaLines(differences: readonly string[], style: Style): string[] {
  return differences.flatMap((difference) =>
    bullet(`not as Crumb made it: ${visible(difference)}`, '!', style.yellow),
  );
}

/** @param text Safe to print, as what `describeFinding` gives is. */
function bullet(text: string, mark: string, paint: Paint): string[] {
  const [first = '', ...more] = wrap(text, WIDTH - 4);
  return [`  ${paint(mark)} ${first}`, ...more.map((line) => `    ${line}`)];
}

function section(title: string, lines: readonly string[], style: Style): string[] {
  return lines.length === 0 ? [] : ['', style.bold(title), ...lines];
}

/** Of each code only the first are kept; the others are counted. */
function rest(
  { counts, findings, warnings, notEstablished }: VerifyReport,
  style: Style,
): string[] {
  const shown = [...findings, ...warnings, ...notEstablished];
  const lines = Object.entries(counts)
    .map(
      ([code, count]) => [code, count - shown.filter((one) => one.code === code).length] as const,
    )
    .filter(([, more]) => more > 0)
    .map(([code, more]) => `  ${more.toLocaleString('en')} more ${code}`);
  return section('And', lines, style);
}
