import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { exportJWK, SignJWT, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { verifyJws } from '../../src/evidence/jws.ts';

interface Pair {
  readonly privateKey: KeyObject;
  readonly jwk: JWK;
}

async function pairOf(keys: { publicKey: KeyObject; privateKey: KeyObject }): Promise<Pair> {
  return { privateKey: keys.privateKey, jwk: await exportJWK(keys.publicKey) };
}

const rsa = (modulusLength: number) => pairOf(generateKeyPairSync('rsa', { modulusLength }));
const ec = (namedCurve: string) => pairOf(generateKeyPairSync('ec', { namedCurve }));
const claims = { sub: 'alice', act: { sub: 'planner' }, exp: 1 };

async function tokenOf(alg: string, key: KeyObject, header: object = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg, ...header }).sign(key);
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

let rsaPair: Pair;
let ecPair: Pair;
let otherRsa: Pair;

beforeAll(async () => {
  [rsaPair, ecPair, otherRsa] = await Promise.all([rsa(2048), ec('P-256'), rsa(2048)]);
});

describe('a token', () => {
  it.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])(
    'signed %s verifies',
    async (alg) => {
      const jwt = await tokenOf(alg, rsaPair.privateKey, { kid: 'k1' });
      const verified = await verifyJws(jwt, { keys: [{ ...rsaPair.jwk, kid: 'k1' }] });
      expect(verified).toEqual({ header: { alg, kid: 'k1' }, payload: claims });
    },
  );

  it.each([
    ['ES256', 'P-256'],
    ['ES384', 'P-384'],
    ['ES512', 'P-521'],
  ])('signed %s verifies', async (alg, curve) => {
    const { privateKey, jwk } = await ec(curve);
    const jwt = await tokenOf(alg, privateKey);
    expect((await verifyJws(jwt, { keys: [jwk] }))?.payload).toEqual(claims);
    const other = await ec(curve);
    expect(await verifyJws(jwt, { keys: [other.jwk] })).toBeUndefined();
  });

  it.each(['EdDSA', 'Ed25519'])('signed %s verifies', async (alg) => {
    const { privateKey, jwk } = await pairOf(generateKeyPairSync('ed25519'));
    const jwt = await tokenOf(alg, privateKey);
    expect((await verifyJws(jwt, { keys: [jwk] }))?.payload).toEqual(claims);
  });

  it('is found among the keys of its kid, past such that cannot be imported', async () => {
    const jwt = await tokenOf('RS256', rsaPair.privateKey, { kid: 'k1' });
    const broken = { ...rsaPair.jwk, kid: 'k1', e: '!' };
    const keys = [null, 7, { kty: 'RSA' }, broken, { ...rsaPair.jwk, kid: 'k1' }];
    expect(await verifyJws(jwt, { keys })).toBeDefined();
  });

  it('ignores a private part and the key operations of another use', async () => {
    const jwt = await tokenOf('ES256', ecPair.privateKey);
    const whole = await exportJWK(ecPair.privateKey);
    expect(await verifyJws(jwt, { keys: [whole] })).toBeDefined();
    expect(await verifyJws(jwt, { keys: [{ ...whole, key_ops: ['sign'] }] })).toBeUndefined();
  });

  it('is refused when any character of it changes', async () => {
    const jwt = await tokenOf('ES256', ecPair.privateKey);
    for (let at = 0; at < jwt.length; at++) {
      const changed = jwt.slice(0, at) + (jwt[at] === 'A' ? 'B' : 'A') + jwt.slice(at + 1);
      if (await verifyJws(changed, { keys: [ecPair.jwk] })) expect.fail(`at ${at}`);
    }
  });
});

describe('what is no token of the key set', () => {
  it.each<[string, (jwk: JWK) => unknown]>([
    ['another kid', (jwk) => ({ keys: [{ ...jwk, kid: 'k2' }] })],
    ['no kid', (jwk) => ({ keys: [jwk] })],
    ['encryption', (jwk) => ({ keys: [{ ...jwk, kid: 'k1', use: 'enc' }] })],
    ['another algorithm', (jwk) => ({ keys: [{ ...jwk, kid: 'k1', alg: 'PS256' }] })],
    ['another type', (jwk) => ({ keys: [{ ...jwk, kid: 'k1', kty: 'EC' }] })],
    ['an inherited kid', (jwk) => ({ keys: [Object.assign(Object.create({ kid: 'k1' }), jwk)] })],
    ['no list', (jwk) => ({ keys: { ...jwk, kid: 'k1' } })],
    ['no set', (jwk) => [{ ...jwk, kid: 'k1' }]],
    ['nothing', () => undefined],
    ['null', () => null],
    ['a text', () => 'keys'],
  ])('has keys of %s', async (_what, keysOf) => {
    const jwt = await tokenOf('RS256', rsaPair.privateKey, { kid: 'k1' });
    expect(await verifyJws(jwt, keysOf(rsaPair.jwk))).toBeUndefined();
  });

  it('names no kid, where several keys could be meant', async () => {
    const jwt = await tokenOf('RS256', rsaPair.privateKey);
    expect(await verifyJws(jwt, { keys: [rsaPair.jwk] })).toBeDefined();
    expect(await verifyJws(jwt, { keys: [rsaPair.jwk, otherRsa.jwk] })).toBeUndefined();
  });

  it('has an RSA key of 1024 bits, however many zeros stand before it', async () => {
    const weak = await rsa(1024);
    const signed = `${encode({ alg: 'RS256' })}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), weak.privateKey).toString('base64url');
    const n = Buffer.from(weak.jwk.n ?? '', 'base64url');
    const padded = Buffer.concat([Buffer.alloc(128), n]).toString('base64url');
    for (const jwk of [weak.jwk, { ...weak.jwk, n: padded }]) {
      expect(await verifyJws(`${signed}.${signature}`, { keys: [jwk] })).toBeUndefined();
    }
  });

  it('has a signature by an algorithm that nobody agreed to', async () => {
    const secret = Buffer.from(rsaPair.jwk.n ?? '');
    const hs = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(secret);
    const none = `${encode({ alg: 'none' })}.${encode(claims)}.`;
    const proto = `${encode({ alg: '__proto__' })}.${encode(claims)}.AAAA`;
    for (const jwt of [hs, none, proto]) {
      expect(await verifyJws(jwt, { keys: [rsaPair.jwk] })).toBeUndefined();
      expect(await verifyJws(jwt, { keys: [{ kty: 'oct', k: encode('x') }] })).toBeUndefined();
    }
  });

  it('demands what nobody here understands', async () => {
    const { privateKey, jwk } = ecPair;
    const jwt = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', crit: ['b64'], b64: true })
      .sign(privateKey);
    expect(await verifyJws(jwt, { keys: [jwk] })).toBeUndefined();
  });

  it.each(['', '.', '..', 'a.b', 'a.b.c.d', 'e30.e30.', 'bnVsbA.e30.AAAA', 'W10.W10.AAAA'])(
    'is %j',
    async (jwt) => {
      expect(await verifyJws(jwt, { keys: [ecPair.jwk] })).toBeUndefined();
    },
  );

  it('is larger than any token', async () => {
    const jwt = await new SignJWT({ ...claims, much: 'x'.repeat(70_000) })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(ecPair.privateKey);
    expect(await verifyJws(jwt, { keys: [ecPair.jwk] })).toBeUndefined();
  });
});
