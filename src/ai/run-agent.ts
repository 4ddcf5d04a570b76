/**
 * Running an agent of any version of the host, to its end or as it goes.
 *
 * @module
 */
import type * as AiSdk from 'ai';
import type { UIMessage, UIMessageChunk } from 'ai';
import { CrumbError } from '../errors.ts';
import { listIn, member, textIn } from './member.ts';

/** An agent, as far as all versions agree: `ToolLoopAgent`, `Experimental_Agent`, or one of your own. */
export interface RunnableAgent {
  readonly tools?: object | undefined;
  generate(options: AgentCall): PromiseLike<{ readonly text: string }>;
  stream?(options: AgentCall): unknown;
}

/** What an agent is called with. */
export interface AgentCall {
  readonly prompt: string;
  readonly abortSignal?: AbortSignal;
}

/** A task for an agent. */
export interface Task {
  readonly prompt: string;
  readonly signal: AbortSignal | undefined;
}

/** Runs an agent to its end. @throws {CrumbError} `sub_agent_incomplete` */
export async function generate(agent: RunnableAgent, { prompt, signal }: Task): Promise<string> {
  const result = await agent.generate(callOf(prompt, signal));
  const waits = listIn(result, 'content').some(
    (part) =>
      member(part, 'type') === 'tool-approval-request' && member(part, 'isAutomatic') !== true,
  );
  // The host would return empty text, and the parent would go on as if the work was done.
  if (waits) throw new CrumbError('sub_agent_incomplete');
  return result.text;
}

/**
 * Runs an agent and gives its message as it grows. It is stopped when nobody reads on.
 *
 * @throws {CrumbError} `sub_agent_incomplete`
 */
export async function* stream(
  agent: RunnableAgent,
  { prompt, signal }: Task,
): AsyncGenerator<UIMessage, void, undefined> {
  if (agent.stream === undefined) throw new TypeError('this agent cannot stream');
  const abandoned = new AbortController();
  const signals = [abandoned.signal, ...(signal === undefined ? [] : [signal])];
  // Loaded here alone: who streams no sub-agents needs no host at run time.
  const ai = await import('ai');
  let last: UIMessage | undefined;
  try {
    const result: unknown = await agent.stream(callOf(prompt, AbortSignal.any(signals)));
    const chunks = chunksOf(ai, result);
    for await (const message of ai.readUIMessageStream({
      stream: chunks,
      terminateOnError: true,
    })) {
      last = message;
      yield message;
    }
  } finally {
    abandoned.abort();
  }
  signal?.throwIfAborted(); // the host ends an aborted stream as if it was complete
  if (last?.parts.some((part) => member(part, 'state') === 'approval-requested') === true) {
    throw new CrumbError('sub_agent_incomplete');
  }
}

/** The text that the parent's model sees of an output. */
export function lastText(output: unknown): string {
  // Versions 6 and 7 wrap it, with the call's id; version 5 gives it bare.
  const bare = textIn(output, 'toolCallId') === undefined ? output : member(output, 'output');
  if (typeof bare === 'string') return bare;
  const part = listIn(bare, 'parts').findLast((part) => member(part, 'type') === 'text');
  return textIn(part, 'text') ?? 'The agent ended without a text.';
}

function callOf(prompt: string, signal: AbortSignal | undefined): AgentCall {
  return { prompt, ...(signal === undefined ? {} : { abortSignal: signal }) };
}

/** Version 7 has a function for it; before, the result has a method. */
function chunksOf(ai: typeof AiSdk, result: unknown): ReadableStream<UIMessageChunk> {
  if (typeof ai.toUIMessageStream === 'function' && hasStream(result)) {
    return ai.toUIMessageStream({ stream: result.stream });
  }
  if (hasUIMessageStream(result)) return result.toUIMessageStream();
  throw new TypeError('the stream of this agent is none of the AI SDK');
}

function hasStream(
  result: unknown,
): result is { readonly stream: ReadableStream<AiSdk.TextStreamPart<AiSdk.ToolSet>> } {
  return member(result, 'stream') instanceof ReadableStream;
}

function hasUIMessageStream(
  result: unknown,
): result is { toUIMessageStream(): ReadableStream<UIMessageChunk> } {
  return typeof member(result, 'toUIMessageStream') === 'function';
}
