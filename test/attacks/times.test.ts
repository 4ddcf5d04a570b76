/** Claim: a token counts for as long as it says, and never longer than the resource allows. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGuardedResource, type GuardedResource } from './guarded-resource.ts';
import { headerText, now, signText, type Claims } from './test-issuer.ts';

let resource: GuardedResource;
beforeAll(async () => {
  resource = await startGuardedResource();
});
afterAll(() => resource.close());

it.each<[string, (at: number) => Claims]>([
  ['a fresh token', () => ({})],
  ['a token of exactly the longest life', (at) => ({ iat: at, exp: at + 300 })],
  ['a clock that is 4 seconds ahead', (at) => ({ iat: at + 4, exp: at + 120 })],
  ['a clock that is 3 seconds behind', (at) => ({ iat: at - 100, exp: at - 3 })],
])('lets %s pass', async (_what, times) => {
  expect(await resource.send(await resource.token(times(now())))).toMatchObject({ status: 200 });
});

it.each<[string, (at: number) => Claims]>([
  ['an end in the past', (at) => ({ iat: at - 100, exp: at - 10 })],
  ['the year 1970', () => ({ iat: 0, exp: 1 })],
  ['a beginning in the future', (at) => ({ iat: at + 60, exp: at + 120 })],
  ['a day that has not come', (at) => ({ nbf: at + 60 })],
  ['an end before its beginning', (at) => ({ iat: at, exp: at - 1 })],
  ['a life over the cap', (at) => ({ iat: at, exp: at + 301 })],
  ['a life of a century', (at) => ({ iat: at, exp: at + 3_155_760_000 })],
  ['an age over the cap', (at) => ({ iat: at - 310, exp: at + 60 })],
])('refuses %s', async (_what, times) => {
  const token = await resource.token(times(now()));
  expect(await resource.send(token)).toMatchObject({ status: 401 });
  expect((await resource.send(token)).code).toMatch(/^token_(?:expired|unverifiable)$/);
});

it.each([
  ['exp that is missing', { exp: undefined }],
  ['iat that is missing', { iat: undefined }],
  ['exp that is a text', { exp: String(now() + 60) }],
  ['iat that is a text', { iat: String(now()) }],
  ['exp that is a date', { exp: new Date().toISOString() }],
  ['exp with a fraction', { exp: now() + 60.5 }],
  ['iat with a fraction', { iat: now() - 0.5 }],
  ['exp that is null', { exp: null }],
  ['exp that is a list', { exp: [now() + 60] }],
  ['exp that is true', { exp: true }],
  ['iat that is negative', { iat: -1 }],
  ['nbf that is a text', { nbf: '0' }],
  ['nbf with a fraction', { nbf: 0.5 }],
])('refuses %s', async (_what, times) => {
  expect(await resource.send(await resource.token(times))).toMatchObject({
    status: 401,
    code: 'token_unverifiable',
  });
});

it.each(['1e99', '1e400', '9007199254740993', '-0.0000001', '00', '0x7fffffff', 'NaN', 'Infinity'])(
  'refuses the end %s',
  async (exp) => {
    const text = JSON.stringify(resource.claims()).replace(/"exp":\d+/, `"exp":${exp}`);
    const { key } = resource.issuer;
    expect(text).toContain(`"exp":${exp}`);
    const token = await signText(headerText(key), text, key);
    expect(await resource.send(token)).toMatchObject({ status: 401 });
  },
);

it('ends with the clock, not with the first look', async () => {
  let at = Date.now();
  const guarded = await startGuardedResource({ clock: () => new Date(at) });
  const token = await guarded.token({ iat: now(), exp: now() + 60 });
  expect(await guarded.send(token)).toMatchObject({ status: 200 });
  at += 70_000;
  expect(await guarded.send(token)).toMatchObject({ status: 401, code: 'token_expired' });
  await guarded.close();
});
