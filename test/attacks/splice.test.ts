/** Claim: at a strict provider nobody can mint a chain that never happened out of tokens that are real. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  delegate,
  guardOf,
  present,
  RECORDS,
  startWorld,
  type Delegations,
  type World,
} from './development-world.ts';

let world: World;
let alice: Delegations;
let bob: Delegations;
beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = [await delegate(world, 'alice'), await delegate(world, 'bob')];
});
afterAll(() => world.close());

const exchange = async (agent: string, subject: string, more = {}) =>
  world.exchange(agent, { subject, target: RECORDS, scope: 'read_record', more });

it('lets each agent exchange what was handed to it', async () => {
  for (const [agent, subject] of [
    ['planner', alice.session],
    ['researcher', alice.toResearcher],
    ['fetcher', alice.toFetcher],
  ] as const) {
    const { status, token } = await exchange(agent, subject);
    expect(status).toBe(200);
    await expect(present(guardOf(world), token)).resolves.toMatchObject({ agent: { sub: agent } });
  }
});

it.each<[string, string, () => string]>([
  ['an agent with a login that another was named for', 'fetcher', () => alice.session],
  ['an agent with the hop to another', 'fetcher', () => alice.toResearcher],
  ['the agent before, with the hop that it gave away', 'planner', () => alice.toResearcher],
  ['the agent before that', 'planner', () => alice.toFetcher],
  ['an agent with a token of the resource', 'fetcher', () => alice.delegated],
])('refuses %s', async (_what, agent, subject) => {
  expect(await exchange(agent, subject())).toMatchObject({
    status: 400,
    token: '',
    body: { error: 'invalid_grant' },
  });
});

it('refuses the actor token of another agent', async () => {
  const actor_token = await world.selfToken('researcher');
  expect(await exchange('researcher', alice.toResearcher, { actor_token })).toMatchObject({
    status: 200,
  });
  expect(await exchange('fetcher', alice.toFetcher, { actor_token })).toMatchObject({
    status: 400,
    token: '',
  });
});

it('refuses subject and actor in each other’s place, and one token as both', async () => {
  const own = await world.selfToken('researcher');
  for (const [subject, actor_token] of [
    [own, alice.toResearcher],
    [alice.toResearcher, alice.toResearcher],
    [own, own],
    [alice.toResearcher, alice.session],
    [alice.toResearcher, bob.toResearcher],
    [alice.toResearcher, alice.delegated],
  ] as const) {
    expect(await exchange('researcher', subject, { actor_token })).toMatchObject({
      status: 400,
      token: '',
    });
  }
});

it('refuses an exchange without an actor', async () => {
  const more = { actor_token: undefined, actor_token_type: undefined };
  expect(await exchange('researcher', alice.toResearcher, more)).toMatchObject({
    status: 400,
    body: { error: 'invalid_request' },
  });
});

it('refuses a token that is turned to another target than it was made for', async () => {
  for (const more of [
    { resource: 'https://unknown.example' },
    { audience: 'https://mail.example' },
    { resource: undefined },
    { resource: 'urn:agent:planner' },
  ]) {
    expect(await exchange('researcher', alice.toResearcher, more)).toMatchObject({
      status: 400,
      token: '',
    });
  }
});

it('never mixes two humans: the subject of the chain stays who logged in', async () => {
  const [forAlice, forBob] = await Promise.all([
    exchange('researcher', alice.toResearcher),
    exchange('researcher', bob.toResearcher),
  ]);
  expect(forAlice.claims).toMatchObject({ sub: 'alice' });
  expect(forBob.claims).toMatchObject({ sub: 'bob' });
});
