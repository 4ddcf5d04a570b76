/**
 * A human's login as the ledger knows it: a pseudonym, and one `session` entry for each token.
 *
 * @module
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { canonicalJson } from '../attribution/canonical.ts';
import type { Directive } from '../attribution/directive.ts';
import type { Json } from '../attribution/tool-call.ts';
import { CrumbError } from '../errors.ts';
import { toBase64url, utf8 } from '../evidence/bytes.ts';
import { commitBytes, commitJson } from '../evidence/commitment.ts';
import { directiveArgs, recordDirective } from '../evidence/directive-record.ts';
import type { DirectiveRecord, Pseudonym, SessionBody } from '../evidence/kinds.ts';
import { pseudonymOf } from '../evidence/pseudonym.ts';
import { factsOf, sessionTokenOf, type Session, type SessionFacts } from '../token/session.ts';
import type { Opening, Subject, TokenEvidence } from '../vault/vault.ts';
import type { Gateway } from './gateway.ts';

/** One token of one login, ready to be recorded. */
export interface Login {
  readonly session: Session;
  readonly facts: SessionFacts;
  readonly subject: Subject;
  readonly human: Pseudonym;
  /** The `session` entry of the login's first token, when this one renews it. */
  readonly renews: Login | undefined;
  /** Says nothing without the person's key; the same in every process. */
  readonly reference: string;
}

/** Meets the person in the vault, or makes one there. */
export async function createLogin(
  session: Session,
  { ledger, vault }: Pick<Gateway, 'ledger' | 'vault'>,
  renews?: Login,
): Promise<Login> {
  const facts = factsOf(session);
  const subject = await vault.subject(facts.human, facts.claims);
  return {
    session,
    facts,
    subject,
    human: pseudonymOf(subject.key, ledger.origin, '0'),
    renews,
    reference: keyed(subject.key, 'session', [sessionName(facts)]).toString('base64url'),
  };
}

/** Under which uses of a directive are counted: it dies with the person's key. */
export function usesKey(login: Login, directive: Directive): Uint8Array {
  const digest = createHash('sha256')
    .update(canonicalJson(describable(directive)))
    .digest('hex');
  return keyed(login.subject.key, 'uses', [sessionName(login.facts), digest]);
}

/** The body of a `session` entry without its references, and what the vault keeps for it. */
export function describeLogin(login: Login): {
  readonly body: Omit<SessionBody, 'op' | 'session' | 'jwks'>;
  readonly openings: readonly Opening[];
  readonly tokens: readonly TokenEvidence[];
} {
  const { facts, subject, human } = login;
  const openings: Opening[] = [];
  const directives = facts.directives.map((directive) => {
    const { record, opening } = describeDirective(directive, subject);
    if (opening !== undefined) openings.push(opening);
    return record;
  });
  const salt = randomBytes(32);
  const jwt = sessionTokenOf(login.session);
  const token = commitBytes(salt, 'token', utf8(jwt));
  return {
    body: {
      human,
      iss: facts.human.iss,
      loginAt: facts.loginAt?.toISOString() ?? null,
      acr: facts.acr ?? null,
      amr: facts.amr,
      expires: facts.expires.toISOString(),
      chain: facts.upstream,
      claims: subject.claims,
      token,
      directives,
    },
    openings,
    tokens: [{ commitment: token, salt, jwt, subject: subject.key }],
  };
}

function describeDirective(
  directive: Directive,
  subject: Subject,
): { record: DirectiveRecord; opening: Opening | undefined } {
  const value = directiveArgs(directive);
  if (value === null) return { record: recordDirective(directive, null), opening: undefined };
  const salt = randomBytes(32);
  const commitment = commitJson(salt, 'directive', value);
  return {
    record: recordDirective(directive, commitment),
    opening: { commitment, label: 'directive', salt, value, subject: subject.key },
  };
}

/** A directive as one JSON value: two that differ in anything are counted apart. */
function describable(directive: Directive): Json {
  const { source, actions, resources, agents = null, expires, maxUses = null } = directive;
  const args = directiveArgs(directive);
  return {
    source,
    actions,
    resources,
    agents,
    expires: expires?.toISOString() ?? null,
    maxUses,
    args,
  };
}

/** The identity provider's session, or else the one token, by its hash. */
function sessionName(facts: SessionFacts): string {
  if (facts.sid !== undefined) return `sid ${facts.sid}`;
  return `token ${toBase64url(facts.tokenDigest)}`;
}

function keyed(key: Uint8Array, use: string, parts: readonly string[]): Buffer {
  return createHmac('sha256', key)
    .update(`crumb/1 ${use}\n${JSON.stringify(parts)}`)
    .digest();
}

/** Whether a login still stands. */
export function isLive(login: Login, { ended, clock }: Pick<Gateway, 'ended' | 'clock'>): boolean {
  return !ended.has(login) && login.facts.expires > clock();
}

/** @throws {CrumbError} `session_expired` */
export function requireLive(login: Login, gateway: Pick<Gateway, 'ended' | 'clock'>): void {
  if (!isLive(login, gateway)) throw new CrumbError('session_expired');
}
