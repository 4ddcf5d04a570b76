import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { createSigner, type SigningKey } from '../../src/ledger/signer.ts';
import {
  KEY,
  openAt,
  outcome,
  signerThat,
  temporaryDirectory,
  temporaryPlace,
} from './fixtures.ts';

const PEM = KEY.export({ type: 'pkcs8', format: 'pem' }).toString();
const JWK = KEY.export({ format: 'jwk' });
const MESSAGE = Buffer.from('a tree head');

const fileWith = (text: string): string => {
  const path = join(temporaryDirectory(), 'key');
  writeFileSync(path, text);
  return path;
};

it.each<[string, () => SigningKey]>([
  ['a PEM', () => PEM],
  ['a JWK', () => JWK],
  ['a JWK as text', () => JSON.stringify(JWK)],
  ['a file with a PEM', () => fileWith(PEM)],
  ['a file with a JWK', () => fileWith(JSON.stringify(JWK))],
  ['a key object', () => KEY],
  ['a signer', () => signerThat((sign, message) => sign(message))],
])('signs with %s', async (_what, key) => {
  const signer = createSigner(key());
  expect(verify(null, MESSAGE, createPublicKey(KEY), await signer.sign(MESSAGE))).toBe(true);
  expect(Buffer.from(signer.publicKey).toString('base64url')).toBe(JWK.x);
});

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

it.each<[string, () => SigningKey]>([
  ['no file', () => '/no/such/key'],
  ['an empty text', () => ''],
  ['a text that is no key', () => '-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----'],
  ['a public key', () => createPublicKey(KEY)],
  ['a JWK without its private part', () => ({ kty: 'OKP', crv: 'Ed25519', x: JWK.x ?? '' })],
  ['another kind of key', () => rsa],
  [
    'a signer with an ambiguous public key',
    () => ({ ...createSigner(KEY), publicKey: new Uint8Array(32) }),
  ],
])('refuses %s, and quotes none of it', (_what, key) => {
  let error: unknown;
  try {
    createSigner(key());
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: 'key_invalid' });
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('SECRET');
});

it.each<[string, Parameters<typeof signerThat>[0]]>([
  ['gives a signature of another message', (sign) => sign(Buffer.from('other'))],
  ['gives too few bytes', async (sign, message) => (await sign(message)).subarray(1)],
  ['fails', async () => Promise.reject(new Error('no route to host'))],
])('appends nothing while a key service %s', async (_what, serve) => {
  const place = temporaryPlace();
  let isSound = true;
  const signingKey = signerThat((sign, message) =>
    isSound ? sign(message) : serve(sign, message),
  );
  const ledger = await openAt(place, { signingKey });
  isSound = false;
  await expect(ledger.append([outcome(1)])).rejects.toMatchObject({ code: 'ledger_unwritable' });
  isSound = true;
  expect((await ledger.append([outcome(1)])).entries[0]?.seq).toBe(1);
});

it('does not hold the lock for a key service that is silent', { timeout: 20_000 }, async () => {
  const place = temporaryPlace();
  let isSilent = false;
  const signingKey = signerThat((sign, message) =>
    isSilent ? new Promise(() => {}) : sign(message),
  );
  const [slow, other] = [await openAt(place, { signingKey }), await openAt(place)];
  isSilent = true;
  const [first, second] = await Promise.allSettled([
    slow.append([outcome(1)]),
    other.append([outcome(2)]),
  ]);
  expect(first).toMatchObject({ reason: { code: 'ledger_unwritable' } });
  expect(second).toMatchObject({ value: { entries: [{ seq: 1 }] } });
});
