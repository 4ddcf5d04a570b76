import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MAKER } from '../../src/ledger/ledger-core.ts';
import type { AppendResult, Draft } from '../../src/ledger/ledger.ts';
import {
  auditRows,
  HASH,
  intent,
  openAt,
  openHead,
  outcome,
  rowsAt,
  session,
  temporaryPlace,
} from './fixtures.ts';

it('starts with genesis: origin, key, salt, policy and maker', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const [genesis] = await auditRows(await rowsAt(place), ledger.vkey);
  expect(genesis).toMatchObject({
    kind: 'genesis',
    body: {
      origin: 'acme.example/crumb',
      key: ledger.vkey,
      policy: { checkpoint: { entries: 1024, seconds: 60 }, anchor: null },
      maker: { name: 'crumb-ai' },
      anchorKey: null,
      recoveryKey: null,
      continues: null,
    },
  });
  expect(ledger.opened).toMatchObject({ created: true, size: 1, unpublished: 1 });
});

it('records the version that the package has', () => {
  const { name, version } = JSON.parse(readFileSync('package.json', 'utf8')) as typeof MAKER;
  expect(MAKER).toEqual({ name, version });
});

it('gives each ledger a salt of its own', async () => {
  const salts = [];
  for (const place of [temporaryPlace(), temporaryPlace()]) {
    const ledger = await openAt(place);
    const [genesis] = await auditRows(await rowsAt(place), ledger.vkey);
    salts.push(genesis?.kind === 'genesis' && genesis.body.salt);
  }
  expect(new Set(salts).size).toBe(2);
});

it('appends in order and answers place, leaf and a head that covers it', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const first = await ledger.append([intent()]);
  const second = await ledger.append([outcome(1)]);
  expect(first.entries.map(({ seq, kind }) => [seq, kind])).toEqual([[1, 'intent']]);
  expect(second.entries.map(({ seq, kind }) => [seq, kind])).toEqual([[2, 'outcome']]);

  const rows = await rowsAt(place);
  await auditRows(rows, ledger.vkey);
  expect(Buffer.from(first.entries[0]?.leaf ?? [])).toEqual(Buffer.from(rows[1]?.leaf ?? []));
  expect(await openHead(first.head, ledger.vkey)).toMatchObject({ origin: ledger.origin, size: 2 });
  expect(await openHead(second.head, ledger.vkey)).toMatchObject({ size: 3 });
});

it('commits together what arrives together, under one signature', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const results = await Promise.all(
    Array.from({ length: 300 }, (_, n) => ledger.append([outcome(n)])),
  );
  expect(results.map((result) => result.entries[0]?.seq)).toEqual(
    Array.from({ length: 300 }, (_, n) => n + 1),
  );
  expect(new Set(results.map(({ head }) => head)).size).toBe(3); // 128 + 128 + 44
  const rows = await rowsAt(place);
  await auditRows(rows, ledger.vkey);
  expect(rows.filter(({ head }) => head !== null).map(({ seq }) => seq)).toEqual([
    0, 128, 256, 300,
  ]);
});

it('keeps the drafts of one call together, also when there are many', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const drafts = Array.from({ length: 300 }, (_, n) => outcome(n));
  const [small, large] = await Promise.all([ledger.append([outcome(0)]), ledger.append(drafts)]);
  expect(small.entries).toHaveLength(1);
  expect(large.entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 300 }, (_, n) => n + 2));
  await auditRows(await rowsAt(place), ledger.vkey);
});

it('gives a call a commit of its own when each crumb is to be signed', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const results = await Promise.all([
    ledger.append([outcome(0)]),
    ledger.append([outcome(1)], { sign: 'each' }),
    ledger.append([outcome(2)], { sign: 'each' }),
    ledger.append([outcome(3)]),
  ]);
  expect(new Set(results.map(({ head }) => head)).size).toBe(4);
});

it('lets drafts refer to each other, also inside a token', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  await ledger.append([outcome(0)]);
  const key: Draft = {
    kind: 'key',
    body: {
      role: 'issuer',
      op: 'add',
      key: { iss: 'https://idp.example', jwks: HASH },
      proof: null,
      since: null,
      reason: null,
    },
  };
  const call = intent();
  if (call.kind !== 'intent' || call.body.token === null) throw new Error('an intent with a token');
  const referring: Draft = {
    kind: 'intent',
    body: {
      ...call.body,
      session: { draft: 1 },
      token: { ...call.body.token, jwks: { draft: 0 } },
    },
  };
  const { entries } = await ledger.append([key, session(), referring]);
  expect(entries.map(({ seq }) => seq)).toEqual([2, 3, 4]);
  const stored = (await auditRows(await rowsAt(place), ledger.vkey))[4];
  expect(stored).toMatchObject({ kind: 'intent', body: { session: 3, token: { jwks: 2 } } });
});

it.each([
  ['itself', { draft: 0 }],
  ['a later draft', { draft: 1 }],
  ['none', { draft: -1 }],
  ['half a draft', { draft: 0.5 }],
])('refuses a reference to %s', async (_what, reference) => {
  const ledger = await openAt(temporaryPlace());
  const draft: Draft = {
    kind: 'outcome',
    body: { intent: reference, status: 'ok', result: null, error: null, ms: 0 },
  };
  await expect(ledger.append([draft, outcome(0)])).rejects.toThrow(TypeError);
});

it('lets a draft that is wrong fail alone', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const wrong = outcome(-1);
  const [good, bad, large, other] = await Promise.allSettled([
    ledger.append([outcome(1)]),
    ledger.append([wrong]),
    ledger.append([intent({ exchange: 'x'.repeat(70_000) })]),
    ledger.append([outcome(2)]),
  ]);
  expect([good?.status, other?.status]).toEqual(['fulfilled', 'fulfilled']);
  expect(bad).toMatchObject({ reason: { code: 'entry_malformed' } });
  expect(large).toMatchObject({ reason: { code: 'entry_malformed' } });
  expect(await rowsAt(place)).toHaveLength(3);
});

it('takes entries up to the limit of the format, and none beyond', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const call = intent();
  if (call.kind !== 'intent' || call.body.token === null) throw new Error('an intent with a token');
  const withScopes = (count: number): Draft => ({
    kind: 'intent',
    body: {
      ...call.body,
      token: call.body.token && { ...call.body.token, scope: Array(count).fill('s'.repeat(510)) },
    },
  });
  await ledger.append([withScopes(126)]);
  await expect(ledger.append([withScopes(128)])).rejects.toMatchObject({ code: 'entry_too_large' });
  await auditRows(await rowsAt(place), ledger.vkey);
});

it('takes no second genesis', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const [genesis] = await auditRows(await rowsAt(place), ledger.vkey);
  if (genesis?.kind !== 'genesis') throw new Error('no genesis');
  await expect(ledger.append([{ kind: 'genesis', body: genesis.body }])).rejects.toMatchObject({
    code: 'entry_malformed',
  });
});

it('never lets time go back, whatever the clock does', async () => {
  const place = temporaryPlace();
  let now = '10:00';
  const ledger = await openAt(place, { clock: () => new Date(`2026-11-22T${now}:00Z`) });
  const seen = [];
  for (now of ['10:05', '09:00', '09:30', '10:06']) {
    seen.push((await ledger.append([outcome(1)])).entries[0]?.time.toISOString().slice(11, 16));
  }
  expect(seen).toEqual(['10:05', '10:05', '10:05', '10:06']);

  await ledger.close();
  const again = await openAt(place, { clock: () => new Date('2020-01-01T00:00:00Z') });
  const { entries } = await again.append([outcome(9)]);
  expect(entries[0]?.time.toISOString()).toBe('2026-11-22T10:06:00.000Z');
  await auditRows(await rowsAt(place), again.vkey);
});

it('refuses when more waits than may wait, and goes on afterwards', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const asked: Promise<AppendResult>[] = [];
  for (let n = 0; n < 4_500; n++) asked.push(ledger.append([outcome(n)]));
  const settled = await Promise.allSettled(asked);
  const refused = settled.filter((result) => result.status === 'rejected');
  expect(refused).toHaveLength(404);
  expect(refused[0]).toMatchObject({ reason: { code: 'ledger_overloaded' } });
  await ledger.append([outcome(1)]);
  const entries = await auditRows(await rowsAt(place), ledger.vkey);
  expect(entries).toHaveLength(1 + 4_096 + 1);
});

it('counts bytes too: sixteen megabytes may wait', async () => {
  const ledger = await openAt(temporaryPlace());
  const call = intent();
  if (call.kind !== 'intent' || call.body.token === null) throw new Error('an intent with a token');
  const large = intent({
    token: { ...call.body.token, jwks: 1, scope: Array(100).fill('s'.repeat(500)) },
  });
  const settled = await Promise.allSettled(
    Array.from({ length: 400 }, () => ledger.append([large])),
  );
  const refused = settled.filter((result) => result.status === 'rejected').length;
  expect(refused).toBeGreaterThan(50);
  expect(refused).toBeLessThan(100);
});

it('drains what is queued when it is closed, and refuses what comes after', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const asked = Array.from({ length: 500 }, (_, n) => ledger.append([outcome(n)]));
  const closing = ledger.close();
  await expect(ledger.append([outcome(1)])).rejects.toMatchObject({ code: 'ledger_closed' });
  await expect(ledger.peek(new Uint8Array(32), 1)).rejects.toMatchObject({ code: 'ledger_closed' });
  await expect(ledger.checkpoint()).rejects.toMatchObject({ code: 'ledger_closed' });
  await closing;
  expect((await Promise.all(asked)).at(-1)?.entries[0]?.seq).toBe(500);
  expect(await auditRows(await rowsAt(place), ledger.vkey)).toHaveLength(501);
  await ledger.close();
});

it('waits for what is queued when it is flushed', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  for (let n = 0; n < 200; n++) void ledger.append([outcome(n)]);
  await ledger.flush();
  expect(await rowsAt(place)).toHaveLength(201);
});

it('refuses to append nothing', async () => {
  const ledger = await openAt(temporaryPlace());
  await expect(ledger.append([])).rejects.toThrow(TypeError);
});

it('appends drafts as they were when it was called, whatever becomes of them', async () => {
  const place = temporaryPlace();
  const ledger = await openAt(place);
  const closed = {
    kind: 'outcome',
    body: { intent: 7, status: 'ok', result: null, error: null, ms: 1 },
  };
  const open = {
    kind: 'outcome',
    body: { intent: { draft: 0 }, status: 'ok', result: null, error: null, ms: 1 },
  };
  const asked = ledger.append([closed, open] as Draft[]);
  closed.body.ms = 99;
  open.body.ms = 99;
  open.body.status = 'x'.repeat(100_000);
  await asked;
  const entries = await auditRows(await rowsAt(place), ledger.vkey);
  expect(entries.slice(1).map((entry) => entry.kind === 'outcome' && entry.body.ms)).toEqual([
    1, 1,
  ]);
});
