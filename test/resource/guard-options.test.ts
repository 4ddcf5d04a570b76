import { expect, it } from 'vitest';
import { createGuard, type GuardOptions } from '../../src/resource/index.ts';

const issuer = { url: 'https://id.example', algs: ['RS256'] };
const base: GuardOptions = { resource: 'https://records.example', issuers: [issuer] };
const other = { url: 'https://other.example', algs: ['RS256'] };

it('takes the least that a guard needs', () => {
  expect(createGuard(base).metadataUrl).toBe(
    'https://records.example/.well-known/oauth-protected-resource',
  );
});

it.each<[string, object]>([
  ['a misspelt option', { maxTokenAgeSeconds: 300 }],
  ['an option that would skip a check', { skipAudience: true }],
  ['a misspelt option of an issuer', { issuers: [{ ...issuer, audience: 'any' }] }],
  ['no issuer', { issuers: [] }],
  ['an issuer twice', { issuers: [issuer, issuer] }],
  ['an issuer without algorithms', { issuers: [{ url: issuer.url, algs: [] }] }],
  ['an issuer without types', { issuers: [{ ...issuer, typ: [] }] }],
  ['a shared secret', { issuers: [{ url: issuer.url, algs: ['HS256'] }] }],
  ['no signature', { issuers: [{ url: issuer.url, algs: ['none'] }] }],
  ['plain http', { resource: 'http://records.example' }],
  ['a resource that is no URL', { resource: 'records' }],
  ['a resource with a fragment', { resource: 'https://records.example/#a' }],
  ['a resource with a query', { resource: 'https://records.example/?a=1' }],
  ['an unknown form of DPoP', { dpop: 'sometimes' }],
  ['an unknown use of directives', { directives: 'ignore' }],
  ['proofs of origin, which do not exist yet', { origin: 'inline' }],
  ['a token age without limit', { maxTokenAge: Infinity }],
  ['a negative tolerance', { clockTolerance: -1 }],
  ['an hour of tolerance', { clockTolerance: 3600 }],
  ['a ninth actor', { maxDepth: 9 }],
  ['no actor at all', { maxDepth: 0 }],
  ['a store that cannot take', { replay: {} }],
  ['a deny-list that cannot answer', { denied: ['alice'] }],
  ['a half-true allowDevelopment', { allowDevelopment: 'no' }],
  ['a scope that would break out of its header', { scope: 'a", error="' }],
  ['an agent without issuer among several', { issuers: [issuer, other], actors: ['planner'] }],
  ['a log that cannot be called', { onDelegation: true }],
])('refuses %s', (_what, options) => {
  expect(() => createGuard(base)).not.toThrow();
  expect(() => createGuard({ ...base, ...options })).toThrow(TypeError);
});
