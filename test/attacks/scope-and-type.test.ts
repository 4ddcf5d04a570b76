/** Claim: through an exchange a token gets narrower or stays as it is; it never allows more, longer, or otherwise. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAIL, READ_42, RECORDS } from '../dev/world.ts';
import {
  READ,
  rejection,
  startExchangeWorld,
  type ExchangeWorld,
} from '../exchange/exchange-world.ts';
import { guardOf, present } from './development-world.ts';

let world: ExchangeWorld;
let session: string;
beforeAll(async () => {
  world = await startExchangeWorld();
  session = (await world.world.loginAs('alice', { scope: 'openid read_record' })).accessToken;
});
afterAll(() => world.world.close());

describe('the provider', () => {
  const ask = async (scope: string, more = {}, target = RECORDS) =>
    world.world.exchange('planner', { subject: session, target, scope, more });

  it('gives what was allowed and asked for', async () => {
    const { status, claims } = await ask('read_record');
    expect([status, claims['scope']]).toEqual([200, 'read_record']);
  });

  it.each([
    ['more than the human allowed', 'read_record export_record'],
    ['something else than the human allowed', 'export_record'],
    ['what the resource does not know', 'openid'],
    ['everything, by a star', '*'],
    ['nothing, as an empty text', ''],
    ['only spaces', '  '],
  ])('refuses %s', async (_what, scope) => {
    expect(await ask(scope)).toMatchObject({
      status: 400,
      token: '',
      body: { error: 'invalid_scope' },
    });
  });

  it('refuses a request without a scope: no scope is not all scopes', async () => {
    expect(await ask('read_record', { scope: undefined })).toMatchObject({
      status: 400,
      body: { error: 'invalid_scope' },
    });
  });

  it('refuses the scope of one resource at another', async () => {
    expect(await ask('read_record', {}, MAIL)).toMatchObject({
      status: 400,
      body: { error: 'invalid_scope' },
    });
  });

  it.each([
    ['an ID token as subject', { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
    [
      'a refresh token as subject',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
    ],
    [
      'a SAML assertion as subject',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
    ],
    ['no type of subject', { subject_token_type: undefined }],
    ['an ID token as actor', { actor_token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
    ['no type of actor', { actor_token_type: undefined }],
    [
      'a refresh token in return',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
    ],
    [
      'an ID token in return',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
    ],
  ])('refuses %s', async (_what, more) => {
    expect(await ask('read_record')).toMatchObject({ status: 200 });
    expect(await ask('read_record', more)).toMatchObject({ status: 400, token: '' });
  });

  it('refuses a real ID token that calls itself an access token', async () => {
    const { idToken } = await world.world.loginAs('alice');
    expect(idToken).toBeTypeOf('string');
    expect(
      await world.world.exchange('planner', {
        subject: idToken ?? '',
        target: RECORDS,
        scope: 'read_record',
      }),
    ).toMatchObject({ status: 400, token: '' });
  });

  it('lets no token outlive the one before', async () => {
    await using short = await startExchangeWorld({ sessionSeconds: 60, tokenSeconds: 3600 });
    const { accessToken } = await short.world.loginAs('alice');
    const { claims, status } = await short.world.exchange('planner', {
      subject: accessToken,
      target: RECORDS,
      scope: 'read_record',
    });
    expect(status).toBe(200);
    expect((claims.exp ?? 0) - Date.now() / 1000).toBeLessThanOrEqual(60);
  });
});

describe('the exchange', () => {
  const token = async () => {
    const exchange = world.another();
    const opened = await world.session('alice', { directives: [READ_42] });
    return exchange.token(exchange.root(opened, 'planner'), READ);
  };

  it('uses a token that is as narrow as asked', async () => {
    world.world.idp.fault(undefined);
    expect(await token()).toMatchObject({ scope: ['read_record'], aud: RECORDS });
  });

  it.each([
    ['widened-scope', 'scope_widened'],
    ['widened-details', 'scope_widened'],
    ['longer-life', 'lifetime_widened'],
    ['wrong-audience', 'audience_mismatch'],
    ['second-audience', 'audience_mismatch'],
    ['wrong-token-type', 'token_type_mismatch'],
    ['wrong-issued-token-type', 'token_type_mismatch'],
    ['opaque-token', 'token_unverifiable'],
    ['wrong-typ', 'token_unverifiable'],
  ] as const)('discards an answer with the fault %s', async (fault, code) => {
    world.world.idp.fault(fault);
    expect(await rejection(token())).toMatchObject({ code });
    world.world.idp.fault(undefined);
    await expect(token()).resolves.toBeDefined();
  });
});

describe('the guard', () => {
  it('refuses a scope that is narrower than it needs, or absent', async () => {
    const { token } = await world.world.exchange('planner', {
      subject: session,
      target: RECORDS,
      scope: 'read_record',
    });
    const guard = (scope: string) => guardOf(world.world, { scope });
    await expect(present(guard('read_record'), token)).resolves.toBeDefined();
    for (const scope of ['export_record', 'read_record export_record', 'read', 'READ_RECORD']) {
      await expect(present(guard(scope), token)).rejects.toMatchObject({
        code: 'scope_insufficient',
        status: 403,
      });
    }
  });
});
