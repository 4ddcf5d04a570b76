/** What `tsc` must accept and refuse under AI SDK 7. Compiled by ai.test.ts, never run. */
import {
  generateText,
  registerTelemetry,
  streamText,
  tool,
  ToolLoopAgent,
  type GenericToolApprovalFunction,
  type LanguageModel,
  type ToolSet,
  type UIMessage,
} from 'ai';
import { z } from 'zod';
import { bind, subAgent, telemetry, tools } from '../../src/ai/index.ts';
import type { ActingAgent, Crumb } from '../../src/index.ts';

declare function use(...values: readonly unknown[]): void;
declare const planner: ActingAgent;
declare const crumb: Crumb;
declare const model: LanguageModel;

const read = tool({
  description: 'reads',
  inputSchema: z.object({ id: z.number() }),
  execute: async ({ id }) => ({ id, text: 'record' }),
});
const clientSide = tool({ inputSchema: z.object({ yes: z.boolean() }), outputSchema: z.string() });
const streaming = tool({
  inputSchema: z.object({ n: z.number() }),
  execute: async function* ({ n }) {
    yield n;
  },
});
const set = { read, clientSide, streaming };

export async function keepsInference(): Promise<void> {
  const result = await generateText({ model, prompt: 'x', tools: tools(planner, set) });
  for (const call of result.staticToolResults) {
    if (call.toolName === 'read') {
      const id: number = call.output.id;
      const text: string = call.output.text;
      use(id, text, call.input.id.toFixed());
      // @ts-expect-error the output has no such member
      use(call.output.title);
    }
    // @ts-expect-error there is no such tool
    if (call.toolName === 'write') use(call);
  }
  // @ts-expect-error an agent is made by a session, not of a name
  tools('planner', set);
  // @ts-expect-error a tool's execute is a function
  tools(planner, { read: { execute: 'yes' } });
}

export async function bindsInline(): Promise<void> {
  const result = streamText({
    model,
    prompt: 'x',
    ...bind(planner, {
      tools: { read, clientSide },
      toolApproval: {
        read: (input, { messages }) =>
          input.id > 40 && messages.length > 0 ? { type: 'user-approval', reason: 'x' } : undefined,
      },
    }),
  });
  for (const { toolName } of await result.toolCalls) {
    const name: 'read' | 'clientSide' = toolName as 'read' | 'clientSide';
    use(name);
  }
  const results = await result.toolResults;
  for (const one of results) {
    if (one.dynamic !== true && one.toolName === 'read') use(one.output.id.toFixed());
  }
}

export function bindsForms(): void {
  const byFunction = bind(planner, {
    tools: set,
    toolApproval: async ({ toolCall }) =>
      toolCall.toolName === 'read' ? 'user-approval' : undefined,
  });
  streamText({ model, prompt: 'x', ...byFunction });

  const byStatus = bind(planner, { tools: set, toolApproval: { read: 'user-approval' } });
  streamText({ model, prompt: 'x', ...byStatus });

  const engine: GenericToolApprovalFunction<ToolSet, never, never> = () => 'approved';
  streamText({ model, prompt: 'x', ...bind(planner, { tools: set, toolApproval: engine }) });

  const none = bind(planner, { tools: set });
  streamText({ model, prompt: 'x', ...none });
  // @ts-expect-error none was given
  use(none.toolApproval);

  // @ts-expect-error there is no such tool
  bind(planner, { tools: set, toolApproval: { write: 'approved' } });
  // @ts-expect-error there is no such status
  bind(planner, { tools: set, toolApproval: { read: 'maybe' } });
  // @ts-expect-error the input has no such member
  bind(planner, { tools: set, toolApproval: { read: ({ title }) => title } });
}

/** hosts.md section 7: an agent of the module, bound for each call. */
export const moduleLevel = new ToolLoopAgent({
  model,
  tools: set,
  toolApproval: { read: 'user-approval' },
  callOptionsSchema: z.object({ planner: z.custom<ActingAgent>() }),
  prepareCall: ({ options, ...rest }) => ({
    ...rest,
    ...bind(options.planner, { tools: rest.tools, toolApproval: rest.toolApproval }),
  }),
});

const researcher = new ToolLoopAgent({ model, tools: tools({ read }) });

const research = subAgent({
  actor: 'researcher',
  agent: researcher,
  description: 'researches',
  inputSchema: z.object({ task: z.string() }),
  prompt: ({ task }) => task.trim(),
});
const live = subAgent({
  actor: 'researcher',
  agent: (acting) => new ToolLoopAgent({ model, tools: tools(acting, { read }) }),
  description: 'researches',
  inputSchema: z.object({ task: z.string() }),
  stream: true,
});

export async function delegates(): Promise<void> {
  const bound = bind(planner, { tools: { research, live, read } });
  const agent = new ToolLoopAgent({ model, ...bound });
  const { staticToolResults } = await agent.generate({ prompt: 'x' });
  for (const result of staticToolResults) {
    if (result.toolName === 'research') {
      const text: string = result.output;
      const task: string = result.input.task;
      use(text, task);
    }
    if (result.toolName === 'live') {
      const message: UIMessage = result.output;
      use(message.parts);
    }
  }
  // @ts-expect-error the actor is not a choice of the model
  subAgent({ agent: researcher, description: 'x', inputSchema: z.object({ actor: z.string() }) });
  subAgent({
    actor: 'researcher',
    agent: researcher,
    description: 'x',
    inputSchema: z.object({ task: z.string() }),
    // @ts-expect-error the input has no such member
    prompt: ({ title }) => title,
  });
}

export function observes(): void {
  registerTelemetry(telemetry(crumb, { unguarded: 'throw' }));
  // @ts-expect-error record or throw
  telemetry(crumb, { unguarded: 'ignore' });
}
