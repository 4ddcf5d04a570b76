/** Claim: who has logged out, was disabled, or cannot be vouched for right now gets no further token, and nobody gets another's. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import { openWorld, READ_42, type CrumbWorld } from '../world.ts';

let world: CrumbWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.idp.idp.fault(undefined);
  for (const sub of ['alice', 'bob', 'researcher']) world.idp.idp.allow({ sub });
});

const READ_ANY = { ...READ_42, arguments: undefined, max_uses: undefined };
const read = async (agent: ActingAgent, id = 42): Promise<string> =>
  agent.invoke({ tool: 'readRecord', args: { id } }, async () =>
    (await agent.fetch(`${world.records.url}/records/${id}`)).text(),
  );
const ran = (): never => {
  throw new Error('the tool ran');
};
const lastRefusal = async () => (await world.crumbsOf('refusal')).at(-1)?.body;

it('lets a call through while nothing is wrong', async () => {
  const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
  await expect(read(planner)).resolves.toBe('{"id":42,"text":"record 42"}');
});

describe('after the session was ended', () => {
  it('a running call ends, and the next one does not start, with a cached token or without', async () => {
    const session = await world.loginAs('alice', [READ_42]);
    const planner = session.agent('planner');
    const first = await planner.invoke({ tool: 'readRecord', args: { id: 42 } }, async () => {
      await session.end();
      return 'ended meanwhile';
    });
    expect(first).toBe('ended meanwhile');
    const next = planner.invoke({ tool: 'readRecord', args: { id: 42 } }, ran);
    await expect(next).rejects.toMatchObject({ code: 'session_expired' });
    const again = session.agent('planner').invoke({ tool: 'readRecord', args: {} }, ran);
    await expect(again).rejects.toMatchObject({ code: 'session_expired' });
    expect(await lastRefusal()).toMatchObject({ code: 'session_expired' });
  });

  it('an agent further down the chain is stopped as well', async () => {
    const session = await world.loginAs('alice', [READ_42]);
    const planner = session.agent('planner');
    const call = { tool: 'researcher', args: { task: 'read record 42' } };
    await planner.delegate('researcher', call, async (researcher) => {
      await expect(read(researcher)).resolves.toBeDefined();
      await session.end();
      await expect(
        researcher.invoke({ tool: 'readRecord', args: { id: 42 } }, ran),
      ).rejects.toMatchObject({ code: 'session_expired' });
    });
  });
});

describe('at the provider', () => {
  it('a human who was denied or signed out gets no further token', async () => {
    for (const stop of [
      async (sid: string) => world.idp.idp.endSession(sid),
      async () => world.idp.idp.deny({ sub: 'alice' }),
    ]) {
      world.idp.idp.allow({ sub: 'alice' });
      const token = await world.tokenOf('alice', [READ_42]);
      const { sid } = JSON.parse(
        Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(),
      ) as { sid: string }; // the development provider's token
      const planner = (await world.crumb.session(token)).agent('planner');
      await stop(sid);
      const call = planner.invoke({ tool: 'readRecord', args: { id: 42 } }, ran);
      await expect(call).rejects.toMatchObject({ code: 'exchange_refused' });
      expect(await lastRefusal()).toMatchObject({ code: 'exchange_refused' });
    }
  });

  it('an agent that was disabled gets nothing handed on', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    const call = { tool: 'researcher', args: {} };
    await expect(
      planner.delegate('researcher', call, (researcher) => read(researcher)),
    ).resolves.toBeDefined();
    world.idp.idp.deny({ sub: 'researcher' });
    const later = (await world.loginAs('alice', [READ_42])).agent('planner');
    const attempt = later.delegate('researcher', call, async (researcher) =>
      researcher.invoke({ tool: 'readRecord', args: { id: 42 } }, ran),
    );
    await expect(attempt).rejects.toMatchObject({ code: 'exchange_refused' });
  });

  it.each(['server-error', 'html', 'redirect', 'huge'] as const)(
    'a fault of the connection (%s) stops the call, is on record, and heals',
    async (fault) => {
      const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
      world.idp.idp.fault(fault);
      const call = planner.invoke({ tool: 'readRecord', args: { id: 42 } }, ran);
      await expect(call).rejects.toMatchObject({ code: 'exchange_unreachable' });
      expect(await lastRefusal()).toMatchObject({ code: 'exchange_unreachable' });
      world.idp.idp.fault(undefined);
      await expect(read(planner)).resolves.toBeDefined();
    },
  );

  it('an answer that never comes ends with the caller’s patience, and the tool does not run', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    world.idp.idp.fault('slow');
    const signal = AbortSignal.timeout(300);
    const call = planner.invoke({ tool: 'readRecord', args: { id: 42 }, signal }, ran);
    await expect(call).rejects.toThrow();
    await expect(call).rejects.not.toThrow('the tool ran');
  });
});

describe('two humans', () => {
  it('interleaved over one process never swap, at the resource nor in the record', async () => {
    const people = ['alice', 'bob', 'carol'];
    const agents = await Promise.all(
      people.map(async (person) => ({
        person,
        agent: (await world.loginAs(person, [READ_ANY])).agent('planner'),
      })),
    );
    const from = world.records.served.length;
    const idOf = (person: string, n: number) => people.indexOf(person) * 100 + n;
    await Promise.all(
      Array.from({ length: 10 }, (_value, n) =>
        agents.map(({ person, agent }) => read(agent, idOf(person, n))),
      ).flat(),
    );
    const served = world.records.served.slice(from);
    expect(served).toHaveLength(30);
    for (const { path, delegation } of served) {
      const id = Number(path.split('/').at(-1));
      expect(delegation.human.sub).toBe(people[Math.floor(id / 100)]);
    }
    const intents = (await world.crumbsOf('intent')).slice(-30);
    const humans = new Map<string, Set<number>>();
    for (const { body } of intents) {
      const sessions = humans.get(body.human ?? '') ?? new Set();
      humans.set(body.human ?? '', sessions.add(body.session ?? -1));
    }
    expect(humans.size).toBe(3);
    expect([...humans.values()].map((sessions) => sessions.size)).toEqual([1, 1, 1]);
  });
});
