/**
 * Verifying a whole ledger from its database, as `crumb verify` does.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bench, BenchContext } from './bench.ts';
import type { LedgerFile } from './drafts.ts';
import { emptySamples, ratioOf, spreadOf, type Interleaved, type Samples } from './measure.ts';
import { rowsOf, timedRows, type Goal, type Section } from './report.ts';

const SCRIPT = fileURLToPath(new URL('verify-process.ts', import.meta.url));

/** Each is a process of its own, which is slow to start. */
const MAX_ROUNDS = 3;

const PATHS = ['fast', 'full'] as const;

export const benchVerify: Bench = async (context) => {
  const { sizes, rounds } = context.effort;
  const cases = [];
  for (const path of PATHS) {
    for (const size of sizes) {
      cases.push({ name: nameOf(path, size), path, ledger: await context.ledgerOf(size) });
    }
  }
  const warm = await context.ledgerOf(sizes[0]);
  const time = emptySamples(cases);
  const cpu = emptySamples(cases);
  const rss = emptySamples(cases);
  for (let round = 0; round < Math.min(rounds, MAX_ROUNDS); round += 1) {
    for (const { name, path, ledger } of cases) {
      const { seconds, cpuSeconds, rssMb, size } = await verifyApart(ledger, path, warm);
      time.get(name)?.push((seconds * 1e6) / size);
      cpu.get(name)?.push((cpuSeconds * 1e6) / size);
      rss.get(name)?.push(rssMb);
    }
  }
  return [timeSection({ time, cpu }, context), memorySection(rss, context)];
};

function nameOf(path: (typeof PATHS)[number], size: number): string {
  return `${path} path, ${size.toLocaleString('en')} crumbs`;
}

interface Verified {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly rssMb: number;
  readonly size: number;
  readonly sound: boolean;
  readonly level: string;
}

async function verifyApart(
  { path, vkey }: LedgerFile,
  mode: (typeof PATHS)[number],
  warm: LedgerFile,
): Promise<Verified> {
  const words = [SCRIPT, path, vkey, mode, warm.path];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  const verified = JSON.parse(stdout) as Verified; // our own script
  if (!verified.sound || verified.level !== 'signed') throw new Error('the ledger is not sound');
  return verified;
}

function timeSection(samples: Interleaved, { effort: { sizes } }: BenchContext): Section {
  const smallest = nameOf('fast', sizes[0]);
  const largest = nameOf('fast', sizes.at(-1) ?? 0);
  const perSecond = 1e6 / spreadOf(samples.time.get(largest) ?? []).median;
  return {
    name: 'verify',
    title: 'Verifying a ledger, per crumb',
    rows: timedRows(samples, smallest),
    goals: [
      {
        what: 'crumbs verified per second, fast path',
        aim: 'at least',
        limit: 80_000,
        measured: perSecond,
        unit: '/s',
      },
      {
        what: 'time per crumb, largest over smallest ledger, fast path',
        aim: 'at most',
        limit: 1.2,
        measured: ratioOf(samples.time, largest, smallest).median,
        unit: 'x',
      },
      ...millionGoal(samples.time, sizes),
    ],
  };
}

function millionGoal(time: Samples, sizes: readonly number[]): readonly Goal[] {
  if (!sizes.includes(1_000_000)) return [];
  const { median } = spreadOf(time.get(nameOf('fast', 1_000_000)) ?? []);
  const what = '1,000,000 crumbs verified, fast path';
  return [{ what, aim: 'at most', limit: 12, measured: median, unit: 's' }];
}

function memorySection(rss: Samples, { effort: { sizes } }: BenchContext): Section {
  const largest = sizes.at(-1) ?? 0;
  const name = nameOf('fast', largest);
  return {
    name: 'verify',
    title: 'Most memory of the verifying process',
    rows: rowsOf(rss, nameOf('fast', sizes[0]), 'MB'),
    goals: [
      {
        what: `memory to verify ${largest.toLocaleString('en')} crumbs, fast path`,
        aim: 'at most',
        limit: 350,
        measured: spreadOf(rss.get(name) ?? []).median,
        unit: 'MB',
      },
    ],
  };
}
