/**
 * Tokens behind logins and delegations: opened, held against what the entry says, and their signature
 * against the key set that was archived, or better against the reader's own copy.
 *
 * @module
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { toBase64url, utf8 } from '../evidence/bytes.ts';
import { verifyJws } from '../evidence/jws.ts';
import type { Entry, TokenRecord } from '../evidence/kinds.ts';
import { isObject } from '../evidence/shape.ts';
import type { JwksLine } from './bundle-lines.ts';
import type { Facts, KnownSession } from './facts.ts';
import type { FindingLog } from './finding-log.ts';
import type { TokenPart } from './findings.ts';
import type { InFlight } from './in-flight.ts';
import type { Openings } from './openings.ts';
import { childOf } from './references.ts';
import { claimOf, partsThatDiffer, readToken, type ReadToken } from './token-parts.ts';
import type { Trust } from './trust.ts';

/** What tokens are held against. */
export interface TokenContext {
  readonly log: FindingLog;
  readonly facts: Facts;
  readonly openings: Openings;
  readonly inFlight: InFlight;
  readonly trust: Trust;
}

export interface Tokens extends TokenContext {
  /** Key sets since the last entry, by digest. */
  readonly fresh: Map<string, JwksLine>;
  /** Key sets that an entry commits to, by digest; oldest first. */
  readonly keySets: Map<string, unknown>;
  /** Tokens whose signature is or will be known, by key set and text; oldest first. */
  readonly verified: Map<string, Promise<boolean>>;
  readonly read: Map<string, ReadToken | undefined>;
  /** Issuers whose archived keys had to do. */
  readonly selfArchived: Set<string>;
  /** Tokens that could not be checked. */
  readonly absent: { seq: number; count: number };
  checked: number;
}

/** More key sets and tokens are not kept: rotation is rare, and tokens are short-lived. */
const MOST_KEY_SETS = 64;
const MOST_TOKENS = 512;

export function startTokens(context: TokenContext): Tokens {
  return {
    ...context,
    fresh: new Map(),
    keySets: new Map(),
    verified: new Map(),
    read: new Map(),
    selfArchived: new Set(),
    absent: { seq: -1, count: 0 },
    checked: 0,
  };
}

export function takeKeySet(tokens: Tokens, line: JwksLine): void {
  tokens.fresh.set(toBase64url(nobleSha256(utf8(line.raw))), line);
}

/** Takes the key set that an entry commits to; false if others were given that it does not. */
export function keepKeySets(tokens: Tokens, entry: Entry | undefined): boolean {
  const { fresh, keySets } = tokens;
  if (fresh.size === 0) return true;
  const named = entry?.kind === 'key' && typeof entry.body.key !== 'string' ? entry.body.key : null;
  const line = named === null ? undefined : fresh.get(named.jwks);
  const fits = fresh.size === 1 && line !== undefined && line.iss === named?.iss;
  if (fits) remember(keySets, MOST_KEY_SETS, [named.jwks, parseJson(line.raw)]);
  fresh.clear();
  return fits;
}

/** Checks the token of an intent or hop. If it answers a promise, wait for it. */
export function checkDelegation(
  tokens: Tokens,
  entry: Extract<Entry, { readonly kind: 'intent' | 'hop' }>,
  session: KnownSession | undefined,
): Promise<void> | undefined {
  const { seq, body } = entry;
  const record = body.token;
  if (record === null) return undefined;
  if (record.nesting !== 'subject') tokens.log.add({ code: 'chain_built_by_gateway', seq });
  if (entry.kind === 'intent' && !isForCall(record, entry.body.call))
    differ(tokens, seq, 'audience');

  const opened = openToken(tokens, seq, record.c);
  if (opened === undefined) return undefined;
  const { jwt, token } = opened;
  const stated = { record, chain: body.chain, timeMs: Date.parse(entry.time) };
  for (const part of partsThatDiffer(token, stated)) differ(tokens, seq, part);
  checkSubject(tokens, seq, { token, session });
  return checkSignature(tokens, { seq, jwt, token, iss: record.iss, jwks: record.jwks });
}

/** The token of a login, read; `undefined` if it is not here. Its signature is checked on the way. */
export function checkLoginToken(
  tokens: Tokens,
  { seq, body }: Extract<Entry, { readonly kind: 'session' }>,
  session: KnownSession,
): { readonly token: ReadToken; readonly wait: Promise<void> | undefined } | undefined {
  if (body.token === null) return undefined;
  const opened = openToken(tokens, seq, body.token);
  if (opened === undefined) return undefined;
  const { jwt, token } = opened;
  checkSubject(tokens, seq, { token, session });
  const wait = checkSignature(tokens, { seq, jwt, token, iss: body.iss, jwks: body.jwks });
  return { token, wait };
}

/** Says of one token that it is not here, or that it differs. */
export function differ({ log }: Tokens, seq: number, what: TokenPart): void {
  log.add({ code: 'chain_mismatch', seq, what });
}

function openToken(
  tokens: Tokens,
  seq: number,
  c: string,
): { readonly jwt: string; readonly token: ReadToken } | undefined {
  const opened = tokens.openings.known.get(c);
  if (opened === undefined || opened === 'closed' || typeof opened.value !== 'string') {
    unavailable(tokens, seq);
    return undefined;
  }
  const jwt = opened.value;
  if (!tokens.read.has(jwt)) remember(tokens.read, MOST_TOKENS, [jwt, readToken(jwt)]);
  const token = tokens.read.get(jwt);
  if (token === undefined) {
    differ(tokens, seq, 'signature');
    return undefined;
  }
  return { jwt, token };
}

function unavailable({ absent }: Tokens, seq: number): void {
  if (absent.count === 0) absent.seq = seq;
  absent.count++;
}

/** A token is for the resource that is called, or for the agent that is handed over to. */
function isForCall({ aud }: TokenRecord, call: Parameters<typeof childOf>[0]): boolean {
  return aud === call.resource || aud === childOf(call);
}

/** All tokens of a login speak of one human. */
function checkSubject(
  tokens: Tokens,
  seq: number,
  { token, session }: { readonly token: ReadToken; readonly session: KnownSession | undefined },
): void {
  if (session === undefined) return;
  const sub = claimOf(token, 'sub');
  const { login } = session;
  if (typeof sub === 'string') login.subject ??= sub;
  if (sub !== login.subject) differ(tokens, seq, 'human');
}

interface SignedToken {
  readonly seq: number;
  readonly jwt: string;
  readonly token: ReadToken;
  readonly iss: string;
  readonly jwks: number | null;
}

function checkSignature(tokens: Tokens, signed: SignedToken): Promise<void> | undefined {
  const { seq, jwt, iss } = signed;
  const keys = keysFor(tokens, signed);
  if (keys === undefined) {
    unavailable(tokens, seq);
    return undefined;
  }
  if (keys.archived && !tokens.selfArchived.has(iss)) {
    tokens.selfArchived.add(iss);
    tokens.log.add({ code: 'issuer_keys_self_archived', iss });
  }
  tokens.checked++;
  const id = `${keys.id}\n${jwt}`;
  let answer = tokens.verified.get(id);
  if (answer === undefined) {
    answer = verifyJws(jwt, keys.jwks).then((verified) => verified !== undefined);
    remember(tokens.verified, MOST_TOKENS, [id, answer]);
  }
  const known = answer;
  return tokens.inFlight.start(async () => {
    if (!(await known)) differ(tokens, seq, 'signature');
  });
}

/** The reader's own keys if they have one of this id, and else those that the recorder archived. */
function keysFor(
  { trust, facts, keySets }: Tokens,
  { iss, jwks, token }: SignedToken,
): { readonly id: string; readonly jwks: unknown; readonly archived: boolean } | undefined {
  const { issuerKeys } = trust;
  const own =
    issuerKeys !== undefined && Object.hasOwn(issuerKeys, iss) ? issuerKeys[iss] : undefined;
  if (own !== undefined && hasKey(own, token))
    return { id: `own ${iss}`, jwks: own, archived: false };
  const digest = jwks === null ? undefined : facts.keySets.get(jwks)?.digest;
  const archived = digest === undefined ? undefined : keySets.get(digest);
  if (digest === undefined || archived === undefined) return undefined;
  return { id: digest, jwks: archived, archived: true };
}

function hasKey(jwks: unknown, { header }: ReadToken): boolean {
  const keys = isObject(jwks) ? jwks['keys'] : undefined;
  if (!Array.isArray(keys)) return false;
  const kid = Object.hasOwn(header, 'kid') ? header['kid'] : undefined;
  return kid === undefined || keys.some((key: unknown) => isObject(key) && key['kid'] === kid);
}

function remember<V>(map: Map<string, V>, most: number, [key, value]: readonly [string, V]): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
