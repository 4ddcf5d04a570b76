/** Claim: only an access token is a delegation, whatever else the same issuer signs with the same key. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGuardedResource, type GuardedResource } from './guarded-resource.ts';

let resource: GuardedResource;
beforeAll(async () => {
  resource = await startGuardedResource();
});
afterAll(() => resource.close());

it.each(['at+jwt', 'application/at+jwt', 'AT+JWT', 'Application/At+Jwt'])(
  'lets the type %j pass',
  async (typ) => {
    const token = await resource.token({}, { header: { typ } });
    expect(await resource.send(token)).toMatchObject({ status: 200 });
  },
);

it.each([
  ['no type', undefined],
  ['an ID token', 'JWT'],
  ['a logout token', 'logout+jwt'],
  ['an identity assertion grant', 'oauth-id-jag+jwt'],
  ['a transaction token', 'txntoken+jwt'],
  ['a DPoP proof', 'dpop+jwt'],
  ['a client assertion', 'client-authentication+jwt'],
  ['a security event', 'secevent+jwt'],
  ['an introspection answer', 'token-introspection+jwt'],
  ['an empty type', ''],
  ['a type that is no string', ['at+jwt']],
  ['another media type', 'text/at+jwt'],
  ['a prefix twice', 'application/application/at+jwt'],
  ['a longer type', 'at+jwtx'],
  ['a type with a parameter', 'at+jwt; charset=utf-8'],
  ['a Kelvin sign for a K, which some case folding takes', 'at+jwt\u212a'],
])('refuses %s', async (_what, typ) => {
  const token = await resource.token({}, { header: { typ } });
  expect(await resource.send(token)).toMatchObject({ status: 401, code: 'token_unverifiable' });
});

it('refuses an ID token of the same issuer even where its type is accepted', async () => {
  const lax = await startGuardedResource({ trust: { typ: ['JWT'] } });
  const header = { typ: 'JWT' };
  expect(await lax.send(await lax.token({}, { header }))).toMatchObject({ status: 200 });
  const idToken = { act: undefined, client_id: undefined, nonce: 'n', aud: lax.url };
  expect(await lax.send(await lax.token(idToken, { header }))).toMatchObject({
    status: 401,
    code: 'token_unverifiable',
  });
  await lax.close();
});
