import { request } from 'node:http';
import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, jwtVerify, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startDevIdp, type DevIdpOptions } from '../../src/dev/dev-idp.ts';
import { describeEvent, type DevIdpEvent } from '../../src/dev/events.ts';
import { openIssuedToken } from '../../src/dev/issued-token.ts';
import { devKeyPair, Keyring } from '../../src/dev/keyring.ts';
import { READ_42, RECORDS, startWorld, type World } from './world.ts';

const NOBODY: DevIdpOptions = { clients: [], agents: [], resources: [], algorithm: 'ES256' };

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

describe('starts', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it('not in production, unless it is forced', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    await expect(startDevIdp(NOBODY)).rejects.toMatchObject({ code: 'development_only' });
    await using idp = await startDevIdp({ ...NOBODY, force: true });
    expect((await metadataOf(idp.url))['crumb_dev']).toBe(true);
  });

  it('without a word to the console', async () => {
    const methods = ['log', 'info', 'warn', 'error'] as const;
    const spies = methods.map((method) => vi.spyOn(console, method));
    await using idp = await startDevIdp(NOBODY);
    await fetch(`${idp.url}/nowhere`);
    await fetch(`${idp.url}/token`, { method: 'POST', body: 'x=%' });
    expect(spies.flatMap((spy) => spy.mock.calls)).toEqual([]);
  });

  it.each(['0.0.0.0', '192.168.0.1', '::', 'example.com'])(
    'on a loopback address and not on %s',
    async (host) => {
      // @ts-expect-error only loopback addresses compile
      await expect(startDevIdp({ ...NOBODY, host })).rejects.toThrow(TypeError);
    },
  );

  it('on a port of choice, which it gives back', async () => {
    const first = await startDevIdp(NOBODY);
    const port = Number(new URL(first.url).port);
    await expect(startDevIdp({ ...NOBODY, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.close();
    await using second = await startDevIdp({ ...NOBODY, port });
    expect(second.url).toBe(first.url);
  });

  it('with Alice, Bob and Carol', async () => {
    await using idp = await startDevIdp(NOBODY);
    expect(idp.people.map(({ sub }) => sub)).toEqual(['alice', 'bob', 'carol']);
  });
});

describe('refuses to start with', () => {
  it.each<[string, (jwks: { keys: object[] }) => Partial<DevIdpOptions>]>([
    ['a private key', () => ({ agents: [{ id: 'a', jwks: { keys: [{ kty: 'OKP', d: 'x' }] } }] })],
    ['an agent without a key', () => ({ agents: [{ id: 'a', jwks: { keys: [] } }] })],
    ['an agent that is a person', (jwks) => ({ agents: [{ id: 'alice', jwks: keysOf(jwks) }] })],
    ['an agent that no URN can name', (jwks) => ({ agents: [{ id: 'a b', jwks: keysOf(jwks) }] })],
    [
      'two of the same',
      (jwks) => ({ agents: [1, 2].map(() => ({ id: 'a', jwks: keysOf(jwks) })) }),
    ],
    [
      'an agent nobody registered',
      () => ({ clients: [{ id: 'c', redirectUris: [], agents: ['x'] }] }),
    ],
    ['a resource without scheme', () => ({ resources: [{ resource: 'records', scopes: [] }] })],
    ['a scope of OpenID', () => ({ resources: [{ resource: RECORDS, scopes: ['openid'] }] })],
    ['two scopes in one', () => ({ resources: [{ resource: RECORDS, scopes: ['a b'] }] })],
  ])('%s', async (_what, change) => {
    const { jwks } = await devKeyPair();
    await expect(startDevIdp({ ...NOBODY, ...change(jwks) })).rejects.toThrow(TypeError);
  });

  function keysOf(jwks: { keys: object[] }): { keys: { kty: string }[] } {
    return { keys: jwks.keys.map((key) => ({ kty: 'OKP', ...key })) };
  }
});

it('serves nobody who calls it by another name', async () => {
  const status = await new Promise((resolve, reject) => {
    const headers = { Host: 'rebound.example' };
    request(`${world.issuer}/jwks`, { headers }, (res) => {
      res.resume();
      resolve(res.statusCode);
    })
      .on('error', reject)
      .end();
  });
  expect(status).toBe(421);
});

it('demands PKCE', async () => {
  const query = new URLSearchParams({
    client_id: 'app',
    redirect_uri: world.client.redirectUri,
    response_type: 'code',
    scope: 'openid',
  });
  const answer = await fetch(`${world.issuer}/auth?${query.toString()}`, { redirect: 'manual' });
  const location = new URL(answer.headers.get('location') ?? '');
  expect(location.searchParams.get('error')).toBe('invalid_request');
});

it('marks each token as development', async () => {
  const { accessToken, idToken = '' } = await world.loginAs('alice');
  const self = await world.selfToken('planner');
  const call = { subject: accessToken, target: RECORDS, scope: 'read_record' };
  const { token } = await world.exchange('planner', call);
  for (const jwt of [accessToken, idToken, self, token]) {
    expect(decodeJwt(jwt)['crumb_dev']).toBe(true);
  }
});

describe('an agent', () => {
  it('has a token of its own for this provider and nothing else', async () => {
    const claims = decodeJwt(await world.selfToken('planner'));
    expect(claims).toMatchObject({ sub: 'planner', client_id: 'planner', aud: world.issuer });
    expect(claims).not.toHaveProperty('scope');
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(120);
  });

  it('gets no token for a service without a human', async () => {
    const answer = await world.post('planner', {
      grant_type: 'client_credentials',
      resource: RECORDS,
      scope: 'read_record',
    });
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_target']);
  });

  it('must prove its key', async () => {
    const impostor = await world.post('planner', { grant_type: 'client_credentials' }, 'fetcher');
    expect([impostor.status, impostor.body['error']]).toEqual([401, 'invalid_client']);
  });

  it('is no application, nor an application an agent', async () => {
    const coded = await world.post('planner', { grant_type: 'authorization_code', code: 'x' });
    expect(coded.status).toBe(400);
    const body = new URLSearchParams({ client_id: 'app', grant_type: 'client_credentials' });
    expect((await fetch(`${world.issuer}/token`, { method: 'POST', body })).status).toBe(400);
  });
});

describe('a rotation', () => {
  it('publishes the next key, signs with it, and keeps the old one', async () => {
    await using idp = await startWorld({ algorithm: 'ES256' });
    const before = idp.idp.kid;
    const old = (await idp.loginAs('alice')).accessToken;

    await idp.idp.publish();
    expect(await kidsOf(idp)).toHaveLength(2);
    expect(idp.idp.kid).toBe(before);
    const next = (await kidsOf(idp)).find((kid) => kid !== before);

    await idp.idp.rotate();
    expect(idp.idp.kid).toBe(next);
    expect(await kidsOf(idp)).toContain(before);
    const { payload } = await verify(idp, old);
    expect(payload.sub).toBe('alice');
  });

  it('keeps sessions, and exchanges what the old key signed', async () => {
    await using idp = await startWorld({ algorithm: 'EdDSA' });
    const old = (await idp.loginAs('alice')).accessToken;
    await idp.idp.rotate();
    const call = { subject: old, target: RECORDS, scope: 'read_record' };
    const { token, status } = await idp.exchange('planner', call);
    expect(status).toBe(200);
    expect((await verify(idp, token)).protectedHeader.kid).toBe(idp.idp.kid);
    expect((await idp.loginAs('bob')).accessToken).not.toBe('');
  });

  it('ends what the old key signed once that is retired', async () => {
    const events: DevIdpEvent[] = [];
    await using idp = await startWorld({ algorithm: 'ES256', log: (event) => events.push(event) });
    const old = (await idp.loginAs('alice')).accessToken;
    await idp.idp.rotate();
    idp.idp.retire();
    await expect(verify(idp, old)).rejects.toThrow();
    const call = { subject: old, target: RECORDS, scope: 'read_record' };
    expect((await idp.exchange('planner', call)).status).toBe(400);
    expect(events).toContainEqual({
      kind: 'refusal',
      client: 'planner',
      reason: 'subject_invalid',
    });
    expect(await kidsOf(idp)).toEqual([idp.idp.kid]);
  });

  it('retires the old key by itself after the longest life of a token', async () => {
    await using idp = await startWorld({ algorithm: 'ES256', tokenSeconds: 1, sessionSeconds: 1 });
    await idp.idp.rotate();
    await expect.poll(async () => kidsOf(idp), { timeout: 5000 }).toEqual([idp.idp.kid]);
  });

  async function kidsOf({ issuer }: World): Promise<string[]> {
    const answer = await fetch(`${issuer}/jwks`);
    const { keys } = (await answer.json()) as { keys: { kid: string; d?: string }[] }; // RFC 7517
    expect(keys.every((key) => key.d === undefined)).toBe(true);
    return keys.map(({ kid }) => kid);
  }

  function verify({ issuer }: World, jwt: string) {
    const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
    return jwtVerify(jwt, keys, { issuer, typ: 'at+jwt' });
  }
});

describe('a token is opened', () => {
  const issuer = 'http://127.0.0.1:1';
  const right = { iss: issuer, sub: 'alice', aud: 'app', exp: 2_000_000_000, iat: 1 };

  it.each<[string, Record<string, unknown>, string | undefined, string | undefined]>([
    ['an access token', right, 'at+jwt', 'access_token'],
    ['an ID token', right, undefined, 'id_token'],
    ['a logout token', right, 'logout+jwt', undefined],
    ['one for two audiences', { ...right, aud: ['app', 'other'] }, 'at+jwt', undefined],
    ['one of another issuer', { ...right, iss: `${issuer}/` }, 'at+jwt', undefined],
    ['one without end', { ...right, exp: undefined }, 'at+jwt', undefined],
    ['one that has ended', { ...right, exp: 2 }, 'at+jwt', undefined],
  ])('only if it is ours and for one party: %s', async (_what, claims, typ, kind) => {
    const keyring = await Keyring.create('ES256');
    const { kid, alg, privateKey } = keyring.current;
    const jwt = await new SignJWT(claims)
      .setProtectedHeader({ alg, kid, ...(typ === undefined ? {} : { typ }) })
      .sign(privateKey);
    expect((await openIssuedToken(jwt, { keyring, issuer }))?.kind).toBe(kind);
  });
});

it('tells what happens, and says it in a line', async () => {
  const events: DevIdpEvent[] = [];
  await using told = await startWorld({ algorithm: 'ES256', log: (event) => events.push(event) });
  const { accessToken } = await told.loginAs('alice', { directives: [READ_42] });
  await told.loginAs('bob', { consent: 'deny' }).catch(() => undefined);
  await told.exchange('planner', { subject: accessToken, target: RECORDS, scope: 'read_record' });
  await told.exchange('planner', { subject: accessToken, target: RECORDS, scope: 'admin' });
  await told.post('planner', { grant_type: 'client_credentials' }, 'fetcher');
  await told.idp.rotate();
  expect(events.map(({ kind }) => kind)).toEqual([
    'login',
    'consent',
    'login',
    'consent-denied',
    'error',
    'exchange',
    'refusal',
    'error',
    'rotation',
    'rotation',
  ]);
  expect(events.map((event) => describeEvent(event)).join('\n')).toMatch(
    /^alice logged in to app\n[^]*planner may call https:\/\/records\.example \(read_record\)/,
  );
});

it('makes keys that a client can sign with and a server can check', async () => {
  for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
    const { key, jwks, kid } = await devKeyPair(alg);
    const jwt = await new SignJWT({}).setProtectedHeader({ alg, kid }).sign(key);
    expect((await jwtVerify(jwt, createLocalJWKSet(jwks))).protectedHeader.alg).toBe(alg);
    expect(jwks.keys.every((one) => one.d === undefined)).toBe(true);
  }
});

async function metadataOf(url: string): Promise<Record<string, unknown>> {
  const answer = await fetch(`${url}/.well-known/openid-configuration`);
  return (await answer.json()) as Record<string, unknown>; // RFC 8414
}
