import { afterEach, beforeEach, expect, it } from 'vitest';
import { createIssuerKeys, type IssuerKeysOptions } from '../../src/token/issuer-keys.ts';
import { makeKey, now, startTestIssuer, type TestIssuer } from '../attacks/test-issuer.ts';

let issuer: TestIssuer;
let ahead: number;

beforeEach(async () => {
  issuer = await startTestIssuer();
  ahead = 0;
});
afterEach(() => issuer.close());

const keysOf = (more: Partial<IssuerKeysOptions> = {}) =>
  createIssuerKeys({
    url: issuer.url,
    clock: () => new Date(Date.now() + ahead * 1000),
    ...more,
  });
const rules = { typ: ['at+jwt'], algs: ['ES256', 'RS256'] };
const token = (options: Parameters<TestIssuer['sign']>[1] = {}) =>
  issuer.sign({ iss: issuer.url, iat: now() + ahead, exp: now() + ahead + 60 }, options);
const jwksFetches = () => issuer.asked.get('/jwks') ?? 0;

it('finds the keys by discovery and keeps them byte for byte', async () => {
  const keys = keysOf();
  const verified = await keys.verify(await token(), rules);
  expect(verified.payload).toMatchObject({ iss: issuer.url });
  expect(new TextDecoder().decode(verified.keySet.raw)).toBe(
    JSON.stringify({ keys: [issuer.key.jwk] }),
  );
  expect(await keys.current()).toBe(verified.keySet);
});

it('fetches once for all who wait, and not again while the keys are fresh', async () => {
  const keys = keysOf();
  const tokens = await Promise.all(Array.from({ length: 20 }, () => token()));
  await Promise.all(tokens.map((jwt) => keys.verify(jwt, rules)));
  await keys.verify(await token(), rules);
  expect(jwksFetches()).toBe(1);
});

it('takes a key set at a configured address without discovery', async () => {
  const keys = keysOf({ jwks: `${issuer.url}/jwks` });
  await keys.verify(await token(), rules);
  expect(issuer.asked.get('/.well-known/openid-configuration')).toBeUndefined();
});

it('finds the metadata of an OAuth server with a path and no OpenID discovery', async () => {
  const url = `${issuer.url}/tenant`;
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = async (input) => {
    const path = new URL(String(input instanceof Request ? input.url : input)).pathname;
    asked.push(path);
    if (path === '/.well-known/oauth-authorization-server/tenant') {
      return Response.json({ issuer: url, jwks_uri: `${issuer.url}/jwks` });
    }
    if (path === '/jwks') return Response.json({ keys: [issuer.key.jwk] });
    return new Response(null, { status: 404 });
  };
  const jwt = await issuer.sign({ iss: url, iat: now(), exp: now() + 60 });
  await createIssuerKeys({ url, fetch }).verify(jwt, rules);
  expect(asked).toEqual([
    '/tenant/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server/tenant',
    '/jwks',
  ]);
});

it('learns a new key when a token names it, after the cooldown', async () => {
  const keys = keysOf();
  await keys.verify(await token(), rules);
  const next = await makeKey();
  issuer.keys = [issuer.key.jwk, next.jwk];
  await expect(keys.verify(await token({ key: next }), rules)).rejects.toMatchObject({
    code: 'token_unverifiable',
  });
  ahead = 31;
  const verified = await keys.verify(await token({ key: next }), rules);
  expect(new TextDecoder().decode(verified.keySet.raw)).toContain(next.kid);
  // The old key verifies as long as it is published.
  await keys.verify(await token(), rules);
  expect(jwksFetches()).toBe(2);
});

it('forgets a key that is no longer published', async () => {
  const keys = keysOf();
  await keys.verify(await token(), rules);
  const next = await makeKey();
  issuer.keys = [next.jwk];
  ahead = 31;
  await keys.verify(await token({ key: next }), rules);
  await expect(keys.verify(await token(), rules)).rejects.toMatchObject({
    code: 'token_unverifiable',
  });
});

it('works with cached keys while the endpoint is down, but not for ever', async () => {
  const keys = keysOf();
  await keys.verify(await token(), rules);
  issuer.jwksAnswer = (_request, response) => response.writeHead(503).end();
  ahead = 400; // past half of the age: a refresh is tried beside the call
  await keys.verify(await token(), rules);
  ahead = 599;
  await keys.verify(await token(), rules);
  ahead = 601;
  await expect(keys.verify(await token(), rules)).rejects.toMatchObject({
    code: 'keys_unavailable',
  });
  issuer.jwksAnswer = undefined;
  await keys.verify(await token(), rules);
});

it.each<[string, Partial<IssuerKeysOptions>]>([
  ['plain http off loopback', { url: 'http://id.example' }],
  ['another scheme', { url: 'ftp://id.example' }],
  ['no URL', { url: 'id.example' }],
  ['a user', { url: 'https://user:pw@id.example' }],
  ['a query', { url: 'https://id.example/?tenant=1' }],
  ['a fragment', { url: 'https://id.example/#a' }],
  ['plain http for the key set', { url: 'https://id.example', jwks: 'http://id.example/jwks' }],
])('refuses an issuer with %s', (_what, options) => {
  expect(() => keysOf(options)).toThrow(TypeError);
  expect(() =>
    keysOf({ url: 'https://id.example/tenant/', jwks: 'https://id.example/k' }),
  ).not.toThrow();
});
