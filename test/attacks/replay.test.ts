/** Claim: where tokens are good once, they are good once: concurrently, under a flood, and for each issuer. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { memoryReplayStore } from '../../src/resource/index.ts';
import { startGuardedResource, type GuardedResource } from './guarded-resource.ts';

let resource: GuardedResource;
beforeAll(async () => {
  resource = await startGuardedResource({ replay: memoryReplayStore() });
});
afterAll(() => resource.close());

it('lets a token pass once, and another after it', async () => {
  const token = await resource.token();
  expect(await resource.send(token)).toMatchObject({ status: 200 });
  expect(await resource.send(token)).toMatchObject({ status: 401, code: 'token_replayed' });
  expect(await resource.send(await resource.token())).toMatchObject({ status: 200 });
});

it('lets one of many concurrent uses pass', async () => {
  const token = await resource.token();
  const answers = await Promise.all(Array.from({ length: 30 }, () => resource.send(token)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(29);
});

it('takes a second token with the same id for the first', async () => {
  expect(await resource.send(await resource.token({ jti: 'same' }))).toMatchObject({ status: 200 });
  expect(await resource.send(await resource.token({ jti: 'same', scope: 'more' }))).toMatchObject({
    code: 'token_replayed',
  });
});

it.each([
  ['missing', undefined],
  ['empty', ''],
  ['a number', 7],
  ['null', null],
  ['a list', ['a']],
  ['longer than anyone needs', 'a'.repeat(3000)],
])('refuses an id that is %s', async (_what, jti) => {
  expect(await resource.send(await resource.token({ jti }))).toMatchObject({
    status: 401,
    code: 'token_unverifiable',
  });
});

it('forgets no used token because of a flood of others', async () => {
  const small = await startGuardedResource({ replay: memoryReplayStore({ max: 5 }) });
  const first = await small.token();
  expect(await small.send(first)).toMatchObject({ status: 200 });
  const flood = await Promise.all(Array.from({ length: 20 }, () => small.token()));
  const statuses = [];
  for (const token of flood) statuses.push((await small.send(token)).status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(4);
  expect(await small.send(first)).toMatchObject({ status: 401, code: 'token_replayed' });
  await small.close();
});

it('remembers a token for as long as clocks may let it pass', async () => {
  let at = Date.now();
  const clock = () => new Date(at);
  const guarded = await startGuardedResource({ clock, replay: memoryReplayStore({ clock }) });
  const iat = Math.floor(at / 1000);
  const token = await guarded.token({ iat, exp: iat + 60 });
  expect(await guarded.send(token)).toMatchObject({ status: 200 });
  at = (iat + 64) * 1000; // past the end, within the tolerance
  expect(await guarded.send(token)).toMatchObject({ status: 401, code: 'token_replayed' });
  await guarded.close();
});
