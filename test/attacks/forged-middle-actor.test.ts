/** Claim: nobody but the issuer can change who stands in a chain of agents. */
import { base64url, decodeJwt, decodeProtectedHeader, importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  delegate,
  guardOf,
  present,
  startWorld,
  type Delegations,
  type World,
} from './development-world.ts';
import { makeKey } from './test-issuer.ts';

let world: World;
let real: Delegations;
beforeAll(async () => {
  world = await startWorld();
  real = await delegate(world);
});
afterAll(() => world.close());

/** The real claims, with another agent in the middle. */
function forgedClaims(middle: string): ReturnType<typeof decodeJwt> {
  const claims = decodeJwt(real.delegated);
  const { iss } = claims;
  const act = {
    iss,
    sub: 'fetcher',
    act: { iss, sub: middle, act: { iss, sub: 'planner' } },
  };
  return { ...claims, act };
}

const header = () => ({ ...decodeProtectedHeader(real.delegated), alg: 'RS256' });

it('lets the real token pass, with all three agents', async () => {
  const { chain, human } = await present(guardOf(world), real.delegated);
  expect(human).toEqual({ iss: world.issuer, sub: 'alice' });
  expect(chain.map(({ sub }) => sub)).toEqual(['planner', 'researcher', 'fetcher']);
  // The forger starts from exactly these claims.
  expect(forgedClaims('researcher')).toEqual(decodeJwt(real.delegated));
});

it('refuses it once the agent in the middle was rewritten and signed with another key', async () => {
  const { privateKey } = await makeKey('RS256');
  for (const middle of ['mallory', 'researcher']) {
    const forged = await new SignJWT(forgedClaims(middle))
      .setProtectedHeader(header())
      .sign(privateKey);
    await expect(present(guardOf(world), forged)).rejects.toMatchObject({
      code: 'token_unverifiable',
      status: 401,
    });
  }
});

it('refuses it under the signature of the real token', async () => {
  const [head, , signature] = real.delegated.split('.');
  const payload = base64url.encode(JSON.stringify(forgedClaims('mallory')));
  await expect(present(guardOf(world), `${head}.${payload}.${signature}`)).rejects.toMatchObject({
    code: 'token_unverifiable',
  });
});

it('refuses it signed by an agent with its own registered key', async () => {
  const { key, kid } = world.keys.fetcher;
  const forged = await new SignJWT(forgedClaims('mallory'))
    .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'at+jwt' })
    .sign(await importJWK(key, 'EdDSA'));
  const guard = guardOf(world, { issuers: [{ url: world.issuer, algs: ['RS256', 'EdDSA'] }] });
  await expect(present(guard, real.delegated)).resolves.toBeDefined();
  await expect(present(guard, forged)).rejects.toMatchObject({ code: 'token_unverifiable' });
});

it('refuses it at the provider as well, which would have made it real', async () => {
  const { privateKey } = await makeKey('RS256');
  const subject = await new SignJWT({ ...decodeJwt(real.toFetcher), act: { sub: 'mallory' } })
    .setProtectedHeader(header())
    .sign(privateKey);
  const target = 'https://records.example';
  const honest = { subject: real.toFetcher, target, scope: 'read_record' };
  expect(await world.exchange('fetcher', honest)).toMatchObject({ status: 200 });
  expect(await world.exchange('fetcher', { ...honest, subject })).toMatchObject({
    status: 400,
    body: { error: 'invalid_grant' },
  });
});

it('refuses the real token where no development provider is trusted', async () => {
  const guard = guardOf(world, { allowDevelopment: false });
  await expect(present(guard, real.delegated)).rejects.toMatchObject({ code: 'token_development' });
});
