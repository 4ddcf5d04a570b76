/**
 * How a guard is set up. The options are closed: one that is misspelt would be a check that nobody
 * misses, so it throws. No option skips a check.
 *
 * @module
 */
import { MAX_ACTORS, type ActChain, type Actor } from '../attribution/act-chain.ts';
import type { Verdict } from '../attribution/judge.ts';
import type { ClientClaim } from '../token/delegation-token.ts';
import type { DenyList } from '../token/deny-list.ts';
import { parseHttpsUrl } from '../token/safe-transport.ts';
import { isScopeToken } from '../token/scope-token.ts';
import { createIssuerKeys, SIGNATURE_ALGORITHMS, type IssuerKeys } from '../token/issuer-keys.ts';
import type { ReplayStore } from '../token/replay-store.ts';
import type { GuardError } from './guard-error.ts';

/** An issuer whose delegation tokens are accepted. */
export interface GuardIssuer {
  /** Exactly as its tokens spell `iss`. */
  readonly url: string;
  /** Accepted signature algorithms, of RS, PS and ES 256 to 512, EdDSA and Ed25519. */
  readonly algs: readonly string[];
  /** Accepted `typ` headers. Default `['at+jwt']` (RFC 9068). */
  readonly typ?: readonly string[];
  /** Address of its key set. Default: what discovery says. */
  readonly jwks?: string;
  /** Where it names the client that a token was issued to. Default `client_id`. */
  readonly clientClaim?: ClientClaim;
  /**
   * What it puts into `act.sub`: the id of the client, which must then be the client that the token
   * was issued to, or the id of a user that stands for the agent. Default `client`.
   */
  readonly actor?: 'client' | 'user';
}

/** A delegation as the guard saw it, for `crumb coverage`. It names agents, never the human. */
export interface Sighting {
  readonly at: Date;
  readonly iss: string;
  readonly resource: string;
  readonly jti: string;
  /** SHA-256 of the token, in base64url. */
  readonly tokenDigest: string;
  readonly kid: string | null;
  readonly chain: ActChain;
  readonly action: string | null;
  readonly verdict: Verdict | null;
}

/** Options of `createGuard`. */
export interface GuardOptions {
  /** The resource, as `aud` of its tokens spells it: an https URL (plain http on loopback only). */
  readonly resource: string;
  readonly issuers: readonly GuardIssuer[];
  /** Scopes that every request needs. Default none. */
  readonly scope?: string | readonly string[];
  /**
   * Agents that may call: only the one that holds the token counts. A name alone is a subject at the
   * issuer, and only allowed while there is one issuer. Default: any agent that an issuer vouches for.
   */
  readonly actors?: readonly (string | Actor)[];
  /**
   * RFC 9449 proofs that the caller holds the token's key. `off`: bound tokens are refused, because
   * nobody checks the bond. `optional`: bound tokens need a proof. `required`: all do. Default `off`.
   */
  readonly dpop?: 'off' | 'optional' | 'required';
  /** `enforce`: a request must be covered by a directive in its token. Default `report`. */
  readonly directives?: 'report' | 'enforce';
  /** Proofs of an earlier issuer in the token (two identity providers). Only `off` exists so far. */
  readonly origin?: 'off';
  /** Longest life and greatest age of a token, in seconds. Default 300. */
  readonly maxTokenAge?: number;
  /** How far clocks may differ, in seconds. Default 5, at most 60. */
  readonly clockTolerance?: number;
  /** Most actors in a chain, 1 to 8. Default 8. */
  readonly maxDepth?: number;
  /** Makes every token good for one request. */
  readonly replay?: ReplayStore;
  /** Where used DPoP proofs are kept. Default: in memory, for this process. */
  readonly proofs?: ReplayStore;
  /** Denied humans, agents, sessions and tokens. */
  readonly denied?: DenyList;
  /** Accepts tokens of a development identity provider. Default false. */
  readonly allowDevelopment?: boolean;
  /** Called for each accepted delegation. If it throws, the request is refused with 503. */
  readonly onDelegation?: (sighting: Sighting) => void;
  /** Called for each refusal: the answer itself does not say why. */
  readonly onRefusal?: (refusal: GuardError) => void;
  /** Replaces the global `fetch`, for a proxy or a test. */
  readonly fetch?: typeof globalThis.fetch;
  /** Replaces the wall clock in tests. */
  readonly clock?: () => Date;
}

/** An issuer, ready to verify. */
export interface TrustedIssuer {
  readonly keys: IssuerKeys;
  readonly algs: readonly string[];
  readonly typ: readonly string[];
  readonly clientClaim: ClientClaim;
  readonly actor: 'client' | 'user';
}

/** Options with every default filled in. */
export interface GuardSettings {
  readonly resource: string;
  readonly issuers: ReadonlyMap<string, TrustedIssuer>;
  readonly scope: readonly string[];
  readonly actors: readonly Actor[] | undefined;
  readonly dpop: 'off' | 'optional' | 'required';
  readonly directives: 'report' | 'enforce';
  readonly maxTokenAge: number;
  readonly clockTolerance: number;
  readonly maxDepth: number;
  readonly replay: ReplayStore | undefined;
  readonly proofs: ReplayStore | undefined;
  readonly denied: DenyList | undefined;
  readonly allowDevelopment: boolean;
  readonly onDelegation: ((sighting: Sighting) => void) | undefined;
  readonly onRefusal: ((refusal: GuardError) => void) | undefined;
  readonly clock: () => Date;
}

const NAMES: Readonly<Record<keyof GuardOptions, true>> = {
  resource: true,
  issuers: true,
  scope: true,
  actors: true,
  dpop: true,
  directives: true,
  origin: true,
  maxTokenAge: true,
  clockTolerance: true,
  maxDepth: true,
  replay: true,
  proofs: true,
  denied: true,
  allowDevelopment: true,
  onDelegation: true,
  onRefusal: true,
  fetch: true,
  clock: true,
};

const ISSUER_NAMES: Readonly<Record<keyof GuardIssuer, true>> = {
  url: true,
  algs: true,
  typ: true,
  jwks: true,
  clientClaim: true,
  actor: true,
};

/** Reads and completes the options. @throws {TypeError} For anything unknown or out of range. */
export function parseGuardOptions(options: GuardOptions): GuardSettings {
  checkNames(options, NAMES, 'guard');
  const { resource, clock = () => new Date() } = options;
  checkResource(resource);
  oneOf('origin', options.origin ?? 'off', ['off']);
  return {
    resource,
    issuers: parseIssuers(options),
    scope: parseScope(options.scope ?? []),
    actors: parseActors(options),
    dpop: oneOf('dpop', options.dpop ?? 'off', ['off', 'optional', 'required']),
    directives: oneOf('directives', options.directives ?? 'report', ['report', 'enforce']),
    maxTokenAge: inRange('maxTokenAge', options.maxTokenAge ?? 300, [1, 86_400]),
    clockTolerance: inRange('clockTolerance', options.clockTolerance ?? 5, [0, 60]),
    maxDepth: inRange('maxDepth', options.maxDepth ?? MAX_ACTORS, [1, MAX_ACTORS]),
    replay: withMethod('replay', options.replay, 'take'),
    proofs: withMethod('proofs', options.proofs, 'take'),
    denied: withMethod('denied', options.denied, 'isDenied'),
    allowDevelopment: oneOf('allowDevelopment', options.allowDevelopment ?? false, [true, false]),
    onDelegation: callable('onDelegation', options.onDelegation),
    onRefusal: callable('onRefusal', options.onRefusal),
    clock,
  };
}

function parseIssuers(options: GuardOptions): ReadonlyMap<string, TrustedIssuer> {
  const { issuers, fetch, clock } = options;
  checkFilled('issuers', issuers);
  const trusted = new Map<string, TrustedIssuer>();
  for (const issuer of issuers) {
    checkNames(issuer, ISSUER_NAMES, 'issuer');
    const { url, algs, typ = ['at+jwt'], jwks } = issuer;
    if (trusted.has(url)) throw new TypeError('issuers names one twice');
    checkTexts('algs', algs);
    checkTexts('typ', typ);
    if (!algs.every((alg) => SIGNATURE_ALGORITHMS.includes(alg))) {
      throw new TypeError('algs holds an algorithm that is not allowed');
    }
    trusted.set(url, {
      keys: createIssuerKeys({
        url,
        ...(jwks === undefined ? {} : { jwks }),
        ...(fetch === undefined ? {} : { fetch }),
        ...(clock === undefined ? {} : { clock }),
      }),
      algs,
      typ,
      clientClaim: oneOf('clientClaim', issuer.clientClaim ?? 'client_id', [
        'client_id',
        'azp',
        'cid',
        'appid',
      ]),
      actor: oneOf('actor', issuer.actor ?? 'client', ['client', 'user']),
    });
  }
  return trusted;
}

/** RFC 9728 section 1.2: an https URL without fragment; without a query, so that it has one spelling. */
function checkResource(resource: string): void {
  const { search, hash } = parseHttpsUrl(resource, 'resource');
  if (search !== '' || hash !== '') throw new TypeError('resource has a query or fragment');
}

/** Scopes as a list. @throws {TypeError} For what is no scope. */
export function parseScope(scope: string | readonly string[]): readonly string[] {
  const scopes = typeof scope === 'string' ? scope.split(' ') : scope;
  if (!scopes.every((name) => typeof name === 'string' && isScopeToken(name))) {
    throw new TypeError('scope holds something that is no scope');
  }
  return scopes;
}

function parseActors({ actors, issuers }: GuardOptions): readonly Actor[] | undefined {
  if (actors === undefined) return undefined;
  const [only, ...others] = issuers;
  return actors.map((actor) => {
    if (typeof actor !== 'string') return { iss: actor.iss, sub: actor.sub };
    if (only === undefined || others.length > 0) {
      throw new TypeError('actors must name the issuer of each, because there are several');
    }
    return { iss: only.url, sub: actor };
  });
}

function checkNames(value: object, names: Readonly<Record<string, true>>, what: string): void {
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(names, name));
  if (unknown.length > 0) throw new TypeError(`unknown ${what} option: ${unknown.join(', ')}`);
}

function oneOf<T>(name: string, value: T, choices: readonly T[]): T {
  if (!choices.includes(value)) throw new TypeError(`${name} is none of ${choices.join(', ')}`);
  return value;
}

function inRange(name: string, value: number, [least, most]: readonly [number, number]): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new TypeError(`${name} is no whole number from ${least} to ${most}`);
  }
  return value;
}

function checkFilled(name: string, value: unknown): void {
  if (!Array.isArray(value) || value.length === 0) throw new TypeError(`${name} is no filled list`);
}

function checkTexts(name: string, values: readonly string[]): void {
  checkFilled(name, values);
  if (!values.every((value) => typeof value === 'string')) {
    throw new TypeError(`${name} is no list of names`);
  }
}

function withMethod<T extends object>(
  name: string,
  value: T | undefined,
  method: keyof T,
): T | undefined {
  if (value !== undefined && typeof value[method] !== 'function') {
    throw new TypeError(`${name} has no ${String(method)}()`);
  }
  return value;
}

function callable<T>(name: string, value: T | undefined): T | undefined {
  if (value !== undefined && typeof value !== 'function') {
    throw new TypeError(`${name} is no function`);
  }
  return value;
}
