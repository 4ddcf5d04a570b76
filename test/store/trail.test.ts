import { expect, it } from 'vitest';
import type { Draft } from '../../src/ledger/ledger.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import { createSigner } from '../../src/ledger/signer.ts';
import { openLibsqlStore, type LibsqlStore } from '../../src/store/libsql/libsql-store.ts';
import type { TrailItem } from '../../src/store/libsql/trail.ts';
import {
  HASH,
  intent,
  INTENT_BODY,
  KEY,
  ORIGIN,
  outcome,
  session,
  tamper,
  temporaryPlace,
} from '../ledger/fixtures.ts';

const BOB = HASH.replace('q', 'r');
const toolOf = (tool: string): Draft => intent({ call: { ...INTENT_BODY.call, tool } });
const seqs = (items: readonly TrailItem[]): number[] => items.map(({ seq }) => seq);

const refusal: Draft = {
  kind: 'refusal',
  body: {
    session: 3,
    human: BOB,
    hop: null,
    chain: [
      { iss: 'https://idp.example', sub: 'planner' },
      { iss: 'https://idp.example', sub: 'researcher' },
    ],
    call: { ...INTENT_BODY.call, tool: 'exportRecord' },
    mode: 'enforce',
    verdict: 'unauthorized',
    reason: { code: 'action', argument: null },
    directive: 0,
    approval: null,
    decision: null,
    code: 'exchange_refused',
    iss: null,
    profile: null,
    expected: [],
    got: null,
  },
};

/** 1 session, 2 intent, 3 its outcome, 4 intent of Bob, 5 refusal, 6 intent without outcome, 7 outcome of 4. */
const STORY: readonly Draft[] = [
  session(),
  intent(),
  outcome(2),
  intent({ human: BOB, session: 3 }),
  refusal,
  toolOf('searchRecords'),
  outcome(4, 9),
];

async function told(): Promise<{
  store: LibsqlStore;
  url: string;
  append: (...d: Draft[]) => Promise<unknown>;
}> {
  const { url } = temporaryPlace();
  let minute = 0;
  const clock = (): Date => new Date(Date.UTC(2026, 10, 22, 10, minute++));
  const store = await openLibsqlStore({ url });
  const ledger = await openLedger({ store, origin: ORIGIN, signer: createSigner(KEY), clock });
  for (const draft of STORY) await ledger.append([draft]);
  return { store, url, append: (...drafts) => ledger.append(drafts) };
}

it('lists attempts with their outcomes, oldest first', async () => {
  const { store } = await told();
  const items = await store.queryTrail({});
  expect(items.map(({ seq, entry, outcome }) => [seq, entry?.kind, outcome?.seq])).toEqual([
    [2, 'intent', 3],
    [4, 'intent', 7],
    [5, 'refusal', undefined],
    [6, 'intent', undefined],
  ]);
  expect(items[1]?.outcome).toMatchObject({ body: { status: 'ok', ms: 9 } });
  expect(items[0]?.leaf).toHaveLength(32);
});

it.each([
  ['the human', { human: BOB }, [4, 5]],
  ['the agent that acted', { agent: 'researcher' }, [5]],
  ['an earlier agent, which did not act', { agent: 'planner' }, [2, 4, 6]],
  ['the tool', { tool: 'searchRecords' }, [6]],
  ['the session', { session: 3 }, [4, 5]],
  ['the verdict', { verdict: 'unauthorized' }, [5]],
  ['several at once', { human: BOB, verdict: 'authorized' }, [4]],
  ['nobody', { human: 'x' }, []],
  ['a start', { from: new Date('2026-11-22T10:05:00Z') }, [5, 6]],
  ['an end', { to: new Date('2026-11-22T10:05:00Z') }, [2, 4]],
  ['a time before all', { from: new Date(0) }, [2, 4, 5, 6]],
  ['a time after all', { from: new Date('2027-01-01') }, []],
  ['an end before all', { to: new Date(0) }, []],
  [
    'a span of time',
    { from: new Date('2026-11-22T10:04:00Z'), to: new Date('2026-11-22T10:06:00Z') },
    [4, 5],
  ],
] as const)('filters by %s', async (_what, query, expected) => {
  const { store } = await told();
  expect(seqs(await store.queryTrail(query))).toEqual(expected);
});

it('pages in both directions', async () => {
  const { store } = await told();
  expect(seqs(await store.queryTrail({ limit: 2 }))).toEqual([2, 4]);
  expect(seqs(await store.queryTrail({ limit: 2, after: 4 }))).toEqual([5, 6]);
  expect(seqs(await store.queryTrail({ limit: 3, newestFirst: true }))).toEqual([6, 5, 4]);
  expect(seqs(await store.queryTrail({ limit: 3, newestFirst: true, after: 4 }))).toEqual([2]);
});

it('takes in what came since, also the outcome of an attempt that it knew', async () => {
  const { store, append } = await told();
  await store.queryTrail({});
  await append(outcome(6));
  const items = await store.queryTrail({ tool: 'searchRecords' });
  expect(items[0]?.outcome?.seq).toBe(8);
});

it('can be made again from the entries', async () => {
  const { store, url } = await told();
  const before = await store.queryTrail({});
  await tamper(
    { url },
    'DELETE FROM lookup',
    'DELETE FROM lookup_name',
    'DELETE FROM lookup_progress',
  );
  await store.rebuildLookup();
  expect(await store.queryTrail({})).toEqual(before);
});

it('takes in thousands, a thousand at a time', async () => {
  const { store, append } = await told();
  for (let n = 0; n < 3; n++) await append(...Array.from({ length: 1000 }, () => toolOf('bulk')));
  const items = await store.queryTrail({ tool: 'bulk', limit: 1000, after: 2000 });
  expect(items).toHaveLength(1000);
  expect(await store.queryTrail({ tool: 'bulk', limit: 1000, after: 3000 })).toHaveLength(7);
});

it('shows attempts whose bytes are gone or damaged without them', async () => {
  const { store, url } = await told();
  await tamper(
    { url },
    'INSERT INTO pruned VALUES (2, 3)',
    'UPDATE entry SET bytes = NULL WHERE seq = 2',
  );
  expect(seqs(await store.queryTrail({}))).toEqual([4, 5, 6]); // taken in after it was pruned
  await tamper(
    { url },
    'INSERT INTO pruned VALUES (4, 5)',
    'UPDATE entry SET bytes = NULL WHERE seq = 4',
  );
  expect((await store.queryTrail({}))[0]).toMatchObject({
    seq: 4,
    entry: undefined,
    outcome: { seq: 7 },
  });
});

it('answers nothing once it is closed', async () => {
  const { store } = await told();
  await store.close();
  await expect(store.queryTrail({})).rejects.toMatchObject({ code: 'ledger_closed' });
});
