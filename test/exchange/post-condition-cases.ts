/** An answer in which everything holds, to be spoiled one thing at a time. */
import type { Actor } from '../../src/attribution/act-chain.ts';
import { profileOf } from '../../src/exchange/issuer-profile.ts';
import {
  checkPostConditions,
  type ExchangeAnswer,
  type ExpectedToken,
} from '../../src/exchange/post-conditions.ts';

export const ISS = 'https://id.example';
export const NOW = new Date('2026-11-24T12:00:00Z');
export const seconds = (offset: number): number => NOW.getTime() / 1000 + offset;
export const actor = (sub: string, iss = ISS): Actor => ({ iss, sub });
export const planner = actor('planner');
export const researcher = actor('researcher');

export const EXPECTED: ExpectedToken = {
  issuer: ISS,
  human: actor('alice'),
  chain: [planner, researcher],
  root: actor('app'),
  audience: 'https://records.example',
  scope: ['read', 'write'],
  details: undefined,
  subjectExpires: new Date(NOW.getTime() + 600_000),
  now: NOW,
  maxLifetimeMs: 300_000,
  jkt: undefined,
  next: undefined,
};

/** `act` as an issuer nests it; without `iss` where the actor is its own. */
export function nest(chain: readonly Actor[], always = false): unknown {
  return chain.reduce<unknown>((inner, { iss, sub }) => {
    const node = always || iss !== ISS ? { iss, sub } : { sub };
    return inner === undefined ? node : { ...node, act: inner };
  }, undefined);
}

export const CLAIMS = {
  iss: ISS,
  sub: 'alice',
  aud: 'https://records.example',
  act: nest([planner, researcher]),
  scope: 'read',
  exp: seconds(120),
  jti: 'j1',
  txn: 't1',
};

export const ANSWER: ExchangeAnswer = {
  claims: CLAIMS,
  tokenType: 'bearer',
  issuedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
  scope: undefined,
};

export const generic = profileOf('generic');

export function codeOf(
  claims: Readonly<Record<string, unknown>>,
  expected: Partial<ExpectedToken> = {},
  {
    answer = {},
    profile = generic,
  }: { answer?: Partial<ExchangeAnswer>; profile?: typeof generic } = {},
): string {
  const full = Object.fromEntries(
    Object.entries({ ...CLAIMS, ...claims }).filter(([, value]) => value !== undefined),
  );
  try {
    checkPostConditions(
      { ...ANSWER, ...answer, claims: full },
      { ...EXPECTED, ...expected },
      profile,
    );
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code; // anything without a code fails the comparison
  }
}
