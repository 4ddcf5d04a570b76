/** Claim: a login that permits one agent to act permits no other, and the permission is not passed on. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { judgeExchange, type ExchangeQuestion } from '../../src/dev/exchange-rules.ts';
import { Registry } from '../../src/dev/registry.ts';
import { READ_42, RECORDS, startWorld, type World } from '../dev/world.ts';
import { READ, rejection, startExchangeWorld } from '../exchange/exchange-world.ts';
import { now } from './test-issuer.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const ask = async (at: World, agent: string, subject: string, target = RECORDS) =>
  at.exchange(agent, { subject, target, scope: 'read_record' });

it('lets the agent act that the login names, and no other', async () => {
  const { accessToken } = await world.loginAs('alice');
  expect(await ask(world, 'planner', accessToken)).toMatchObject({ status: 200 });
  for (const agent of ['researcher', 'fetcher']) {
    expect(await ask(world, agent, accessToken)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  }
});

it('does not pass the permission on', async () => {
  const { accessToken } = await world.loginAs('alice');
  const hop = await ask(world, 'planner', accessToken, 'urn:agent:researcher');
  expect(hop.status).toBe(200);
  expect(hop.claims).not.toHaveProperty('may_act');
});

it('lets an agent act without may_act only if the human consented to it by name', async () => {
  await using open = await startWorld({ rootAgents: undefined });
  const consented = await open.loginAs('alice', {
    directives: [{ ...READ_42, agents: ['researcher'] }],
  });
  expect(await ask(open, 'researcher', consented.accessToken)).toMatchObject({ status: 200 });
  expect(await ask(open, 'planner', consented.accessToken)).toMatchObject({ status: 400 });
  const silent = await open.loginAs('alice', { directives: [READ_42] });
  for (const agent of ['planner', 'researcher']) {
    expect(await ask(open, agent, silent.accessToken)).toMatchObject({ status: 400 });
  }
});

it('refuses a token that still permits another party', async () => {
  await using exchanging = await startExchangeWorld();
  const session = await exchanging.session('alice');
  const token = async () => {
    const exchange = exchanging.another();
    return exchange.token(exchange.root(session, 'planner'), READ);
  };
  await expect(token()).resolves.toMatchObject({ aud: RECORDS });
  exchanging.world.idp.fault('left-may-act');
  expect(await rejection(token())).toMatchObject({ code: 'may_act_left' });
});

const iss = 'http://127.0.0.1:1';
const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), kid: 'any' }] };
const registry = new Registry({
  people: [{ sub: 'alice', name: 'Alice' }],
  clients: [{ id: 'app', redirectUris: ['https://app.example/callback'], agents: ['planner'] }],
  agents: [
    { id: 'planner', jwks },
    { id: 'researcher', jwks },
  ],
  resources: [{ resource: RECORDS, scopes: ['read_record'] }],
});

/** A question that every rule answers with yes, but for what `may_act` says. */
function questionWith(mayAct: unknown): ExchangeQuestion {
  const declaredType = 'urn:ietf:params:oauth:token-type:access_token';
  const token = (claims: Readonly<Record<string, unknown>>, aud: string) => ({
    kind: 'access_token' as const,
    sub: String(claims['sub']),
    aud,
    exp: now() + 60,
    claims: { iss, aud, exp: now() + 60, ...claims },
  });
  const login = { sub: 'alice', client_id: 'app', scope: 'read_record', may_act: mayAct };
  return {
    iss,
    client: 'planner',
    subject: { declaredType, sha256: 'a', token: token(login, 'app') },
    actor: {
      declaredType,
      sha256: 'b',
      token: token({ sub: 'planner', client_id: 'planner' }, iss),
    },
    target: RECORDS,
    audience: undefined,
    scope: 'read_record',
    requestedType: undefined,
    jkt: undefined,
    signedIn: true,
    isDenied: () => false,
  };
}

it.each([
  ['the agent', { sub: 'planner' }],
  ['the agent with its issuer', { iss, sub: 'planner' }],
  ['nobody, where the application registered the agent', undefined],
])('delegates when may_act names %s', (_what, mayAct) => {
  expect(judgeExchange(registry, questionWith(mayAct)).chain).toEqual([{ iss, sub: 'planner' }]);
});

it.each([
  ['another agent', { sub: 'researcher' }],
  ['another issuer', { iss: 'https://other.example', sub: 'planner' }],
  ['a list', [{ sub: 'planner' }]],
  ['several at once', { sub: ['planner', 'researcher'] }],
  ['nobody', {}],
  ['null', null],
  ['a text', 'planner'],
  ['an agent with a letter more', { sub: 'planner ' }],
])('refuses when may_act names %s', (_what, mayAct) => {
  expect(() => judgeExchange(registry, questionWith(mayAct))).toThrow(
    expect.objectContaining({ reason: 'may_act_other' }),
  );
});
