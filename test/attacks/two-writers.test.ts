/**
 * Claim: however many processes write to one ledger, there is one history: none of them appends to an end
 * that is no longer the end.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  auditRows,
  KEY,
  openAt,
  ORIGIN,
  rowsAt,
  tamper,
  temporaryPlace,
  type Place,
} from '../ledger/fixtures.ts';
import { auditFile, seen } from './real-file.ts';
import type { Task } from './writer-child.ts';

const CHILD = fileURLToPath(new URL('writer-child.ts', import.meta.url));
const signingKey = KEY.export({ type: 'pkcs8', format: 'pem' }).toString();

/** Lets two processes read where the ledger ends, and then both write. Answers what each said. */
async function race(
  { url }: Place,
  task: Pick<Task, 'how' | 'crumbs'>,
): Promise<readonly (readonly string[])[]> {
  const writers = ['one', 'two'].map((name) =>
    start({ url, origin: ORIGIN, signingKey, name, ...task }),
  );
  await Promise.all(writers.map(({ ready }) => ready));
  for (const { go } of writers) go();
  return Promise.all(writers.map(({ said }) => said));
}

function start(task: Task) {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(task)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ready = Promise.withResolvers<void>();
  const said = Promise.withResolvers<readonly string[]>();
  const lines: string[] = [];
  createInterface(child.stdout)
    .on('line', (line) => {
      if (line === 'ready') ready.resolve();
      else lines.push(line);
    })
    .on('close', () => {
      ready.resolve();
      said.resolve(lines);
    });
  return { ready: ready.promise, said: said.promise, go: () => void child.stdin.end('go\n') };
}

/** A ledger of two entries, and its key. */
async function newLedger(): Promise<Place & { readonly key: string }> {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.append([seen('before')]);
  await ledger.close();
  return { ...place, key: ledger.vkey };
}

describe('two processes that append to the end that both of them saw', () => {
  it('make two histories where the chain trigger is gone', async () => {
    const place = await newLedger();
    await tamper(place, 'DROP TRIGGER entry_chain');
    const said = await race(place, { how: 'counted', crumbs: 1 });
    expect(said).toEqual([['wrote'], ['wrote']]);
    const [, , one, two] = await rowsAt(place);
    expect(one?.prev).toEqual(two?.prev); // each says that it follows the same entry
    const report = await auditFile(place, { key: place.key });
    expect(report.counts).toMatchObject({ chain_broken: 1, entry_order: 1 });
  });

  it('make one where it is there: the second is told no', async () => {
    const place = await newLedger();
    const said = await race(place, { how: 'counted', crumbs: 1 });
    expect(
      said
        .flat()
        .map((line) => line.replace(/^refused .*crumb:chain.*$/, 'refused'))
        .toSorted(),
    ).toEqual(['refused', 'wrote']);
    expect(await rowsAt(place)).toHaveLength(3);
  });

  it('make one even without it, if they say the number: an entry’s number is its key', async () => {
    const place = await newLedger();
    await tamper(place, 'DROP TRIGGER entry_chain');
    const said = await race(place, { how: 'numbered', crumbs: 1 });
    expect(said.flat().filter((line) => line === 'wrote')).toHaveLength(1);
    expect(said.flat().filter((line) => /^refused .*UNIQUE constraint/.test(line))).toHaveLength(1);
  });
});

it('two processes that write as Crumb does make one chain, and lose nothing', async () => {
  const place = await newLedger();
  const said = await race(place, { how: 'crumb', crumbs: 15 });
  const rows = await rowsAt(place);
  await auditRows(rows, place.key);
  expect(rows).toHaveLength(32);
  const stored = rows.map(({ seq, leaf }) => `wrote ${seq} ${Buffer.from(leaf).toString('hex')}`);
  expect(said.flat().toSorted()).toEqual(stored.slice(2).toSorted());
  expect(await auditFile(place, { key: place.key }, { full: true })).toMatchObject({
    sound: true,
    level: 'signed',
    size: 32,
  });
});

it('a writer that finds an end which nobody signed does not go on from there', async () => {
  const place = await newLedger();
  const ledger = await openAt(place);
  await race(place, { how: 'counted', crumbs: 1 });
  await expect(ledger.append([seen('after')])).rejects.toMatchObject({ code: 'ledger_forked' });
});
