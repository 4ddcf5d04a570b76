/** When the provider is asked, and when an earlier answer serves. */
import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jwtOf } from '../../src/exchange/exchange.ts';
import {
  MAIL,
  namesOf,
  READ,
  READ_42,
  rejection,
  startExchangeWorld,
  type ExchangeWorld,
} from './exchange-world.ts';
import { json, nowSeconds, startScriptedProvider, TARGET } from './scripted-provider.ts';

let it_: ExchangeWorld;
beforeAll(async () => {
  it_ = await startExchangeWorld();
});
afterAll(() => it_[Symbol.asyncDispose]());

/** A fresh exchange that has asked for nothing yet, and how often it has asked since. */
function start(clock?: () => Date) {
  const exchange = it_.another({}, clock);
  const before = it_.exchanges();
  return { exchange, asked: () => it_.exchanges() - before };
}

const MAIL_TARGET = { resource: MAIL, action: 'send_mail', scope: 'send_mail' };

it('asks once for 64 concurrent callers, and once for the own token of the agent', async () => {
  const { exchange, asked } = start();
  const planner = exchange.root(await it_.session('alice'), 'planner');
  const selfBefore = it_.sent.length;
  const issued = await Promise.all(
    Array.from({ length: 64 }, async () => exchange.token(planner, READ)),
  );
  expect(asked()).toBe(1);
  expect(it_.sent.length - selfBefore).toBe(2);
  expect(new Set(issued.map(jwtOf)).size).toBe(1);
  expect(issued.filter(({ exchange: how }) => how === 'fresh').length).toBe(1);
  expect(issued.filter(({ exchange: how }) => how === 'cached').length).toBe(63);
});

it('asks once for 64 concurrent callers two hops deep: one exchange for each hop', async () => {
  const { exchange, asked } = start();
  const session = await it_.session('alice');
  const issued = await Promise.all(
    Array.from({ length: 64 }, async () => {
      const planner = exchange.root(session, 'planner');
      const { grant } = await exchange.delegate(planner, 'researcher', ['read_record']);
      return exchange.token(grant, READ);
    }),
  );
  expect(asked()).toBe(2);
  expect(new Set(issued.map(jwtOf)).size).toBe(1);
  for (const token of issued) expect(namesOf(token)).toEqual(['planner', 'researcher']);
});

it('shares tokens between sessions opened from one token, as each request opens one', async () => {
  const { exchange } = start();
  const { accessToken } = await it_.world.loginAs('alice');
  const target = async (token: string) =>
    exchange.token(exchange.root(await it_.open(token), 'planner'), READ);
  expect((await target(accessToken)).exchange).toBe('fresh');
  expect((await target(accessToken)).exchange).toBe('cached');
  const again = await it_.world.loginAs('alice');
  expect((await target(again.accessToken)).exchange).toBe('fresh');
});

it('never serves one human the token of another, however they interleave', async () => {
  const { exchange } = start();
  const people = ['alice', 'bob', 'carol'] as const;
  const sessions = await Promise.all(people.map(async (person) => it_.session(person)));
  const calls = Array.from({ length: 60 }, (_none, n) => n % 3).map(async (n) => {
    const session = sessions[n];
    if (session === undefined) throw new Error('three people');
    const root = exchange.root(session, 'planner');
    const { grant } = await exchange.delegate(root, 'researcher', ['read_record']);
    return { sub: decodeJwt(jwtOf(await exchange.token(grant, READ))).sub, person: people[n] };
  });
  for (const { sub, person } of await Promise.all(calls)) expect(sub).toBe(person);
});

it('asks anew for another resource, action, scope, agent or chain', async () => {
  const { exchange, asked } = start();
  const session = await it_.session('alice');
  const planner = exchange.root(session, 'planner');
  await exchange.token(planner, READ);
  await exchange.token(planner, { ...READ, action: 'list_records' });
  await exchange.token(planner, { ...READ, scope: 'read_record export_record' });
  await exchange.token(planner, MAIL_TARGET);
  const { grant } = await exchange.delegate(planner, 'researcher', ['read_record']);
  await exchange.token(grant, READ);
  expect(asked()).toBe(6);
  await exchange.token(planner, { ...READ, scope: 'export_record  read_record' });
  expect(asked()).toBe(6); // the same scopes
});

it('asks every time for a resource that takes each token once', async () => {
  const { exchange, asked } = start();
  const planner = exchange.root(await it_.session('alice'), 'planner');
  await exchange.token(planner, READ);
  const once = { ...READ, oneShot: true };
  const issued = await Promise.all([exchange.token(planner, once), exchange.token(planner, once)]);
  expect(new Set(issued.map(jwtOf)).size).toBe(2);
  expect(issued.every(({ exchange: how }) => how === 'fresh')).toBe(true);
  expect(asked()).toBe(3);
  expect((await exchange.token(planner, READ)).exchange).toBe('cached');
});

describe('a caller who aborts', () => {
  it('leaves alone, and the others share the token', async () => {
    const { exchange, asked } = start();
    const planner = exchange.root(await it_.session('alice'), 'planner');
    const stop = new AbortController();
    const leaving = rejection(exchange.token(planner, READ, stop.signal));
    const staying = exchange.token(planner, READ);
    const reason = new Error('closed the tab');
    stop.abort(reason);
    expect(await leaving).toBe(reason);
    expect((await staying).scope).toEqual(['read_record']);
    expect(asked()).toBe(1);
  });

  it('last of all stops the request', async () => {
    await using provider = await startScriptedProvider();
    const closed = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    provider.onExchange = (_form, response) => {
      response.on('close', () => closed.resolve());
      arrived.resolve();
    };
    const exchange = provider.exchange();
    const planner = exchange.root(await provider.session(), 'planner');
    const stop = new AbortController();
    const leaving = rejection(exchange.token(planner, TARGET, stop.signal));
    await arrived.promise;
    stop.abort();
    expect(await leaving).toMatchObject({ name: 'AbortError' });
    await closed.promise;
    provider.onExchange = async (form, response) => json(response, 200, await provider.grant(form));
    expect((await exchange.token(planner, TARGET)).exchange).toBe('fresh');
  });

  it('in a call for a token that is good once stops it, too', async () => {
    await using provider = await startScriptedProvider();
    const arrived = Promise.withResolvers<void>();
    provider.onExchange = () => arrived.resolve();
    const exchange = provider.exchange();
    const planner = exchange.root(await provider.session(), 'planner');
    const stop = new AbortController();
    const leaving = rejection(exchange.token(planner, { ...TARGET, oneShot: true }, stop.signal));
    await arrived.promise;
    stop.abort();
    expect(await leaving).toMatchObject({ name: 'AbortError' });
  });
});

describe('as time passes', () => {
  /** Ahead of the provider's clock by what the test says, and never past a token's end. */
  function movable() {
    let ahead = 0;
    return { clock: () => new Date(Date.now() + ahead), pass: (ms: number) => (ahead += ms) };
  }

  it('a token is asked for anew 30 s before its end', async () => {
    const { clock, pass } = movable();
    await using provider = await startScriptedProvider();
    const exchange = provider.exchange({}, clock);
    const planner = exchange.root(await provider.session(), 'planner');
    await exchange.token(planner, TARGET); // it lives 120 s
    pass(85_000);
    expect((await exchange.token(planner, TARGET)).exchange).toBe('cached');
    pass(6_000);
    expect((await exchange.token(planner, TARGET)).exchange).toBe('fresh');
  });

  it('a token that lives long is asked for anew after 5 minutes', async () => {
    const { clock, pass } = movable();
    await using provider = await startScriptedProvider();
    provider.onExchange = async (form, response) =>
      json(response, 200, await provider.grant(form, { exp: nowSeconds() + 3000 }));
    const exchange = provider.exchange({ maxLifetimeSeconds: 3600 }, clock);
    const session = await provider.session({ exp: nowSeconds() + 3600 });
    const planner = exchange.root(session, 'planner');
    await exchange.token(planner, TARGET);
    pass(299_000);
    expect((await exchange.token(planner, TARGET)).exchange).toBe('cached');
    pass(2_000);
    expect((await exchange.token(planner, TARGET)).exchange).toBe('fresh');
  });

  it('the hop of an agent that runs on is renewed, and the new one is named', async () => {
    const { clock, pass } = movable();
    const { exchange, asked } = start(clock);
    const planner = exchange.root(await it_.session('alice', { directives: [READ_42] }), 'planner');
    const { grant, issued: hop } = await exchange.delegate(planner, 'researcher', ['read_record']);
    const before = await exchange.token(grant, READ);
    expect(before.via).toBe(hop);
    expect(asked()).toBe(2);

    pass(95_000); // a development token lives 120 s
    const after = await exchange.token(grant, READ);
    expect(asked()).toBe(4);
    expect(after.exchange).toBe('fresh');
    expect(after.via === null ? '' : jwtOf(after.via)).not.toBe(jwtOf(hop));
    expect(after.via).toMatchObject({ aud: 'urn:agent:researcher', scope: ['read_record'] });
    expect(namesOf(after)).toEqual(['planner', 'researcher']);
  });

  it('the own token of an agent is asked for anew before its end, or when it is refused', async () => {
    const { clock, pass } = movable();
    await using provider = await startScriptedProvider();
    let selfTokens = 0;
    const { onSelf } = provider;
    provider.onSelf = (form, response) => {
      selfTokens += 1;
      return onSelf(form, response);
    };
    const exchange = provider.exchange({}, clock);
    const planner = exchange.root(await provider.session(), 'planner');
    const once = { ...TARGET, oneShot: true };
    await exchange.token(planner, once); // it lives 60 s
    await exchange.token(planner, once);
    expect(selfTokens).toBe(1);
    pass(31_000);
    await exchange.token(planner, once);
    expect(selfTokens).toBe(2);

    const { onExchange } = provider;
    provider.onExchange = (_form, response) => json(response, 400, { error: 'invalid_grant' });
    await rejection(exchange.token(planner, once));
    provider.onExchange = onExchange;
    await exchange.token(planner, once);
    expect(selfTokens).toBe(3);
  });
});

describe('drop', () => {
  it('forgets the tokens of a login, also those of its earlier token, and of nobody else', async () => {
    await using provider = await startScriptedProvider();
    const exchange = provider.exchange();
    const of = async (claims: object) =>
      exchange.root(await provider.session({ ...claims }), 'planner');
    const first = await of({ sid: 's1' });
    const later = await provider.session({ sid: 's1' });
    const other = await of({ sid: 's2' });
    await exchange.token(first, TARGET);
    await exchange.token(other, TARGET);
    exchange.drop(later);
    expect((await exchange.token(first, TARGET)).exchange).toBe('fresh');
    expect((await exchange.token(other, TARGET)).exchange).toBe('cached');
  });
});

describe('bound tokens', () => {
  it('are asked for with a proof of the agent’s key, and used with another', async () => {
    await using provider = await startScriptedProvider();
    const proofs: string[] = [];
    let nonces = 0;
    provider.onExchange = async (form, response) => {
      const proof = String(response.req.headers['dpop']);
      proofs.push(proof);
      nonces += 1;
      if (nonces === 1) {
        response.setHeader('dpop-nonce', 'n-1');
        return json(response, 400, { error: 'use_dpop_nonce' });
      }
      const jkt = await thumbprint(proof);
      json(response, 200, await provider.grant(form, { cnf: { jkt } }, { token_type: 'DPoP' }));
    };
    const exchange = provider.exchange({ dpop: true });
    const planner = exchange.root(await provider.session(), 'planner');
    const issued = await exchange.token(planner, TARGET);
    expect(decodeJwt(proofs[1] ?? '')).toMatchObject({ nonce: 'n-1', htm: 'POST' });

    const url = new URL('https://records.example/records/42?format=json');
    const proof = await exchange.prove(issued, { method: 'GET', url, nonce: 'r-1' });
    expect(await thumbprint(proof)).toBe(await thumbprint(proofs[1] ?? ''));
    expect(decodeJwt(proof)).toMatchObject({
      htm: 'GET',
      htu: 'https://records.example/records/42',
      nonce: 'r-1',
      ath: digest(jwtOf(issued)),
    });
  });

  it('are refused if they are bound to nothing, or to another key', async () => {
    await using provider = await startScriptedProvider();
    const exchange = provider.exchange({ dpop: true });
    const planner = exchange.root(await provider.session(), 'planner');
    expect(await rejection(exchange.token(planner, TARGET))).toMatchObject({
      code: 'binding_missing',
    });
    provider.onExchange = async (form, response) =>
      json(
        response,
        200,
        await provider.grant(form, { cnf: { jkt: 'x' } }, { token_type: 'DPoP' }),
      );
    expect(await rejection(exchange.token(planner, TARGET))).toMatchObject({
      code: 'binding_missing',
    });
  });

  it('are nothing that an exchange without keys can prove', async () => {
    const { exchange } = start();
    const planner = exchange.root(await it_.session('alice'), 'planner');
    const issued = await exchange.token(planner, READ);
    const request = { method: 'GET', url: new URL('https://records.example') };
    expect(await rejection(exchange.prove(issued, request))).toBeInstanceOf(TypeError);
  });
});

async function thumbprint(proof: string): Promise<string> {
  return calculateJwkThumbprint(decodeProtectedHeader(proof).jwk ?? {});
}

function digest(jwt: string): string {
  return createHash('sha256').update(jwt).digest('base64url');
}
