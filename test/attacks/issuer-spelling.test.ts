/** Claim: an issuer is its exact name; a look-alike, or a right key under another name, is refused. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGuardedResource, type GuardedResource } from './guarded-resource.ts';
import { startTestIssuer, type TestIssuer } from './test-issuer.ts';

let resource: GuardedResource;
let second: TestIssuer;
let both: GuardedResource;
beforeAll(async () => {
  resource = await startGuardedResource();
  second = await startTestIssuer();
  both = await startGuardedResource({
    issuers: [
      { url: resource.issuer.url, algs: ['ES256'] },
      { url: second.url, algs: ['ES256'] },
    ],
  });
});
afterAll(() => Promise.all([resource.close(), second.close(), both.close()]));

it('lets the exact name pass', async () => {
  expect(await resource.send(await resource.token())).toMatchObject({ status: 200 });
});

it.each<[string, (iss: string) => unknown]>([
  ['a slash more', (iss) => `${iss}/`],
  ['upper case', (iss) => iss.replace('http', 'HTTP')],
  ['another scheme', (iss) => iss.replace('http:', 'https:')],
  ['another name for the same host', (iss) => iss.replace('127.0.0.1', 'localhost')],
  ['another spelling of the same address', (iss) => iss.replace('127.0.0.1', '127.1')],
  ['a path', (iss) => `${iss}/tenant`],
  ['a prefix', (iss) => iss.slice(0, -1)],
  ['a suffix', (iss) => `${iss}0`],
  ['a query', (iss) => `${iss}?`],
  ['a user', (iss) => iss.replace('http://', 'http://user@')],
  ['a space', (iss) => `${iss} `],
  ['a byte order mark', (iss) => `\uFEFF${iss}`],
  ['a full-width full stop', (iss) => iss.replace('127.0', '127\uFF0E0')],
  ['a zero byte', (iss) => `${iss}\0`],
  ['a list with the right name in it', (iss) => [iss]],
  ['an object', () => ({})],
  ['a number', () => 1],
  ['null', () => null],
  ['nothing', () => undefined],
  ['a member that every object has', () => '__proto__'],
  ['someone else', () => 'https://evil.example'],
])('refuses %s', async (_what, spell) => {
  const token = await resource.token({ iss: spell(resource.issuer.url) });
  expect(await resource.send(token)).toMatchObject({ status: 401, code: 'issuer_unknown' });
});

it('refuses the right key of one issuer under the name of the other', async () => {
  const claims = both.claims({ iss: resource.issuer.url });
  expect(await both.send(await resource.issuer.sign(claims))).toMatchObject({ status: 200 });
  expect(await both.send(await second.sign({ ...claims, iss: second.url }))).toMatchObject({
    status: 200,
  });
  expect(await both.send(await second.sign(claims))).toMatchObject({
    status: 401,
    code: 'token_unverifiable',
  });
  // Also when it borrows the other's kid.
  const borrowed = { ...second.key, kid: resource.issuer.key.kid };
  expect(await both.send(await second.sign(claims, { key: borrowed }))).toMatchObject({
    status: 401,
    code: 'token_unverifiable',
  });
});

it('takes an agent of one issuer for none of the other', async () => {
  const guarded = await startGuardedResource({
    issuers: [
      { url: resource.issuer.url, algs: ['ES256'] },
      { url: second.url, algs: ['ES256'] },
    ],
    actors: [{ iss: resource.issuer.url, sub: 'researcher' }],
  });
  const claims = (iss: string) => guarded.claims({ iss });
  expect(await guarded.send(await resource.issuer.sign(claims(resource.issuer.url)))).toMatchObject(
    {
      status: 200,
    },
  );
  expect(await guarded.send(await second.sign(claims(second.url)))).toMatchObject({
    status: 403,
    code: 'actor_not_allowed',
  });
  await guarded.close();
});
