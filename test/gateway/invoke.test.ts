import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWorld, READ_42, RECORDS, type CrumbWorld } from '../world.ts';

let world: CrumbWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world.close());

describe('a tool call through the gateway', () => {
  it('runs under a token that names the human and the agent, and leaves intent and outcome', async () => {
    const session = await world.loginAs('alice', [READ_42]);
    const planner = session.agent('planner');
    const answer = await planner.invoke(
      { id: 'c1', tool: 'readRecord', args: { id: 42 } },
      async () => {
        const response = await planner.fetch(`${world.records.url}/records/42`);
        return response.json();
      },
    );
    expect(answer).toEqual({ id: 42, text: 'record 42' });
    const { delegation } = world.records.served.at(-1) ?? {};
    expect(delegation?.human.sub).toBe('alice');
    expect(delegation?.chain.map((actor) => actor.sub)).toEqual(['planner']);

    const crumbs = await world.readCrumbs();
    expect(crumbs.map((crumb) => crumb.kind)).toEqual([
      'genesis',
      'key',
      'session',
      'intent',
      'outcome',
    ]);
    expect(crumbs.at(-2)).toMatchObject({
      body: {
        verdict: 'authorized',
        directive: 0,
        exchange: 'fresh',
        session: 2,
        token: { aud: RECORDS, jwks: 1 },
      },
    });
    expect(crumbs.at(-1)).toMatchObject({ body: { intent: 3, status: 'ok' } });
  });
});
