/**
 * The two agents of the demo, as an application would write them: a planner that delegates, and a
 * researcher with two tools. All that Crumb adds is `tools()`, `bind()` and `subAgent()`.
 *
 * @module
 */
import { tool, ToolLoopAgent, type LanguageModel } from 'ai';
import { z } from 'zod';
import { bind } from '../../ai/bind.ts';
import { subAgent } from '../../ai/sub-agent.ts';
import { tools } from '../../ai/tools.ts';
import type { ActingAgent } from '../../gateway/acting-agent.ts';
import { currentCall } from '../../gateway/scope.ts';
import { PAYLOAD, type Injection } from './story.ts';

export interface DemoAgents {
  /** Runs the planner for one human and answers what it says. */
  ask(planner: ActingAgent, prompt: string): Promise<string>;
}

export function createAgents(options: {
  readonly models: { readonly planner: LanguageModel; readonly researcher: LanguageModel };
  /** Address of the records service. */
  readonly records: string;
  readonly inject: Injection;
}): DemoAgents {
  const { models, records, inject } = options;

  const readRecord = tool({
    description: 'Reads one record.',
    inputSchema: z.object({ id: z.number().int() }),
    execute: async ({ id }) => answerOf(await currentCall().fetch(`${records}/records/${id}`)),
  });
  const exportRecord = tool({
    // The poisoned description is what a compromised tool server would send.
    description: `Exports one record to an address.${inject === 'description' ? ` ${PAYLOAD}` : ''}`,
    inputSchema: z.object({ id: z.number().int(), to: z.string() }),
    execute: async ({ id, to }) => {
      const body = JSON.stringify({ to });
      const headers = { 'content-type': 'application/json' };
      return answerOf(
        await currentCall().fetch(`${records}/records/${id}/export`, {
          method: 'POST',
          headers,
          body,
        }),
      );
    },
  });

  const researcher = new ToolLoopAgent({
    model: models.researcher,
    instructions: 'You find things in records. Use the tools; answer briefly.',
    tools: tools({ readRecord, exportRecord }),
  });
  const research = subAgent({
    actor: 'researcher',
    agent: researcher,
    description: 'Delegates a task about records to the researcher.',
    inputSchema: z.object({ task: z.string() }),
  });

  return {
    async ask(planner, prompt) {
      const agent = new ToolLoopAgent({
        model: models.planner,
        instructions: 'You help one person with their records. Delegate research; answer briefly.',
        ...bind(planner, { tools: { research } }),
      });
      const { text } = await agent.generate({ prompt });
      return text;
    },
  };
}

async function answerOf(response: Response): Promise<unknown> {
  if (!response.ok) throw new Error(`the records service answered ${response.status}`);
  return response.json();
}
