/**
 * What grows with the ledger, and what must not: appending, checkpoints, proofs, and bytes on disk.
 *
 * @module
 */
import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { verifyConsistency, verifyInclusion } from '../src/evidence/merkle.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import { edgeRoot, readEdge } from '../src/ledger/tree-edge.ts';
import { connectReader } from '../src/store/libsql/connection.ts';
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
import { openProver, type Prover } from './proofs.ts';
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

export const benchProofs: Bench = async ({ effort, ledgerOf }) => {
  const kinds = ['inclusion', 'consistency'] as const;
  const subjects: Subject[] = [];
  const closing: (() => Promise<void>)[] = [];
  for (const kind of kinds) {
    for (const size of effort.sizes) {
      const { path } = await ledgerOf(size);
      const prover = openProver(path, size);
      closing.push(() => prover.close());
      await requireSound(prover, { path, size, kind });
      const any = (): number => 1 + Math.floor(Math.random() * (size - 1));
      subjects.push({ name: `${kind}, ${crumbs(size)}`, run: () => prover[kind](any()) });
    }
  }
  const samples = await interleave(subjects, { ...effort, callers: 1 });
  for (const close of closing) await close();
  const largest = crumbs(effort.sizes.at(-1) ?? 0);
  return [
    {
      name: 'proofs',
      title: 'One proof from the stored tiles, of a random crumb or size',
      rows: timedRows(samples, subjects[0]?.name ?? ''),
      goals: kinds.map((kind) => ({
        what: `${kind} proof at ${largest}`,
        aim: 'at most',
        limit: 1000,
        measured: spreadOf(samples.time.get(`${kind}, ${largest}`) ?? []).median,
        unit: 'us',
      })),
    },
  ];
};

/** A proof that is fast and wrong would be a good figure. */
async function requireSound(
  prover: Prover,
  of: { readonly path: string; readonly size: number; readonly kind: 'inclusion' | 'consistency' },
): Promise<void> {
  const { path, size, kind } = of;
  const reader = connectReader({ url: `file:${path}` });
  const reads = readsOver(reader.read);
  const rootAt = async (count: number): Promise<Uint8Array> => {
    const edge = await readEdge(count, reads);
    if (edge === undefined) throw new Error('a stored hash is missing');
    return edgeRoot(edge);
  };
  const root = await rootAt(size);
  for (const n of [1, Math.floor(size / 3), Math.floor(size / 2), size - 1]) {
    const proof = await prover[kind](n);
    const [leaf = new Uint8Array()] = await reads.hashes(0, n, n + 1);
    const sound =
      kind === 'inclusion'
        ? verifyInclusion({ leaf, index: n, size, root, proof })
        : verifyConsistency({
            oldSize: n,
            newSize: size,
            oldRoot: await rootAt(n),
            newRoot: root,
            proof,
          });
    if (!sound) throw new Error(`the ${kind} proof for ${n} of ${size} does not verify`);
  }
  await reader.close();
}

export const benchSize: Bench = async (context) => {
  const [size] = context.effort.sizes;
  const { path } = await context.ledgerOf(size);
  const searched = join(context.directory, 'searched.db');
  copyFileSync(path, searched);
  const store = await openLibsqlStore({ url: `file:${searched}` });
  await store.queryTrail({ limit: 1 }); // fills the tables for searching
  await store.close();

  const called = await calledCrumb(context, size);
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
