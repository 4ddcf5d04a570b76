/** Claim: a token is good at the one resource that it names, for the agent that it was issued to. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGuardedResource, type GuardedResource } from './guarded-resource.ts';

let resource: GuardedResource;
beforeAll(async () => {
  resource = await startGuardedResource();
});
afterAll(() => resource.close());

it('lets the exact resource pass, as text or as a list of one', async () => {
  expect(await resource.send(await resource.token())).toMatchObject({ status: 200 });
  const listed = await resource.token({ aud: [resource.url] });
  expect(await resource.send(listed)).toMatchObject({ status: 200 });
});

it.each<[string, (url: string) => unknown]>([
  ['a second resource', (url) => [url, 'https://other.example']],
  ['the same resource twice', (url) => [url, url]],
  ['a resource inside a list in a list', (url) => [[url]]],
  ['a sibling', (url) => url.replace('/records', '/exports')],
  ['a prefix', (url) => url.slice(0, -1)],
  ['a longer path', (url) => `${url}/42`],
  ['a slash more', (url) => `${url}/`],
  ['the origin', (url) => new URL(url).origin],
  ['another port', (url) => url.replace(/:\d+/, ':1')],
  ['no port', (url) => url.replace(/:\d+/, '')],
  ['another scheme', (url) => url.replace('http:', 'https:')],
  ['another case', (url) => url.toUpperCase()],
  ['an encoded letter', (url) => url.replace('/records', '/%72ecords')],
  ['a way round', (url) => url.replace('/records', '/x/../records')],
  ['two names in one text', (url) => `${url} https://other.example`],
  ['an empty list', () => []],
  ['an empty name', () => ''],
  ['an object', () => ({})],
  ['null', () => null],
  ['a star', () => '*'],
])('refuses %s', async (_what, spell) => {
  const token = await resource.token({ aud: spell(resource.url) });
  expect(await resource.send(token)).toMatchObject({ status: 401, code: 'audience_mismatch' });
});

it('refuses a token without an audience', async () => {
  expect(await resource.send(await resource.token({ aud: undefined }))).toMatchObject({
    status: 401,
    code: 'token_unverifiable',
  });
});

it('refuses a token that was issued to another client than the agent that holds it', async () => {
  for (const client of ['planner', 'app', 'RESEARCHER', 'researcher ', 'alice']) {
    expect(await resource.send(await resource.token({ client_id: client }))).toMatchObject({
      status: 401,
      code: 'client_mismatch',
    });
  }
});

it('compares the client claim of the issuer, and no other', async () => {
  const azp = await startGuardedResource({ trust: { clientClaim: 'azp' } });
  const named = { azp: 'researcher', client_id: 'someone-else' };
  expect(await azp.send(await azp.token(named))).toMatchObject({ status: 200 });
  const other = await azp.token({ azp: 'someone-else' });
  expect(await azp.send(other)).toMatchObject({ code: 'client_mismatch' });
  await azp.close();
});

it('asks for a client even where the issuer names a user as the agent', async () => {
  const user = await startGuardedResource({ trust: { actor: 'user' } });
  expect(await user.send(await user.token({ client_id: 'client-7' }))).toMatchObject({
    status: 200,
  });
  expect(await user.send(await user.token({ client_id: undefined }))).toMatchObject({
    code: 'token_unverifiable',
  });
  await user.close();
});
