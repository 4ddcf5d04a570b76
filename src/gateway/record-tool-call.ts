/**
 * The one path from an agent to a tool: judge, exchange, intent, tool, outcome. Every host goes
 * through here, so that the order below is argued once.
 *
 * @module
 */
import { judge, spentUses, UNATTRIBUTED, type Judgement } from '../attribution/judge.ts';
import type { CallOrigin, Json } from '../attribution/tool-call.ts';
import { CrumbError, type CrumbErrorCode } from '../errors.ts';
import { toBase64url } from '../evidence/bytes.ts';
import type { DecisionRecord } from '../evidence/kinds.ts';
import { jwtOf, type IssuedToken } from '../exchange/exchange.ts';
import type { PendingApproval } from '../ledger/ledger.ts';
import { stateOf, type ActingAgent } from './acting-agent.ts';
import {
  approvedBy,
  findApproval,
  isUnverifiedReplay,
  type ApprovalEvidence,
} from './approvals.ts';
import { attemptBody, createAttempt, type Attempt, type JudgedAttempt } from './attempt.ts';
import { addressOf, callFetch, type Denial } from './call-fetch.ts';
import { closeCall, type CloseCall } from './close-call.ts';
import { CurrentCall } from './current-call.ts';
import type { Dependent, Place } from './known-entries.ts';
import { isLive, requireLive, usesKey } from './login.ts';
import { hopPlace } from './hop-standing.ts';
import { keySetId, loginId } from './login-entries.ts';
import { prerequisitesOf } from './prerequisites.ts';
import {
  codeOf,
  recordRefusal,
  refusalDraft,
  refusedExchange,
  refuseUnrecorded,
} from './refusal.ts';
import { LOCAL, resourceOf, scopeOf, type ResourceEntry } from './resources.ts';
import type { Scope } from './scope.ts';
import { keepToken } from './token-record.ts';

/** A call as a host hands it over. */
export interface CallRequest {
  readonly id: string;
  readonly tool: string;
  readonly args: unknown;
  readonly origin: CallOrigin;
  readonly decision?: DecisionRecord | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A call whose intent is durable. Whoever opens it closes it once, when tool or stream has ended. */
export interface OpenCall {
  /** To run the tool in. */
  readonly scope: Scope;
  /** What was judged; a tool must be given this value or one equal to it. */
  readonly args: Json;

  readonly close: CloseCall;
}

/** What a call rests on. */
interface Ruling {
  readonly judgement: Judgement;
  readonly approval: ApprovalEvidence | undefined;
  readonly uses: { readonly key: Uint8Array; readonly max: number } | undefined;
}

/**
 * Opens a tool call: once this resolves the intent is durable, and only then may the tool run.
 *
 * The human and the chain come from `acting`, which the session made; nothing in `request` names one.
 *
 * @throws {CrumbError} The tool must not run. `intent_unrecorded`: the ledger did not take the intent.
 *   `tool_unmapped`: nothing was recorded. Any other code: the refusal is on record.
 */
export async function recordToolCall(acting: ActingAgent, request: CallRequest): Promise<OpenCall> {
  const state = stateOf(acting);
  const entry = resourceOf(state.gateway.resources, request.tool);
  request.signal?.throwIfAborted();

  const pending =
    request.origin === 'approval-replay' ? await findApproval(state, request) : undefined;
  const attempt = createAttempt(state, {
    ...request,
    resource: entry.resource,
    action: entry.action,
    store: entry.store?.args ?? true,
    salt: pending?.salt,
  });
  const ruling = rule(attempt, pending);
  const refusal = refusalOf(attempt, ruling);
  if (refusal !== undefined) {
    await recordRefusal(attempt, ruling.judgement, { code: refusal });
    throw new CrumbError(refusal);
  }

  const { issued, exchange } = await exchangeFor(
    { ...attempt, judgement: ruling.judgement },
    entry,
    request.signal,
  );
  request.signal?.throwIfAborted(); // a cached token is no reason to begin what nobody waits for
  return recordIntent({ acting, attempt, entry, ruling, issued, exchange });
}

/** Judges; an approval that fits is a directive of its own and spends no other's use. */
function rule(attempt: Attempt, pending: PendingApproval | undefined): Ruling {
  const { attended, chain, gateway } = attempt.state;
  const none = { approval: undefined, uses: undefined };
  if (attended === undefined) return { judgement: UNATTRIBUTED, ...none };
  const approved = approvedBy(attempt, pending);
  if (approved !== undefined) return approved;
  const { login } = attended;
  const judgement = judge(login.facts.directives, attempt.call, chain, {
    iss: gateway.issuer,
    now: gateway.clock(),
  });
  const directive = login.facts.directives[judgement.directive ?? -1];
  if (judgement.verdict !== 'authorized' || directive?.maxUses === undefined)
    return { judgement, ...none };
  return {
    judgement,
    approval: undefined,
    uses: { key: usesKey(login, directive), max: directive.maxUses },
  };
}

/** Why a call must not even ask for a token. */
function refusalOf(attempt: Attempt, { judgement, approval }: Ruling): CrumbErrorCode | undefined {
  const { attended, gateway } = attempt.state;
  if (attempt.json === null) return 'arguments_not_json';
  if (attended !== undefined && !isLive(attended.login, gateway)) return 'session_expired';
  if (isUnverifiedReplay(attempt, approval)) return 'approval_unverified';
  if (judgement.verdict === 'unauthorized' && gateway.unauthorized !== 'record')
    return 'not_authorized';
  return undefined;
}

/** Gets the token, or refuses; in `record` mode an in-process tool still runs, without one. */
async function exchangeFor(
  attempt: JudgedAttempt,
  entry: ResourceEntry,
  signal: AbortSignal | undefined,
): Promise<{ issued: IssuedToken | undefined; exchange: string }> {
  const { attended, gateway } = attempt.state;
  if (attended === undefined || entry.resource === LOCAL)
    return { issued: undefined, exchange: 'none' };
  const { resource, action, oneShot = false } = entry;
  const target = { resource, action, scope: scopeOf(entry), oneShot };
  try {
    const issued = await gateway.exchange.token(attended.grant, target, signal);
    return { issued, exchange: issued.exchange };
  } catch (error) {
    if (gateway.mode === 'record' && signal?.aborted !== true) {
      return { issued: undefined, exchange: codeOf(error) };
    }
    await recordRefusal(attempt, attempt.judgement, refusedExchange(attempt, error));
    throw error;
  }
}

interface Intention {
  readonly acting: ActingAgent;
  readonly attempt: Attempt;
  readonly entry: ResourceEntry;
  readonly ruling: Ruling;
  readonly issued: IssuedToken | undefined;
  readonly exchange: string;
}

async function recordIntent(intention: Intention): Promise<OpenCall> {
  const { acting, attempt, ruling, issued } = intention;
  const { attended, gateway } = attempt.state;

  // The vault first: a commitment in the ledger that nobody could ever open would be no evidence.
  // Then the intent, durable before anyone can reach the token. A crash after it leaves an attempt
  // without an outcome, which is true; the other order could leave nothing.
  const { judgement } = ruling;
  const { entries, spent } = await keepAndAppend(intention).catch(async (cause: unknown) =>
    refuseUnrecorded({ ...attempt, judgement }, cause),
  );
  const intent = entries.at(-1);
  if (!spent && intent?.kind === 'refusal') {
    throw new CrumbError(ruling.approval === undefined ? 'not_authorized' : 'approval_unverified');
  }
  if (intent === undefined) throw new CrumbError('intent_unrecorded');

  const denial: Denial = { denied: false };
  const jwt = issued === undefined ? undefined : jwtOf(issued);
  const base = addressOf(intention.entry.url ?? intention.entry.resource);
  const call = new CurrentCall({
    token: jwt,
    human: attended?.login.facts.human,
    chain: attempt.state.chain,
    intent: { origin: gateway.ledger.origin, seq: intent.seq, hash: toBase64url(intent.leaf) },
    fetch: callFetch({ token: jwt, base, denial, fetch: gateway.fetch }),
  });
  const close = closeCall(attempt, intent.seq, {
    storeResult: intention.entry.store?.result ?? false,
    denial,
  });
  await coveredBy(intention, intent.seq + 1).catch(async (error: unknown) => {
    await close('error', { error }); // the intent stands: what became of it must stand too
    throw error;
  });
  return { scope: { acting, call }, args: attempt.call.args, close };
}

const COVER_MS = 30_000;

/** Waits until third parties hold the intent, where the resource asks for it. */
async function coveredBy({ attempt, entry }: Intention, size: number): Promise<void> {
  if (entry.until === undefined) return;
  const { anchors } = attempt.state.gateway;
  if (anchors === undefined) throw new CrumbError('config_invalid', { names: ['anchors'] });
  await anchors.waitFor(size, { level: entry.until, timeoutMs: COVER_MS });
}

async function keepAndAppend({
  attempt,
  ruling,
  issued,
  exchange,
}: Intention): ReturnType<Attempt['state']['gateway']['known']['append']> {
  const { attended, gateway, hop } = attempt.state;
  const { approval, uses } = ruling;
  const openings = [attempt.opening, approval?.opening].filter((opening) => opening !== undefined);
  const [token] = await Promise.all([
    issued === undefined || attended === undefined
      ? undefined
      : keepToken(gateway.vault, issued, attended.login),
    gateway.vault.keep({ openings }),
  ]);

  const intentDraft = (
    judgement: Judgement,
    at: (id: string) => Place,
    approvalPlace: Place | null,
  ): Dependent['drafts'][number] => ({
    kind: 'intent',
    body: {
      ...attemptBody(attempt, judgement),
      session: attended === undefined ? null : at(loginId(attended.login)),
      hop: hopPlace(hop, issued, at),
      approval: approvalPlace,
      token:
        token === undefined || issued === undefined
          ? null
          : { ...token, jwks: at(keySetId(issued.keySet)) },
      exchange,
    },
  });

  return gateway.known.append(prerequisitesOf(attempt.state, issued), (at, own) => {
    if (attended !== undefined) requireLive(attended.login, gateway); // it may have ended meanwhile
    const approvals: Dependent['drafts'] =
      approval === undefined || attended === undefined
        ? []
        : [{ kind: 'approval', body: { ...approval.body, session: at(loginId(attended.login)) } }];
    const drafts = [
      ...approvals,
      intentDraft(ruling.judgement, at, approvals.length > 0 ? own(0) : null),
    ];
    if (uses === undefined) return { drafts };
    const tooLate = spentUses(ruling.judgement);
    const otherwise =
      approval !== undefined
        ? refusalDraft(
            { ...attempt, judgement: ruling.judgement },
            { code: 'approval_unverified' },
            at,
          )
        : gateway.unauthorized === 'record'
          ? intentDraft(tooLate, at, null)
          : refusalDraft({ ...attempt, judgement: tooLate }, { code: 'not_authorized' }, at);
    return { drafts, spend: { ...uses, otherwise: [otherwise] } };
  });
}
