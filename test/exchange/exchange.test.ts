import { inspect } from 'node:util';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { jwtOf, type Grant, type IssuedToken } from '../../src/exchange/exchange.ts';
import { sessionTokenOf, type Session } from '../../src/token/session.ts';
import {
  MAIL,
  namesOf,
  READ,
  READ_42,
  RECORDS,
  rejection,
  startExchangeWorld,
  type ExchangeWorld,
} from './exchange-world.ts';
import { json, nowSeconds, startScriptedProvider, TARGET } from './scripted-provider.ts';

let it_: ExchangeWorld;
let alice: Session;
beforeAll(async () => {
  it_ = await startExchangeWorld({ rootAgents: ['planner'] });
  alice = await it_.session('alice', { directives: [READ_42] });
});
afterAll(() => it_[Symbol.asyncDispose]());

const code = (expected: string): unknown => expect.objectContaining({ code: expected });

describe('one agent', () => {
  it('gets a token in which the human is the subject and it alone acts, for one resource', async () => {
    const { exchange } = it_;
    const planner = exchange.root(alice, 'planner');
    const issued = await exchange.token(planner, READ);
    expect(issued).toMatchObject({
      iss: it_.world.issuer,
      profile: 'dev',
      nesting: 'subject',
      kid: it_.world.idp.kid,
      aud: RECORDS,
      scope: ['read_record'],
      chain: [{ iss: it_.world.issuer, sub: 'planner' }],
      exchange: 'fresh',
      via: null,
    });
    expect(decodeJwt(jwtOf(issued))).toMatchObject({
      sub: 'alice',
      aud: RECORDS,
      act: { sub: 'planner' },
      authorization_details: [READ_42],
    });
    expect(new TextDecoder().decode(issued.keySet.raw)).toContain(it_.world.idp.kid);
  });

  it('authenticates with a key of its own, and is named by a token of its own', async () => {
    const exchange = it_.another();
    const before = it_.sent.length;
    await exchange.token(exchange.root(alice, 'planner'), READ);
    const [self, hop] = it_.sent.slice(before);
    expect(self?.form.get('grant_type')).toBe('client_credentials');
    expect(hop?.form.get('subject_token')).toBe(sessionTokenOf(alice));
    expect(decodeJwt(hop?.form.get('actor_token') ?? '')).toMatchObject({ sub: 'planner' });
    expect(decodeJwt(hop?.form.get('client_assertion') ?? '')).toMatchObject({
      iss: 'planner',
      sub: 'planner',
      aud: it_.world.issuer,
    });
    expect(hop?.form.getAll('resource')).toEqual([RECORDS]);
    expect(hop?.form.get('scope')).toBe('read_record');
  });
});

describe('two agents', () => {
  it('stand in the chain in order of delegation, each by an exchange of its own', async () => {
    const { exchange } = it_;
    const planner = exchange.root(alice, 'planner');
    const { grant, issued: hop } = await exchange.delegate(planner, 'researcher', ['read_record']);
    expect(namesOf(grant)).toEqual(['planner', 'researcher']);
    expect(grant.agent).toBe('researcher');
    expect(hop).toMatchObject({ aud: 'urn:agent:researcher', scope: ['read_record'] });
    expect(namesOf(hop)).toEqual(['planner']);

    const issued = await exchange.token(grant, READ);
    expect(namesOf(issued)).toEqual(['planner', 'researcher']);
    expect(issued.via).toBe(hop);
    expect(decodeJwt(jwtOf(issued))).toMatchObject({
      sub: 'alice',
      act: { sub: 'researcher', act: { sub: 'planner' } },
    });
  });

  it('and a third one, still for the same human', async () => {
    const { exchange } = it_;
    const { grant: second } = await exchange.delegate(
      exchange.root(alice, 'planner'),
      'researcher',
      ['read_record'],
    );
    const { grant: third } = await exchange.delegate(second, 'fetcher', ['read_record']);
    const issued = await exchange.token(third, READ);
    expect(namesOf(issued)).toEqual(['planner', 'researcher', 'fetcher']);
    expect(decodeJwt(jwtOf(issued)).sub).toBe('alice');
  });

  it('of which the second cannot ask for more than the hop gave it', async () => {
    const { exchange } = it_;
    const { grant } = await exchange.delegate(exchange.root(alice, 'planner'), 'researcher', [
      'read_record',
    ]);
    const error = await rejection(
      exchange.token(grant, { resource: RECORDS, action: 'export', scope: 'export_record' }),
    );
    expect(error).toMatchObject({ code: 'exchange_refused', oauthError: 'invalid_scope' });
  });

  it('with less scope are not served the tokens of a standing with more', async () => {
    const { exchange } = it_;
    const planner = exchange.root(alice, 'planner');
    const wide = await exchange.delegate(planner, 'researcher', ['read_record', 'send_mail']);
    const mail = { resource: MAIL, action: 'send_mail', scope: 'send_mail' };
    await exchange.token(wide.grant, mail);
    const narrow = await exchange.delegate(planner, 'researcher', ['read_record']);
    await expect(exchange.token(narrow.grant, mail)).rejects.toThrow(code('exchange_refused'));
  });
});

describe('an agent that an agent upstream called', () => {
  // Outlives what the provider grants, however late in the run it is made.
  const calledBy = (sub: string) => ({ act: { sub }, client_id: sub, exp: nowSeconds() + 240 });

  it('acts outside of the whole chain before it', async () => {
    await using provider = await startScriptedProvider();
    provider.onExchange = async (form, response) =>
      json(
        response,
        200,
        await provider.grant(form, { act: { sub: 'planner', act: { sub: 'concierge' } } }),
      );
    const exchange = provider.exchange();
    const planner = exchange.root(await provider.session(calledBy('concierge')), 'planner');
    expect(namesOf(planner)).toEqual(['concierge', 'planner']);
    expect(namesOf(await exchange.token(planner, TARGET))).toEqual(['concierge', 'planner']);
  });

  it('gets nothing from a provider that forgets who called', async () => {
    await using provider = await startScriptedProvider(); // it writes the planner alone
    const exchange = provider.exchange();
    const planner = exchange.root(await provider.session(calledBy('concierge')), 'planner');
    await expect(exchange.token(planner, TARGET)).rejects.toThrow(code('chain_mismatch'));
  });

  it('cannot be one that stands upstream already', async () => {
    await using provider = await startScriptedProvider();
    const session = await provider.session(calledBy('planner'));
    expect(() => provider.exchange().root(session, 'planner')).toThrow(code('act_repeated'));
  });
});

describe('tokens bound to keys', () => {
  it('are bound to the key of the agent that holds them, at each hop', async () => {
    const exchange = it_.another({ dpop: true });
    const planner = exchange.root(alice, 'planner');
    const { grant, issued: hop } = await exchange.delegate(planner, 'researcher', ['read_record']);
    const issued = await exchange.token(grant, READ);
    const bound = [hop, issued].map((token) => decodeJwt(jwtOf(token))['cnf']);
    expect(bound).toEqual([{ jkt: expect.any(String) }, { jkt: expect.any(String) }]);
    expect(bound[0]).not.toEqual(bound[1]);
  });
});

describe('what is not sent', () => {
  let before: number;
  beforeEach(() => {
    before = it_.sent.length;
  });
  const nothingSent = () => expect(it_.sent.length).toBe(before);

  it('an agent that is not registered', async () => {
    const { exchange } = it_;
    const planner = exchange.root(alice, 'planner');
    expect(() => exchange.root(alice, 'stranger')).toThrow(code('agent_unknown'));
    expect(() => exchange.root(alice, 'constructor')).toThrow(code('agent_unknown'));
    await expect(exchange.delegate(planner, 'stranger', ['a'])).rejects.toThrow(
      code('agent_unknown'),
    );
    nothingSent();
  });

  it('an agent that delegates to itself, or back', async () => {
    const { exchange } = it_;
    const planner = exchange.root(alice, 'planner');
    await expect(exchange.delegate(planner, 'planner', ['read_record'])).rejects.toThrow(
      code('act_repeated'),
    );
    nothingSent();
  });

  it.each(['keycloak', 'okta', 'okta-agents', 'entra'])('any chain for %s', async (profile) => {
    const exchange = it_.another({ profile });
    const planner = exchange.root(alice, 'planner');
    await expect(exchange.token(planner, READ)).rejects.toThrow(code('chain_unsupported'));
    nothingSent();
  });

  it.each(['zitadel', 'rauthy', 'keycloak-delegation', 'logto'])(
    'a second agent for %s, which would lose the first one',
    async (profile) => {
      const exchange = it_.another({ profile });
      const planner = exchange.root(alice, 'planner');
      await expect(exchange.delegate(planner, 'researcher', ['read_record'])).rejects.toThrow(
        code('chain_unsupported'),
      );
      nothingSent();
    },
  );

  it('anything for a session that has ended', async () => {
    const later = () => new Date(Date.now() + 3_600_000);
    const exchange = it_.another({}, later);
    const planner = exchange.root(alice, 'planner');
    await expect(exchange.token(planner, READ)).rejects.toThrow(code('session_expired'));
    nothingSent();
  });
});

describe('what the provider refuses', () => {
  it.each([
    ['an unknown resource', 'invalid_target', { ...READ, resource: 'https://unknown.example' }],
    ['a scope of another resource', 'invalid_scope', { ...READ, scope: 'send_mail' }],
    ['no scope at all', 'invalid_scope', { ...READ, scope: '' }],
  ])('%s keeps its word, and is asked once', async (_what, oauthError, target) => {
    const { exchange } = it_;
    const before = it_.exchanges();
    const error = await rejection(exchange.token(exchange.root(alice, 'planner'), target));
    expect(error).toMatchObject({ name: 'ExchangeError', code: 'exchange_refused', oauthError });
    expect(it_.exchanges()).toBe(before + 1);
  });

  it('an agent that the human did not let act first', async () => {
    const { exchange } = it_;
    const error = await rejection(exchange.token(exchange.root(alice, 'researcher'), READ));
    expect(error).toMatchObject({ code: 'exchange_refused', oauthError: 'invalid_grant' });
  });

  it('an agent with a key that is not its own', async () => {
    const { planner, researcher } = it_.world.keys;
    expect(planner.key).not.toEqual(researcher.key);
    const exchange = it_.another({ agents: { planner: { key: researcher.key } } });
    const error = await rejection(exchange.token(exchange.root(alice, 'planner'), READ));
    expect(error).toMatchObject({ code: 'exchange_refused', oauthError: 'invalid_client' });
  });

  it('a human who is denied, also where a token of hers was kept and dropped', async () => {
    const bob = await it_.session('bob');
    const planner = it_.exchange.root(bob, 'planner');
    await it_.exchange.token(planner, READ);
    it_.world.idp.deny({ sub: 'bob' });
    expect((await it_.exchange.token(planner, READ)).exchange).toBe('cached');
    it_.exchange.drop(bob);
    const error = await rejection(it_.exchange.token(planner, READ));
    expect(error).toMatchObject({ code: 'exchange_refused', oauthError: 'access_denied' });
    it_.world.idp.allow({ sub: 'bob' });
  });
});

describe('keys rotate', () => {
  it('and new tokens verify under the new key', async () => {
    await using own = await startExchangeWorld();
    const planner = own.exchange.root(await own.session('carol'), 'planner');
    const before = await own.exchange.token(planner, READ);
    await own.world.idp.rotate();
    const after = await own.exchange.token(planner, { ...READ, oneShot: true });
    expect(after.kid).toBe(own.world.idp.kid);
    expect(after.kid).not.toBe(before.kid);
  });
});

describe('what can be seen', () => {
  const shown = (value: unknown) =>
    [inspect(value, { depth: 9, showHidden: true }), JSON.stringify(value)].join('\n');

  const tokensOf = (issued: IssuedToken) => [
    jwtOf(issued),
    sessionTokenOf(alice),
    ...(issued.via === null ? [] : [jwtOf(issued.via)]),
  ];

  it('of a grant and a token holds no token and no human', async () => {
    const { exchange } = it_;
    const { grant } = await exchange.delegate(exchange.root(alice, 'planner'), 'researcher', [
      'read_record',
    ]);
    const issued = await exchange.token(grant, READ);
    for (const value of [grant, issued, exchange, await exchange.token(grant, READ)]) {
      for (const token of tokensOf(issued)) {
        expect(shown(value)).not.toContain(token.split('.')[2]);
        expect(shown(value)).not.toContain(token.split('.')[1]);
      }
      expect(shown(value)).not.toContain('alice');
    }
    expect(() => structuredClone(issued)).not.toThrow();
    expect(() => jwtOf(structuredClone(issued))).toThrow(TypeError);
  });

  it('of a grant cannot be made up', () => {
    const planner = it_.exchange.root(alice, 'planner');
    const Made = planner.constructor as new (...args: unknown[]) => Grant; // a caller's lie
    expect(() => new Made(Symbol('guess'), {})).toThrow(TypeError);
    expect(Object.isFrozen(planner)).toBe(true);
  });
});
