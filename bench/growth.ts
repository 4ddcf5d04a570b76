/**
 * What grows with the ledger, and what must not: appending, checkpoints, proofs, and bytes on disk.
 *
 * @module
 */
import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { LedgerReads } from '../src/ledger/ledger-store.ts';
import { consistencyFrom, inclusionOf, type KnownTree } from '../src/ledger/stored-proofs.ts';
import { edgeRoot, readEdge } from '../src/ledger/tree-edge.ts';
import { connectReader, type ReadConnection } from '../src/store/libsql/connection.ts';
import { readsOver } from '../src/store/libsql/ledger-rows.ts';
import { openLibsqlStore } from '../src/store/libsql/libsql-store.ts';
import type { Bench, BenchContext } from './bench.ts';
import { INTENT_DRAFT, openLedgerFile } from './drafts.ts';
import {
  emptySamples,
  interleave,
  ratioOf,
  spreadOf,
  type Spread,
  type Subject,
} from './measure.ts';
import { rowsOf, timedRows, type Section } from './report.ts';
import { callTool } from './world.ts';

export const benchGrowth: Bench = async (context) => {
  const ledgers = await openCopies(context);
  try {
    return [await appending(context, ledgers), await checkpoints(context, ledgers)];
  } finally {
    for (const ledger of ledgers.values()) await ledger.close();
  }
};

/** Copies, so that the ledgers themselves keep their size. By the name of their row. */
async function openCopies(context: BenchContext): Promise<ReadonlyMap<string, Ledger>> {
  const ledgers = new Map<string, Ledger>();
  for (const size of context.effort.sizes) {
    const { path, signingKey } = await context.ledgerOf(size);
    const copy = join(context.directory, `grown-${size}.db`);
    copyFileSync(path, copy);
    ledgers.set(crumbs(size), await openLedgerFile({ path: copy, signingKey }));
  }
  return ledgers;
}

function crumbs(size: number): string {
  return `${size.toLocaleString('en')} crumbs`;
}

async function appending(
  { effort }: BenchContext,
  ledgers: ReadonlyMap<string, Ledger>,
): Promise<Section> {
  const [smallest = '', ...larger] = ledgers.keys();
  const subjects = [...ledgers].map(([name, ledger]): Subject => ({
    name,
    run: () => ledger.append([INTENT_DRAFT]),
  }));
  const samples = await interleave(subjects, { ...effort, callers: 64 });
  return {
    name: 'growth',
    title: 'One crumb, 64 callers, by size of the ledger',
    rows: timedRows(samples, smallest),
    goals: larger.map((name) => ({
      what: `crumbs per second at ${name} over at ${smallest}`,
      aim: 'at least',
      limit: 0.9,
      measured: ratioOf(samples.time, smallest, name).median,
      unit: 'x',
    })),
  };
}

/** The head is there already; publishing recomputes the root at the last checkpoint and moves the guard. */
async function checkpoints(
  { effort }: BenchContext,
  ledgers: ReadonlyMap<string, Ledger>,
): Promise<Section> {
  const samples = emptySamples([...ledgers.keys()].map((name) => ({ name })));
  for (let round = -1; round < effort.rounds; round += 1) {
    for (const [name, ledger] of ledgers) {
      await ledger.append([INTENT_DRAFT]);
      const start = performance.now();
      await ledger.checkpoint();
      if (round >= 0) samples.get(name)?.push(performance.now() - start);
    }
  }
  const [smallest = ''] = ledgers.keys();
  return {
    name: 'growth',
    title: 'One checkpoint, with its guard, by size of the ledger',
    rows: rowsOf(samples, smallest, 'ms'),
    goals: [],
  };
}

/** As anchors and bundles get them: each is verified before it is given. */
export const benchProofs: Bench = async ({ effort, ledgerOf }) => {
  const subjects: Subject[] = [];
  const readers: ReadConnection[] = [];
  for (const size of effort.sizes) {
    const reader = connectReader({ url: `file:${(await ledgerOf(size)).path}` });
    readers.push(reader);
    const reads = readsOver(reader.read);
    const tree = await treeOf(reads, size);
    const any = (): number => 1 + Math.floor(Math.random() * (size - 1));
    subjects.push(
      { name: `inclusion, ${crumbs(size)}`, run: () => inclusionOf(reads, any(), tree) },
      { name: `consistency, ${crumbs(size)}`, run: () => consistencyFrom(reads, any(), tree) },
    );
  }
  const samples = await interleave(subjects, { ...effort, callers: 1 });
  for (const reader of readers) await reader.close();
  const largest = crumbs(effort.sizes.at(-1) ?? 0);
  return [
    {
      name: 'proofs',
      title: 'One proof from stored hashes, of a random crumb or size, verified',
      rows: timedRows(samples, subjects[0]?.name ?? ''),
      goals: ['inclusion', 'consistency'].map((kind) => ({
        what: `${kind} proof at ${largest}`,
        aim: 'at most',
        limit: 1000,
        measured: spreadOf(samples.time.get(`${kind}, ${largest}`) ?? []).median,
        unit: 'us',
      })),
    },
  ];
};

async function treeOf(reads: LedgerReads, size: number): Promise<KnownTree> {
  const edge = await readEdge(size, reads);
  if (edge === undefined) throw new Error('a stored hash is missing');
  return { size, root: edgeRoot(edge) };
}

export const benchSize: Bench = async (context) => {
  const [smallest, size = smallest] = context.effort.sizes;
  const { path } = await context.ledgerOf(size);
  const searched = join(context.directory, 'searched.db');
  copyFileSync(path, searched);
  const store = await openLibsqlStore({ url: `file:${searched}` });
  await store.queryTrail({ limit: 1 }); // fills the tables for searching
  await store.close();

  const called = await calledCrumb(context, smallest);
  const all = statSync(searched).size / size;
  return [
    {
      name: 'size',
      title: `Bytes per crumb on disk, at ${crumbs(size)}`,
      rows: [
        ['ledger: entries, heads, tiles, checkpoints', statSync(path).size / size],
        ['with the tables for searching', all],
        ['vault: arguments with values, salts of results', called],
      ].map(([name, bytes]) => ({ name: String(name), unit: 'B', value: exactly(Number(bytes)) })),
      goals: [
        {
          what: 'bytes per crumb, all tables',
          aim: 'at most',
          limit: 700,
          measured: all,
          unit: 'B',
        },
      ],
    },
  ];
};

/** Bytes of the vault for each crumb of so many. */
async function calledCrumb({ world }: BenchContext, size: number): Promise<number> {
  const { crumb, agent, vaultPath } = await (await world()).open('size', 'inline');
  let left = size / 2;
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      for (; left > 0; left -= 1) await callTool(agent);
    }),
  );
  await crumb.close();
  return statSync(vaultPath).size / size;
}

function exactly(value: number): Spread {
  return { median: value, p10: value, p90: value };
}
