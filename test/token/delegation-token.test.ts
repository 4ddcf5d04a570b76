import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyDelegationToken, type DelegationRules } from '../../src/token/delegation-token.ts';
import { createIssuerKeys, type IssuerKeys } from '../../src/token/issuer-keys.ts';
import {
  now,
  startTestIssuer,
  withClaims,
  type Claims,
  type TestIssuer,
} from '../attacks/test-issuer.ts';

let issuer: TestIssuer;
let keys: IssuerKeys;

beforeAll(async () => {
  issuer = await startTestIssuer();
  keys = createIssuerKeys({ url: issuer.url });
});
afterAll(() => issuer.close());

const rules: DelegationRules = {
  audience: 'https://records.example',
  typ: ['at+jwt'],
  algs: ['ES256'],
};
const claims = (): Claims => ({
  iss: issuer.url,
  sub: 'alice',
  aud: 'https://records.example',
  act: { sub: 'researcher', act: { sub: 'planner' } },
  client_id: 'researcher',
  scope: 'records.read  records.list',
  jti: 'token-1',
  txn: 'txn-1',
  iat: now(),
  exp: now() + 60,
});
const verify = async (changes: Claims = {}, more: Partial<DelegationRules> = {}) =>
  verifyDelegationToken(await issuer.sign(withClaims(claims(), changes)), keys, {
    ...rules,
    ...more,
  });

it('reads the human, the chain in order of delegation, and the one resource', async () => {
  expect(await verify()).toMatchObject({
    iss: issuer.url,
    sub: 'alice',
    aud: 'https://records.example',
    chain: [
      { iss: issuer.url, sub: 'planner' },
      { iss: issuer.url, sub: 'researcher' },
    ],
    scope: ['records.read', 'records.list'],
    jti: 'token-1',
    txn: 'txn-1',
    clientId: 'researcher',
    cnfJkt: undefined,
    development: false,
    kid: issuer.key.kid,
  });
});

it('takes what issuers write differently', async () => {
  expect((await verify({ aud: ['https://records.example'] })).aud).toBe('https://records.example');
  expect((await verify({ scope: ['a', 'b'] })).scope).toEqual(['a', 'b']);
  expect((await verify({ scope: undefined })).scope).toEqual([]);
  expect((await verify({ azp: 'r', client_id: undefined }, { clientClaim: 'azp' })).clientId).toBe(
    'r',
  );
  expect((await verify({ cnf: { jkt: 'thumb' } })).cnfJkt).toBe('thumb');
});

it.each([true, 'true', 1, null, {}])(
  'takes crumb_dev: %j for the mark of development',
  async (mark) => {
    expect((await verify({ crumb_dev: mark })).development).toBe(true);
  },
);

it.each<[string, string, Claims]>([
  ['a second audience', 'audience_mismatch', { aud: ['https://records.example', 'b'] }],
  [
    'the same audience twice',
    'audience_mismatch',
    { aud: ['https://records.example', 'https://records.example'] },
  ],
  ['another audience', 'audience_mismatch', { aud: 'https://records.example/' }],
  ['no audience', 'token_unverifiable', { aud: undefined }],
  ['no human', 'token_unverifiable', { sub: undefined }],
  ['a human that is a number', 'token_unverifiable', { sub: 7 }],
  ['no actor', 'token_unverifiable', { act: undefined }],
  ['no id', 'token_unverifiable', { jti: undefined }],
  ['an id that is a list', 'token_unverifiable', { jti: ['a'] }],
  ['no client', 'token_unverifiable', { client_id: undefined }],
  ['scopes that are no strings', 'token_unverifiable', { scope: [1] }],
  ['a binding to a certificate', 'token_unverifiable', { cnf: { 'x5t#S256': 'a' } }],
  ['a binding that is no object', 'token_unverifiable', { cnf: 'a' }],
])('refuses %s', async (_what, code, changes) => {
  await expect(verify(changes)).rejects.toMatchObject({ code });
});

it('refuses more actors than it was told to take', async () => {
  await expect(verify({}, { maxDepth: 2 })).resolves.toBeDefined();
  await expect(verify({}, { maxDepth: 1 })).rejects.toMatchObject({ code: 'act_too_deep' });
});
