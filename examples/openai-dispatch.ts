/**
 * The OpenAI SDK without a framework: the application runs the tool calls of a completion itself. The
 * primitive under every integration is `invoke`: judge, token, intent, tool, outcome.
 *
 *   npm run build && node examples/openai-dispatch.ts
 *
 * The real `openai` client talks to a small server here that answers as the API would; with a key and
 * without `baseURL` it talks to OpenAI.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import OpenAI from 'openai';
import { isCrumbError } from 'crumb-ai';
import { openStage, RECORDS } from './stage.ts';

const stage = await openStage();
const { crumb } = stage;
const api = await startScriptedApi();
const client = new OpenAI({ apiKey: 'no key is needed here', baseURL: api.url });

// #region dispatch
const toolbox: Record<string, (args: { id: number }) => Promise<unknown>> = {
  readRecord: async ({ id }) => (await crumb.current().fetch(`${stage.records}/${id}`)).json(),
};

export async function ask(token: string, prompt: string): Promise<string> {
  const planner = (await crumb.session(token)).agent('planner');
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: prompt }];
  for (;;) {
    const { choices } = await client.chat.completions.create({
      model: 'gpt-5-mini',
      messages,
      tools: TOOLS,
    });
    const message = choices[0]?.message;
    if (message?.tool_calls === undefined) return message?.content ?? '';
    messages.push(message);
    for (const call of message.tool_calls) {
      if (call.type !== 'function') continue;
      const args: { id: number } = JSON.parse(call.function.arguments);
      const answer = await planner
        .invoke({ id: call.id, tool: call.function.name, args }, () =>
          toolbox[call.function.name]?.(args),
        )
        // A refusal is an answer for the model, by its code and nothing else.
        .catch((error: unknown) => ({ error: isCrumbError(error) ? error.code : 'failed' }));
      messages.push({ role: 'tool', tool_call_id: call.id, content: JSON.stringify(answer) });
    }
  }
}
// #endregion

const TOOLS: OpenAI.ChatCompletionTool[] = [
  {
    type: 'function',
    function: {
      name: 'readRecord',
      description: 'Reads one record.',
      parameters: { type: 'object', properties: { id: { type: 'number' } }, required: ['id'] },
    },
  },
];

const token = await stage.login('alice', [
  {
    type: 'crumb_tool_call',
    actions: ['read_record'],
    locations: [RECORDS],
    arguments: { id: { const: 42 } },
  },
]);
console.log(await ask(token, 'What does record 42 say?'));
await stage.printTrail();
api.close();
await stage.close();

/** Asks for record 42, then for 43, then says something. */
async function startScriptedApi(): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { messages }: { messages: { role: string }[] } = JSON.parse(body);
      const answered = messages.filter(({ role }) => role === 'tool').length;
      const message =
        answered < 2
          ? { role: 'assistant', content: null, tool_calls: [callFor(42 + answered)] }
          : { role: 'assistant', content: 'The figures are up.' };
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({ id: 'c', object: 'chat.completion', choices: [{ index: 0, message }] }),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function callFor(id: number): object {
  const fn = { name: 'readRecord', arguments: JSON.stringify({ id }) };
  return { id: `call_${id}`, type: 'function', function: fn };
}
