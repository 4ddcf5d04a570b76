/**
 * What is remembered of running generations, and how what is seen there gets on record.
 *
 * @module
 */
import type { ActingAgent } from '../gateway/acting-agent.ts';
import { stateOf } from '../gateway/acting-agent.ts';
import { recordDenial, recordNo } from '../gateway/approvals.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { recordSighting, type Sighting } from '../gateway/observe.ts';
import { findResource } from '../gateway/resources.ts';
import { currentScope } from '../gateway/scope.ts';
import { callInHistory, deniedCalls } from './approval-replay.ts';
import { guardedOf } from './guarded.ts';
import { isGuardedTool } from './guard-tool.ts';
import { listIn, member, textIn } from './member.ts';

/** A call of a tool in a generation. */
export interface SeenCall {
  readonly callId: string;
  readonly id: string;
  readonly tool: string;
  readonly args: unknown;
}

/** Nothing here throws: an observer that fails must not change what the application does. */
export interface Observer {
  start(event: unknown): Promise<void>;
  modelCallEnd(event: unknown): Promise<void>;
  error(event: unknown): Promise<void>;
  end(callId: string | undefined): void;
  /** Whether a tool is known to run past the guard. */
  isUnguarded(callId: string, tool: string): boolean;
  unguarded(call: SeenCall): Promise<void>;
  refused(call: SeenCall): Promise<void>;
}

/** One run of `generateText` or `streamText`. */
interface Generation {
  /** Undefined where the application hides its inputs. */
  readonly tools: object | undefined;
  readonly acting: ActingAgent | undefined;
  readonly messages: unknown;
}

/** Runs whose end is never told, as an abandoned stream's, must not pile up. */
const MOST_GENERATIONS = 10_000;

export function createObserver(gateway: Gateway): Observer {
  const generations = new Map<string, Generation>();

  /** Whoever the guards of the tools are bound to, or who acts around. */
  const actingIn = (callId: string | undefined): ActingAgent | undefined => {
    const acting = generations.get(callId ?? '')?.acting ?? currentScope()?.acting;
    return acting !== undefined && stateOf(acting).gateway === gateway ? acting : undefined;
  };

  const record = async (callId: string | undefined, sighting: Sighting): Promise<void> =>
    quietly(recordSighting(gateway, actingIn(callId), sighting));

  return {
    async start(event) {
      const callId = textIn(event, 'callId');
      if (callId === undefined) return;
      const generation = generationOf(event);
      generations.set(callId, generation);
      const [oldest] = generations.keys();
      if (generations.size > MOST_GENERATIONS && oldest !== undefined) generations.delete(oldest);
      const acting = actingIn(callId);
      if (acting === undefined) return;
      for (const call of answeredNo(generation)) await quietly(recordNo(acting, call));
    },
    async modelCallEnd(event) {
      const callId = textIn(event, 'callId');
      const tools = generations.get(callId ?? '')?.tools;
      for (const sighting of executedElsewhere(listIn(event, 'content'), tools)) {
        await record(callId, sighting);
      }
    },
    async error(event) {
      const callId = textIn(event, 'callId');
      const error = member(event, 'error');
      const acting = actingIn(callId);
      if (textIn(error, 'name') !== FORGED || acting === undefined) return;
      const id = textIn(error, 'toolCallId') ?? 'unknown';
      const call = claimed(generations.get(callId ?? ''), id);
      if (call !== undefined) await quietly(recordDenial(acting, call, 'approval_unverified'));
    },
    end(callId) {
      if (callId !== undefined) generations.delete(callId);
    },
    isUnguarded(callId, tool) {
      const tools = generations.get(callId)?.tools;
      return tools !== undefined && Object.hasOwn(tools, tool) && runsRaw(member(tools, tool));
    },
    unguarded: async ({ callId, ...call }) => record(callId, { source: 'unguarded', ...call }),
    async refused({ callId, ...call }) {
      const acting = actingIn(callId);
      if (acting === undefined || findResource(gateway.resources, call.tool) === undefined) return;
      await quietly(recordDenial(acting, call, 'tool_unguarded'));
    },
  };
}

/** Name of the host's error for an approval whose signature is missing or wrong. */
const FORGED = 'AI_InvalidToolApprovalSignatureError';

function generationOf(event: unknown): Generation {
  const given = member(event, 'tools');
  const tools = typeof given === 'object' && given !== null ? given : undefined;
  return {
    tools,
    acting: boundAgent(tools) ?? currentScope()?.acting,
    messages: member(event, 'messages'),
  };
}

function boundAgent(tools: object | undefined): ActingAgent | undefined {
  return Object.values(tools ?? {})
    .map((tool) => guardedOf(member(tool, 'execute'))?.acting)
    .find((acting) => acting !== undefined);
}

/** A tool that would be executed here, without guard. */
function runsRaw(tool: unknown): boolean {
  return typeof member(tool, 'execute') === 'function' && !isGuardedTool(tool);
}

type HistoryCall = Parameters<typeof recordDenial>[1];

/** Calls of guarded tools to which the human's answer, posted with the history, is no. */
function answeredNo(generation: Generation): readonly HistoryCall[] {
  return deniedCalls(generation.messages)
    .map((id) => claimed(generation, id))
    .filter((call) => call !== undefined);
}

/**
 * A call as the history claims it. The history is the browser's, so only names of guarded tools are taken
 * over from it.
 */
function claimed(generation: Generation | undefined, id: string): HistoryCall | undefined {
  const call = callInHistory(generation?.messages, id);
  const tools = generation?.tools;
  if (call === undefined || tools === undefined || !Object.hasOwn(tools, call.tool))
    return undefined;
  const guarded = guardedOf(member(member(tools, call.tool), 'execute'));
  if (guarded === undefined) return undefined;
  const { delegateTo } = guarded.work;
  return {
    id,
    ...call,
    origin: 'approval-replay',
    ...(delegateTo === undefined ? {} : { delegateTo }),
  };
}

/** Calls in a model's answer that its provider has executed, or that a browser is to execute. */
function executedElsewhere(
  content: readonly unknown[],
  tools: object | undefined,
): readonly Sighting[] {
  const calls = content.filter(
    (part) => member(part, 'type') === 'tool-call' && member(part, 'invalid') !== true,
  );
  return calls.flatMap((part): readonly Sighting[] => {
    const id = textIn(part, 'toolCallId') ?? 'unknown';
    const tool = textIn(part, 'toolName') ?? 'unknown';
    const call = { id, tool, args: member(part, 'input') };
    if (member(part, 'providerExecuted') === true) {
      return [{ source: 'provider', ...call, result: resultOf(content, id) }];
    }
    const known =
      tools !== undefined && Object.hasOwn(tools, tool) ? member(tools, tool) : undefined;
    if (known === undefined || member(known, 'execute') !== undefined || isGuardedTool(known))
      return [];
    return [{ source: 'client', ...call }];
  });
}

function resultOf(content: readonly unknown[], id: string): unknown {
  const result = content.find(
    (part) => member(part, 'type') === 'tool-result' && member(part, 'toolCallId') === id,
  );
  return member(result, 'output');
}

async function quietly(recording: Promise<void>): Promise<void> {
  try {
    await recording;
  } catch {
    process.emitWarning('a call that ran without the guard could not be put on record', {
      type: 'CrumbWarning',
      code: 'CRUMB_UNRECORDED',
    });
  }
}
