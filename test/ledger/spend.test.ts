import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { PendingApproval } from '../../src/ledger/ledger.ts';
import {
  auditRows,
  HASH,
  openAt,
  outcome,
  rowsAt,
  signerThat,
  tamper,
  temporaryPlace,
} from './fixtures.ts';

const keyOf = (name: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(name).digest());

it('takes each use once, however many ask at the same time', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const spend = { key: keyOf('three'), max: 3, otherwise: [outcome(999)] };
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, n) => ledger.append([outcome(n)], { spend })),
  );
  expect(results.map(({ spent }) => spent)).toEqual([true, true, true, ...Array(47).fill(false)]);
  const entries = await auditRows(await rowsAt(place), ledger.vkey);
  const intents = entries.slice(1).map((entry) => entry.kind === 'outcome' && entry.body.intent);
  expect(intents).toEqual([0, 1, 2, ...Array(47).fill(999)]);
});

it('counts uses over several processes and restarts: they are in the ledger', async () => {
  const place = temporaryPlace();
  const spend = { key: keyOf('two'), max: 2, otherwise: [outcome(999)] };
  const [first, second] = [await openAt(place), await openAt(place)];
  expect((await first.append([outcome(1)], { spend })).spent).toBe(true);
  expect((await second.append([outcome(2)], { spend })).spent).toBe(true);
  await first.close();
  await second.close();
  const third = await openAt(place);
  expect((await third.append([outcome(3)], { spend })).spent).toBe(false);
});

it('tells whether a use is left without taking it', async () => {
  const ledger = await openAt(temporaryPlace());
  const key = keyOf('one');
  expect(await ledger.peek(key, 1)).toBe(true);
  expect(await ledger.peek(key, 0)).toBe(false);
  expect(await ledger.peek(key, 1)).toBe(true);
  await ledger.append([outcome(1)], { spend: { key, max: 1, otherwise: [] } });
  expect(await ledger.peek(key, 1)).toBe(false);
});

it('appends nothing when no use is left and nothing is to stand instead', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const spend = { key: keyOf('none'), max: 0, otherwise: [] };
  const result = await ledger.append([outcome(1)], { spend });
  expect(result).toMatchObject({ spent: false, entries: [] });
  expect(await rowsAt(place)).toHaveLength(1);
  expect((await ledger.append([outcome(2)])).entries[0]?.seq).toBe(1);
});

it('gives a use back when the commit fails', async () => {
  const place = temporaryPlace();
  let broken = false;
  const ledger = await openAt(place, {
    signingKey: signerThat(async (sign, message) => {
      if (broken) throw new Error('the key service is down');
      return sign(message);
    }),
  });
  const spend = { key: keyOf('back'), max: 1, otherwise: [outcome(999)] };
  broken = true;
  await expect(ledger.append([outcome(1)], { spend })).rejects.toMatchObject({
    code: 'ledger_unwritable',
  });
  broken = false;
  expect(await ledger.peek(spend.key, 1)).toBe(true);
  expect((await ledger.append([outcome(1)], { spend })).spent).toBe(true);
});

it('refuses a key that is not 32 bytes', async () => {
  const ledger = await openAt(temporaryPlace());
  const spend = { key: new Uint8Array(31), max: 1, otherwise: [] };
  await expect(ledger.append([outcome(1)], { spend })).rejects.toThrow(TypeError);
});

function request(change: Partial<PendingApproval> = {}): PendingApproval {
  return {
    key: keyOf('approval'),
    session: 'login-1',
    agent: 'planner',
    callId: 'call_1',
    tool: 'exportRecord',
    args: `h1.${HASH}`,
    salt: keyOf('salt'),
    expires: new Date('2026-11-22T10:10:00Z'),
    ...change,
  };
}

const call = { session: 'login-1', agent: 'planner', callId: 'call_1', tool: 'exportRecord' };

it('remembers a call that waits for a yes, and finds it by all that names it', async () => {
  const clock = (): Date => new Date('2026-11-22T10:00:00Z');
  const ledger = await openAt(temporaryPlace(), { clock });
  await ledger.pending.put(request());
  expect(await ledger.pending.find(call)).toEqual(request());
  for (const other of [{ session: 'x' }, { agent: 'x' }, { callId: 'x' }, { tool: 'x' }]) {
    expect(await ledger.pending.find({ ...call, ...other })).toBeUndefined();
  }
});

it('finds the newest when a provider gave one call id twice', async () => {
  const clock = (): Date => new Date('2026-11-22T10:00:00Z');
  const ledger = await openAt(temporaryPlace(), { clock });
  await ledger.pending.put(request({ key: keyOf('old') }));
  await ledger.pending.put(request({ key: keyOf('new') }));
  expect((await ledger.pending.find(call))?.key).toEqual(keyOf('new'));
});

it('finds none that has expired, and drops it with its salt', async () => {
  const place = temporaryPlace();
  let now = new Date('2026-11-22T10:00:00Z');
  const ledger = await openAt(place, { clock: () => now });
  await ledger.pending.put(request());
  now = new Date('2026-11-22T10:10:00Z');
  expect(await ledger.pending.find(call)).toBeUndefined();
  await ledger.pending.put(
    request({ callId: 'call_2', key: keyOf('2'), expires: new Date(now.getTime() + 1) }),
  );
  const [left] = await tamper(place, 'SELECT call_id FROM pending');
  expect(left?.rows.map((row) => row['call_id'])).toEqual(['call_2']);
  await ledger.close();
  await openAt(place, { clock: () => new Date('2026-11-23T00:00:00Z') });
  const [swept] = await tamper(place, 'SELECT count(*) AS n FROM pending');
  expect(swept?.rows[0]?.['n']).toBe(0);
});

it('drops the request and its salt in the transaction that spends it', async () => {
  const place = temporaryPlace();
  const clock = (): Date => new Date('2026-11-22T10:00:00Z');
  const ledger = await openAt(place, { clock });
  await ledger.pending.put(request());
  const spend = { key: request().key, max: 1, otherwise: [outcome(999)] };
  const [one, two] = await Promise.all([
    ledger.append([outcome(1)], { spend }),
    ledger.append([outcome(2)], { spend }),
  ]);
  expect([one.spent, two.spent]).toEqual([true, false]);
  expect(await ledger.pending.find(call)).toBeUndefined();
});

it('takes a request back', async () => {
  const clock = (): Date => new Date('2026-11-22T10:00:00Z');
  const ledger = await openAt(temporaryPlace(), { clock });
  await ledger.pending.put(request());
  await ledger.pending.remove(request().key);
  expect(await ledger.pending.find(call)).toBeUndefined();
});
