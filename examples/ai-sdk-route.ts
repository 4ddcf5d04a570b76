/**
 * A chat route of the AI SDK with Crumb in it, and a browser that calls it.
 *
 *   npm run build && node examples/ai-sdk-route.ts
 *
 * @module
 */
import {
  convertToModelMessages,
  createUIMessageStreamResponse,
  isStepCount,
  streamText,
  tool,
  toUIMessageStream,
  type UIMessage,
} from 'ai';
import { z } from 'zod';
import { openStage, RECORDS, scriptedModel } from './stage.ts';

const stage = await openStage();
const { crumb, records } = stage; // `crumb = await createCrumb({...})` in an application

const model = scriptedModel(
  { calls: 'readRecord', with: { id: 42 } },
  { calls: 'readRecord', with: { id: 43 } },
  { says: 'The figures are up.' },
);

// #region route
import { bind } from 'crumb-ai/ai';

const tools = {
  readRecord: tool({
    description: 'Reads one record.',
    inputSchema: z.object({ id: z.number() }),
    execute: async ({ id }) => {
      const { fetch } = crumb.current(); // carries the token of this one call
      return (await fetch(`${records}/${id}`)).json();
    },
  }),
};

export async function POST(request: Request): Promise<Response> {
  const session = await crumb.session(request); // who asks: a verified token, never the body
  const planner = session.agent('planner'); // and who acts for them
  const { messages }: { messages: UIMessage[] } = await request.json();
  const bound = bind(planner, { tools });
  const result = streamText({
    model,
    ...bound, // each call: judged, under its own token, on record
    messages: await convertToModelMessages(messages, { tools: bound.tools }),
    stopWhen: isStepCount(5),
    abortSignal: request.signal,
  });
  const stream = toUIMessageStream({ stream: result.stream, originalMessages: messages });
  return createUIMessageStreamResponse({ stream });
}
// #endregion

// The rest plays the browser. Alice lets the planner read record 42, once.
const token = await stage.login('alice', [
  {
    type: 'crumb_tool_call',
    actions: ['read_record'],
    locations: [RECORDS],
    arguments: { id: { const: 42 } },
    max_uses: 1,
  },
]);
const asked = {
  id: 'm1',
  role: 'user',
  parts: [{ type: 'text', text: 'What do the records say?' }],
};
const response = await POST(
  new Request('https://app.example/api/chat', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ messages: [asked] }),
  }),
);
console.log('What the browser gets:');
for (const line of (await response.text()).split('\n').filter((text) => text.includes('tool-'))) {
  console.log(`  ${line}`);
}
await stage.printTrail();
await stage.close();
