import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  bearerOf,
  createSessionVerifier,
  factsOf,
  Session,
  sessionTokenOf,
  type SessionVerifierOptions,
} from '../../src/token/session.ts';
import { createIssuerKeys } from '../../src/token/issuer-keys.ts';
import {
  now,
  startTestIssuer,
  withClaims,
  type Claims,
  type TestIssuer,
} from '../attacks/test-issuer.ts';

let issuer: TestIssuer;
let options: SessionVerifierOptions;

beforeAll(async () => {
  issuer = await startTestIssuer();
  options = {
    keys: createIssuerKeys({ url: issuer.url }),
    audience: 'https://app.example',
    client: 'app',
    agentAudiences: ['urn:agent:planner'],
    typ: ['at+jwt'],
    algs: ['ES256'],
    scoped: [{ scope: 'records.read', resource: 'https://records.example', action: 'read_record' }],
  };
});
afterAll(() => issuer.close());

const login = (): Claims => ({
  iss: issuer.url,
  sub: 'alice',
  aud: 'https://app.example',
  client_id: 'app',
  scope: 'openid records.read',
  sid: 'login-1',
  auth_time: now() - 60,
  acr: 'urn:acr:2',
  amr: ['pwd', 'otp'],
  name: 'Alice Example',
  email: 'alice@example.com',
  iat: now(),
  exp: now() + 300,
});

const tokenOf = (changes: Claims = {}, header: Claims = {}) =>
  issuer.sign(withClaims(login(), changes), { header });
const open = async (changes: Claims = {}, more: Partial<SessionVerifierOptions> = {}) =>
  createSessionVerifier({ ...options, ...more }).open(await tokenOf(changes));

it('keeps what the login proves', async () => {
  const token = await tokenOf();
  const session = await createSessionVerifier(options).open(token);
  expect(factsOf(session)).toMatchObject({
    human: { iss: issuer.url, sub: 'alice' },
    sid: 'login-1',
    acr: 'urn:acr:2',
    amr: ['pwd', 'otp'],
    upstream: [],
    scope: ['openid', 'records.read'],
    claims: { name: 'Alice Example', email: 'alice@example.com' },
    kid: issuer.key.kid,
    development: false,
  });
  expect(factsOf(session).directives).toMatchObject([
    { source: 'scope', actions: ['read_record'] },
  ]);
  expect(JSON.parse(new TextDecoder().decode(factsOf(session).keySet.raw))).toEqual({
    keys: [issuer.key.jwk],
  });
  expect(sessionTokenOf(session)).toBe(token);
});

it('shows neither the token nor the human, whichever way it is printed', async () => {
  const token = await tokenOf();
  const session = await createSessionVerifier(options).open(token);
  const nested = { deep: [session] };
  const shown = [
    JSON.stringify(nested),
    inspect(nested, { depth: 9, showHidden: true }),
    inspect(session, { customInspect: false, showHidden: true, depth: 9 }),
    inspect(structuredClone(session), { showHidden: true }),
    JSON.stringify({ ...session }),
  ].join('\n');
  for (const secret of [token, token.slice(0, 40), 'alice', 'Alice']) {
    expect(shown).not.toContain(secret);
  }
});

it('cannot be made from outside, nor imitated', async () => {
  const session = await open();
  expect(() => new Session(Symbol('forged'), factsOf(session), 'token')).toThrow(TypeError);
  expect(Session.isSession(session)).toBe(true);
  expect(Session.isSession(structuredClone(session))).toBe(false);
  expect(() => factsOf(Object.create(Session.prototype) as Session)).toThrow(TypeError);
});

it('freezes what the human authorised', async () => {
  const details = [
    {
      type: 'crumb_tool_call',
      actions: ['read_record'],
      locations: ['https://records.example'],
      arguments: { id: { const: 42 } },
    },
  ];
  const { directives } = factsOf(await open({ authorization_details: details }));
  expect(directives).toHaveLength(1);
  expect(Object.isFrozen(directives)).toBe(true);
  expect(Object.isFrozen(directives[0]?.args?.['id'])).toBe(true);
});

it.each<[string, string, Claims]>([
  ['another audience', 'session_invalid', { aud: 'https://other.example' }],
  ['no audience', 'session_invalid', { aud: undefined }],
  ['no subject', 'session_invalid', { sub: undefined }],
  ['an empty subject', 'session_invalid', { sub: '' }],
  ['a subject that is no string', 'session_invalid', { sub: 7 }],
  ['no expiry', 'session_invalid', { exp: undefined }],
  ['no time of issue', 'session_invalid', { iat: undefined }],
  ['another issuer', 'session_invalid', { iss: 'https://other.example' }],
  ['an end in the past', 'session_expired', { iat: 1000, exp: 2000 }],
  ['an ID token', 'session_invalid', { nonce: 'n', at_hash: 'h' }],
  ['a logout token', 'session_invalid', { events: {} }],
  ['the token of our own client', 'session_machine', { sub: 'app' }],
  ['the token of another client', 'session_machine', { sub: 'batch', client_id: 'batch' }],
])('refuses %s', async (_what, code, changes) => {
  await expect(open()).resolves.toBeInstanceOf(Session);
  await expect(open(changes)).rejects.toMatchObject({ code });
});

it('refuses what the profile knows for a machine', async () => {
  const profileIsMachine = (claims: Claims) => claims['gty'] === 'client-credentials';
  await expect(open({ gty: 'password' }, { profileIsMachine })).resolves.toBeInstanceOf(Session);
  await expect(open({ gty: 'client-credentials' }, { profileIsMachine })).rejects.toMatchObject({
    code: 'session_machine',
  });
});

it('takes an ID token only where the profile says so', async () => {
  const token = await tokenOf({ nonce: 'n' }, { typ: 'JWT' });
  const verifier = (more: Partial<SessionVerifierOptions>) =>
    createSessionVerifier({ ...options, ...more });
  await expect(verifier({}).open(token)).rejects.toMatchObject({ code: 'session_invalid' });
  await expect(verifier({ typ: ['JWT'] }).open(token)).rejects.toMatchObject({
    code: 'session_invalid',
  });
  await expect(verifier({ typ: ['JWT'], idTokens: true }).open(token)).resolves.toBeInstanceOf(
    Session,
  );
});

it('takes a login with further audiences, as providers issue them', async () => {
  const aud = ['https://app.example', `${issuer.url}/userinfo`];
  await expect(open({ aud })).resolves.toBeInstanceOf(Session);
});

it('joins the agents upstream of us, for one audience of ours', async () => {
  const act = { sub: 'concierge', act: { sub: 'front-desk' } };
  const joined = { act, client_id: 'concierge', aud: 'urn:agent:planner', jti: 'token-1' };
  expect(factsOf(await open(joined)).upstream).toEqual([
    { iss: issuer.url, sub: 'front-desk' },
    { iss: issuer.url, sub: 'concierge' },
  ]);
  for (const [code, changes] of [
    ['session_invalid', { aud: ['urn:agent:planner', 'https://other.example'] }],
    ['session_invalid', { aud: 'urn:agent:researcher' }],
    ['session_invalid', { client_id: 'front-desk' }],
    ['session_invalid', { act: { iss: 'https://other.example', sub: 'concierge' } }],
    ['session_invalid', { jti: undefined }],
    ['session_invalid', { exp: now() + 301 }],
    ['act_is_subject', { act: { sub: 'alice' } }],
    ['act_repeated', { act: { sub: 'a', act: { sub: 'a' } } }],
    ['act_malformed', { act: [] }],
    ['act_malformed', { act: null }],
  ] as const) {
    await expect(open({ ...joined, ...changes })).rejects.toMatchObject({ code });
  }
});

it('keeps malformed directives apart, and falls back on no scope then', async () => {
  const details = [{ type: 'crumb_tool_call', actions: [] }];
  expect(factsOf(await open({ authorization_details: details }))).toMatchObject({
    directives: [],
    malformedDirectives: [0],
  });
});

it('renews only the same login of the same human', async () => {
  const verifier = createSessionVerifier(options);
  const session = await verifier.open(await tokenOf());
  const renewed = await verifier.renew(session, await tokenOf({ exp: now() + 600 }));
  expect(factsOf(renewed).expires > factsOf(session).expires).toBe(true);
  for (const changes of [
    { sub: 'bob' },
    { sid: 'login-2' },
    { sid: undefined },
    { act: { sub: 'concierge' }, client_id: 'concierge', jti: 'token-1' },
  ]) {
    const token = await tokenOf(changes);
    await expect(verifier.renew(session, token)).rejects.toMatchObject({
      code: 'session_renewal_mismatch',
    });
  }
});

it('tells unreachable keys from a bad token', async () => {
  const keys = createIssuerKeys({ url: 'http://127.0.0.1:9', timeoutMs: 1000 });
  const token = await issuer.sign(withClaims(login(), { iss: 'http://127.0.0.1:9' }));
  await expect(createSessionVerifier({ ...options, keys }).open(token)).rejects.toMatchObject({
    code: 'keys_unavailable',
  });
});

it('shows no claim in an error', async () => {
  const error = await open({ exp: 2000, iat: 1000 }).catch((reason: unknown) => reason);
  expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/alice/i);
});

it('reads exactly one Bearer header', () => {
  const request = (authorization?: string) =>
    new Request(
      'https://app.example',
      authorization === undefined ? {} : { headers: { authorization } },
    );
  expect(bearerOf(request('Bearer a.b.c'))).toBe('a.b.c');
  expect(bearerOf({ rawHeaders: ['AUTHORIZATION', 'bearer a.b.c'] })).toBe('a.b.c');
  expect(() => bearerOf(request())).toThrow(expect.objectContaining({ code: 'session_missing' }));
  const twice = { rawHeaders: ['Authorization', 'Bearer a', 'authorization', 'Bearer b'] };
  for (const bad of [
    request('Bearer a, Bearer b'),
    request('Basic YTpi'),
    request('DPoP a'),
    twice,
  ]) {
    expect(() => bearerOf(bad)).toThrow(expect.objectContaining({ code: 'session_invalid' }));
  }
});
