/** What `tsc` must accept and refuse under AI SDK 6. Compiled by ai.test.ts, never run. */
import { generateText, streamText, tool, ToolLoopAgent, type LanguageModel } from 'ai6';
import { z } from 'zod';
import { bind, subAgent, tools } from '../../src/ai/index.ts';
import type { ActingAgent } from '../../src/index.ts';

declare function use(...values: readonly unknown[]): void;
declare const planner: ActingAgent;
declare const model: LanguageModel;

const read = tool({
  description: 'reads',
  inputSchema: z.object({ id: z.number() }),
  needsApproval: ({ id }) => id > 40,
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
  const bound = bind(planner, { tools: set });
  const { toolResults } = streamText({ model, prompt: 'x', ...bound });
  for (const result of await toolResults) {
    if (result.dynamic !== true && result.toolName === 'read') use(result.output.id.toFixed());
  }
}

/** An agent of the module, bound for each call. */
export const moduleLevel = new ToolLoopAgent({
  model,
  tools: set,
  callOptionsSchema: z.object({ planner: z.custom<ActingAgent>() }),
  prepareCall: ({ options, ...rest }) => ({
    ...rest,
    ...bind(options.planner, { tools: rest.tools }),
  }),
});

export async function delegates(): Promise<void> {
  const research = subAgent({
    actor: 'researcher',
    agent: new ToolLoopAgent({ model, tools: tools({ read }) }),
    description: 'researches',
    inputSchema: z.object({ task: z.string() }),
  });
  const agent = new ToolLoopAgent({ model, ...bind(planner, { tools: { research, read } }) });
  const { toolResults } = await agent.generate({ prompt: 'x' });
  for (const result of toolResults) {
    if (result.dynamic === true || result.toolName !== 'research') continue;
    const text: string = result.output;
    use(text, result.input.task.trim());
  }
}
