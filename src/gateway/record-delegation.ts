/**
 * Delegation to another agent: a call of action `delegate`, the exchange that adds the hop, and the
 * `hop` entry that later calls of the child refer to.
 *
 * @module
 */
import { extendActChain, type Actor } from '../attribution/act-chain.ts';
import { agentResource, DELEGATE } from '../attribution/agent-resource.ts';
import {
  admits,
  isExpired,
  judgeDelegation,
  UNATTRIBUTED,
  type Judgement,
} from '../attribution/judge.ts';
import { CrumbError, type CrumbErrorCode } from '../errors.ts';
import { toBase64url } from '../evidence/bytes.ts';
import type { Grant, IssuedToken } from '../exchange/exchange.ts';
import type { Appended } from '../ledger/ledger.ts';
import { stateOf, type ActingAgent, type ActingState } from './acting-agent.ts';
import { approvedBy, findApproval, isUnverifiedReplay, type Approved } from './approvals.ts';
import { attemptBody, createAttempt, type Attempt, type JudgedAttempt } from './attempt.ts';
import type { Dependent, Place } from './known-entries.ts';
import { isLive, requireLive, type Login } from './login.ts';
import { hopPlace, tokenDigest, type HopStanding } from './hop-standing.ts';
import { keySetId, loginId } from './login-entries.ts';
import { prerequisitesOf } from './prerequisites.ts';
import { recordRefusal, refusalDraft, refusedExchange, refuseUnrecorded } from './refusal.ts';
import { scopedResources } from './resources.ts';
import type { CallRequest, OpenCall } from './record-tool-call.ts';
import { closeCall } from './close-call.ts';
import { CurrentCall } from './current-call.ts';
import { keepToken, type TokenDescription } from './token-record.ts';

/** An open delegation, and what the child will be. */
export interface OpenDelegation {
  readonly call: OpenCall;
  readonly child: ActingState;
}

interface Hop {
  readonly grant: Grant;
  readonly issued: IssuedToken;
}

/**
 * Opens a delegation: once this resolves the child may act, and every call of it names both.
 *
 * @throws {CrumbError} The child must not run; as for a tool call. `chain_unsupported`, `agent_unknown`.
 */
export async function recordDelegation(
  acting: ActingAgent,
  childName: string,
  request: CallRequest,
): Promise<OpenDelegation> {
  const state = stateOf(acting);
  const { gateway, attended } = state;
  request.signal?.throwIfAborted();
  const child = { iss: gateway.issuer, sub: gateway.subjectOf(childName) };
  const pending =
    request.origin === 'approval-replay' ? await findApproval(state, request) : undefined;
  const attempt = createAttempt(state, {
    ...request,
    resource: agentResource(child.sub),
    action: DELEGATE,
    store: true,
    salt: pending?.salt,
  });
  const approved = approvedBy(attempt, pending);
  const judgement = approved?.judgement ?? judgementOf(state, child);
  const refusal = refusalOf(attempt, judgement, approved);
  if (refusal !== undefined) {
    await recordRefusal(attempt, judgement, { code: refusal });
    throw new CrumbError(refusal);
  }

  const { hop, exchange } = await hopFor(
    { ...attempt, judgement },
    { name: childName, subject: child.sub },
    request.signal,
  );
  const { intent, standing } = await recordHop({ attempt, judgement, approved, hop, exchange });
  const call = new CurrentCall({
    token: undefined, // the hop's token is the child's way to act, not a key to any resource
    human: attended?.login.facts.human,
    chain: state.chain,
    intent: { origin: gateway.ledger.origin, seq: intent.seq, hash: toBase64url(intent.leaf) },
    fetch: gateway.fetch,
  });
  return {
    call: {
      scope: { acting, call },
      args: attempt.call.args,
      close: closeCall(attempt, intent.seq, { storeResult: false, denial: { denied: false } }),
    },
    child: {
      gateway,
      name: childName,
      chain: extendActChain(state.chain, child),
      attended:
        attended === undefined || hop === undefined
          ? undefined
          : { login: attended.login, grant: hop.grant },
      hop: standing,
    },
  };
}

function judgementOf({ attended, chain, gateway }: ActingState, child: Actor): Judgement {
  if (attended === undefined) return UNATTRIBUTED;
  return judgeDelegation(attended.login.facts.directives, chain, child, {
    iss: gateway.issuer,
    now: gateway.clock(),
  });
}

function refusalOf(
  attempt: Attempt,
  judgement: Judgement,
  approved: Approved | undefined,
): CrumbErrorCode | undefined {
  const { attended, gateway } = attempt.state;
  if (attempt.json === null) return 'arguments_not_json';
  if (attended !== undefined && !isLive(attended.login, gateway)) return 'session_expired';
  if (isUnverifiedReplay(attempt, approved)) return 'approval_unverified';
  if (judgement.verdict === 'unauthorized' && gateway.unauthorized !== 'record')
    return 'not_authorized';
  return undefined;
}

/** A delegation without its token would leave the child with nothing to act on: it never runs. */
async function hopFor(
  attempt: JudgedAttempt,
  child: { readonly name: string; readonly subject: string },
  signal: AbortSignal | undefined,
): Promise<{ hop: Hop | undefined; exchange: string }> {
  const { attended, gateway } = attempt.state;
  if (attended === undefined) return { hop: undefined, exchange: 'none' };
  const scopes = scopesFor(attempt.state, attended.login, child.subject);
  try {
    const hop = await gateway.exchange.delegate(attended.grant, child.name, scopes, signal);
    return { hop, exchange: hop.issued.exchange };
  } catch (error) {
    await recordRefusal(attempt, attempt.judgement, refusedExchange(attempt, error));
    throw error;
  }
}

/**
 * The scopes of the directives that admit the child: what no directive could ever allow it is not
 * asked for. If none admits it, the session's own: such a delegation is on record as unauthorized,
 * and the identity provider still decides.
 */
function scopesFor(state: ActingState, login: Login, childSubject: string): readonly string[] {
  const { gateway, chain } = state;
  const { directives, scope } = login.facts;
  const actors = [...chain, { iss: gateway.issuer, sub: childSubject }];
  const admitting = directives.filter(
    (directive) =>
      admits(directive, actors, gateway.issuer) && !isExpired(directive, gateway.clock()),
  );
  const scoped = scopedResources(gateway.resources);
  const wanted = admitting.flatMap((directive) => {
    const named = scoped.filter(
      (entry) =>
        directive.actions.includes(entry.action) && directive.resources.includes(entry.resource),
    );
    return named.length > 0 ? named.map((entry) => entry.scope) : directive.actions;
  });
  const granted = wanted.filter((name) => scope.includes(name));
  return [
    ...new Set(granted.length > 0 ? granted : scope.filter((name) => !IDENTITY_SCOPES.has(name))),
  ];
}

/** Scopes of OpenID Connect: they are about the login and mean nothing to a resource. */
const IDENTITY_SCOPES = new Set([
  'openid',
  'profile',
  'email',
  'address',
  'phone',
  'offline_access',
]);

interface HopIntention {
  readonly attempt: Attempt;
  readonly judgement: Judgement;
  readonly approved: Approved | undefined;
  readonly hop: Hop | undefined;
  readonly exchange: string;
}

async function recordHop(
  intention: HopIntention,
): Promise<{ intent: Appended; standing: HopStanding | null }> {
  const { attempt, judgement } = intention;
  const { entries, spent } = await keepAndAppend(intention).catch(async (cause: unknown) =>
    refuseUnrecorded({ ...attempt, judgement }, cause),
  );
  if (!spent) throw new CrumbError('approval_unverified');
  const intent = entries.find(({ kind }) => kind === 'intent');
  if (intent === undefined) throw new CrumbError('intent_unrecorded');
  const { chain, hop: parent } = attempt.state;
  const recorded = entries.find(({ kind }) => kind === 'hop');
  const { hop } = intention;
  if (recorded === undefined || hop === undefined) return { intent, standing: null };
  const token = tokenDigest(hop.issued);
  return { intent, standing: { seq: recorded.seq, token, intent: intent.seq, parent, chain } };
}

async function keepAndAppend(
  intention: HopIntention,
): ReturnType<ActingState['gateway']['known']['append']> {
  const { attempt, judgement, approved, hop } = intention;
  const { attended, gateway } = attempt.state;
  const openings = [attempt.opening, approved?.approval.opening].filter(
    (opening) => opening !== undefined,
  );
  const [token] = await Promise.all([
    hop === undefined || attended === undefined
      ? undefined
      : keepToken(gateway.vault, hop.issued, attended.login),
    gateway.vault.keep({ openings }),
  ]);
  const needs = prerequisitesOf(attempt.state, hop?.issued);
  return gateway.known.append(needs, (at, own) => {
    if (attended !== undefined) requireLive(attended.login, gateway); // it may have ended meanwhile
    const drafts = draftsOf(intention, token, { at, own });
    if (approved === undefined) return { drafts };
    const otherwise = [
      refusalDraft({ ...attempt, judgement }, { code: 'approval_unverified' }, at),
    ];
    return { drafts, spend: { ...approved.uses, otherwise } };
  });
}

/** The approval if there is one, the intent, and the hop that its token makes. */
function draftsOf(
  { attempt, judgement, approved, hop, exchange }: HopIntention,
  token: TokenDescription | undefined,
  { at, own }: { at: (id: string) => Place; own: (index: number) => Place },
): Dependent['drafts'] {
  const { attended, chain } = attempt.state;
  const parent = hopPlace(attempt.state.hop, hop?.issued, at);
  const session = attended === undefined ? null : at(loginId(attended.login));
  const record =
    token === undefined || hop === undefined
      ? null
      : { ...token, jwks: at(keySetId(hop.issued.keySet)) };
  const approvals: Dependent['drafts'] =
    approved === undefined || session === null
      ? []
      : [{ kind: 'approval', body: { ...approved.approval.body, session } }];
  const intent: Dependent['drafts'][number] = {
    kind: 'intent',
    body: {
      ...attemptBody(attempt, judgement),
      session,
      hop: parent,
      approval: approvals.length > 0 ? own(0) : null,
      token: record,
      exchange,
    },
  };
  if (session === null || record === null) return [...approvals, intent];
  const intentPlace = own(approvals.length);
  return [
    ...approvals,
    intent,
    {
      kind: 'hop',
      body: { session, intent: intentPlace, parent, chain, token: record, actorToken: null },
    },
  ];
}
