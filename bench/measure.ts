/**
 * Measuring beside each other: every round runs a slice of each subject, in another order each time, so
 * that a machine that drifts drifts for all of them. What is quoted are ratios within a round.
 *
 * @module
 */
import { performance } from 'node:perf_hooks';

/** A distribution, as three of its points. */
export interface Spread {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

/** Something to be measured. */
export interface Subject {
  readonly name: string;
  run(): Promise<unknown>;
  /** Operations in one run, for what is shorter than the clock's tick. Default 1. */
  readonly times?: number;
}

export interface Slices {
  readonly rounds: number;
  readonly sliceMs: number;
  /** How many run it at the same time. */
  readonly callers: number;
}

/** What each subject took, round by round. */
export type Samples = ReadonlyMap<string, readonly number[]>;

export interface Interleaved {
  /**
   * Microseconds per operation. Alone it is the median latency of a slice; with several callers, the
   * slice's length over the operations that ended in it.
   */
  readonly time: Samples;
  /** CPU of all threads of the process, microseconds per operation. A busy machine changes it less. */
  readonly cpu: Samples;
}

/** The first round warms up and does not count. */
export async function interleave(
  subjects: readonly Subject[],
  { rounds, sliceMs, callers }: Slices,
): Promise<Interleaved> {
  const time = emptySamples(subjects);
  const cpu = emptySamples(subjects);
  for (let round = -1; round < rounds; round += 1) {
    const first = (round + subjects.length) % subjects.length;
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      const slice = await sliceOf(subject, { sliceMs, callers });
      if (round < 0) continue;
      time.get(subject.name)?.push(slice.us);
      cpu.get(subject.name)?.push(slice.cpuUs);
    }
  }
  return { time, cpu };
}

/** By name, to be filled round by round. */
export function emptySamples(
  subjects: readonly { readonly name: string }[],
): Map<string, number[]> {
  return new Map(subjects.map(({ name }) => [name, []]));
}

/** One slice of one subject: microseconds per operation. */
export async function sliceOf(
  { run, times = 1 }: Subject,
  { sliceMs, callers }: Omit<Slices, 'rounds'>,
): Promise<{ readonly us: number; readonly cpuUs: number }> {
  const took: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  const end = start + sliceMs;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let now = performance.now(); now < end;) {
        await run();
        const done = performance.now();
        took.push(done - now);
        now = done;
      }
    }),
  );
  const ms = callers === 1 ? spreadOf(took).median : (performance.now() - start) / took.length;
  const { user, system } = process.cpuUsage(cpu);
  return { us: (ms * 1000) / times, cpuUs: (user + system) / (took.length * times) };
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { median: at(0.5), p10: at(0.1), p90: at(0.9) };
}

/** One subject over another, round by round. */
export function ratioOf(samples: Samples, name: string, base: string): Spread {
  const over = samples.get(base) ?? [];
  const ratios = (samples.get(name) ?? []).map((value, n) => value / (over[n] ?? Number.NaN));
  return spreadOf(ratios);
}
