/** Claim: a chain names different agents, no human, and says which issuer vouches for each. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGuardedResource, type GuardedResource } from './guarded-resource.ts';

const foreign = 'https://other.example';

let resource: GuardedResource;
beforeAll(async () => {
  resource = await startGuardedResource();
});
afterAll(() => resource.close());

const chainOf = (...newestFirst: readonly object[]): unknown =>
  newestFirst.reduceRight<unknown>(
    (act, node) => (act === undefined ? node : { ...node, act }),
    undefined,
  );
const send = async (...newestFirst: readonly object[]) =>
  resource.send(await resource.token({ act: chainOf(...newestFirst) }));

const researcher = { sub: 'researcher' };
const planner = { sub: 'planner' };

it('lets different agents pass, also of a foreign issuer that is named', async () => {
  expect(await send(researcher, planner)).toMatchObject({ status: 200 });
  expect(await send(researcher, { iss: foreign, sub: 'planner' })).toMatchObject({ status: 200 });
  // The same name at another issuer is another agent.
  expect(await send(researcher, { iss: foreign, sub: 'researcher' })).toMatchObject({
    status: 200,
  });
});

it('refuses an agent that stands twice', async () => {
  expect(await send(researcher, researcher)).toMatchObject({ code: 'act_repeated', status: 401 });
  expect(await send(researcher, planner, researcher)).toMatchObject({ code: 'act_repeated' });
  // Once with its issuer spelled out, once without.
  const spelled = { iss: resource.issuer.url, sub: 'researcher' };
  expect(await send(researcher, planner, spelled)).toMatchObject({ code: 'act_repeated' });
});

it('refuses the human as an agent, wherever they stand', async () => {
  for (const chain of [
    [researcher, { sub: 'alice' }],
    [researcher, planner, { sub: 'alice' }],
    [researcher, { iss: resource.issuer.url, sub: 'alice' }],
  ]) {
    expect(await send(...chain)).toMatchObject({ code: 'act_is_subject', status: 401 });
  }
  const self = await resource.token({ act: { sub: 'alice' }, client_id: 'alice' });
  expect(await resource.send(self)).toMatchObject({ code: 'act_is_subject', status: 401 });
});

it('refuses agents without an issuer behind a foreign one', async () => {
  expect(await send(researcher, { iss: foreign, sub: 'broker' }, planner)).toMatchObject({
    code: 'act_issuer_missing',
    status: 401,
  });
});

it('refuses a foreign agent that holds the token: the client of this issuer is another', async () => {
  expect(await send({ iss: foreign, sub: 'researcher' })).toMatchObject({
    code: 'client_mismatch',
    status: 401,
  });
});

it('refuses an agent that nobody registered, and lets no inner one vouch for it', async () => {
  const guarded = await startGuardedResource({ actors: ['researcher'] });
  expect(await guarded.send(await guarded.token())).toMatchObject({ status: 200 });
  const act = { sub: 'intruder', act: { sub: 'researcher' } };
  expect(await guarded.send(await guarded.token({ act, client_id: 'intruder' }))).toMatchObject({
    status: 403,
    code: 'actor_not_allowed',
  });
  await guarded.close();
});
