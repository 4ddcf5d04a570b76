/**
 * One tool call: intent before, outcome after, under a cached token; alone and with 64 at once, and how
 * long the event loop is held up meanwhile.
 *
 * @module
 */
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { bareInsert, INTENT, OUTCOME, pinoWithFsync } from './bare.ts';
import type { Bench, BenchContext } from './bench.ts';
import {
  emptySamples,
  interleave,
  ratioOf,
  sliceOf,
  spreadOf,
  type Interleaved,
  type Subject,
} from './measure.ts';
import { rowsOf, timedRows, type Section } from './report.ts';
import { callTool, readRecord } from './world.ts';

const TWO_INSERTS = 'two bare durable inserts';
const CRUMB = 'Crumb';
const NO_VAULT = 'Crumb, no vault';
const THREAD = 'Crumb, writer thread';
const THREAD_NO_VAULT = 'Crumb, writer thread, no vault';
const TIMES = 1000;
const MANY = 64;

export const benchToolCall: Bench = async (context) => {
  const { rounds, sliceMs } = context.effort;
  const crumbs = await crumbSubjects(context);
  const subjects = [...(await bareSubjects(context)), ...crumbs];
  const alone = await interleave(subjects, { rounds, sliceMs, callers: 1 });
  const many = await interleave(subjects, { rounds, sliceMs, callers: MANY });
  const added = (samples: Interleaved, name: string): number =>
    ratioOf(samples.time, name, TWO_INSERTS).median;
  return [
    {
      name: 'tool-call',
      title: 'One tool call, alone',
      rows: timedRows(alone, TWO_INSERTS),
      goals: [
        atMost(
          'tool call over two bare durable inserts, alone, no vault',
          1.4,
          added(alone, NO_VAULT),
        ),
        atMost('tool call over two bare durable inserts, alone', 1.4, added(alone, CRUMB)),
      ],
    },
    {
      name: 'tool-call',
      title: `One tool call of ${MANY} at once`,
      rows: timedRows(many, TWO_INSERTS),
      goals: [
        atMost(
          'tool call over two bare durable inserts, at 64, no vault',
          0.25,
          added(many, NO_VAULT),
        ),
        atMost('tool call over two bare durable inserts, at 64', 0.25, added(many, CRUMB)),
      ],
    },
    await eventLoop(context, crumbs),
  ];
};

function atMost(what: string, limit: number, measured: number): Section['goals'][number] {
  return { what, aim: 'at most', limit, measured, unit: 'x' };
}

async function bareSubjects({ directory }: BenchContext): Promise<readonly Subject[]> {
  const one = await bareInsert(join(directory, 'insert-one.db'));
  const two = await bareInsert(join(directory, 'insert-two.db'));
  const log = pinoWithFsync(join(directory, 'pino.log'));
  const line = { tool: 'readRecord', human: 'alice', agent: 'planner', args: 'x'.repeat(600) };
  return [
    {
      name: 'bare tool call',
      times: TIMES,
      async run() {
        for (let n = 0; n < TIMES; n += 1) await readRecord();
      },
    },
    {
      name: 'pino with fsync, two lines',
      async run() {
        log(line);
        await readRecord();
        log({ outcome: 'ok' });
      },
    },
    { name: 'one bare durable insert', run: () => one(INTENT) },
    {
      name: TWO_INSERTS,
      async run() {
        await two(INTENT);
        await readRecord();
        await two(OUTCOME);
      },
    },
  ];
}

async function crumbSubjects(context: BenchContext): Promise<readonly Subject[]> {
  const world = await context.world();
  const inline = await world.open('inline', 'inline');
  const thread = await world.open('thread', 'worker');
  return [
    { name: CRUMB, run: () => callTool(inline.agent) },
    { name: NO_VAULT, run: () => callTool(inline.withoutVault) },
    { name: THREAD, run: () => callTool(thread.agent) },
    { name: THREAD_NO_VAULT, run: () => callTool(thread.withoutVault) },
  ];
}

/** 99th percentile of the time between two turns of a 1 ms timer, so nothing is faster than 1 ms. */
async function eventLoop(
  { effort: { rounds, sliceMs } }: BenchContext,
  crumbs: readonly Subject[],
): Promise<Section> {
  const idle = { name: 'nothing', run: () => new Promise((resolve) => setTimeout(resolve, 5)) };
  const subjects = [idle, ...crumbs];
  const samples = emptySamples(subjects);
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      await sliceOf(subject, { sliceMs: sliceMs * 2, callers: MANY });
      delay.disable();
      samples.get(subject.name)?.push(delay.percentile(99) / 1e6);
    }
  }
  const p99 = (name: string): number => spreadOf(samples.get(name) ?? []).median;
  const goal = { aim: 'at most', limit: 8, unit: 'ms' } as const;
  return {
    name: 'tool-call',
    title: `Event loop with ${MANY} calls at once: 99th percentile of its delay`,
    rows: rowsOf(samples, '', 'ms'),
    goals: [
      { what: 'event loop p99, writer thread, no vault', measured: p99(THREAD_NO_VAULT), ...goal },
      { what: 'event loop p99, writer thread', measured: p99(THREAD), ...goal },
    ],
  };
}
