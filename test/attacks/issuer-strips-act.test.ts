/** Claim: a token in which the provider dropped, added or reordered an agent, or swapped the human, is not used. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RECORDS } from '../dev/world.ts';
import {
  namesOf,
  READ,
  rejection,
  startExchangeWorld,
  type ExchangeWorld,
} from '../exchange/exchange-world.ts';
import type { Exchange, Grant } from '../../src/exchange/exchange.ts';
import { jwtOf } from '../../src/exchange/exchange.ts';
import { guardOf, present } from './development-world.ts';

let world: ExchangeWorld;
beforeAll(async () => {
  world = await startExchangeWorld();
});
afterAll(() => world.world.close());

/** A researcher two hops from Alice, over a provider that is honest so far. */
async function researcher(): Promise<{ readonly exchange: Exchange; readonly grant: Grant }> {
  world.world.idp.fault(undefined);
  const exchange = world.another();
  const planner = exchange.root(await world.session('alice'), 'planner');
  const { grant } = await exchange.delegate(planner, 'researcher', ['read_record']);
  return { exchange, grant };
}

it('uses the token of an honest provider, and the resource sees the whole chain', async () => {
  const { exchange, grant } = await researcher();
  const issued = await exchange.token(grant, READ);
  expect(namesOf(issued)).toEqual(['planner', 'researcher']);
  const { chain } = await present(guardOf(world.world), jwtOf(issued));
  expect(chain).toEqual(issued.chain);
});

it.each([
  ['missing-act', 'chain_mismatch'],
  ['dropped-actor', 'chain_mismatch'],
  ['added-actor', 'chain_mismatch'],
  ['reordered-actors', 'chain_mismatch'],
  ['changed-subject', 'subject_changed'],
  ['wrong-issuer', 'token_unverifiable'],
  ['wrong-key', 'token_unverifiable'],
] as const)('does not use a token with the fault %s, nor keep it', async (fault, code) => {
  const { exchange, grant } = await researcher();
  world.world.idp.fault(fault);
  expect(await rejection(exchange.token(grant, READ))).toMatchObject({ code });
  // Refused once more, and not answered from a cache.
  expect(await rejection(exchange.token(grant, READ))).toMatchObject({ code });
  world.world.idp.fault(undefined);
  expect(namesOf(await exchange.token(grant, READ))).toEqual(['planner', 'researcher']);
});

it('names the chain that came, so that the record can show it', async () => {
  const { exchange, grant } = await researcher();
  world.world.idp.fault('dropped-actor');
  const refusal = await rejection(exchange.token(grant, READ));
  world.world.idp.fault(undefined);
  expect(refusal).toMatchObject({ got: [{ sub: 'researcher' }] });
});

it('refuses a stripped hop before the child ever acts', async () => {
  world.world.idp.fault(undefined);
  const exchange = world.another();
  const planner = exchange.root(await world.session('alice'), 'planner');
  world.world.idp.fault('missing-act');
  const refused = await rejection(exchange.delegate(planner, 'researcher', ['read_record']));
  world.world.idp.fault(undefined);
  expect(refused).toMatchObject({ code: 'chain_mismatch' });
  const { grant } = await exchange.delegate(planner, 'researcher', ['read_record']);
  expect(namesOf(grant)).toEqual(['planner', 'researcher']);
});

it('refuses a token without any agent at the resource as well', async () => {
  const { world: idp } = world;
  const { accessToken } = await idp.loginAs('alice');
  const ask = async () =>
    (await idp.exchange('planner', { subject: accessToken, target: RECORDS, scope: 'read_record' }))
      .token;
  idp.idp.fault(undefined);
  await expect(present(guardOf(idp), await ask())).resolves.toMatchObject({
    human: { sub: 'alice' },
  });
  idp.idp.fault('missing-act');
  const stripped = await ask();
  idp.idp.fault(undefined);
  await expect(present(guardOf(idp), stripped)).rejects.toMatchObject({
    code: 'token_unverifiable',
    status: 401,
  });
});
