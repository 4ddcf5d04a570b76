/**
 * The rules of a token exchange (RFC 8693) at the development identity provider, as a function of
 * values: which token it issues, or why it issues none.
 *
 * They are stricter than what many products do, so that what passes here has proven something: the
 * subject token was handed to this very agent, and nothing in the new token is wider than in the old.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8693
 * @module
 */
import {
  checkActChain,
  extendActChain,
  parseActChain,
  type ActChain,
  type Actor,
} from '../attribution/act-chain.ts';
import { agentIdAt, agentResource } from '../attribution/agent-resource.ts';
import { parseDirective } from '../attribution/directive.ts';
import { admits } from '../attribution/judge.ts';
import { isCrumbError } from '../errors.ts';
import { ACCESS_TOKEN, JWT } from '../token/token-types.ts';
import { definedClaims } from './defined-claims.ts';
import type { IssuedToken } from './issued-token.ts';
import type { DevClient, Registry } from './registry.ts';

/** Why an exchange was refused, with the OAuth error that the client sees. */
const REFUSALS = {
  actor_missing: ['invalid_request', 'actor_token and actor_token_type are required'],
  actor_invalid: ['invalid_grant', 'the actor token is none of ours, or has expired'],
  actor_not_client: ['invalid_grant', 'the actor token belongs to another client'],
  actor_delegated: ['invalid_grant', 'the actor token is itself a delegation'],
  actor_is_subject_token: ['invalid_grant', 'actor and subject are the same token'],
  subject_missing: ['invalid_request', 'subject_token and subject_token_type are required'],
  subject_invalid: ['invalid_grant', 'the subject token is none of ours, or has expired'],
  subject_not_for_client: ['invalid_grant', 'the subject token was not issued to this agent'],
  actor_bound_elsewhere: ['invalid_grant', 'the actor token is bound to a key that was not proven'],
  proof_invalid: ['invalid_dpop_proof', 'the DPoP proof does not hold for this request'],
  type_unsupported: ['invalid_request', 'this token type is not supported'],
  type_mismatch: ['invalid_request', 'a token is not of the type that was declared'],
  may_act_other: ['invalid_grant', 'the subject token permits another agent to act'],
  target_missing: ['invalid_target', 'exactly one resource is required'],
  target_unknown: ['invalid_target', 'no such resource or agent is registered'],
  target_mismatch: ['invalid_target', 'audience and resource differ'],
  target_in_chain: ['invalid_target', 'the agent to delegate to already stands in the chain'],
  scope_missing: ['invalid_scope', 'scope is required'],
  scope_wider: ['invalid_scope', 'the scope exceeds what the human allowed or the resource knows'],
  chain_malformed: ['invalid_grant', 'the act claim of the subject token is not a chain'],
  chain_too_deep: ['invalid_grant', 'the chain would be deeper than eight agents'],
  chain_repeated: ['invalid_grant', 'this agent already stands in the chain'],
  chain_has_human: ['invalid_grant', 'the human would stand in the chain as an agent'],
  human_unknown: ['invalid_grant', 'the subject is nobody who can log in here'],
  signed_out: ['invalid_grant', 'the human is not signed in any more'],
  denied: ['access_denied', 'the human, an agent, the session or the token is denied'],
} as const;

/** Closed: each is one rule, and has a test. */
export type ExchangeRefusal = keyof typeof REFUSALS;

/** OAuth error and sentence of a refusal; neither holds anything out of a token. */
export function describeRefusal(reason: ExchangeRefusal): {
  readonly error: string;
  readonly description: string;
} {
  const [error, description] = REFUSALS[reason];
  return { error, description };
}

/** An exchange that a rule forbids. */
export class RefusedExchange extends Error {
  override readonly name = 'RefusedExchange';
  readonly reason: ExchangeRefusal;

  constructor(reason: ExchangeRefusal) {
    super(REFUSALS[reason][1]);
    this.reason = reason;
  }
}

/** A token as the client declared it and as it turned out to be. */
export interface PresentedToken {
  readonly declaredType: string;
  readonly token: IssuedToken;
  /** Unpadded base64url of the SHA-256 of the token as sent. */
  readonly sha256: string;
}

/** Everything a decision rests on. */
export interface ExchangeQuestion {
  readonly iss: string;
  /** The authenticated client. */
  readonly client: string;
  readonly subject: PresentedToken;
  readonly actor: PresentedToken;
  readonly target: string | undefined;
  readonly audience: string | undefined;
  readonly scope: string | undefined;
  readonly requestedType: string | undefined;
  /** Thumbprint of the key that a DPoP proof showed; undefined without a proof. */
  readonly jkt: string | undefined;
  /** Whether the login behind the subject token still stands. */
  readonly signedIn: boolean;
  readonly isDenied: (who: {
    readonly sub?: string | undefined;
    readonly sid?: string | undefined;
    readonly jti?: string | undefined;
  }) => boolean;
}

/** The delegation token to sign; time stamps and `jti` come with the signature. */
export interface Delegated {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly scope: readonly string[];
  readonly chain: ActChain;
  /** NumericDate that the new token must not outlive. */
  readonly notAfter: number;
}

/** Applies the rules. @throws {RefusedExchange} One forbids it. */
export function judgeExchange(registry: Registry, question: ExchangeQuestion): Delegated {
  const { iss, client, subject, jkt } = question;
  checkTypes(question);
  checkActor(question);
  const human = humanOf(registry, question);
  const chain = chainOf(question, human);
  checkIssuedTo(registry, question);
  checkDenied(question, chain);
  const target = targetOf(registry, question, chain);
  const scope = scopeOf(registry, question, target);
  const details = detailsFor(question, chain, target);
  const { sid, auth_time, acr, amr } = subject.token.claims;
  return {
    scope,
    chain,
    notAfter: subject.token.exp,
    claims: {
      iss,
      sub: human.sub,
      aud: target,
      client_id: client,
      scope: scope.join(' '),
      act: nest(chain),
      ...definedClaims({ sid, auth_time, acr, amr, authorization_details: details }),
      ...(jkt === undefined ? {} : { cnf: { jkt } }),
      'prev#S256': subject.sha256,
      crumb_dev: true,
    },
  };
}

/** Rule 2: what was declared is what it is. ID tokens carry no scope, so they delegate nothing. */
function checkTypes({ subject, actor, requestedType }: ExchangeQuestion): void {
  for (const { declaredType, token } of [subject, actor]) {
    if (![ACCESS_TOKEN, JWT].includes(declaredType)) refuse('type_unsupported');
    if (token.kind !== 'access_token') refuse('type_mismatch');
  }
  // Rule 11: nothing but an access token comes out.
  if (requestedType !== undefined && ![ACCESS_TOKEN, JWT].includes(requestedType)) {
    refuse('type_unsupported');
  }
}

/** Rule 1: the agent proves itself, by a token of its own. */
function checkActor({ iss, client, actor, subject, jkt }: ExchangeQuestion): void {
  if (actor.sha256 === subject.sha256) refuse('actor_is_subject_token');
  const { claims, aud } = actor.token;
  if ('act' in claims) refuse('actor_delegated');
  if (aud !== iss) refuse('actor_invalid'); // somebody's session, or a token for a service
  if (claims['sub'] !== client || claims['client_id'] !== client) refuse('actor_not_client');
  const bound = membersOf(claims['cnf']).jkt;
  if (bound !== undefined && bound !== jkt) refuse('actor_bound_elsewhere');
}

/** Rule 9, first half: a human, known and signed in. */
function humanOf(registry: Registry, { iss, subject, signedIn }: ExchangeQuestion): Actor {
  const { sub } = subject.token;
  if (!registry.people.has(sub)) refuse('human_unknown');
  if (!signedIn) refuse('signed_out');
  return { iss, sub };
}

/** Rule 8: bounded, nobody twice, no human inside. Nothing is ever cut off. */
function chainOf({ iss, client, subject }: ExchangeQuestion, human: Actor): ActChain {
  const { act } = subject.token.claims;
  try {
    const before = act === undefined ? [] : parseActChain(act, iss, human);
    return checkActChain(extendActChain(before, { iss, sub: client }), human);
  } catch (error) {
    if (!isCrumbError(error)) throw error;
    switch (error.code) {
      case 'act_too_deep':
        return refuse('chain_too_deep');
      case 'act_repeated':
        return refuse('chain_repeated');
      case 'act_is_subject':
        return refuse('chain_has_human');
      default:
        return refuse('chain_malformed');
    }
  }
}

/** Rules 3 and 4: the subject token was meant for this agent. */
function checkIssuedTo(registry: Registry, { iss, client, subject }: ExchangeQuestion): void {
  const { claims, aud } = subject.token;
  const mayAct = claims['may_act'];
  if (mayAct !== undefined && !namesActor(mayAct, { iss, sub: client })) refuse('may_act_other');
  if (claims['act'] !== undefined) {
    if (aud !== agentResource(client)) refuse('subject_not_for_client');
    return;
  }
  const application = registry.clients.get(text(claims['client_id']) ?? '');
  if (application === undefined || aud !== registry.audienceOf(application)) {
    return refuse('subject_not_for_client');
  }
  if (mayAct === undefined && !mayActFirst(application, client, claims)) {
    refuse('subject_not_for_client');
  }
}

/** Who may act first is what the application registered, or else what the human read and allowed. */
function mayActFirst(
  application: DevClient,
  agent: string,
  claims: IssuedToken['claims'],
): boolean {
  if (application.agents !== undefined) return application.agents.includes(agent);
  return detailsOf(claims).some(
    (detail) => parseDirective(detail)?.agents?.includes(agent) ?? false,
  );
}

function namesActor(mayAct: unknown, actor: Actor): boolean {
  const { iss = actor.iss, sub } = membersOf(mayAct);
  return sub === actor.sub && iss === actor.iss;
}

/** Rule 9, second half: nobody who takes part is denied. */
function checkDenied(question: ExchangeQuestion, chain: ActChain): void {
  const { subject, actor, isDenied } = question;
  const idsOf = ({ token: { claims } }: PresentedToken) => ({
    sub: text(claims['sub']),
    sid: text(claims['sid']),
    jti: text(claims['jti']),
  });
  const everyone = [idsOf(subject), idsOf(actor), ...chain.map(({ sub }) => ({ sub }))];
  if (everyone.some((who) => isDenied(who))) refuse('denied');
}

/** Rule 5: one registered target, and no second opinion about it. */
function targetOf(registry: Registry, question: ExchangeQuestion, chain: ActChain): string {
  const { target, audience } = question;
  if (target === undefined) return refuse('target_missing');
  if (audience !== undefined && audience !== target) refuse('target_mismatch');
  if (registry.resources.has(target)) return target;
  const agent = registry.agentAt(target);
  if (agent === undefined) return refuse('target_unknown');
  if (chain.some(({ sub }) => sub === agent.id)) refuse('target_in_chain');
  return target;
}

/** Rule 6: asked for, allowed to the subject, and known to the resource. More is refused, not cut. */
function scopeOf(
  registry: Registry,
  { scope, subject }: ExchangeQuestion,
  target: string,
): readonly string[] {
  const asked = [...new Set(words(scope))];
  if (asked.length === 0) refuse('scope_missing');
  const allowed = words(text(subject.token.claims['scope']));
  const known = registry.resources.get(target)?.scopes;
  const fits = (name: string): boolean =>
    allowed.includes(name) && (known === undefined || known.includes(name));
  if (!asked.every(fits)) refuse('scope_wider');
  return asked;
}

/**
 * The directives that the target can have to do with. A subject that has directives never gives a
 * token without the claim: an empty list says "none for you", its absence would say "no limits".
 */
function detailsFor(
  { iss, subject }: ExchangeQuestion,
  chain: ActChain,
  target: string,
): readonly unknown[] | undefined {
  const { claims } = subject.token;
  if (claims['authorization_details'] === undefined) return undefined;
  const child = agentIdAt(target);
  return detailsOf(claims).filter((detail) => {
    const directive = parseDirective(detail);
    if (directive === undefined) return false;
    return child === undefined
      ? directive.resources.includes(target)
      : admits(directive, [...chain, { iss, sub: child }], iss);
  });
}

function detailsOf(claims: IssuedToken['claims']): readonly unknown[] {
  const details = claims['authorization_details'];
  return Array.isArray(details) ? details : [];
}

/** RFC 8693 section 4.1: the holder outside, whom it took over from inside. */
function nest(chain: ActChain): object {
  return chain.reduce<object>(
    (inner, { iss, sub }, n) => (n === 0 ? { iss, sub } : { iss, sub, act: inner }),
    {},
  );
}

function refuse(reason: ExchangeRefusal): never {
  throw new RefusedExchange(reason);
}

/** The members that rules look at; none of them for anything but an object. */
function membersOf(value: unknown): {
  readonly iss?: unknown;
  readonly sub?: unknown;
  readonly jkt?: unknown;
} {
  return typeof value === 'object' && value !== null ? value : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function words(scope: string | undefined): readonly string[] {
  return (scope ?? '').split(' ').filter((word) => word !== '');
}
