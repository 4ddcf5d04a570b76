/**
 * What a token says, part by part, against what an entry says of it. Whether the issuer signed it is
 * checked elsewhere.
 *
 * @module
 */
import { parseActChain, sameChain, type Actor } from '../attribution/act-chain.ts';
import { fromBase64url, fromUtf8 } from '../evidence/bytes.ts';
import type { TokenRecord } from '../evidence/kinds.ts';
import { isObject } from '../evidence/shape.ts';
import type { TokenPart } from './findings.ts';

/** Header and claims of a token, not verified. */
export interface ReadToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** How far the clocks of recorder and issuer may be apart. */
const SKEW_MS = 60_000;

/** Providers that write the application as the innermost actor, which chains leave out. */
const ROOTED_PROFILES: ReadonlySet<string> = new Set(['auth0']);

/** Takes a compact token apart; undefined if it is none. */
export function readToken(jwt: string): ReadToken | undefined {
  const [head = '', body = '', , ...more] = jwt.split('.');
  const [header, claims] = [jsonOf(head), jsonOf(body)];
  if (header === undefined || claims === undefined || more.length > 0) return undefined;
  return { header, claims };
}

/** A claim that the token itself has. */
export function claimOf({ claims }: ReadToken, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** What an entry says of a delegation token. */
export interface StatedToken {
  readonly record: TokenRecord;
  readonly chain: readonly Actor[];
  readonly timeMs: number;
}

/** The parts of a delegation token that are not as the entry says. */
export function partsThatDiffer(token: ReadToken, stated: StatedToken): readonly TokenPart[] {
  const { record, chain, timeMs } = stated;
  const claim = (name: string): unknown => claimOf(token, name);
  const exp = claim('exp');
  const iat = claim('iat');
  const kid = Object.hasOwn(token.header, 'kid') ? token.header['kid'] : undefined;
  const checks: readonly (readonly [TokenPart, boolean])[] = [
    ['issuer', claim('iss') === record.iss],
    ['audience', isSoleAudience(claim('aud'), record.aud)],
    ['scope', sameWords(scopeOf(claim('scope')), record.scope)],
    ['expiry', isInstant(exp, record.exp) && timeMs <= Date.parse(record.exp) + SKEW_MS],
    ['expiry', typeof iat !== 'number' || iat * 1000 <= timeMs + SKEW_MS],
    ['claims', (kid ?? null) === record.kid && (claim('txn') ?? null) === record.txn],
    ['chain', record.nesting === 'none' || namesChain(token, record, chain)],
  ];
  return [...new Set(checks.filter(([, holds]) => !holds).map(([part]) => part))];
}

/** Whether a claim in seconds is the instant that an entry states. */
export function isInstant(seconds: unknown, instant: string | null): boolean {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return instant === null;
  const date = new Date(seconds * 1000);
  return Number.isFinite(date.getTime()) && date.toISOString() === instant;
}

/** The agents that a token names, in order of delegation; undefined if it names none readably. */
export function chainOfToken(token: ReadToken): readonly Actor[] | undefined {
  const [iss, sub, act] = ['iss', 'sub', 'act'].map((name) => claimOf(token, name));
  if (typeof iss !== 'string' || typeof sub !== 'string') return undefined;
  try {
    return parseActChain(act, iss, { iss, sub });
  } catch {
    return undefined;
  }
}

function namesChain(token: ReadToken, record: TokenRecord, chain: readonly Actor[]): boolean {
  const named = chainOfToken(token);
  if (named === undefined) return false;
  const rooted = ROOTED_PROFILES.has(record.profile) && named.length === chain.length + 1;
  return sameChain(rooted ? named.slice(1) : named, chain);
}

function isSoleAudience(aud: unknown, audience: string): boolean {
  const values: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return values.length === 1 && values[0] === audience;
}

/** Space-separated or a list, as RFC 8693 has it and as providers do. */
function scopeOf(scope: unknown): readonly unknown[] {
  if (scope === undefined) return [];
  const words: readonly unknown[] = typeof scope === 'string' ? scope.split(' ') : [scope].flat();
  return words.filter((word) => word !== '');
}

function sameWords(a: readonly unknown[], b: readonly string[]): boolean {
  const [left, right] = [new Set(a), new Set<unknown>(b)];
  return left.size === right.size && [...left].every((word) => right.has(word));
}

function jsonOf(part: string): ReadToken['claims'] | undefined {
  const bytes = fromBase64url(part);
  const text = bytes === undefined ? undefined : fromUtf8(bytes);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
