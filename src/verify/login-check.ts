/**
 * Logins: what a `session` entry says against the token that it rests on, and what later entries need of
 * it.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { sameChain } from '../attribution/act-chain.ts';
import { canonicalJson } from '../attribution/canonical.ts';
import { parseDirectives, type Directive } from '../attribution/directive.ts';
import type { Json } from '../attribution/tool-call.ts';
import { toBase64url, utf8 } from '../evidence/bytes.ts';
import { directiveArgs, directiveOf, recordDirective } from '../evidence/directive-record.ts';
import type { DirectiveRecord, Entry } from '../evidence/kinds.ts';
import {
  forgetEnded,
  internChain,
  internIssuer,
  knownDirectives,
  type Facts,
  type KnownDirective,
  type KnownSession,
} from './facts.ts';
import type { Openings } from './openings.ts';
import { checkLoginToken, differ, type Tokens } from './token-check.ts';
import { chainOfToken, claimOf, isInstant, type ReadToken } from './token-parts.ts';

type SessionEntry = Extract<Entry, { readonly kind: 'session' }>;

/** Checks a login and remembers it. If it answers a promise, wait for it. */
export function checkLogin(
  context: { readonly facts: Facts; readonly openings: Openings; readonly tokens: Tokens },
  entry: SessionEntry,
): Promise<void> | undefined {
  const { facts, openings, tokens } = context;
  const { op } = entry.body;
  if (op !== 'open' && op !== 'renew') return undefined;
  const timeMs = Date.parse(entry.time);
  const session = rememberSession(facts, openings, entry);
  forgetEnded(facts, timeMs);
  const checked = checkLoginToken(tokens, entry, session);
  if (checked === undefined) return undefined;
  if (!agrees(checked.token, entry.body)) differ(tokens, entry.seq, 'claims');
  if (!sameUpstream(checked.token, entry.body)) differ(tokens, entry.seq, 'chain');
  if (!authorises(checked.token, entry.body.directives, openings)) {
    tokens.log.add({ code: 'verdict_mismatch', seq: entry.seq, expected: null });
  }
  return checked.wait;
}

function rememberSession(
  facts: Facts,
  openings: Openings,
  { seq, body }: SessionEntry,
): KnownSession {
  const first = body.session === null ? undefined : facts.sessions.get(body.session);
  const session: KnownSession = {
    seq,
    root: first?.root ?? seq,
    human: first?.human ?? body.human,
    iss: internIssuer(facts, body.iss),
    chain: internChain(facts, body.chain),
    expiresMs: body.expires === null ? Infinity : Date.parse(body.expires),
    directives: knownDirectives(body.directives.map((record) => knownDirective(record, openings))),
    login: first?.login ?? { subject: undefined },
  };
  facts.sessions.set(seq, session);
  if (session.expiresMs < Infinity) facts.living.push(session);
  return session;
}

function knownDirective(record: DirectiveRecord, openings: Openings): KnownDirective {
  const limits = limitsOf(record, openings);
  const opened = limits === undefined ? undefined : directiveOf(record, limits);
  const counted = limits !== undefined && record.maxUses !== null;
  const id = counted ? idOf({ ...record, args: limits }) : undefined;
  if (opened !== undefined) return { directive: opened, complete: true, id, used: 0 };
  const rest = directiveOf({ ...record, args: null }, null);
  const nothing: Directive = { source: record.source, actions: [], resources: [], optional: [] };
  return { directive: rest ?? nothing, complete: false, id: undefined, used: 0 };
}

function idOf(opened: Json): string {
  return toBase64url(sha256(utf8(canonicalJson(opened))));
}

/** What the directive's commitment was opened as; null if it has none, undefined if nobody opened it. */
function limitsOf({ args }: DirectiveRecord, openings: Openings): Json | null | undefined {
  if (args === null) return null;
  const opened = openings.known.get(args);
  return opened === undefined || opened === 'closed' ? undefined : opened.value;
}

function agrees(token: ReadToken, body: SessionEntry['body']): boolean {
  const claim = (name: string): unknown => claimOf(token, name);
  return (
    claim('iss') === body.iss &&
    isInstant(claim('exp'), body.expires) &&
    isInstant(claim('auth_time'), body.loginAt) &&
    (claim('acr') ?? null) === body.acr
  );
}

function sameUpstream(token: ReadToken, body: SessionEntry['body']): boolean {
  const upstream = claimOf(token, 'act') === undefined ? [] : chainOfToken(token);
  return upstream !== undefined && sameChain(upstream, body.chain);
}

/**
 * Whether the directives on record are those that the token carries. Which scopes stand for which
 * resource was the recorder's configuration: such directives can only be told by their source.
 */
function authorises(
  token: ReadToken,
  records: readonly DirectiveRecord[],
  openings: Openings,
): boolean {
  const details = claimOf(token, 'authorization_details');
  const { directives, malformed } = parseDirectives({ authorizationDetails: details }, []);
  if (directives.length === 0 && malformed.length === 0) {
    return records.every(({ source, args }) => source === 'scope' && args === null);
  }
  return (
    directives.length === records.length &&
    records.every((record, n) => {
      const directive = directives[n];
      return directive !== undefined && isRecordOf(record, directive, openings);
    })
  );
}

function isRecordOf(record: DirectiveRecord, directive: Directive, openings: Openings): boolean {
  const limits = directiveArgs(directive);
  const opened = limitsOf(record, openings);
  if ((limits === null) !== (record.args === null)) return false;
  if (opened !== undefined && canonicalJson(opened) !== canonicalJson(limits)) return false;
  const expected = recordDirective(directive, record.args);
  return canonicalJson({ ...expected }) === canonicalJson({ ...record });
}
