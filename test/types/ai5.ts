/** What `tsc` must accept and refuse under AI SDK 5. Compiled by ai.test.ts, never run. */
import { Experimental_Agent, generateText, streamText, tool, type LanguageModel } from 'ai5';
import { z } from 'zod';
import { bind, subAgent, tools } from '../../src/ai/index.ts';
import type { ActingAgent } from '../../src/index.ts';

declare function use(...values: readonly unknown[]): void;
declare const planner: ActingAgent;
declare const model: LanguageModel;

const read = tool({
  description: 'reads',
  inputSchema: z.object({ id: z.number() }),
  execute: async ({ id }) => ({ id, text: 'record' }),
});
// This version's own types refuse a tool without `execute` under `exactOptionalPropertyTypes`.
const set = { read };

export async function keepsInference(): Promise<void> {
  const { toolResults } = await generateText({ model, prompt: 'x', tools: tools(planner, set) });
  for (const result of toolResults) {
    if (result.dynamic === true || result.toolName !== 'read') continue;
    const text: string = result.output.text;
    use(text, result.input.id.toFixed());
    // @ts-expect-error the output has no such member
    use(result.output.title);
  }
}

export async function binds(): Promise<void> {
  const { toolResults } = streamText({ model, prompt: 'x', ...bind(planner, { tools: set }) });
  for (const result of await toolResults) {
    if (result.dynamic !== true && result.toolName === 'read') use(result.output.id.toFixed());
  }
}

export async function delegates(): Promise<void> {
  const research = subAgent({
    actor: 'researcher',
    agent: new Experimental_Agent({ model, tools: tools({ read }) }),
    description: 'researches',
    inputSchema: z.object({ task: z.string() }),
  });
  const { toolResults } = await generateText({
    model,
    prompt: 'x',
    tools: tools(planner, { research, read }),
  });
  for (const result of toolResults) {
    if (result.dynamic === true || result.toolName !== 'research') continue;
    const text: string = result.output;
    use(text, result.input.task.trim());
  }
}
