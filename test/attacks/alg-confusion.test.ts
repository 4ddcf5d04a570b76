/** Claim: a token counts only if it is signed by its issuer's key, in the way the guard was told. */
import { createHmac, createPublicKey } from 'node:crypto';
import { base64url, CompactEncrypt, exportJWK, exportPKCS8, importPKCS8 } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGuardedResource, type GuardedResource } from './guarded-resource.ts';
import { headerText, makeKey, signText, type SigningKey } from './test-issuer.ts';

let ec: GuardedResource;
let rsa: GuardedResource;
beforeAll(async () => {
  [ec, rsa] = await Promise.all([
    startGuardedResource({ alg: 'ES256' }),
    startGuardedResource({ alg: 'RS256' }),
  ]);
});
afterAll(() => Promise.all([ec.close(), rsa.close()]));

const segment = (value: unknown) => base64url.encode(JSON.stringify(value));

/** An HMAC over what an honest token says, with whatever bytes an attacker knows as the secret. */
function hmacToken(resource: GuardedResource, secret: string | Uint8Array): string {
  const { kid } = resource.issuer.key;
  const input = `${segment({ alg: 'HS256', kid, typ: 'at+jwt' })}.${segment(resource.claims())}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

it('lets the honest token of each key pass', async () => {
  for (const resource of [ec, rsa]) {
    expect(await resource.send(await resource.token())).toMatchObject({ status: 200 });
    const byHand = await signText(
      headerText(resource.issuer.key),
      JSON.stringify(resource.claims()),
      resource.issuer.key,
    );
    expect(await resource.send(byHand)).toMatchObject({ status: 200 });
  }
});

it.each(['none', 'None', 'NONE', 'nOnE', '', null, 0, ['ES256']])(
  'refuses the algorithm %j, with and without a signature',
  async (alg) => {
    const { kid } = ec.issuer.key;
    const input = `${segment({ alg, kid, typ: 'at+jwt' })}.${segment(ec.claims())}`;
    expect(await ec.send(`${input}.`)).toMatchObject({ status: 401, code: 'token_malformed' });
    const signature = (await ec.token()).split('.')[2];
    expect(await ec.send(`${input}.${signature}`)).toMatchObject({
      status: 401,
      code: 'token_unverifiable',
    });
  },
);

it('refuses an HMAC made with the public key, however it is spelled', async () => {
  const { jwk } = rsa.issuer.key;
  const { n = '', e = '' } = jwk;
  const key = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
  const secrets = [
    key.export({ type: 'spki', format: 'pem' }),
    key.export({ type: 'spki', format: 'der' }),
    key.export({ type: 'pkcs1', format: 'pem' }),
    JSON.stringify(jwk),
    n,
  ];
  for (const secret of secrets) {
    expect(await rsa.send(hmacToken(rsa, secret))).toMatchObject({
      status: 401,
      code: 'token_unverifiable',
    });
  }
});

it('refuses the right RSA key used in another way', async () => {
  const { key } = rsa.issuer;
  const pem = await exportPKCS8(key.privateKey);
  for (const alg of ['PS256', 'RS384', 'RS512']) {
    const other: SigningKey = { ...key, alg, privateKey: await importPKCS8(pem, alg) };
    expect(await rsa.send(await rsa.token({}, { key: other }))).toMatchObject({
      status: 401,
      code: 'token_unverifiable',
    });
  }
});

it('refuses another curve, also when the issuer publishes such a key', async () => {
  const p384 = await makeKey('ES384');
  ec.issuer.keys = [ec.issuer.key.jwk, p384.jwk];
  expect(await ec.send(await ec.token({}, { key: p384 }))).toMatchObject({
    code: 'token_unverifiable',
  });
  // Named ES256 while the key is P-384.
  const lying = headerText(p384).replace('ES384', 'ES256');
  const token = await signText(lying, JSON.stringify(ec.claims()), p384);
  expect(await ec.send(token)).toMatchObject({ status: 401, code: 'token_unverifiable' });
});

it('refuses the signature of another token, a damaged one, and a key of its own', async () => {
  const [one, two] = [await ec.token(), await ec.token()];
  const [header, payload, signature = ''] = one.split('.');
  const swapped = `${header}.${payload}.${two.split('.')[2]}`;
  const damaged = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  const zero = `${header}.${payload}.${base64url.encode(new Uint8Array(64))}`;
  const forged = await ec.token({}, { key: { ...(await makeKey()), kid: ec.issuer.key.kid } });
  for (const token of [swapped, damaged, zero, forged]) {
    expect(await ec.send(token)).toMatchObject({ status: 401, code: 'token_unverifiable' });
  }
});

it.each([
  ['an extension that must be understood', '"crit":["exp"],"exp":1'],
  ['an empty list of extensions', '"crit":[]'],
  ['an unencoded payload', '"b64":false,"crit":["b64"]'],
  ['an encoded payload, said twice over', '"b64":true'],
  ['compression', '"zip":"DEF"'],
  ['a second algorithm', '"alg":"none"'],
  ['a second algorithm, escaped', String.raw`"\u0061lg":"none"`],
])('refuses a header with %s', async (_what, more) => {
  const header = headerText(ec.issuer.key, more);
  const token = await signText(header, JSON.stringify(ec.claims()), ec.issuer.key);
  expect(await ec.send(token)).toMatchObject({ status: 401, code: 'token_malformed' });
});

it('refuses an encrypted token', async () => {
  const recipient = await makeKey('ECDH-ES');
  const jwe = await new CompactEncrypt(new TextEncoder().encode(await ec.token()))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT' })
    .encrypt(recipient.publicKey);
  expect(await ec.send(jwe)).toMatchObject({ status: 401, code: 'token_malformed' });
});

it('refuses a second spelling of the same token', async () => {
  const token = await ec.token();
  const [header = '', payload, signature] = token.split('.');
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  // An ES256 signature has 64 bytes: its last character carries 4 bits that mean nothing.
  const index = last.indexOf(signature?.at(-1) ?? '');
  const stray = `${header}.${payload}.${signature?.slice(0, -1)}${last[index + 1]}`;
  for (const spelled of [stray, `${token}=`, `${token}==`, token.replace('.', '=.'), `${token}.`]) {
    const { status, code } = await ec.send(spelled);
    expect([status, code]).toEqual(
      spelled.includes('=.') ? [400, 'request_malformed'] : [401, 'token_malformed'],
    );
  }
});

it('refuses what verifies under a key whose private half is published', async () => {
  const resource = await startGuardedResource();
  const { d } = await exportJWK(resource.issuer.key.privateKey);
  expect(d).toBeTypeOf('string');
  resource.issuer.keys = [{ ...resource.issuer.key.jwk, d: d ?? '' }];
  expect(await resource.send(await resource.token())).toMatchObject({ code: 'token_unverifiable' });
  await resource.close();
});
