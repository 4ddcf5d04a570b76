import { chmodSync } from 'node:fs';
import { createClient } from '@libsql/client';
import { expect, it } from 'vitest';
import {
  auditRows,
  intent,
  openAt,
  outcome,
  rowsAt,
  temporaryPlace,
  type Place,
} from '../ledger/fixtures.ts';
import { acknowledged, start } from './ledger-children.ts';

/** The ledger is whole, holds all that was acknowledged, and opens. Answers how many entries it has. */
async function expectSound(place: Place, said: readonly (readonly string[])[]): Promise<number> {
  const ledger = await openAt(place, { guard: place.guard });
  const rows = await rowsAt(place);
  await auditRows(rows, ledger.vkey);
  const stored = new Set(
    rows.map(({ seq, leaf }) => `${seq} ${Buffer.from(leaf).toString('hex')}`),
  );
  const lost = acknowledged(said).filter((line) => !stored.has(line));
  expect(lost).toEqual([]);
  expect(ledger.opened.size).toBe(rows.length);
  await ledger.append([outcome(1)]);
  await ledger.checkpoint();
  await ledger.close();
  return rows.length;
}

it('makes one chain of what two processes write', { timeout: 60_000 }, async () => {
  const place = temporaryPlace();
  const task = { guard: place.guard, entries: 150 };
  const children = [start(place, task), start(place, { ...task, writer: 'worker' })];
  const said = await Promise.all(children.map((child) => child.said));
  expect(said.map((lines) => lines.at(-1))).toEqual(['closed', 'closed']);
  expect(acknowledged(said)).toHaveLength(300);
  expect(await expectSound(place, said)).toBe(301);
});

it(
  'loses nothing acknowledged and forks nothing when processes are killed at any moment',
  { timeout: 180_000 },
  async () => {
    const place = temporaryPlace();
    const said: (readonly string[])[] = [];
    let size = 0;
    for (let round = 0; round < 5; round++) {
      const children = Array.from({ length: 4 }, (_, n) =>
        start(place, { guard: place.guard, writer: n === 3 ? 'worker' : 'inline' }),
      );
      await Promise.all(
        children.map(async (child) => {
          await child.ready;
          await new Promise((resolve) => void setTimeout(resolve, Math.random() * 150));
          child.kill();
          said.push(await child.said);
        }),
      );
      size = await expectSound(place, said);
    }
    expect(said).toHaveLength(20);
    expect(acknowledged(said).length).toBeGreaterThan(20);
    expect(size).toBeGreaterThan(acknowledged(said).length);
  },
);

it('says after a crash which tool calls have no outcome', async () => {
  const place = temporaryPlace();
  const said = await start(place, { draft: intent(), dieAfterFirst: true, callers: 1 }).said;
  expect(acknowledged([said])).toHaveLength(1);
  const ledger = await openAt(place);
  expect(ledger.opened).toMatchObject({
    created: false,
    size: 2,
    unpublished: 2,
    outcomeUnknown: [1],
  });
});

it('says that it cannot write when the disk is full, and keeps what it acknowledged', async () => {
  const place = temporaryPlace();
  const child = start(place, { callers: 8 }, 400);
  const said = await child.said;
  expect(said.at(-1)).toBe('failed ledger_unwritable');
  expect(acknowledged([said]).length).toBeGreaterThan(5);
  await expectSound(place, [said]);
});

it('says that it cannot write a file that is read-only', async () => {
  const place = temporaryPlace();
  await (await openAt(place)).close();
  chmodSync(place.path, 0o444);
  chmodSync(place.directory, 0o555);
  const isRoot = process.getuid?.() === 0; // whom permissions do not hold
  const said = await start(place, { uid: isRoot ? 65_534 : undefined }).said;
  expect(said).toEqual(['failed ledger_unwritable']);
  chmodSync(place.directory, 0o755);
});

it(
  'says that the ledger is busy while another process holds it, and goes on afterwards',
  { timeout: 60_000 },
  async () => {
    const place = temporaryPlace();
    const ledger = await openAt(place, { busyTimeoutMs: 200 });
    const other = createClient({ url: place.url });
    const held = await other.transaction('write');
    const asked = await Promise.allSettled([
      ledger.append([outcome(1)]),
      ledger.append([outcome(2)]),
    ]);
    for (const result of asked) expect(result).toMatchObject({ reason: { code: 'ledger_busy' } });
    await held.rollback();
    other.close();
    expect((await ledger.append([outcome(3)])).entries[0]?.seq).toBe(1);
    await ledger.close();
    await expectSound(place, []);
  },
);
