/** Claim: where proofs are asked for, a leaked token is of no use to whoever lacks its key. */
import { base64url, calculateJwkThumbprint, exportJWK, SignJWT, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGuardedResource, type GuardedResource } from './guarded-resource.ts';
import { makeKey, now, withClaims, type Claims, type SigningKey } from './test-issuer.ts';

let required: GuardedResource;
let optional: GuardedResource;
let off: GuardedResource;
let holder: SigningKey;
let thief: SigningKey;
beforeAll(async () => {
  [required, optional, off, holder, thief] = await Promise.all([
    startGuardedResource({ dpop: 'required' }),
    startGuardedResource({ dpop: 'optional' }),
    startGuardedResource({ dpop: 'off' }),
    makeKey(),
    makeKey(),
  ]);
});
afterAll(() => Promise.all([required.close(), optional.close(), off.close()]));

const publicJwk = async (key: SigningKey): Promise<JWK> => exportJWK(key.publicKey);
const hashOf = async (token: string) =>
  base64url.encode(
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))),
  );
const boundToken = async (resource: GuardedResource, changes: Claims = {}) =>
  resource.token({
    cnf: { jkt: await calculateJwkThumbprint(await publicJwk(holder)) },
    ...changes,
  });

async function proofFor(
  resource: GuardedResource,
  token: string,
  { claims = {}, header = {}, key = holder }: ProofChanges = {},
): Promise<string> {
  const honest = {
    jti: crypto.randomUUID(),
    htm: 'GET',
    htu: resource.url,
    iat: now(),
    ath: await hashOf(token),
  };
  return new SignJWT({ ...withClaims(honest, claims) })
    .setProtectedHeader({ alg: key.alg, typ: 'dpop+jwt', jwk: await publicJwk(key), ...header })
    .sign(key.privateKey);
}

interface ProofChanges {
  readonly claims?: Claims;
  readonly header?: Claims;
  readonly key?: SigningKey;
}

const headers = (token: string, proof: string) => ['Authorization', `DPoP ${token}`, 'DPoP', proof];

describe('an honest holder', () => {
  it('passes with a fresh proof for each request', async () => {
    const token = await boundToken(required);
    for (let n = 0; n < 2; n += 1) {
      const answer = await required.send(headers(token, await proofFor(required, token)));
      expect(answer).toMatchObject({ status: 200 });
      expect(JSON.parse(answer.body)).toMatchObject({
        proofKey: await calculateJwkThumbprint(await publicJwk(holder)),
      });
    }
  });

  it('passes with a query, which a proof leaves out', async () => {
    const token = await boundToken(required);
    const proof = await proofFor(required, token);
    expect(await required.send(headers(token, proof), { suffix: '?id=42' })).toMatchObject({
      status: 200,
    });
  });

  it('passes unbound where proofs are optional', async () => {
    expect(await optional.send(await optional.token())).toMatchObject({ status: 200 });
  });
});

describe('refuses', () => {
  it('a bound token as Bearer, with or without a proof', async () => {
    for (const resource of [required, optional]) {
      const token = await boundToken(resource);
      const proof = await proofFor(resource, token);
      expect(await resource.send(token)).toMatchObject({ status: 401, code: 'proof_invalid' });
      expect(
        await resource.send(['Authorization', `Bearer ${token}`, 'DPoP', proof]),
      ).toMatchObject({ status: 401, code: 'proof_invalid' });
    }
  });

  it('a bound token where nobody would check the bond', async () => {
    const token = await boundToken(off);
    expect(await off.send(await off.token())).toMatchObject({ status: 200 });
    expect(await off.send(token)).toMatchObject({ status: 401, code: 'token_unverifiable' });
    expect(await off.send(headers(token, await proofFor(off, token)))).toMatchObject({
      status: 400,
      code: 'request_malformed',
    });
  });

  it('an unbound token where proofs are required, or with a proof', async () => {
    const token = await required.token();
    expect(await required.send(token)).toMatchObject({ status: 401, code: 'proof_invalid' });
    expect(await required.send(headers(token, await proofFor(required, token)))).toMatchObject({
      status: 401,
      code: 'proof_invalid',
    });
    const loose = await optional.token();
    expect(await optional.send(headers(loose, await proofFor(optional, loose)))).toMatchObject({
      code: 'proof_invalid',
    });
  });

  it('no proof, two proofs, and what is no proof', async () => {
    const token = await boundToken(required);
    const [one, two] = [await proofFor(required, token), await proofFor(required, token)];
    const authorization = ['Authorization', `DPoP ${token}`];
    for (const rest of [
      [],
      ['DPoP', one, 'DPoP', two],
      ['DPoP', ''],
      ['DPoP', 'a.b.c'],
      ['DPoP', token],
    ]) {
      const answer = await required.send([...authorization, ...rest]);
      expect(answer).toMatchObject({ status: 401, code: 'proof_invalid' });
      expect(answer.headers['www-authenticate']).toMatch(/^DPoP error="invalid_dpop_proof"/);
    }
  });

  it('a proof a second time, also concurrently', async () => {
    const token = await boundToken(required);
    const proof = await proofFor(required, token);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => required.send(headers(token, proof))),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await required.send(headers(token, proof))).toMatchObject({ code: 'proof_invalid' });
  });

  it('a proof by the thief of the token', async () => {
    const token = await boundToken(required);
    const stolen = await proofFor(required, token, { key: thief });
    expect(await required.send(headers(token, stolen))).toMatchObject({ code: 'proof_invalid' });
    // Signed by the thief, with the holder's public key in the header.
    const header = { jwk: await publicJwk(holder) };
    const lying = await proofFor(required, token, { key: thief, header });
    expect(await required.send(headers(token, lying))).toMatchObject({ code: 'proof_invalid' });
  });

  it.each<[string, (url: string) => Claims]>([
    ['another method', () => ({ htm: 'POST' })],
    ['a method in lower case', () => ({ htm: 'get' })],
    ['no method', () => ({ htm: undefined })],
    ['another path', (url) => ({ htu: `${url}/42` })],
    ['another host', (url) => ({ htu: url.replace('127.0.0.1', 'records.example') })],
    ['another port', (url) => ({ htu: url.replace(/:\d+/, ':1') })],
    ['another scheme', (url) => ({ htu: url.replace('http:', 'https:') })],
    ['no address', () => ({ htu: undefined })],
    ['an address that is none', () => ({ htu: 'records' })],
    ['another token', () => ({ ath: base64url.encode('other') })],
    ['no token', () => ({ ath: undefined })],
    ['yesterday', () => ({ iat: now() - 86_400 })],
    ['two minutes ago', () => ({ iat: now() - 120 })],
    ['tomorrow', () => ({ iat: now() + 86_400 })],
    ['no time', () => ({ iat: undefined })],
    ['a fraction of a second', () => ({ iat: now() + 0.5 })],
    ['no id', () => ({ jti: undefined })],
    ['an id that is a number', () => ({ jti: 1 })],
    ['an id of a kilobyte', () => ({ jti: 'a'.repeat(1024) })],
  ])('a proof for %s', async (_what, changes) => {
    const token = await boundToken(required);
    const proof = await proofFor(required, token, { claims: changes(required.url) });
    expect(await required.send(headers(token, proof))).toMatchObject({
      status: 401,
      code: 'proof_invalid',
    });
  });

  it('a proof of another type, without a key, or with a private one', async () => {
    const token = await boundToken(required);
    for (const header of [
      { typ: 'at+jwt' },
      { typ: undefined },
      { jwk: undefined },
      { jwk: await exportJWK(holder.privateKey) },
      { jwk: { kty: 'oct', k: 'c2VjcmV0' } },
    ]) {
      const proof = await proofFor(required, token, { header });
      expect(await required.send(headers(token, proof))).toMatchObject({ code: 'proof_invalid' });
    }
  });

  it('a proof whose address was right for another Host header', async () => {
    const token = await boundToken(required);
    const htu = required.url.replace(/127\.0\.0\.1:\d+/, 'evil.example');
    const proof = await proofFor(required, token, { claims: { htu } });
    const sent = ['Host', 'evil.example', ...headers(token, proof)];
    expect(await required.send(sent)).not.toMatchObject({ status: 200 });
  });

  it('a token that is bound to something that nobody understands', async () => {
    for (const cnf of [{}, { jkt: 7 }, { 'x5t#S256': 'a' }, 'jkt', null, []]) {
      for (const resource of [required, optional]) {
        expect(await resource.send(await resource.token({ cnf }))).toMatchObject({ status: 401 });
      }
    }
  });
});
