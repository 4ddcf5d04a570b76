/**
 * The three versions of the AI SDK behind one face, so that one suite can hold all of them to the same
 * behaviour, and models that say what a script says.
 *
 * @module
 */
import * as ai7 from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import * as ai5 from 'ai5';
import { MockLanguageModelV2 } from 'ai5/test';
import * as ai6 from 'ai6';
import { MockLanguageModelV3 } from 'ai6/test';
import { member } from '../../src/ai/member.ts';

/** A call that the model makes. */
export interface ScriptedCall {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

/** One answer of a model: words, or calls, or none. */
export type Step =
  | { readonly text: string }
  | { readonly calls: readonly ScriptedCall[] }
  | { readonly fails: string }
  | { readonly parts: readonly object[] };

/** One call. */
export function call(id: string, name: string, input: unknown): Step {
  return { calls: [{ id, name, input }] };
}

export function say(text: string): Step {
  return { text };
}

/** A scripted model, and all that it was ever sent. */
export interface Scripted {
  // oxlint-disable-next-line typescript/no-explicit-any -- each version takes only its own kind of model
  readonly model: any;
  /** The prompts of all calls, as JSON. */
  prompts(): string;
  /** How often it was called. */
  readonly calls: number;
}

/** What a generation came to, as far as the suite looks. */
export interface Outcome {
  readonly text: string;
  /** Types of the parts that a UI would be sent about tools, in order, when streamed. */
  readonly parts: readonly string[];
  /** Outputs of tools, in order. */
  readonly outputs: readonly unknown[];
  /** Messages of failed tools, in order. */
  readonly errors: readonly string[];
  /** Messages that a next turn begins with. */
  readonly messages: readonly unknown[];
  /** Everything that was given back, for looking for leaks. */
  readonly everything: string;
}

export interface Settings {
  readonly model: Scripted;
  readonly tools?: object | undefined;
  readonly prompt?: string;
  readonly messages?: readonly unknown[];
  readonly maxSteps?: number;
  readonly abortSignal?: AbortSignal;
  readonly [other: string]: unknown;
}

/** An agent of the host. */
export interface HostAgent {
  readonly tools?: object;
  generate(options: { readonly prompt: string }): PromiseLike<{ readonly text: string }>;
  stream(options: { readonly prompt: string }): unknown;
}

export interface Host {
  readonly name: string;
  readonly version: 5 | 6 | 7;
  readonly hasApprovals: boolean;
  script(...steps: readonly Step[]): Scripted;
  generate(settings: Settings): Promise<Outcome>;
  stream(settings: Settings): Promise<Outcome>;
  agent(settings: Settings): HostAgent;
}

const USAGE_2 = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
const USAGE_3 = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

function contentOf(step: Step): object[] {
  if ('fails' in step) throw new Error(step.fails);
  if ('parts' in step) return [...step.parts];
  if ('text' in step) return [{ type: 'text', text: step.text }];
  return step.calls.map(({ id, name, input }) => ({
    type: 'tool-call',
    toolCallId: id,
    toolName: name,
    input: JSON.stringify(input),
  }));
}

function streamOf(step: Step, end: object): ReadableStream<object> {
  const chunks: object[] = [{ type: 'stream-start', warnings: [] }];
  if ('text' in step) {
    chunks.push(
      { type: 'text-start', id: 't' },
      ...step.text.split(' ').map((word, n) => {
        return { type: 'text-delta', id: 't', delta: n === 0 ? word : ` ${word}` };
      }),
      { type: 'text-end', id: 't' },
    );
  } else chunks.push(...contentOf(step));
  chunks.push({ type: 'finish', ...end });
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

type MockClass = new (options: {
  // oxlint-disable-next-line typescript/no-explicit-any -- each version has its own result type
  readonly doGenerate: any;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  readonly doStream: any;
}) => { doGenerateCalls: { prompt: unknown }[]; doStreamCalls: { prompt: unknown }[] };

function scripted(Mock: MockClass, nested: boolean, steps: readonly Step[]): Scripted {
  let next = 0;
  const take = (): { step: Step; end: object } => {
    const step = steps[next] ?? say('done');
    next += 1;
    const reason = 'calls' in step ? 'tool-calls' : 'stop';
    return {
      step,
      end: nested
        ? { finishReason: { unified: reason, raw: reason }, usage: USAGE_3 }
        : { finishReason: reason, usage: USAGE_2 },
    };
  };
  const model = new Mock({
    doGenerate: async () => {
      const { step, end } = take();
      return { content: contentOf(step), warnings: [], ...end };
    },
    doStream: async () => {
      const { step, end } = take();
      return { stream: streamOf(step, end) };
    },
  });
  const calls = (): { prompt: unknown }[] => [...model.doGenerateCalls, ...model.doStreamCalls];
  return {
    model,
    prompts: () => JSON.stringify(calls()),
    get calls() {
      return calls().length;
    },
  };
}

interface Sdk {
  // oxlint-disable-next-line typescript/no-explicit-any -- the face of three versions
  readonly generateText: (settings: any) => Promise<any>;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  readonly streamText: (settings: any) => any;
  readonly stop: (count: number) => unknown;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  readonly Agent: new (settings: any) => HostAgent;
}

function hostOf(
  version: 5 | 6 | 7,
  sdk: Sdk,
  script: (...steps: readonly Step[]) => Scripted,
): Host {
  const settingsOf = ({ model, maxSteps = 8, ...rest }: Settings): object => ({
    model: model.model,
    stopWhen: sdk.stop(maxSteps),
    ...rest,
  });
  return {
    name: `ai ${version}`,
    version,
    hasApprovals: version > 5,
    script,
    async generate(settings) {
      const result = await sdk.generateText(settingsOf(settings));
      return outcomeOf(await gathered(result), settings, []);
    },
    async stream(settings) {
      const result = sdk.streamText({ onError: () => {}, ...settingsOf(settings) });
      const parts: unknown[] = [];
      for await (const part of result.fullStream) parts.push(part);
      const failed = parts.find((part) => member(part, 'type') === 'error');
      if (failed !== undefined) throw member(failed, 'error');
      return outcomeOf(await gathered(result), settings, parts);
    },
    agent: (settings) => new sdk.Agent(settingsOf(settings)),
  };
}

interface Gathered {
  readonly text: string;
  readonly steps: readonly { readonly content: readonly unknown[] }[];
  readonly responseMessages: readonly unknown[];
}

async function gathered(result: unknown): Promise<Gathered> {
  const steps = (await member(result, 'steps')) as Gathered['steps'];
  const response = await member(result, 'response');
  const all = (await member(result, 'responseMessages')) ?? member(response, 'messages');
  return {
    text: String(await member(result, 'text')),
    steps,
    responseMessages: all as readonly unknown[],
  };
}

function outcomeOf(
  { text, steps, responseMessages }: Gathered,
  settings: Settings,
  streamed: readonly unknown[],
): Outcome {
  const content = steps.flatMap((step) => step.content);
  const typed = (list: readonly unknown[], type: string): unknown[] =>
    list.filter((part) => member(part, 'type') === type);
  const given =
    settings.messages ??
    (settings.prompt === undefined ? [] : [{ role: 'user', content: settings.prompt }]);
  // What runs before the first step, as approved calls do, shows in the stream alone.
  const source = streamed.length > 0 ? streamed.filter((part) => !isPreliminary(part)) : content;
  return {
    text,
    parts: streamed
      .map((part) => `${isPreliminary(part) ? 'preliminary ' : ''}${String(member(part, 'type'))}`)
      .filter((type) => type.includes('tool-')),
    outputs: typed(source, 'tool-result').map((part) => member(part, 'output')),
    errors: typed(source, 'tool-error').map((part) =>
      String(member(member(part, 'error'), 'message')),
    ),
    messages: [...given, ...responseMessages],
    everything: JSON.stringify(
      [text, steps, responseMessages, streamed],
      (_name, value: unknown) =>
        value instanceof Error ? `${value.name}: ${value.message}` : value,
    ),
  };
}

function isPreliminary(part: unknown): boolean {
  return member(part, 'preliminary') === true;
}

export const host7 = hostOf(
  7,
  {
    generateText: ai7.generateText,
    streamText: ai7.streamText,
    stop: ai7.isStepCount,
    Agent: ai7.ToolLoopAgent,
  },
  (...steps) => scripted(MockLanguageModelV4, true, steps),
);

export const host6 = hostOf(
  6,
  {
    generateText: ai6.generateText,
    streamText: ai6.streamText,
    stop: ai6.stepCountIs,
    Agent: ai6.ToolLoopAgent,
  },
  (...steps) => scripted(MockLanguageModelV3, true, steps),
);

export const host5 = hostOf(
  5,
  {
    generateText: ai5.generateText,
    streamText: ai5.streamText,
    stop: ai5.stepCountIs,
    Agent: ai5.Experimental_Agent,
  },
  (...steps) => scripted(MockLanguageModelV2, false, steps),
);

export const HOSTS: readonly Host[] = [host7, host6, host5];
