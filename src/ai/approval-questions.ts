/**
 * What becomes of an answer of the application's approval settings: questions to a human are remembered,
 * denials are recorded, and `unauthorized: 'ask'` puts more questions.
 *
 * @module
 */
import { isCrumbError } from '../errors.ts';
import type { DecisionRecord } from '../evidence/kinds.ts';
import type { ActingAgent } from '../gateway/acting-agent.ts';
import {
  asksHumans,
  judgeAhead,
  noteApprovalRequest,
  recordDenial,
  type AskedCall,
} from '../gateway/approvals.ts';
import { isApprovalReplay } from './approval-replay.ts';
import { guardedOf } from './guarded.ts';
import { member, textIn } from './member.ts';

/** A call about which the settings were asked. */
export interface Asking {
  readonly id: string;
  readonly tool: string;
  readonly args: unknown;
  readonly messages: unknown;
}

/** For what the settings are wrapped. */
export interface ApprovalContext {
  /** The guarded tools: what is not guarded needs no memory here. */
  readonly toolSet: object;
  /** By call id: what the application's policy said of a call that now may run. */
  readonly decisions: Map<string, DecisionRecord>;
}

/** Settles what the host is told about a call. */
export interface ApprovalQuestions {
  /** Whether humans are asked about what no directive covers. */
  readonly asks: boolean;
  /** @param status What the application's own settings say. */
  settle(asking: Asking, status: unknown): Promise<unknown>;
}

export function createQuestions(acting: ActingAgent, context: ApprovalContext): ApprovalQuestions {
  const { toolSet, decisions } = context;
  const asks = asksHumans(acting);

  /** What no human's directive covers, where the configuration wants humans asked. */
  async function isUnauthorized(call: AskedCall): Promise<boolean> {
    if (!asks || call.delegateTo !== undefined) return false;
    return (await judgeAhead(acting, call)).verdict === 'unauthorized';
  }

  return {
    asks,
    async settle(asking, status) {
      const call = askedCall(toolSet, asking);
      if (call === undefined) return status;
      const type = statusType(status);
      if (type === 'denied') {
        await recordDenial(acting, call, 'policy_denied');
        return status;
      }
      const must = type === 'user-approval' || (await isUnauthorized(call));
      // When an answer has come back, the host asks again; the question stands already, or it is forged.
      const replay = call.origin === 'approval-replay';
      if (must && !replay && !(await remember(acting, call))) return 'not-applicable';
      if (type === 'approved') decisions.set(asking.id, APPROVED_BY_POLICY);
      return must && type !== 'user-approval' ? 'user-approval' : status;
    },
  };
}

/** Kind of a status, in either of its spellings. */
export function statusType(status: unknown): string {
  return (typeof status === 'string' ? status : textIn(status, 'type')) ?? 'not-applicable';
}

/** False for what is not JSON: nobody can approve it, and the guard refuses it, on record. */
async function remember(acting: ActingAgent, call: AskedCall): Promise<boolean> {
  try {
    await noteApprovalRequest(acting, call);
    return true;
  } catch (error) {
    if (isCrumbError(error) && error.code === 'arguments_not_json') return false;
    throw error;
  }
}

/** The call as the gateway knows it; undefined for tools that run elsewhere. */
function askedCall(toolSet: object, { id, tool, args, messages }: Asking): AskedCall | undefined {
  if (!Object.hasOwn(toolSet, tool)) return undefined;
  const guarded = guardedOf(member(member(toolSet, tool), 'execute'));
  if (guarded === undefined) return undefined;
  const { delegateTo } = guarded.work;
  const origin = isApprovalReplay(messages, id) ? 'approval-replay' : 'model';
  return { id, tool, args, origin, ...(delegateTo === undefined ? {} : { delegateTo }) };
}

const APPROVED_BY_POLICY: DecisionRecord = { by: 'ai-sdk', id: 'toolApproval', effect: 'approved' };
