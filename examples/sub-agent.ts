/**
 * A planner that delegates to a researcher: two agents, two links in the chain of every call below.
 *
 *   npm run build && node examples/sub-agent.ts
 *
 * @module
 */
import { tool, ToolLoopAgent } from 'ai';
import { bind, subAgent, tools } from 'crumb-ai/ai';
import { z } from 'zod';
import { openStage, RECORDS, scriptedModel } from './stage.ts';

const stage = await openStage();
const { crumb } = stage;

const readRecord = tool({
  description: 'Reads one record.',
  inputSchema: z.object({ id: z.number() }),
  execute: async ({ id }) => (await crumb.current().fetch(`${stage.records}/${id}`)).json(),
});

// #region sub-agent
const researcher = new ToolLoopAgent({
  model: scriptedModel({ calls: 'readRecord', with: { id: 42 } }, { says: 'The figures are up.' }),
  tools: tools({ readRecord }), // of nobody in particular: they act for whoever delegates
});

const research = subAgent({
  actor: 'researcher', // its name in `issuer.agents`; a model has no say in it
  agent: researcher,
  description: 'Delegates a task about records.',
  inputSchema: z.object({ task: z.string() }),
  stream: true, // shows its work as it goes on; the planner's model gets the last text alone
});

export async function ask(token: string, prompt: string): Promise<string> {
  const planner = (await crumb.session(token)).agent('planner');
  const agent = new ToolLoopAgent({
    model: scriptedModel(
      { calls: 'research', with: { task: 'Summarise record 42.' } },
      { says: 'My researcher says: the figures are up.' },
    ),
    ...bind(planner, { tools: { research } }),
  });
  const { text } = await agent.generate({ prompt });
  return text;
}
// #endregion

const token = await stage.login('alice', [
  {
    type: 'crumb_tool_call',
    actions: ['read_record'],
    locations: [RECORDS],
    agents: ['planner', 'researcher'], // Alice allows these two, and no others
  },
]);
console.log(await ask(token, 'What does record 42 say?'));
await stage.printTrail();
await stage.close();
