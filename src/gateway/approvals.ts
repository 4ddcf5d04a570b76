/**
 * Approvals: a human's yes to one exact call, remembered here and not in the browser's history.
 *
 * Two independent locks. The secret lets the host's own signature bind an approval to this human,
 * session and agent. The pending row binds it to the exact arguments, once, and for ten minutes.
 *
 * @module
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import { agentResource, DELEGATE } from '../attribution/agent-resource.ts';
import { canonicalJson } from '../attribution/canonical.ts';
import { judge, judgeDelegation, UNATTRIBUTED, type Judgement } from '../attribution/judge.ts';
import type { CallOrigin } from '../attribution/tool-call.ts';
import { CrumbError } from '../errors.ts';
import { utf8 } from '../evidence/bytes.ts';
import { commitJson } from '../evidence/commitment.ts';
import type { ApprovalBody } from '../evidence/kinds.ts';
import type { PendingApproval } from '../ledger/ledger.ts';
import type { Opening } from '../vault/vault.ts';
import { stateOf, type ActingAgent, type ActingState, type Invocation } from './acting-agent.ts';
import { callRecordOf, createAttempt, type Attempt } from './attempt.ts';
import { usesKey } from './login.ts';
import { recordRefusal } from './refusal.ts';
import { resourceOf } from './resources.ts';

/** How long a yes holds. */
const APPROVAL_MS = 10 * 60_000;

/** A call that a human may be asked about. */
export interface AskedCall extends Invocation {
  /** For a delegation: the agent, by its name in `issuer.agents`. */
  readonly delegateTo?: string;
  /** Default `model`. */
  readonly origin?: CallOrigin;
}

/**
 * A secret for the host's approval signature, the same in every instance and over token renewals.
 * Without a `sid` it binds the human and the agent only.
 */
export function approvalSecret(acting: ActingAgent): Uint8Array | undefined {
  const { attended, gateway, name } = stateOf(acting);
  if (attended === undefined) return undefined;
  const { human, sid } = attended.login.facts;
  const info = canonicalJson(['crumb-approval-v1', human.iss, human.sub, sid ?? null, name]);
  const salt = utf8(gateway.ledger.origin);
  return new Uint8Array(hkdfSync('sha256', gateway.approvalKey, salt, utf8(info), 32));
}

/** The verdict on a call before it is made: what `unauthorized: 'ask'` asks about. Takes no use. */
export async function judgeAhead(acting: ActingAgent, call: AskedCall): Promise<Judgement> {
  const state = stateOf(acting);
  const attempt = attemptOf(state, call);
  if (state.attended === undefined || attempt.json === null) return UNATTRIBUTED;
  const { login } = state.attended;
  const { directives } = login.facts;
  const context = { iss: state.gateway.issuer, now: state.gateway.clock() };
  if (call.delegateTo !== undefined) {
    const child = { iss: context.iss, sub: state.gateway.subjectOf(call.delegateTo) };
    return judgeDelegation(directives, state.chain, child, context);
  }
  const judgement = judge(directives, attempt.call, state.chain, context);
  const directive = login.facts.directives[judgement.directive ?? -1];
  if (judgement.verdict !== 'authorized' || directive?.maxUses === undefined) return judgement;
  const left = await state.gateway.ledger.peek(usesKey(login, directive), directive.maxUses);
  return left
    ? judgement
    : { ...judgement, verdict: 'unauthorized', reason: { code: 'uses', argument: null } };
}

/** Whether the configuration wants a human asked about what no directive covers. */
export function asksHumans(acting: ActingAgent): boolean {
  return stateOf(acting).gateway.unauthorized === 'ask';
}

/**
 * Remembers that a human is being asked about this exact call. An earlier question about a call of the
 * same id counts no more: one yes must not answer two.
 *
 * @throws {CrumbError} `session_missing`, `arguments_not_json`, or what the ledger throws: then the
 *   question must not be put, since its answer could not be believed.
 */
export async function noteApprovalRequest(acting: ActingAgent, call: AskedCall): Promise<void> {
  const state = stateOf(acting);
  const { attended, gateway } = state;
  if (attended === undefined) throw new CrumbError('session_missing');
  const { json, call: described } = attemptOf(state, call);
  if (json === null) throw new CrumbError('arguments_not_json');
  for (;;) {
    const earlier = await findApproval(state, described);
    if (earlier === undefined) break;
    await gateway.ledger.pending.remove(earlier.key);
  }
  const salt = new Uint8Array(randomBytes(32));
  await gateway.ledger.pending.put({
    key: new Uint8Array(randomBytes(32)),
    session: attended.login.reference,
    agent: state.name,
    callId: described.id,
    tool: described.tool,
    args: commitJson(salt, 'args', json.value),
    salt,
    expires: new Date(gateway.clock().getTime() + APPROVAL_MS),
  });
}

/** The request that a replayed call answers: same session, agent, call, tool, and arguments. */
export async function findApproval(
  state: ActingState,
  call: { readonly id: string; readonly tool: string },
): Promise<PendingApproval | undefined> {
  const { attended, gateway, name } = state;
  if (attended === undefined) return undefined;
  const row = await gateway.ledger.pending.find({
    session: attended.login.reference,
    agent: name,
    callId: call.id,
    tool: call.tool,
  });
  return row === undefined || row.expires <= gateway.clock() ? undefined : row;
}

/** Why a call was not let run by somebody else than the human's directives. */
export type DenialCode =
  'approval_denied' | 'policy_denied' | 'actor_mismatch' | 'tool_unguarded' | 'approval_unverified';

/**
 * Records that a call did not run, for a reason that lies outside of the directives.
 *
 * @throws {CrumbError} `intent_unrecorded`. It did not run all the same.
 */
export async function recordDenial(
  acting: ActingAgent,
  call: AskedCall,
  code: DenialCode,
): Promise<void> {
  const state = stateOf(acting);
  const attempt = attemptOf(state, call);
  await recordRefusal(attempt, await judgeAhead(acting, call), { code });
}

/** Records a human's no to a call that was asked about, and forgets the question. */
export async function recordNo(acting: ActingAgent, call: AskedCall): Promise<void> {
  const state = stateOf(acting);
  const { id = 'unnamed', tool } = call;
  const pending = await findApproval(state, { id, tool });
  if (pending === undefined) return; // an answer to something that nobody asked
  await recordDenial(acting, call, 'approval_denied');
  await state.gateway.ledger.pending.remove(pending.key);
}

function attemptOf(state: ActingState, call: AskedCall): Attempt {
  const { gateway } = state;
  const { id = 'unnamed', tool, args, decision, delegateTo } = call;
  const { resource, action, store } =
    delegateTo === undefined
      ? resourceOf(gateway.resources, tool)
      : { resource: agentResource(gateway.subjectOf(delegateTo)), action: DELEGATE, store: {} };
  return createAttempt(state, {
    id,
    tool,
    resource,
    action,
    args,
    origin: call.origin ?? 'model',
    decision,
    store: store?.args ?? true,
  });
}

/**
 * Whether a call rests on an approval that nobody can vouch for. In `record` mode it runs all the same,
 * judged by the directives, and its intent says so: a replay without an approval.
 */
export function isUnverifiedReplay(attempt: Attempt, approval: unknown): boolean {
  const { call, state } = attempt;
  return (
    call.origin === 'approval-replay' && approval === undefined && state.gateway.mode === 'enforce'
  );
}

/** What an approval that fits a call gives it: a directive of its own, that spends no other's use. */
export interface Approved {
  readonly judgement: Judgement;
  readonly approval: ApprovalEvidence;
  readonly uses: { readonly key: Uint8Array; readonly max: number };
}

/** Whether the answer to a request is one to this very call. */
export function approvedBy(
  attempt: Attempt,
  pending: PendingApproval | undefined,
): Approved | undefined {
  if (pending === undefined || attempt.json === null) return undefined;
  if (attempt.commitment !== pending.args) return undefined;
  const approval = approvalEvidence(attempt, pending);
  if (approval === undefined) return undefined;
  return {
    judgement: { verdict: 'authorized', directive: null, reason: null },
    approval,
    uses: { key: pending.key, max: 1 },
  };
}

/** The `approval` entry of a call, without its session, and what opens what was shown. */
export interface ApprovalEvidence {
  readonly body: Omit<ApprovalBody, 'session'>;
  readonly opening: Opening;
}

/** What is recorded when the answer to a request comes back with the call. */
function approvalEvidence(
  attempt: Attempt,
  pending: PendingApproval,
): ApprovalEvidence | undefined {
  const { attended } = attempt.state;
  if (attended === undefined) return undefined;
  const salt = new Uint8Array(randomBytes(32));
  const { tool, args } = attempt.call;
  const shown = { tool, args };
  const commitment = commitJson(salt, 'shown', shown);
  return {
    body: {
      human: attended.login.human,
      call: callRecordOf(attempt),
      method: 'session-post',
      shown: commitment,
      expires: pending.expires.toISOString(),
    },
    opening: {
      commitment,
      label: 'shown',
      salt,
      value: shown,
      subject: attended.login.subject.key,
    },
  };
}
