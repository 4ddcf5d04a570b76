/** What the exchange does when the identity provider is wrong, slow or gone. */
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAULTS, type DevIdpFault } from '../../src/dev/faults.ts';
import { isCrumbError } from '../../src/errors.ts';
import type { Session } from '../../src/token/session.ts';
import {
  READ,
  rejection,
  startExchangeWorld,
  type ExchangeWorld,
} from '../exchange/exchange-world.ts';
import {
  json,
  nowSeconds,
  RESOURCE,
  startScriptedProvider,
  TARGET,
  type ScriptedProvider,
} from '../exchange/scripted-provider.ts';
import { expectNoSecrets } from '../exchange/secrets.ts';

describe('an identity provider that goes wrong in one way', () => {
  const CODES: Readonly<Record<DevIdpFault, string>> = {
    slow: 'exchange_unreachable',
    'server-error': 'exchange_unreachable',
    html: 'exchange_unreachable',
    redirect: 'exchange_unreachable',
    huge: 'exchange_unreachable',
    'opaque-token': 'token_unverifiable',
    'wrong-key': 'token_unverifiable',
    'wrong-typ': 'token_unverifiable',
    'wrong-issuer': 'token_unverifiable',
    'wrong-token-type': 'token_type_mismatch',
    'wrong-issued-token-type': 'token_type_mismatch',
    'changed-subject': 'subject_changed',
    'wrong-audience': 'audience_mismatch',
    'second-audience': 'audience_mismatch',
    'missing-act': 'chain_mismatch',
    'dropped-actor': 'chain_mismatch',
    'added-actor': 'chain_mismatch',
    'reordered-actors': 'chain_mismatch',
    'widened-scope': 'scope_widened',
    'widened-details': 'scope_widened',
    'longer-life': 'lifetime_widened',
    'left-may-act': 'may_act_left',
  };

  let it_: ExchangeWorld;
  let alice: Session;
  beforeAll(async () => {
    it_ = await startExchangeWorld({ issuer: { timeoutMs: 2_000 } });
    alice = await it_.session('alice');
  });
  afterAll(() => it_[Symbol.asyncDispose]());

  it('has a code for each', () => {
    expect(Object.keys(CODES).toSorted()).toEqual([...FAULTS].toSorted());
  });

  it.each(FAULTS.map((fault) => [fault, CODES[fault]] as const))(
    '%s gives %s, no token, no second try, and shows nothing',
    async (fault, code) => {
      const { exchange, world } = it_;
      const planner = exchange.root(alice, 'planner');
      const { grant } = await exchange.delegate(planner, 'researcher', ['read_record']);
      const before = it_.exchanges();
      world.idp.fault(fault);
      const error = await rejection(exchange.token(grant, READ));
      world.idp.fault(undefined);

      expect(error).toMatchObject({ code });
      expect(isCrumbError(error) && error.hint).toBeTruthy();
      expect(it_.exchanges()).toBe(before + 1);
      const secrets = it_.sent.flatMap(({ form }) =>
        ['subject_token', 'actor_token', 'client_assertion'].flatMap(
          (name) => form.get(name) ?? [],
        ),
      );
      expectNoSecrets(error, secrets);

      // The failure is not kept: once healed, it works.
      const healed = await exchange.token(grant, { ...READ, action: `after ${fault}` });
      expect(healed.exchange).toBe('fresh');
    },
  );

  it('names the chain that came instead', async () => {
    const { exchange, world } = it_;
    const planner = exchange.root(alice, 'planner');
    const { grant } = await exchange.delegate(planner, 'researcher', ['read_record']);
    world.idp.fault('dropped-actor');
    const error = await rejection(exchange.token(grant, { ...READ, action: 'dropped' }));
    world.idp.fault(undefined);
    expect(error).toMatchObject({
      code: 'chain_mismatch',
      got: [{ iss: world.issuer, sub: 'researcher' }],
    });
  });

  it.each(['changed-subject', 'wrong-audience', 'added-actor', 'left-may-act'] as const)(
    'gives no grant to another agent on %s',
    async (fault) => {
      const { exchange, world } = it_;
      world.idp.fault(fault);
      const hop = exchange.delegate(exchange.root(alice, 'planner'), 'fetcher', ['read_record']);
      const error = await rejection(hop);
      world.idp.fault(undefined);
      expect(error).toMatchObject({ code: CODES[fault] });
    },
  );

  it('is down', async () => {
    await using gone = await startExchangeWorld();
    const planner = gone.exchange.root(await gone.session('alice'), 'planner');
    await gone.exchange.token(planner, READ);
    await gone.world.close();
    const error = await rejection(gone.exchange.token(planner, { ...READ, action: 'other' }));
    expect(error).toMatchObject({ code: 'exchange_unreachable' });
    expect((await gone.exchange.token(planner, READ)).exchange).toBe('cached');
  });
});

describe('an answer that no honest provider gives', () => {
  let provider: ScriptedProvider;
  beforeAll(async () => {
    provider = await startScriptedProvider();
  });
  afterAll(() => provider[Symbol.asyncDispose]());

  type Answerer = ScriptedProvider['onExchange'];
  const failWith = async (answer: Answerer) => {
    const exchange = provider.exchange({ timeoutMs: 500 });
    const planner = exchange.root(await provider.session(), 'planner');
    provider.onExchange = answer;
    const error = await rejection(exchange.token(planner, TARGET));
    expectNoSecrets(error, provider.secrets);
    return error;
  };

  const raw =
    (status: number, type: string, body: string) => (_form: unknown, response: ServerResponse) =>
      void response.writeHead(status, { 'content-type': type }).end(body);

  it.each<[string, Answerer]>([
    ['400 in HTML', raw(400, 'text/html', '<html>')],
    ['200 in HTML that calls itself JSON', raw(200, 'application/json', '<html>')],
    ['a JSON list', raw(200, 'application/json', '[]')],
    ['nothing', raw(200, 'application/json', '')],
    ['404', raw(404, 'text/plain', 'not found')],
    ['204', (_form, response) => void response.writeHead(204).end()],
    ['403 without an OAuth error', raw(403, 'application/json', '{"message":"no"}')],
    [
      '503 with an OAuth error',
      raw(503, 'application/json', '{"error":"temporarily_unavailable"}'),
    ],
    ['success without a token', raw(200, 'application/json', '{"token_type":"Bearer"}')],
    [
      'a token that is not text',
      raw(200, 'application/json', '{"access_token":{},"token_type":"Bearer"}'),
    ],
    ['a connection that breaks', (_form, response) => void response.destroy()],
    [
      'a connection that breaks in the middle of the token',
      async (form, response) => {
        const body = JSON.stringify(await provider.grant(form));
        response.writeHead(200, {
          'content-type': 'application/json',
          'content-length': body.length,
        });
        response.write(body.slice(0, 100), () => response.destroy());
      },
    ],
    [
      'a body that never ends, drop by drop',
      (_form, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(timer));
      },
    ],
    ...[
      { token_type: undefined },
      { expires_in: 'soon' },
      { scope: ['read'] },
      { id_token: 'x.y.z' },
      { refresh_token: 7 },
    ].map((members): [string, Answerer] => [
      `a good token beside ${JSON.stringify(members)}`,
      async (form, response) => json(response, 200, await provider.grant(form, {}, members)),
    ]),
    [
      'a redirect to itself, as after a move',
      (_form, response) => void response.writeHead(307, { location: '/token' }).end(),
    ],
    [
      'a challenge instead of an error',
      (_form, response) =>
        void response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end(),
    ],
  ])('%s is no answer', async (_what, answer) => {
    expect(await failWith(answer)).toMatchObject({
      name: 'ExchangeError',
      code: 'exchange_unreachable',
    });
  });

  it('with the tokens that were sent all over the error is refused, without them', async () => {
    const error = await failWith((form, response) =>
      json(response, 400, {
        error: 'invalid_grant',
        error_description: form.get('subject_token'),
        error_uri: form.get('client_assertion'),
        subject_token: form.get('subject_token'),
      }),
    );
    expect(error).toMatchObject({ code: 'exchange_refused', oauthError: 'invalid_grant' });
  });

  it.each<[string, (form: URLSearchParams) => unknown]>([
    ['the subject token', (form) => form.get('subject_token')],
    ['a part of it', (form) => form.get('subject_token')?.split('.')[2]],
    ['a sentence', () => 'Alice may not'],
    ['a number', () => 7],
  ])('with %s for its word loses the word', async (_what, word) => {
    const error = await failWith((form, response) => json(response, 400, { error: word(form) }));
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toHaveProperty('oauthError', expect.anything());
  });

  it('reads the OAuth error also beside a challenge', async () => {
    const error = await failWith((_form, response) => {
      response.setHeader('www-authenticate', 'Basic realm="x"');
      json(response, 401, { error: 'invalid_client' });
    });
    expect(error).toMatchObject({ code: 'exchange_refused', oauthError: 'invalid_client' });
  });

  it.each([
    ['of an unknown kind', 'mac'],
    ['of no access', 'N_A'],
    ['bound to a key that is not ours', 'DPoP'],
  ])('with a token %s is refused', async (_what, token_type) => {
    const error = await failWith(async (form, response) =>
      json(response, 200, await provider.grant(form, {}, { token_type })),
    );
    expect(error).toMatchObject({ code: 'token_type_mismatch' });
  });

  it('without the type of the token is refused, unless the profile is lax about it', async () => {
    provider.onExchange = async (form, response) =>
      json(response, 200, await provider.grant(form, {}, { issued_token_type: undefined }));
    const session = await provider.session();
    for (const [profile, kept] of [
      ['generic', false],
      ['logto', true],
    ] as const) {
      const exchange = provider.exchange({ profile });
      const token = exchange.token(exchange.root(session, 'planner'), TARGET);
      if (kept) await expect(token).resolves.toMatchObject({ profile });
      else await expect(token).rejects.toMatchObject({ code: 'token_type_mismatch' });
    }
  });

  it('with a token that has expired is refused', async () => {
    const error = await failWith(async (form, response) =>
      json(
        response,
        200,
        await provider.grant(form, { iat: nowSeconds() - 90, exp: nowSeconds() - 60 }),
      ),
    );
    expect(error).toMatchObject({ code: 'token_unverifiable' });
  });

  it('with more than was asked for beside the token is refused', async () => {
    const error = await failWith(async (form, response) =>
      json(response, 200, await provider.grant(form, {}, { scope: 'read write' })),
    );
    expect(error).toMatchObject({ code: 'scope_widened' });
  });

  it('to the own token of the agent stops before the human is named', async () => {
    const exchange = provider.exchange();
    const planner = exchange.root(await provider.session(), 'planner');
    const before = provider.asked.length;
    const { onSelf } = provider;
    provider.onSelf = (_form, response) => json(response, 400, { error: 'unauthorized_client' });
    const error = await rejection(exchange.token(planner, TARGET));
    provider.onSelf = onSelf;
    expect(error).toMatchObject({ code: 'exchange_refused', oauthError: 'unauthorized_client' });
    expect(provider.asked.length).toBe(before);
  });
});

describe('metadata', () => {
  it.each<[string, (url: string) => unknown]>([
    ['of another issuer', (url) => ({ issuer: `${url}/`, token_endpoint: `${url}/token` })],
    [
      'of another issuer by case',
      (url) => ({ issuer: url.toUpperCase(), token_endpoint: `${url}/token` }),
    ],
    ['without a token endpoint', (url) => ({ issuer: url })],
    [
      'with an endpoint elsewhere in the clear',
      (url) => ({ issuer: url, token_endpoint: 'http://idp.example/token' }),
    ],
    [
      'with an endpoint in a file',
      (url) => ({ issuer: url, token_endpoint: 'file:///etc/passwd' }),
    ],
    ['that is a list', () => []],
    ['that is null', () => null],
  ])('%s: nothing is sent', async (_what, document) => {
    await using provider = await startScriptedProvider();
    const session = await provider.session(); // fetches the keys while all is well
    provider.onGet = (_path, response) => json(response, 200, document(provider.url));
    const exchange = provider.exchange();
    const error = await rejection(exchange.token(exchange.root(session, 'planner'), TARGET));
    expect(error).toMatchObject({ code: 'exchange_unreachable' });
    expect(provider.secrets.size).toBe(1); // the session's
    provider.onGet = undefined;
    await expect(exchange.token(exchange.root(session, 'planner'), TARGET)).resolves.toMatchObject({
      aud: RESOURCE,
    });
  });

  it('is found where RFC 8414 puts it, too', async () => {
    await using provider = await startScriptedProvider();
    const session = await provider.session();
    provider.onGet = (path, response) => {
      if (path !== '/.well-known/oauth-authorization-server') response.writeHead(404).end('<html>');
      else json(response, 200, { issuer: provider.url, token_endpoint: `${provider.url}/token` });
    };
    const exchange = provider.exchange();
    await expect(exchange.token(exchange.root(session, 'planner'), TARGET)).resolves.toMatchObject({
      aud: RESOURCE,
    });
  });

  it('without keys to verify under says nothing about the token', async () => {
    await using provider = await startScriptedProvider();
    const session = await provider.session();
    await using other = await startScriptedProvider();
    const exchange = other.exchange();
    const planner = exchange.root(session, 'planner');
    other.onGet = (path, response) => {
      if (path === '/jwks') return json(response, 500, {});
      json(response, 200, {
        issuer: other.url,
        token_endpoint: `${other.url}/token`,
        jwks_uri: `${other.url}/jwks`,
      });
    };
    const error = await rejection(exchange.token(planner, TARGET));
    expect(error).toMatchObject({ code: 'exchange_unreachable' });
    expectNoSecrets(error, [...other.secrets, ...provider.secrets]);
  });
});
