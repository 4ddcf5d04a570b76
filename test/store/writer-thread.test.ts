import { copyFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  auditRows,
  HASH,
  intent,
  KEY,
  openAt,
  openHead,
  outcome,
  rowsAt,
  session,
  signerThat,
  tamper,
  temporaryPlace,
} from '../ledger/fixtures.ts';

const writer = 'worker';

it('appends as the writer in the same thread does', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place, { writer, guard: place.guard });
  expect(ledger.opened).toMatchObject({ created: true, size: 1 });
  const results = await Promise.all(
    Array.from({ length: 200 }, (_, n) => ledger.append([outcome(n)])),
  );
  expect(results.map(({ entries }) => entries[0]?.seq)).toEqual(
    Array.from({ length: 200 }, (_, n) => n + 1),
  );
  expect(results[0]?.entries[0]?.time).toBeInstanceOf(Date);
  const { entries } = await ledger.append([session(), intent({ session: 201 })]);
  expect(entries.map(({ seq, kind }) => [seq, kind])).toEqual([
    [201, 'session'],
    [202, 'intent'],
  ]);
  expect(await openHead(await ledger.checkpoint(), ledger.vkey)).toMatchObject({ size: 203 });
  await ledger.close();
  expect(await auditRows(await rowsAt(place), ledger.vkey)).toHaveLength(203);
});

it('carries drafts that refer to each other', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place, { writer });
  const body = { status: 'ok', result: null, error: null, ms: 1 } as const;
  await ledger.append([intent(), { kind: 'outcome', body: { ...body, intent: { draft: 0 } } }]);
  const entries = await auditRows(await rowsAt(place), ledger.vkey);
  expect(entries[2]).toMatchObject({ kind: 'outcome', body: { intent: 1 } });
});

it('spends and keeps pending approvals over there, by the clock over here', async () => {
  let now = new Date('2026-11-22T10:00:00Z');
  const ledger = await openAt(temporaryPlace(), { writer, clock: () => now });
  const key = new Uint8Array(32).fill(1);
  const call = { session: 's', agent: 'a', callId: 'c', tool: 't' };
  const request = {
    ...call,
    key,
    args: `h1.${HASH}`,
    salt: new Uint8Array(32),
    expires: new Date('2026-11-22T10:10:00Z'),
  };
  await ledger.pending.put(request);
  expect(await ledger.pending.find(call)).toEqual(request);
  now = new Date('2026-11-22T10:11:00Z');
  expect(await ledger.pending.find(call)).toBeUndefined();
  now = new Date('2026-11-22T10:09:00Z');
  await ledger.pending.remove(key);
  expect(await ledger.pending.find(call)).toBeUndefined();
  const spend = { key, max: 1, otherwise: [outcome(9)] };
  expect(await ledger.peek(key, 1)).toBe(true);
  expect((await ledger.append([outcome(1)], { spend })).spent).toBe(true);
  expect((await ledger.append([outcome(1)], { spend })).spent).toBe(false);
});

it('asks a key service in the owner’s thread', async () => {
  const place = temporaryPlace();
  let asked = 0;
  let isDown = false;
  const signingKey = signerThat(async (sign, message) => {
    asked++;
    if (isDown) throw new Error('no route to host');
    return sign(message);
  });
  const ledger = await openAt(place, { writer, signingKey });
  await ledger.append([outcome(1)]);
  expect(asked).toBe(2);
  isDown = true;
  await expect(ledger.append([outcome(2)])).rejects.toMatchObject({ code: 'ledger_unwritable' });
  isDown = false;
  await ledger.append([outcome(3)]);
  await ledger.close();
  expect(await auditRows(await rowsAt(place), ledger.vkey)).toHaveLength(3);
});

it.each([
  ['another key', { signingKey: generateKeyPairSync('ed25519').privateKey }, 'ledger_key_unknown'],
  ['another origin', { origin: 'other.example/crumb' }, 'ledger_invalid'],
  ['a key that is none', { signingKey: '/no/such/key' }, 'key_invalid'],
  ['a URL that is none', { url: 'crumb.db' }, 'config_invalid'],
])('refuses %s with the same code', async (_what, options, code) => {
  const place = temporaryPlace();
  await (await openAt(place)).close();
  await expect(openAt(place, { writer, ...options })).rejects.toMatchObject({ code });
});

it('passes errors with their code, names and cause', async () => {
  const place = temporaryPlace();
  await (await openAt(place)).close();
  await tamper(place, 'DROP TRIGGER entry_chain');
  await expect(openAt(place, { writer })).rejects.toMatchObject({
    code: 'ledger_invalid',
    message: expect.stringContaining('trigger entry_chain missing'),
  });
});

it('notices a restored backup', async () => {
  const place = temporaryPlace();
  const options = { writer, guard: place.guard } as const;
  const backup = join(place.directory, 'backup.db');
  await (await openAt(place, options)).close();
  copyFileSync(place.path, backup);
  const ledger = await openAt(place, options);
  await ledger.append([outcome(1)]);
  await ledger.close();
  copyFileSync(backup, place.path);
  await expect(openAt(place, options)).rejects.toMatchObject({ code: 'ledger_forked' });
});

it('refuses drafts that are wrong before they cross, and too many of them', async () => {
  const ledger = await openAt(temporaryPlace(), { writer });
  await expect(ledger.append([outcome(-1)])).rejects.toMatchObject({ code: 'entry_malformed' });
  const asked = Array.from({ length: 4_200 }, (_, n) => ledger.append([outcome(n)]));
  const refused = (await Promise.allSettled(asked)).filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(104);
  expect(refused[0]).toMatchObject({ reason: { code: 'ledger_overloaded' } });
});

it('drains when it is closed, and refuses afterwards', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place, { writer });
  const asked = Array.from({ length: 300 }, (_, n) => ledger.append([outcome(n)]));
  await ledger.close();
  await Promise.all(asked);
  await expect(ledger.append([outcome(1)])).rejects.toMatchObject({ code: 'ledger_closed' });
  const [sizes] = await tamper(place, 'SELECT size FROM checkpoint');
  expect(sizes?.rows.map((row) => row['size'])).toEqual([301]);
});

it('works beside a writer in this thread', async () => {
  const place = temporaryPlace();
  const [there, here] = [await openAt(place, { writer }), await openAt(place, { signingKey: KEY })];
  await Promise.all(
    Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? there : here).append([outcome(n)])),
  );
  expect(await auditRows(await rowsAt(place), here.vkey)).toHaveLength(41);
});
