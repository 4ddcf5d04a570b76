import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startDevIdp } from '../../src/dev/dev-idp.ts';
import { devKeyPair } from '../../src/dev/keyring.ts';
import { login, type LoginOptions } from '../../src/dev/login.ts';
import { crowd, MAIL, READ_42, startWorld, type World } from './world.ts';

let world: World;
let usual: LoginOptions;
beforeAll(async () => {
  world = await startWorld();
  usual = {
    issuer: world.issuer,
    clientId: world.client.id,
    redirectUri: world.client.redirectUri,
    person: 'alice',
  };
});
afterAll(() => world.close());
afterEach(() => world.idp.allow({ sub: 'alice' }));

const SEND = {
  type: 'crumb_tool_call',
  actions: ['send_mail'],
  locations: [MAIL],
  arguments: { to: { enum: ['bob@example.com'] } },
};

describe('a login', () => {
  it('gives the application a token about the human, her login and what she allowed', async () => {
    const { accessToken, idToken, expiresIn, scope } = await world.loginAs('alice', {
      directives: [READ_42],
      scope: 'openid profile read_record',
    });
    expect(decodeJwt(accessToken)).toMatchObject({
      iss: world.issuer,
      sub: 'alice',
      aud: world.audience,
      client_id: 'app',
      scope: 'read_record',
      sid: expect.any(String),
      auth_time: expect.any(Number),
      amr: ['user'],
      name: 'Alice Lindqvist',
      email: 'alice@example.com',
      may_act: { sub: 'planner' },
      authorization_details: [READ_42],
      crumb_dev: true,
    });
    expect(decodeJwt(idToken ?? '')).toMatchObject({
      sub: 'alice',
      aud: 'app',
      name: 'Alice Lindqvist',
      crumb_dev: true,
    });
    expect([expiresIn, scope]).toEqual([900, 'read_record']);
  });

  it('keeps the directives that the human ticked, and only those', async () => {
    const directives = [READ_42, SEND];
    const { accessToken } = await world.loginAs('alice', { directives, consent: [1] });
    expect(decodeJwt(accessToken)['authorization_details']).toEqual([SEND]);
  });

  it('takes more directives than a URL can hold', async () => {
    const directives = Array.from({ length: 100 }, (_none, n) => ({
      ...READ_42,
      arguments: { id: { const: n }, note: { const: 'x'.repeat(200) } },
    }));
    const { accessToken } = await world.loginAs('alice', { directives });
    expect(decodeJwt(accessToken)['authorization_details']).toEqual(directives);
  });

  it('has a session of its own, with nothing of an earlier one in it', async () => {
    const first = decodeJwt((await world.loginAs('alice', { directives: [SEND] })).accessToken);
    const second = decodeJwt((await world.loginAs('alice', { directives: [READ_42] })).accessToken);
    expect(second['sid']).not.toBe(first['sid']);
    expect(second['authorization_details']).toEqual([READ_42]);
  });

  it('says how a person authenticated, if the developer said so', async () => {
    const people = [{ sub: 'dora', name: 'Dora', acr: 'urn:example:high', amr: ['hwk'] }];
    await using strong = await startWorld({ people });
    const claims = decodeJwt((await strong.loginAs('dora')).accessToken);
    expect(claims).toMatchObject({ acr: 'urn:example:high', amr: ['hwk'] });
    expect(claims).not.toHaveProperty('email');
  });

  it.each(['RS256', 'ES256', 'EdDSA'] as const)(
    'works with an application that holds a key, under %s',
    async (algorithm) => {
      const pair = await devKeyPair(algorithm);
      const client = { id: 'web', redirectUris: ['http://127.0.0.1/cb'], jwks: pair.jwks };
      await using idp = await startDevIdp({
        algorithm,
        clients: [client],
        agents: [],
        resources: [],
      });
      const known = { issuer: idp.url, clientId: 'web', redirectUri: 'http://127.0.0.1/cb' };
      const answer = await login({ ...known, person: 'bob', key: pair.key });
      expect(decodeJwt(answer.accessToken)).toMatchObject({ sub: 'bob', aud: 'web' });
      const { key } = await devKeyPair(algorithm);
      await expect(login({ ...known, person: 'bob', key })).rejects.toMatchObject({
        code: 'login_refused',
        oauthError: 'invalid_client',
      });
    },
  );
});

describe('is refused', () => {
  it.each([
    ['when the human denies', { consent: 'deny' }, 'access_denied'],
    ['when she ticks nothing', { directives: [READ_42], consent: [] }, 'access_denied'],
    ['for somebody unknown', { person: 'mallory' }, 'login_required'],
    [
      'for a directive nobody can read',
      { directives: [{ ...READ_42, also: 1 }] },
      'invalid_authorization_details',
    ],
    [
      'for a constraint nobody evaluates',
      { directives: [withPattern()] },
      'invalid_authorization_details',
    ],
    [
      'for another type of detail',
      { directives: [{ type: 'payment' }] },
      'invalid_authorization_details',
    ],
    ['for a service as audience', { resource: 'https://records.example' }, 'invalid_target'],
  ] as const)('%s', async (_what, more, oauthError) => {
    await expect(login({ ...usual, ...more })).rejects.toMatchObject({
      code: 'login_refused',
      oauthError,
    });
  });

  it('for an unknown application, and for another address', async () => {
    for (const more of [{ clientId: 'nobody' }, { redirectUri: 'https://evil.example/cb' }]) {
      await expect(login({ ...usual, ...more })).rejects.toMatchObject({ code: 'login_refused' });
    }
  });

  it('for a person who is denied', async () => {
    world.idp.deny({ sub: 'alice' });
    await expect(login(usual)).rejects.toMatchObject({ oauthError: 'access_denied' });
  });

  function withPattern(): object {
    return { ...READ_42, arguments: { id: { pattern: '.*' } } };
  }
});

describe('fails', () => {
  it('where nothing answers', async () => {
    const closed = await startWorld();
    await closed.close();
    await expect(closed.loginAs('alice')).rejects.toMatchObject({ code: 'login_failed' });
  });

  it.each([
    ['says another issuer', (body: object) => ({ ...body, issuer: 'https://other.example' })],
    ['is for production', (body: object) => ({ ...body, crumb_dev: undefined })],
  ])('where the provider %s', async (_what, change) => {
    const spoil: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init);
      if (!new Request(input).url.includes('.well-known')) return answer;
      return Response.json(change((await answer.json()) as object)); // discovery is an object
    };
    await expect(login({ ...usual, fetch: spoil })).rejects.toMatchObject({ code: 'login_failed' });
  });

  it('where the provider sends the browser away', async () => {
    const away: typeof fetch = async (input, init) =>
      new Request(input).url.includes('/auth?')
        ? new Response(null, { status: 303, headers: { Location: 'https://evil.example/' } })
        : fetch(input, init);
    await expect(login({ ...usual, fetch: away })).rejects.toMatchObject({ code: 'login_failed' });
  });
});

it('logs in 34 people 200 times, and forgets none of them', async () => {
  await using town = await startWorld({ people: crowd(34), algorithm: 'ES256' });
  const sessions: string[] = [];
  for (let n = 0; n < 200; n += 8) {
    const batch = Array.from({ length: 8 }, (_none, k) => `person-${(n + k) % 34}`);
    const logins = batch.map(async (person) => town.loginAs(person, { directives: [READ_42] }));
    sessions.push(...(await Promise.all(logins)).map(({ accessToken }) => accessToken));
  }
  expect(sessions.map((token) => decodeJwt(token).sub)).toEqual(
    Array.from({ length: 200 }, (_none, n) => `person-${n % 34}`),
  );
  const [first = ''] = sessions;
  const target = { subject: first, target: 'https://records.example', scope: 'read_record' };
  expect((await town.exchange('planner', target)).claims.sub).toBe('person-0');
});
