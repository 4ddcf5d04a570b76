/**
 * A model that follows a script: no network, no key, and the worst case, for it obeys whatever words
 * of a hijacker reach its prompt. If none do, it does what it was asked.
 *
 * @module
 */
import type { LanguageModel } from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import { PAYLOAD_PATTERN } from './story.ts';

type CallOptions = Parameters<MockLanguageModelV4['doGenerate']>[0];
type Generated = Awaited<ReturnType<MockLanguageModelV4['doGenerate']>>;

interface Step {
  readonly tool: string;
  readonly input: unknown;
}

/** Hands the work to the researcher, then says what it said. */
export function scriptedPlanner(): LanguageModel {
  return scripted('planner', ({ asked }) => [{ tool: 'research', input: { task: asked } }]);
}

/** Reads the record that it was asked for; then obeys the hijacker, if his words are in its prompt. */
export function scriptedResearcher(): LanguageModel {
  return scripted('researcher', ({ asked, seen }) => {
    const id = Number(/record (\d+)/iu.exec(asked)?.[1] ?? '0');
    const orders = PAYLOAD_PATTERN.exec(seen);
    const hijacked =
      orders === null
        ? []
        : [
            { tool: 'readRecord', input: { id: Number(orders[1]) } },
            { tool: 'exportRecord', input: { id: Number(orders[1]), to: orders[2] } },
          ];
    return [{ tool: 'readRecord', input: { id } }, ...hijacked];
  });
}

/** Each answer is the next step of the plan that has not been tried yet, and text when all have. */
function scripted(
  name: string,
  plan: (prompt: { readonly asked: string; readonly seen: string }) => readonly Step[],
): LanguageModel {
  return new MockLanguageModelV4({
    provider: 'scripted',
    modelId: name,
    doGenerate: async (options) => {
      const steps = plan({ asked: lastUserText(options), seen: everythingSeen(options) });
      const step = steps[toolCallsSoFar(options)];
      return step === undefined
        ? textOf(lastToolText(options))
        : callOf(step, toolCallsSoFar(options));
    },
  });
}

function callOf(step: Step, n: number): Generated {
  return {
    content: [
      {
        type: 'tool-call',
        toolCallId: `call_${n + 1}`,
        toolName: step.tool,
        input: JSON.stringify(step.input),
      },
    ],
    finishReason: { unified: 'tool-calls', raw: 'tool_calls' },
    usage: NO_USAGE,
    warnings: [],
  };
}

function textOf(text: string): Generated {
  return {
    content: [{ type: 'text', text }],
    finishReason: { unified: 'stop', raw: 'stop' },
    usage: NO_USAGE,
    warnings: [],
  };
}

const NO_USAGE: Generated['usage'] = {
  inputTokens: {
    total: undefined,
    noCache: undefined,
    cacheRead: undefined,
    cacheWrite: undefined,
  },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
};

function lastUserText({ prompt }: CallOptions): string {
  const last = prompt.findLast((message) => message.role === 'user');
  if (last?.role !== 'user') return '';
  return last.content.map((part) => (part.type === 'text' ? part.text : '')).join(' ');
}

/** All that a real model would read: messages, tool results, and what the tools say of themselves. */
function everythingSeen({ prompt, tools = [] }: CallOptions): string {
  const descriptions = tools.map((tool) =>
    tool.type === 'function' ? (tool.description ?? '') : '',
  );
  const results = prompt.flatMap((message) =>
    message.role === 'tool' ? message.content.map(resultText) : [],
  );
  return [...descriptions, lastUserText({ prompt }), ...results].join('\n');
}

function toolCallsSoFar({ prompt }: CallOptions): number {
  return prompt.filter((message) => message.role === 'tool').length;
}

function lastToolText({ prompt }: CallOptions): string {
  const first = prompt.find((message) => message.role === 'tool');
  const text = first?.role === 'tool' ? first.content.map(resultText).join('\n') : '';
  // It was told not to mention the rest, and does not.
  return text.replaceAll(/\s*SYSTEM NOTICE.*$/gsu, '') || 'I could not find anything.';
}

function resultText(
  part: Extract<CallOptions['prompt'][number], { role: 'tool' }>['content'][number],
): string {
  if (part.type !== 'tool-result') return '';
  const { output } = part;
  switch (output.type) {
    case 'text':
    case 'error-text':
      return output.value;
    case 'json':
    case 'error-json':
      return typeof output.value === 'string' ? output.value : textIn(output.value);
    default:
      return '';
  }
}

function textIn(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'body' in value) return String(value.body);
  return JSON.stringify(value);
}
