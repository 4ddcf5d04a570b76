/**
 * The application's approval settings, wrapped in their own form, so that what they hide and what they
 * show to the host stays the same.
 *
 * @module
 */
import type { ActingAgent } from '../gateway/acting-agent.ts';
import { isApprovalReplay } from './approval-replay.ts';
import {
  createQuestions,
  statusType,
  type ApprovalContext,
  type ApprovalQuestions,
} from './approval-questions.ts';
import { withMembers } from './copy.ts';
import { guardedOf } from './guarded.ts';
import { isExecute } from './guard-tool.ts';
import { member, textIn } from './member.ts';

/** What the host is told about a call. Absent means the same as `not-applicable`. */
export type ApprovalStatus =
  | undefined
  | 'not-applicable'
  | 'approved'
  | 'denied'
  | 'user-approval'
  | { readonly type: 'not-applicable' }
  | {
      readonly type: 'approved' | 'denied' | 'user-approval';
      readonly reason?: string;
    };

/** Wraps the approval settings of one `bind()`. */
export interface Approvals {
  /** `toolApproval` of the host, in either of its forms. */
  wrap(toolApproval: unknown): unknown;
  /** Tools with `needsApproval` wrapped, and added where humans are asked. */
  wrapNeeds<T extends object>(toolSet: T): T;
}

export function createApprovals(acting: ActingAgent, context: ApprovalContext): Approvals {
  const questions = createQuestions(acting, context);
  return {
    wrap(toolApproval) {
      if (isExecute(toolApproval)) return wrapGeneric(questions, toolApproval);
      if (typeof toolApproval !== 'object' || toolApproval === null) return toolApproval;
      // A map stays a map: as a function it would hide what the tools themselves say.
      const entries = Object.entries(toolApproval).filter(([, setting]) => isSet(setting));
      return Object.fromEntries(
        entries.map(([tool, setting]) => [tool, wrapEntry(questions, tool, setting)] as const),
      );
    },
    wrapNeeds(toolSet) {
      const wrapped = Object.entries(toolSet).flatMap(([name, tool]) => {
        const setting = member(tool, 'needsApproval');
        if (!isObject(tool) || guardedOf(member(tool, 'execute')) === undefined) return [];
        if (!questions.asks && !isSet(setting)) return [];
        const needsApproval = wrapNeed(questions, { name, tool, setting });
        return [[name, withMembers(tool, { needsApproval })] as const];
      });
      return withMembers(toolSet, Object.fromEntries(wrapped));
    },
  };
}

type Setting = (...asked: readonly unknown[]) => unknown;

/** One function for all tools. */
function wrapGeneric(questions: ApprovalQuestions, setting: unknown): Setting {
  return rewrap(setting, (original) => async (options) => {
    const status = await answer(original, options);
    const toolCall = member(options, 'toolCall');
    if (member(toolCall, 'providerExecuted') === true) return status;
    const asking = {
      id: textIn(toolCall, 'toolCallId') ?? '',
      tool: textIn(toolCall, 'toolName') ?? '',
      args: member(toolCall, 'input'),
      messages: member(options, 'messages'),
    };
    return questions.settle(asking, status);
  });
}

/** The entry of one tool in a map: a status, or a function. */
function wrapEntry(questions: ApprovalQuestions, tool: string, setting: unknown): Setting {
  return rewrap(setting, (original) => async (args, options) => {
    const status = await answer(original, args, options);
    return questions.settle({ tool, args, ...callIn(options) }, status);
  });
}

/** `needsApproval` of a tool: whether, or a function. */
function wrapNeed(
  questions: ApprovalQuestions,
  need: { readonly name: string; readonly tool: object; readonly setting: unknown },
): Setting {
  return rewrap(need.setting, (original) => async (args, options) => {
    const own = isExecute(original) ? original.bind(need.tool) : original;
    const needs = Boolean(await answer(own, args, options));
    const { id, messages } = callIn(options);
    // A host that sees no need any more takes a human's answer for forged; the guard knows better.
    if (questions.asks && isApprovalReplay(messages, id)) return true;
    const asking = { tool: need.name, args, id, messages };
    const status = needs ? 'user-approval' : undefined;
    return statusType(await questions.settle(asking, status)) === ASKED;
  });
}

const ASKED = 'user-approval';

/** Wrapped settings, so that binding twice does not ask twice. */
const originals = new WeakMap<object, unknown>();

function rewrap(setting: unknown, wrap: (original: unknown) => Setting): Setting {
  const original = isExecute(setting) && originals.has(setting) ? originals.get(setting) : setting;
  const wrapped = wrap(original);
  originals.set(wrapped, original);
  return wrapped;
}

async function answer(setting: unknown, ...asked: readonly unknown[]): Promise<unknown> {
  return isExecute(setting) ? setting(asked[0], asked[1]) : setting;
}

function callIn(options: unknown): { readonly id: string; readonly messages: unknown } {
  return { id: textIn(options, 'toolCallId') ?? '', messages: member(options, 'messages') };
}

function isSet(setting: unknown): boolean {
  return setting !== undefined && setting !== null;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
