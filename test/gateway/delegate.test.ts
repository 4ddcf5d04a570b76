import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { openWorld, READ_42, RECORDS, type CrumbWorld } from '../world.ts';

let world: CrumbWorld;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(async () => world.close());

const FREE = { ...READ_42, max_uses: undefined };
const readBy = async (acting: ActingAgent, id = 42): Promise<unknown> =>
  acting.invoke({ tool: 'readRecord', args: { id } }, async () =>
    (await acting.fetch(`${world.records.url}/records/${id}`)).json(),
  );
const task = { tool: 'research', args: { task: 'record 42' } };

describe('a delegation', () => {
  it('nests the parent under the child in the token, and traces back through hop and session', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    const answer = await planner.delegate('researcher', task, async (researcher) =>
      readBy(researcher),
    );
    expect(answer).toEqual({ id: 42, text: 'record 42' });

    const { delegation } = world.records.served[0] ?? {};
    expect(delegation?.human.sub).toBe('alice');
    expect(delegation?.chain.map(({ sub }) => sub)).toEqual(['planner', 'researcher']);

    const crumbs = await world.readCrumbs();
    expect(crumbs.map(({ kind }) => kind)).toEqual([
      'genesis',
      'key',
      'session',
      'intent', // the planner delegates
      'hop',
      'intent', // the researcher reads
      'outcome',
      'outcome',
    ]);
    expect(crumbs[3]?.body).toMatchObject({
      call: { action: 'delegate', resource: 'urn:agent:researcher' },
      chain: [{ sub: 'planner' }],
      verdict: 'authorized',
      hop: null,
      token: { aud: 'urn:agent:researcher' },
    });
    expect(crumbs[4]?.body).toMatchObject({
      intent: 3,
      parent: null,
      chain: [{ sub: 'planner' }],
      session: 2,
    });
    expect(crumbs[5]?.body).toMatchObject({
      hop: 4,
      session: 2,
      chain: [{ sub: 'planner' }, { sub: 'researcher' }],
      token: { aud: RECORDS },
      verdict: 'authorized',
    });
  });

  it('goes three agents deep', async () => {
    const planner = (await world.loginAs('alice', [FREE])).agent('planner');
    await planner.delegate('researcher', task, async (researcher) =>
      researcher.delegate('fetcher', task, async (fetcher) => readBy(fetcher)),
    );
    const { delegation } = world.records.served[0] ?? {};
    expect(delegation?.chain.map(({ sub }) => sub)).toEqual(['planner', 'researcher', 'fetcher']);
    const hops = await world.crumbsOf('hop');
    expect(hops.map(({ body }) => body.chain.length)).toEqual([1, 2]);
    expect(hops[1]?.body.parent).toBe(hops[0]?.seq);
  });

  it('asks for no more than the directives that admit the child', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    const call = planner.delegate('researcher', task, async (researcher) =>
      researcher.invoke({ tool: 'exportRecord', args: { id: 42 } }, () => 'ran'),
    );
    await expect(call).rejects.toMatchObject({ code: 'exchange_refused' });
    const [hop] = await world.crumbsOf('hop');
    expect(hop?.body.token.scope).toEqual(['read_record']);
  });

  it('to an agent that no directive lists is flagged, with the reason', async () => {
    const planner = (await world.loginAs('alice', [{ ...READ_42, agents: ['planner'] }])).agent(
      'planner',
    );
    await planner
      .delegate('researcher', task, async (researcher) => readBy(researcher))
      .catch(() => null);
    const [intent] = await world.crumbsOf('intent');
    expect(intent?.body).toMatchObject({ verdict: 'unauthorized', reason: { code: 'agent' } });
  });

  it('back to an earlier agent is refused', async () => {
    const planner = (await world.loginAs('alice', [FREE])).agent('planner');
    const call = planner.delegate('researcher', task, async (researcher) =>
      researcher.delegate('planner', task, () => 'ran'),
    );
    await expect(call).rejects.toMatchObject({ code: 'act_repeated' });
    expect((await world.crumbsOf('refusal'))[0]?.body.code).toBe('act_repeated');
  });

  it('to an unknown agent is refused before anything is sent', async () => {
    const planner = (await world.loginAs('alice', [FREE])).agent('planner');
    await expect(planner.delegate('stranger', task, () => 'ran')).rejects.toMatchObject({
      code: 'agent_unknown',
    });
  });

  it('is an error on record when the child fails', async () => {
    const planner = (await world.loginAs('alice', [FREE])).agent('planner');
    const call = planner.delegate('researcher', task, () => {
      throw new Error('the child broke');
    });
    await expect(call).rejects.toThrow('the child broke');
    expect((await world.crumbsOf('outcome'))[0]?.body).toMatchObject({
      status: 'error',
      error: 'tool_error',
    });
  });
});

it('records the renewed hop of an agent that outlives its first one', async () => {
  let lateMs = 0;
  await using slow = await openWorld({ crumb: { clock: () => new Date(Date.now() + lateMs) } });
  const planner = (await slow.loginAs('alice', [FREE])).agent('planner');
  const read = async (acting: ActingAgent, id: number): Promise<unknown> =>
    acting.invoke({ tool: 'readRecord', args: { id } }, () => null);
  await planner.delegate('researcher', task, async (researcher) => {
    await read(researcher, 42);
    lateMs = 95_000; // the hop's token now ends within the margin
    await read(researcher, 42);
    await read(researcher, 43);
  });
  const hops = await slow.crumbsOf('hop');
  expect(hops.length).toBeGreaterThan(1);
  const [first, second] = hops;
  expect(second?.body).toMatchObject({
    intent: first?.body.intent,
    parent: null,
    chain: first?.body.chain,
  });
  expect(second?.body.token.c).not.toBe(first?.body.token.c);
  const reads = (await slow.crumbsOf('intent')).filter(
    ({ body }) => body.call.action === 'read_record',
  );
  expect(reads[0]?.body.hop).toBe(first?.seq);
  expect(hops.slice(1).map(({ seq }) => seq)).toContain(reads[1]?.body.hop);
  const report = await verifyBundle(slow.crumb.bundle());
  expect(report.findings).toEqual([]);
});

it('never swaps two humans whose calls interleave over one process', async () => {
  const [alice, bob] = await Promise.all(
    ['alice', 'bob'].map(async (who) => (await world.loginAs(who, [FREE])).agent('planner')),
  );
  if (alice === undefined || bob === undefined) throw new Error('nobody logged in');
  const walk = async (planner: ActingAgent): Promise<string[]> => {
    const seen: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      await planner.delegate('researcher', task, async (researcher) => {
        await readBy(researcher);
        await researcher.invoke({ tool: 'readRecord', args: { id: 42 } }, async () => {
          await Promise.resolve();
          seen.push(world.crumb.current().human?.sub ?? 'nobody');
        });
      });
    }
    return seen;
  };
  const [a, b] = await Promise.all([walk(alice), walk(bob)]);
  expect(a).toEqual(Array.from({ length: 5 }, () => 'alice'));
  expect(b).toEqual(Array.from({ length: 5 }, () => 'bob'));
  const humans = new Set(world.records.served.map(({ delegation }) => delegation.human.sub));
  expect(humans).toEqual(new Set(['alice', 'bob']));
  const sessions = await world.crumbsOf('session');
  expect(sessions).toHaveLength(2);
  for (const { body } of await world.crumbsOf('intent')) {
    expect(sessions.find(({ seq }) => seq === body.session)?.body.human).toBe(body.human);
  }
});

it('prints neither identity nor token, however it is looked at', async () => {
  const token = await world.tokenOf('alice', [FREE]);
  const session = await world.crumb.session(token);
  const planner = session.agent('planner');
  const current = await planner.invoke({ tool: 'readRecord', args: { id: 42 } }, () =>
    world.crumb.current(),
  );
  const looks = [session, planner, current].flatMap((thing) => [
    inspect(thing, { depth: 9, showHidden: true }),
    JSON.stringify(thing),
  ]);
  for (const look of looks) {
    expect(look).not.toContain('alice');
    expect(look).not.toContain(token.slice(0, 40));
    expect(look).not.toContain(current.token?.slice(-40) ?? 'none');
  }
});

it('carries the token under the address of its resource only', async () => {
  const planner = (await world.loginAs('alice', [FREE])).agent('planner');
  const seen: (string | null)[] = [];
  await using other = await openWorld({
    crumb: {
      fetch: async (input, init) => {
        seen.push(new Request(input, init).headers.get('authorization'));
        return new Response('{}');
      },
    },
  });
  const watched = (await other.loginAs('alice', [FREE])).agent('planner');
  await watched.invoke({ tool: 'readRecord', args: { id: 42 } }, async () => {
    await watched.fetch(`${other.records.url}/records/42`);
    await watched.fetch(`${other.records.url.replace('127.0.0.1', 'localhost')}/records/42`);
    await watched.fetch('http://127.0.0.1:9/steal');
  });
  expect(seen.map((header) => header?.slice(0, 7) ?? null)).toEqual(['Bearer ', null, null]);
  await expect(planner.fetch(`${world.records.url}/records/42`)).rejects.toMatchObject({
    code: 'call_missing',
  });
});
