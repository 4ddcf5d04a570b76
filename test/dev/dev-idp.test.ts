import { afterAll, beforeAll, expect, it } from 'vitest';
import { READ_42, RECORDS, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

it('puts the human in sub and both agents in act, the token holder outside', async () => {
  const session = await world.loginAs('alice', { directives: [READ_42] });
  const hop = await world.exchange('planner', {
    subject: session.accessToken,
    target: 'urn:agent:researcher',
    scope: 'read_record',
  });
  const delegated = await world.exchange('researcher', {
    subject: hop.token,
    target: RECORDS,
    scope: 'read_record',
  });
  expect(delegated.claims).toMatchObject({
    sub: 'alice',
    aud: RECORDS,
    client_id: 'researcher',
    act: { sub: 'researcher', act: { sub: 'planner' } },
    crumb_dev: true,
  });
});
