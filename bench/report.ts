/**
 * What a benchmark answers, and how it is shown: to people in a terminal and in README.md, to programs
 * as JSON.
 *
 * @module
 */
import { ratioOf, spreadOf, type Interleaved, type Samples, type Spread } from './measure.ts';

export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly value: Spread;
  /** Microseconds of all threads. */
  readonly cpuUs?: number;
  /** Within each round, over what stands in another row. */
  readonly over?: { readonly name: string; readonly ratio: Spread };
}

/** What performance.md asks for, and what came out. */
export interface Goal {
  readonly what: string;
  readonly aim: 'at most' | 'at least';
  readonly limit: number;
  readonly measured: number;
  /** `x` for ratios. */
  readonly unit: string;
}

export interface Section {
  /** What `--only` takes. */
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
  readonly goals: readonly Goal[];
}

/** Rows, each with its ratio to `base` if that is among the samples. */
export function rowsOf(samples: Samples, base: string, unit: string): readonly Row[] {
  return [...samples].map(([name, values]) => ({
    name,
    unit,
    value: spreadOf(values),
    ...(name === base || !samples.has(base)
      ? {}
      : { over: { name: base, ratio: ratioOf(samples, name, base) } }),
  }));
}

/** Rows in microseconds, with what they cost of the CPU. */
export function timedRows({ time, cpu }: Interleaved, base: string): readonly Row[] {
  return rowsOf(time, base, 'us').map((row) => ({
    ...row,
    cpuUs: spreadOf(cpu.get(row.name) ?? []).median,
  }));
}

export function isMet({ aim, limit, measured }: Goal): boolean {
  return aim === 'at most' ? measured <= limit : measured >= limit;
}

const HEADERS = ['', 'median', 'p10 to p90', 'CPU', 'ratio', 'p10 to p90', 'over'];

/** A section for a terminal. */
export function describeSection({ title, rows, goals }: Section): string {
  const table = [HEADERS, ...rows.map(cellsOf)];
  const widths = HEADERS.map((_header, n) => Math.max(...table.map((row) => row[n]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, n) =>
        n === 0 || n === 6 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return [
    title,
    ...lines.map((line) => `  ${line}`),
    ...goals.map((goal) => `  ${describeGoal(goal)}`),
    '',
  ].join('\n');
}

/** All goals and sections as Markdown. */
export function markdownOf(sections: readonly Section[]): string {
  const goals = sections.flatMap((section) => section.goals);
  return [
    markdownTable(
      ['goal', 'asked for', 'measured', 'met'],
      goals.map((goal) => [
        goal.what,
        `${goal.aim} ${digits(goal.limit)} ${goal.unit}`,
        `${digits(goal.measured)} ${goal.unit}`,
        isMet(goal) ? 'yes' : '**no**',
      ]),
    ),
    ...sections.map(({ name, title, rows }) =>
      [`### ${title} (\`${name}\`)`, markdownTable(HEADERS, rows.map(cellsOf))].join('\n\n'),
    ),
  ].join('\n\n');
}

function markdownTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(headers), line(headers.map(() => '---')), ...rows.map(line)].join('\n');
}

function describeGoal(goal: Goal): string {
  const { what, aim, limit, measured, unit } = goal;
  const verdict = isMet(goal) ? 'met' : 'MISSED';
  return `goal ${verdict}: ${what}: ${digits(measured)} ${unit}, asked for ${aim} ${digits(limit)}`;
}

function cellsOf({ name, unit, value, cpuUs, over }: Row): readonly string[] {
  const range = ({ p10, p90 }: Spread): string =>
    p10 === p90 ? '' : `${digits(p10)} to ${digits(p90)}`;
  return [
    name,
    `${digits(value.median)} ${unit}`,
    range(value),
    cpuUs === undefined ? '' : `${digits(cpuUs)} us`,
    over === undefined ? '' : `${digits(over.ratio.median)}x`,
    over === undefined ? '' : range(over.ratio),
    over?.name ?? '',
  ];
}

/** Three digits: more would be noise. */
function digits(value: number): string {
  if (value > 0 && value < 0.001) return '<0.001';
  return Math.abs(value) >= 1000
    ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
    : String(Number(value.toPrecision(3)));
}
