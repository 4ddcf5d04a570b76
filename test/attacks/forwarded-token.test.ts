/** Claim: a token is of no use to anyone but the party it was minted for, at the place it was minted for. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  delegate,
  guardOf,
  MAIL,
  present,
  RECORDS,
  startWorld,
  type Delegations,
  type World,
} from './development-world.ts';

let world: World;
let real: Delegations;
beforeAll(async () => {
  world = await startWorld();
  real = await delegate(world);
});
afterAll(() => world.close());

it('lets the token for this resource pass', async () => {
  await expect(present(guardOf(world), real.delegated)).resolves.toBeDefined();
});

it.each<[string, keyof Delegations]>([
  ['the human’s own session', 'session'],
  ['the hop to the first agent', 'toResearcher'],
  ['the hop to the second agent', 'toFetcher'],
])('refuses %s, forwarded to the resource', async (_what, name) => {
  await expect(present(guardOf(world), real[name])).rejects.toMatchObject({ status: 401 });
});

it('refuses the session even if its audience were the resource: no agent stands in it', async () => {
  await using direct = await startWorld({ audience: RECORDS, resources: [] });
  const { accessToken } = await direct.loginAs('alice', { scope: 'openid' });
  await expect(present(guardOf(direct), accessToken)).rejects.toMatchObject({
    code: 'token_unverifiable',
  });
});

it('refuses the token for another resource', async () => {
  const hop = await world.exchange('fetcher', {
    subject: real.toFetcher,
    target: RECORDS,
    scope: 'read_record',
  });
  await expect(present(guardOf(world), hop.token)).resolves.toBeDefined();
  const { accessToken } = await world.loginAs('alice');
  const mail = await world.exchange('planner', {
    subject: accessToken,
    target: MAIL,
    scope: 'send_mail',
  });
  expect(mail.status).toBe(200);
  await expect(present(guardOf(world), mail.token)).rejects.toMatchObject({
    code: 'audience_mismatch',
  });
  await expect(present(guardOf(world, { resource: MAIL }), mail.token)).resolves.toBeDefined();
});

it('refuses the agent’s own token, which names no human', async () => {
  await expect(present(guardOf(world), await world.selfToken('fetcher'))).rejects.toMatchObject({
    status: 401,
  });
});

it('does not exchange the token of a resource any further', async () => {
  for (const agent of ['planner', 'researcher', 'fetcher']) {
    const forwarded = { subject: real.delegated, target: MAIL, scope: 'read_record' };
    expect(await world.exchange(agent, forwarded)).toMatchObject({ status: 400, token: '' });
  }
});

it('does not let one agent use the grant of another', async () => {
  const grant = { subject: real.toFetcher, target: RECORDS, scope: 'read_record' };
  expect(await world.exchange('fetcher', grant)).toMatchObject({ status: 200 });
  for (const agent of ['planner', 'researcher']) {
    expect(await world.exchange(agent, grant)).toMatchObject({ status: 400, token: '' });
  }
});
