import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { decodeProtectedHeader, exportJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { createExchange } from '../../src/exchange/exchange.ts';
import { readIssuerConfig, type IssuerConfig } from '../../src/exchange/issuer-config.ts';
import { expressible, PROFILES, profileOf } from '../../src/exchange/issuer-profile.ts';
import { importSigningKey, type KeyInput } from '../../src/exchange/signing-key.ts';
import { createIssuerKeys } from '../../src/token/issuer-keys.ts';
import { rejection } from './exchange-world.ts';
import { json, startScriptedProvider, TARGET } from './scripted-provider.ts';
import { expectNoSecrets } from './secrets.ts';

const PAIRS = {
  ed25519: () => generateKeyPairSync('ed25519'),
  ec: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};
const pem = (type: keyof typeof PAIRS): string =>
  PAIRS[type]().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const ED = pem('ed25519');

const CONFIG: IssuerConfig = {
  url: 'https://id.example',
  client: { id: 'app', key: ED },
  agents: { planner: { key: ED }, researcher: { id: 'client-2', key: ED } },
};

describe('a configuration', () => {
  it('has defaults, and names agents by their client id', () => {
    const issuer = readIssuerConfig(CONFIG);
    expect(issuer).toMatchObject({
      profile: { name: 'generic' },
      dpop: false,
      timeoutMs: 10_000,
      maxLifetimeMs: 300_000,
    });
    expect(issuer.agent('planner').actor).toEqual({ iss: 'https://id.example', sub: 'planner' });
    expect(issuer.agent('researcher').actor).toEqual({
      iss: 'https://id.example',
      sub: 'client-2',
    });
    expect(() => issuer.agent('client-2')).toThrow(
      expect.objectContaining({ code: 'agent_unknown' }),
    );
  });

  it.each<[string, Partial<IssuerConfig>]>([
    ['no URL', { url: 'id.example' }],
    ['plain HTTP', { url: 'http://id.example' }],
    ['a query', { url: 'https://id.example/?realm=a' }],
    ['a user', { url: 'https://user@id.example' }],
    ['an unknown profile', { profile: 'keyclock' }],
    ['a profile that every object has', { profile: 'constructor' }],
    ['no time', { timeoutMs: 0 }],
    ['no life', { maxLifetimeSeconds: -1 }],
    ['an application without id', { client: { id: '', key: ED } }],
    [
      'two agents that are one client',
      { agents: { a: { id: 'x', key: ED }, b: { id: 'x', key: ED } } },
    ],
    ['an agent that is the application', { agents: { app: { key: ED } } }],
  ])('with %s is refused', (_what, change) => {
    expect(() => readIssuerConfig({ ...CONFIG, ...change })).toThrow(TypeError);
  });

  it('with the keys of another issuer is refused', () => {
    const keys = createIssuerKeys({ url: 'https://id.example/' });
    expect(() => createExchange({ issuer: CONFIG, keys })).toThrow(TypeError);
  });
});

describe('a key', () => {
  const rsa = pem('rsa');
  const ec = pem('ec');
  it.each<[string, () => KeyInput | Promise<KeyInput>, string]>([
    ['Ed25519 as PEM', () => ED, 'Ed25519'],
    ['P-256 as PEM', () => ec, 'ECDSA'],
    ['RSA as PEM', () => rsa, 'RSASSA-PKCS1-v1_5'],
    ['Ed25519 as JWK', async () => exportJWK(createPrivateKey(ED)), 'Ed25519'],
    ['RSA as JWK', async () => exportJWK(createPrivateKey(rsa)), 'RSASSA-PKCS1-v1_5'],
    [
      'RSA as JWK for PSS',
      async () => ({ ...(await exportJWK(createPrivateKey(rsa))), alg: 'PS256' }),
      'RSA-PSS',
    ],
    ['a KeyObject', () => createPrivateKey(ec), 'ECDSA'],
    ['a CryptoKey', async () => (await importSigningKey(ED, 'x')).key, 'Ed25519'],
  ])('%s signs', async (_what, make, algorithm) => {
    const { key } = await importSigningKey(await make(), 'x');
    expect(key.algorithm.name).toBe(algorithm);
    expect(key.usages).toEqual(['sign']);
  });

  it('keeps the name that its JWK gives it', async () => {
    const jwk = { ...(await exportJWK(createPrivateKey(ED))), kid: 'k7' };
    expect((await importSigningKey(jwk, 'x')).kid).toBe('k7');
  });

  it.each<[string, () => KeyInput | Promise<KeyInput>]>([
    ['text', () => 'SECRET-that-is-no-key'],
    [
      'a public JWK',
      async () => {
        const { d: _private, ...rest } = await exportJWK(createPrivateKey(ED));
        return rest;
      },
    ],
    ['a shared secret', () => ({ kty: 'oct', k: 'SECRET-that-is-no-key' })],
    [
      'a key that agrees and does not sign',
      async () => exportJWK(generateKeyPairSync('x25519').privateKey),
    ],
    [
      'PEM of a public key',
      () =>
        generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    ],
  ])('%s is refused, with the place and not the key', async (_what, make) => {
    const error = await rejection(importSigningKey(await make(), 'issuer.agents.planner.key'));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain('issuer.agents.planner.key');
    expectNoSecrets(error, ['SECRET-that-is-no-key']);
  });

  it.each(['EdDSA', 'ES256', 'RS256'])('of kind %s authenticates under that name', async (alg) => {
    await using provider = await startScriptedProvider();
    const key = pem(({ EdDSA: 'ed25519', ES256: 'ec', RS256: 'rsa' } as const)[alg] ?? 'rsa');
    const exchange = provider.exchange({ agents: { planner: { key } } });
    await exchange.token(exchange.root(await provider.session(), 'planner'), TARGET);
    const { alg: used } = decodeProtectedHeader(provider.asked[0]?.get('client_assertion') ?? '');
    expect(used).toBe(alg === 'EdDSA' ? 'Ed25519' : alg);
  });

  it('of kind Ed25519 goes by its old name where the provider knows no other', async () => {
    await using provider = await startScriptedProvider();
    const session = await provider.session();
    provider.onGet = (_path, response) =>
      json(response, 200, {
        issuer: provider.url,
        token_endpoint: `${provider.url}/token`,
        token_endpoint_auth_signing_alg_values_supported: ['RS256', 'EdDSA'],
      });
    const exchange = provider.exchange({ agents: { planner: { key: ED } } });
    await exchange.token(exchange.root(session, 'planner'), TARGET);
    const { alg } = decodeProtectedHeader(provider.asked[0]?.get('client_assertion') ?? '');
    expect(alg).toBe('EdDSA');
  });
});

describe('a profile', () => {
  it('that was not run against its product says so', () => {
    const verified = Object.values(PROFILES).filter((profile) => profile.verified);
    expect(verified.map(({ name }) => name)).toEqual(['dev']);
    for (const [name, profile] of Object.entries(PROFILES)) expect(profile.name).toBe(name);
  });

  it.each<[string, number]>([
    ['dev', 8],
    ['generic', 8],
    ['generic-audience', 8],
    ['authorizer', 4],
    ['toolhive', 8],
    ['wso2', 8],
    ['ping', 8],
    ['auth0', 4], // five levels, of which the application takes one
    ['zitadel', 1],
    ['rauthy', 1],
    ['keycloak-delegation', 1],
    ['logto', 1],
    ['keycloak', 0],
    ['okta', 0],
    ['okta-agents', 0],
    ['entra', 0],
  ])('%s expresses %i agents', (name, most) => {
    const profile = profileOf(name);
    const actors = Array.from({ length: 12 }, (_none, n) => n + 1);
    expect(actors.filter((count) => expressible(profile, count)).length).toBe(most);
  });

  it('is in the table above', () => {
    expect(Object.keys(PROFILES).length).toBe(16);
  });

  it.each<[string, object, boolean]>([
    ['dev', { sub: 'planner', client_id: 'planner' }, true],
    ['dev', { sub: 'alice', client_id: 'app' }, false],
    ['auth0', { sub: 'x@clients' }, true],
    ['auth0', { sub: 'auth0|alice' }, false],
    ['keycloak', { sub: 'f3', preferred_username: 'service-account-planner' }, true],
    ['okta', { sub: 'c1', cid: 'c1' }, true],
    ['entra', { sub: 'c1', idtyp: 'app' }, true],
  ])('%s tells machines from humans: %o', (name, claims, machine) => {
    expect(profileOf(name).isMachine({ ...claims })).toBe(machine);
  });
});
