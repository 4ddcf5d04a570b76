/** Claim: keys come from the configured issuer's key set and from nowhere else, and it cannot be used to overload anyone. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK } from 'jose';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { createIssuerKeys } from '../../src/token/issuer-keys.ts';
import { startGuardedResource, type GuardedResource } from './guarded-resource.ts';
import { headerText, makeKey, signText, type SigningKey } from './test-issuer.ts';

let resource: GuardedResource;
let ahead = 0;
const opened: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  ahead = 0;
  resource = await startGuardedResource({ clock: () => new Date(Date.now() + ahead * 1000) });
});
afterEach(() => resource.close());
afterAll(() => Promise.all(opened.map((close) => close())));

const later = async (changes = {}, key: SigningKey = resource.issuer.key) => {
  const at = Math.floor(Date.now() / 1000) + ahead;
  return resource.token({ iat: at, exp: at + 120, ...changes }, { key });
};
const jwksFetches = () => resource.issuer.asked.get('/jwks') ?? 0;

it('lets a token under the published key pass', async () => {
  expect(await resource.send(await resource.token())).toMatchObject({ status: 200 });
});

it.each([
  ['a path', '../../../../dev/null'],
  ['a URL', 'https://evil.example/jwks'],
  ['SQL', "' OR '1'='1"],
  ['the name of a member that every object has', '__proto__'],
  ['the name of a method', 'constructor'],
  ['nothing', ''],
  ['a number', 0],
  ['null', null],
  ['a list', ['a']],
  ['no kid at all', undefined],
])('refuses a kid that is %s', async (_what, kid) => {
  const token = await resource.token({}, { header: { kid } });
  expect(await resource.send(token)).toMatchObject({ status: 401, code: 'token_unverifiable' });
});

it('refuses a kid that two keys share', async () => {
  const twin = { ...(await makeKey()).jwk, kid: resource.issuer.key.kid };
  resource.issuer.keys = [resource.issuer.key.jwk, twin];
  expect(await resource.send(await resource.token())).toMatchObject({ code: 'token_unverifiable' });
});

it.each(['jwk', 'jku', 'x5u', 'x5c'])(
  'refuses a key named by the token itself: %s',
  async (name) => {
    const mine = await makeKey();
    const values = {
      jwk: mine.jwk,
      jku: `${resource.issuer.url}/jwks`,
      x5u: `${resource.issuer.url}/cert`,
      x5c: ['MIIB'],
    };
    const more = `"${name}":${JSON.stringify(Object.entries(values).find(([key]) => key === name)?.[1])}`;
    for (const key of [mine, resource.issuer.key]) {
      const token = await signText(headerText(key, more), JSON.stringify(resource.claims()), key);
      expect(await resource.send(token)).toMatchObject({ status: 401, code: 'token_malformed' });
    }
  },
);

it('refuses an RSA key of 1024 bits', async () => {
  const rsa = await startGuardedResource({ alg: 'RS256' });
  opened.push(() => rsa.close());
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'weak', alg: 'RS256', use: 'sig' };
  rsa.issuer.keys = [rsa.issuer.key.jwk, jwk];
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const signing = await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']);
  const weak: SigningKey = {
    kid: 'weak',
    alg: 'RS256',
    privateKey: signing,
    publicKey: signing,
    jwk,
  };
  const text = JSON.stringify(rsa.claims());
  expect(
    await rsa.send(await signText(headerText(rsa.issuer.key), text, rsa.issuer.key)),
  ).toMatchObject({ status: 200 });
  expect(await rsa.send(await signText(headerText(weak), text, weak))).toMatchObject({
    status: 401,
    code: 'token_unverifiable',
  });
});

it('refuses a shared secret in the key set, and a key for encryption', async () => {
  const encryption = { ...resource.issuer.key.jwk, use: 'enc' };
  const secret = { kty: 'oct', k: 'c2VjcmV0', kid: resource.issuer.key.kid };
  for (const jwk of [encryption, secret, { ...resource.issuer.key.jwk, key_ops: ['sign'] }]) {
    const other = await startGuardedResource();
    opened.push(() => other.close());
    other.issuer.keys = [{ ...jwk, kid: other.issuer.key.kid }];
    expect(await other.send(await other.token())).toMatchObject({ code: 'token_unverifiable' });
  }
});

it('keeps an old key as long as it is published, and not longer', async () => {
  const first = resource.issuer.key;
  const second = await makeKey();
  expect(await resource.send(await later())).toMatchObject({ status: 200 });
  resource.issuer.keys = [first.jwk, second.jwk];
  ahead = 40;
  expect(await resource.send(await later({}, second))).toMatchObject({ status: 200 });
  expect(await resource.send(await later({}, first))).toMatchObject({ status: 200 });
  resource.issuer.keys = [second.jwk];
  ahead = 700;
  expect(await resource.send(await later({}, first))).toMatchObject({ code: 'token_unverifiable' });
  expect(await resource.send(await later({}, second))).toMatchObject({ status: 200 });
});

it('asks for the keys once, however many made-up kids it is sent', async () => {
  await resource.send(await resource.token());
  ahead = 40;
  const tokens = await Promise.all(
    Array.from({ length: 50 }, (_value, n) =>
      resource.token({}, { header: { kid: `made-up-${n}` } }),
    ),
  );
  const answers = await Promise.all(tokens.map((token) => resource.send(token)));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 401));
  expect(jwksFetches()).toBe(2);
});

it('works with the keys it has while the endpoint is down', async () => {
  expect(await resource.send(await later())).toMatchObject({ status: 200 });
  resource.issuer.jwksAnswer = (_request, response) => response.destroy();
  ahead = 500;
  expect(await resource.send(await later())).toMatchObject({ status: 200 });
  ahead = 650;
  expect(await resource.send(await later())).toMatchObject({
    status: 503,
    code: 'keys_unavailable',
  });
  resource.issuer.jwksAnswer = undefined;
  expect(await resource.send(await later())).toMatchObject({ status: 200 });
});

it.each<[string, RequestListener]>([
  ['an error', (_request, response) => response.writeHead(500).end()],
  ['a web page', (_request, response) => response.end('<html>sign in</html>')],
  ['an empty list of keys that is none', (_request, response) => response.end('{"keys":{}}')],
  ['a list of what are no keys', (_request, response) => response.end('{"keys":[1]}')],
  ['a name twice', (_request, response) => response.end('{"keys":[],"keys":[]}')],
  [
    'over a megabyte',
    (_request, response) => response.end(`{"keys":[],"x":"${'a'.repeat(1_100_000)}"}`),
  ],
  [
    '101 keys',
    (_request, response) =>
      response.end(JSON.stringify({ keys: Array.from({ length: 101 }, () => ({})) })),
  ],
  [
    'half an answer',
    (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{"keys"');
      response.destroy();
    },
  ],
])('answers 503 when the key set is %s', async (_what, answer) => {
  resource.issuer.jwksAnswer = answer;
  expect(await resource.send(await resource.token())).toMatchObject({
    status: 503,
    code: 'keys_unavailable',
  });
  resource.issuer.jwksAnswer = undefined;
  expect(await resource.send(await resource.token())).toMatchObject({ status: 200 });
});

it('follows no redirect to the keys of someone else', async () => {
  const evil = await makeKey();
  const server = createServer((_request, response) =>
    response.end(JSON.stringify({ keys: [evil.jwk] })),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  resource.issuer.jwksAnswer = (_request, response) =>
    response.writeHead(302, { location: `http://127.0.0.1:${port}/jwks` }).end();
  expect(await resource.send(await resource.token({}, { key: evil }))).toMatchObject({
    status: 503,
    code: 'keys_unavailable',
  });
  server.close();
});

it('does not wait for a key set that never ends', async () => {
  const answers: (() => void)[] = [];
  const { issuer, url } = resource;
  issuer.jwksAnswer = (_request, response) => {
    response.writeHead(200).write('{"keys":[');
    answers.push(() => response.destroy());
  };
  const keys = createIssuerKeys({ url: issuer.url, timeoutMs: 150 });
  await expect(
    keys.verify(await resource.token({ aud: url }), { typ: ['at+jwt'], algs: ['ES256'] }),
  ).rejects.toMatchObject({ code: 'keys_unavailable' });
  for (const answer of answers) answer();
});

it('takes no discovery document of another issuer', async () => {
  for (const discovery of [
    { issuer: `${resource.issuer.url}/` },
    { issuer: 'https://other.example' },
    { issuer: undefined },
    { jwks_uri: 'http://evil.example/jwks' },
    { jwks_uri: undefined },
  ]) {
    resource.issuer.discovery = discovery;
    expect(await resource.send(await resource.token())).toMatchObject({
      status: 503,
      code: 'keys_unavailable',
    });
  }
  resource.issuer.discovery = {};
  expect(await resource.send(await resource.token())).toMatchObject({ status: 200 });
});
