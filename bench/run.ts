/**
 * All benchmarks, in one process.
 *
 *   npm run bench -- --help
 *
 * @module
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { benchAiStep } from './ai-step.ts';
import { benchAppend } from './append.ts';
import type { Bench, BenchContext, Effort } from './bench.ts';
import { buildLedger, type LedgerFile } from './drafts.ts';
import { benchGrowth, benchProofs, benchSize } from './growth.ts';
import { describeSection, markdownOf, type Section } from './report.ts';
import { benchTokens } from './token.ts';
import { benchToolCall } from './tool-call.ts';
import { benchVerify } from './verify.ts';
import { openBenchWorld, type BenchWorld } from './world.ts';

const BENCHES: Readonly<Record<string, Bench>> = {
  'tool-call': benchToolCall,
  append: benchAppend,
  exchange: benchTokens,
  ai: benchAiStep,
  verify: benchVerify,
  growth: benchGrowth,
  proofs: benchProofs,
  size: benchSize,
};

const QUICK: Effort = { rounds: 1, sliceMs: 20, sizes: [300, 600] };
const NORMAL: Effort = { rounds: 11, sliceMs: 200, sizes: [10_000, 100_000] };
const LARGE: Effort = { ...NORMAL, sizes: [10_000, 100_000, 1_000_000] };

const HELP = `Measures Crumb beside what it is built on.

usage: npm run bench -- [--only NAME]... [--quick | --large] [--json | --write]

  --only NAME   one of: ${Object.keys(BENCHES).join(', ')}
  --quick       only shows that it runs; the figures mean nothing
  --large       also ledgers of 1,000,000 crumbs: some minutes and 2 GB more
  --json        one JSON document
  --write       also write the tables into bench/README.md; all of them, not --quick, not --only

Slices of all subjects are interleaved, and ratios are taken within a round: a machine that drifts
drifts for all of them. Figures in microseconds say as much about the machine as about Crumb.
`;

const README = new URL('README.md', import.meta.url);
const [BEGIN, END] = ['<!-- figures -->', '<!-- end of figures -->'];

async function run(benches: readonly Bench[], effort: Effort): Promise<readonly Section[]> {
  const directory = mkdtempSync(join(tmpdir(), 'crumb-bench-'));
  const remove = (): void => {
    rmSync(directory, { recursive: true });
  };
  process.once('SIGINT', () => {
    remove();
    process.exit(130);
  });
  const { context, close } = contextOf(directory, effort);
  try {
    const sections: Section[] = [];
    for (const bench of benches) {
      const some = await bench(context);
      for (const section of some) progress(describeSection(section));
      sections.push(...some);
    }
    return sections;
  } finally {
    await close();
    remove();
  }
}

/** What is expensive to make is made once, by whoever asks first. */
function contextOf(
  directory: string,
  effort: Effort,
): { readonly context: BenchContext; readonly close: () => Promise<void> } {
  const signingKey = generateKeyPairSync('ed25519').privateKey;
  const ledgers = new Map<number, Promise<LedgerFile>>();
  let world: Promise<BenchWorld> | undefined;
  return {
    context: {
      effort,
      directory,
      async ledgerOf(size) {
        const known =
          ledgers.get(size) ?? buildLedger(join(directory, `${size}.db`), signingKey, size);
        ledgers.set(size, known);
        return known;
      },
      world: async () => (world ??= openBenchWorld(directory)),
    },
    close: async () => (await world)?.close(),
  };
}

function progress(text: string): void {
  if (!values.json) process.stdout.write(`${text}\n`);
}

interface Machine {
  readonly date: string;
  readonly node: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryGb: number;
}

function machine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
  };
}

async function writeReadme(sections: readonly Section[]): Promise<void> {
  const text = readFileSync(README, 'utf8');
  const { date, node, cpu, cpus: count, memoryGb } = machine();
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`README.md has no ${BEGIN}`);
  const where = `Measured ${date} on Node ${node}, ${count} CPUs (${cpu}), ${memoryGb} GB.`;
  const figures = `\n\n${where}\n\n${markdownOf(sections)}\n\n`;
  const written = [before, BEGIN, figures, END, after].join('');
  const path = fileURLToPath(README);
  writeFileSync(path, await format(written, { ...(await resolveConfig(path)), filepath: path }));
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const names = values.only.length > 0 ? values.only : Object.keys(BENCHES);
  const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
  if (unknown.length > 0) {
    process.stderr.write(`bench: no benchmark is called ${unknown.join(', ')}; see --help\n`);
    return 2;
  }
  if (values.write && (values.quick || values.only.length > 0)) {
    process.stderr.write('bench: --write is for all benchmarks, and not for --quick\n');
    return 2;
  }
  const effort = values.quick ? QUICK : values.large ? LARGE : NORMAL;
  const benches = names.flatMap((name) => BENCHES[name] ?? []);
  const sections = await run(benches, effort);
  if (values.json)
    process.stdout.write(`${JSON.stringify({ machine: machine(), sections }, null, 2)}\n`);
  if (values.write) await writeReadme(sections);
  return 0;
}

process.exitCode = await main();
