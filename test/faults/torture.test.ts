import { expect, it } from 'vitest';
import { equalBytes } from '../../src/evidence/bytes.ts';
import { leafHash, rootHash } from '../../src/evidence/merkle.ts';
import { fileGuard } from '../../src/ledger/rollback-guard.ts';
import {
  auditRows,
  openAt,
  openHead,
  outcome,
  rowsAt,
  temporaryPlace,
  type Place,
} from '../ledger/fixtures.ts';
import { acknowledged, start, type Child } from './ledger-children.ts';

/** `npm run torture` asks for more. */
const RUNS = Number(process.env['CRUMB_TORTURE_RUNS'] ?? 60);

/** A ledger is read whole after each run, so none is kept for long. */
const RUNS_PER_LEDGER = 10;
const WRITERS = 4;

const random = (below: number): number => Math.floor(Math.random() * below);

/** Four writers of one ledger, the last on the writer thread. */
interface Crew {
  readonly place: Place;
  readonly writers: Child[];
  /** What those said that are dead. */
  readonly ended: (readonly string[])[];
}

function startWriter(place: Place, n: number): Child {
  const writer = n === WRITERS - 1 ? 'worker' : 'inline';
  return start(place, { guard: place.guard, callers: 1, writer });
}

/** Kills a writer at a random moment; now and then before it has opened the ledger. */
async function killOne({ writers, ended }: Crew, n: number): Promise<void> {
  const child = writers[n];
  if (child === undefined) throw new TypeError('no such writer');
  if (random(4) > 0) await child.ready;
  await new Promise((resolve) => void setTimeout(resolve, random(100)));
  child.kill();
  ended.push(await child.said);
}

/** Everything acknowledged is there; chain, tree, head and guard agree; the ledger opens and goes on. */
async function expectSound({ place, writers, ended }: Crew): Promise<void> {
  // In this order: the writers that live go on, and what comes later may only hold more.
  const said = [...ended, ...writers.map(({ lines }) => [...lines])];
  const mark = await fileGuard(place.guard).read();
  const ledger = await openAt(place, { guard: place.guard, busyTimeoutMs: 20_000 });
  const rows = await rowsAt(place);
  await auditRows(rows, ledger.vkey);

  const stored = new Set(
    rows.map(({ seq, leaf }) => `${seq} ${Buffer.from(leaf).toString('hex')}`),
  );
  expect(acknowledged(said).filter((line) => !stored.has(line))).toEqual([]);
  const leaves = rows.map(({ bytes }) => leafHash(bytes ?? new Uint8Array()));
  if (mark !== undefined) {
    expect(mark.size).toBeLessThanOrEqual(rows.length);
    expect(equalBytes(mark.root, rootHash(leaves.slice(0, mark.size)))).toBe(true);
    expect(equalBytes(mark.leaf, leaves[mark.size - 1] ?? new Uint8Array())).toBe(true);
  }
  await ledger.append([outcome(1)]);
  const head = await openHead(await ledger.checkpoint(), ledger.vkey);
  expect(head.size).toBeGreaterThan(rows.length);
  await ledger.close();
  const failed = said.flat().filter((line) => line.startsWith('failed'));
  expect(failed.filter((line) => line !== 'failed ledger_busy')).toEqual([]);
}

/** Kills one writer per run, and all four in the last; answers how much was acknowledged. */
async function torture(runs: number): Promise<number> {
  const place = temporaryPlace();
  const writers = Array.from({ length: WRITERS }, (_, n) => startWriter(place, n));
  const crew: Crew = { place, writers, ended: [] };
  for (let run = 1; run < runs; run++) {
    const n = random(WRITERS);
    await killOne(crew, n);
    writers[n] = startWriter(place, n);
    await expectSound(crew);
  }
  await Promise.all(writers.map((_, n) => killOne(crew, n)));
  await expectSound(crew);
  return acknowledged(crew.ended).length;
}

it(
  `keeps what it acknowledged through ${RUNS} runs in which some of four writers are killed`,
  { timeout: 60_000 + RUNS * 5_000 },
  async () => {
    let kept = 0;
    for (let left = RUNS; left > 0; left -= RUNS_PER_LEDGER) {
      kept += await torture(Math.min(left, RUNS_PER_LEDGER));
    }
    expect(kept).toBeGreaterThan(RUNS);
  },
);
