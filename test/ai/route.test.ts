/** The ten lines of a route, as an application has them, with the browser played by the host's own reader. */
import {
  convertToModelMessages,
  createAgentUIStreamResponse,
  createUIMessageStreamResponse,
  isStepCount,
  parseJsonEventStream,
  readUIMessageStream,
  streamText,
  tool,
  ToolLoopAgent,
  toUIMessageStream,
  uiMessageChunkSchema,
  type UIMessage,
  type UIMessageChunk,
} from 'ai';
import { ToolLoopAgent as ToolLoopAgent6, type LanguageModel as LanguageModel6 } from 'ai6';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bind } from '../../src/ai/bind.ts';
import { member } from '../../src/ai/member.ts';
import { tools } from '../../src/ai/tools.ts';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import { openWorld, READ_42, RECORDS, type CrumbWorld } from '../world.ts';
import { call, host6, host7, say, type Scripted } from './hosts.ts';
import { audit } from './audit.ts';
import { beginTrail } from './trail.ts';

const READ_ANY = { type: 'crumb_tool_call', actions: ['read_record'], locations: [RECORDS] };

let world: CrumbWorld;
beforeAll(async () => {
  world = await openWorld({ tools: { think: { resource: 'local', action: 'think' } } });
});
afterAll(async () => world.close());

const readRecord = tool({
  description: 'reads',
  inputSchema: z.object({ id: z.number() }),
  execute: async ({ id }): Promise<unknown> => {
    const response = await world.crumb.current().fetch(`${world.records.url}/records/${id}`);
    return response.json();
  },
});
const set = { readRecord };

/** POST /chat */
async function route(request: Request, model: Scripted): Promise<Response> {
  const planner = (await world.crumb.session(request)).agent('planner');
  const { messages } = (await request.json()) as { messages: UIMessage[] };
  const bound = bind(planner, { tools: set, toolApproval: { readRecord: 'user-approval' } });
  const result = streamText({
    model: model.model,
    ...bound,
    stopWhen: isStepCount(5),
    abortSignal: request.signal,
    messages: await convertToModelMessages(messages, { tools: bound.tools }),
    onError: () => {},
  });
  return createUIMessageStreamResponse({
    stream: toUIMessageStream({ stream: result.stream, originalMessages: messages }),
  });
}

function requestOf(token: string, messages: readonly UIMessage[]): Request {
  return new Request('https://app.example/chat', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ messages }),
  });
}

/** What the browser makes of an answer. */
async function receive(response: Response, message?: UIMessage): Promise<UIMessage> {
  if (response.body === null) throw new TypeError('an empty answer');
  const events = parseJsonEventStream({ stream: response.body, schema: uiMessageChunkSchema });
  const chunks = events.pipeThrough(
    new TransformStream<{ success: boolean; value?: UIMessageChunk }, UIMessageChunk>({
      transform(event, controller) {
        if (event.value !== undefined) controller.enqueue(event.value);
      },
    }),
  );
  let last: UIMessage | undefined;
  const reading = message === undefined ? { stream: chunks } : { stream: chunks, message };
  for await (const state of readUIMessageStream(reading)) last = state;
  if (last === undefined) throw new TypeError('no message');
  return last;
}

const GO: UIMessage = { id: 'u1', role: 'user', parts: [{ type: 'text', text: 'go' }] };

/** Answers the question in a message, as `addToolApprovalResponse` does. */
function approve(message: UIMessage): UIMessage {
  const parts = message.parts.map((part) =>
    member(part, 'state') === 'approval-requested'
      ? {
          ...part,
          state: 'approval-responded',
          approval: { ...Object(member(part, 'approval')), approved: true },
        }
      : part,
  );
  return { ...message, parts: parts as UIMessage['parts'] };
}

describe('a route', () => {
  it('asks, and runs what was approved, over two requests of a browser', async () => {
    const trail = await beginTrail(world);
    const token = await world.tokenOf('alice', []);
    const asked = await receive(
      await route(requestOf(token, [GO]), host7.script(call('c1', 'readRecord', { id: 42 }))),
    );
    expect(asked.parts.map((part) => member(part, 'state'))).toContain('approval-requested');
    expect(await trail.lines()).toEqual([]);

    const yes = approve(asked);
    const final = await receive(
      await route(requestOf(token, [GO, yes]), host7.script(say('done'))),
      yes,
    );
    expect(JSON.stringify(final)).toContain('record 42');
    expect(await trail.lines()).toEqual([
      'approval readRecord',
      'intent readRecord authorized',
      'outcome readRecord ok',
    ]);
    expect(world.records.served.at(-1)?.delegation.human.sub).toBe('alice');
  });

  it('runs nothing for an approval that another human posts', async () => {
    const trail = await beginTrail(world);
    const asked = await receive(
      await route(
        requestOf(await world.tokenOf('alice', []), [GO]),
        host7.script(call('c1', 'readRecord', { id: 42 })),
      ),
    );
    const served = world.records.served.length;
    const answer = await route(
      requestOf(await world.tokenOf('bob', []), [GO, approve(asked)]),
      host7.script(say('x')),
    );
    await answer.text();
    expect(world.records.served).toHaveLength(served);
    expect(await trail.lines()).toEqual([]);
  });

  it('serves nobody without a login', async () => {
    const request = new Request('https://app.example/chat', {
      method: 'POST',
      body: '{"messages":[]}',
    });
    await expect(route(request, host7.script())).rejects.toMatchObject({ code: 'session_missing' });
  });
});

describe('answers of two humans', () => {
  it('keep apart when they are read crosswise, long after the agents were made', async () => {
    const before = world.records.served.length;
    const answer = async (
      person: string,
      id: number,
    ): Promise<ReadableStreamDefaultReader<unknown>> => {
      const planner = (await world.loginAs(person, [READ_ANY])).agent('planner');
      // Ambient tools: who acts is only known by where they are called.
      const result = planner.run(() =>
        streamText({
          model: host7.script(
            call('c1', 'readRecord', { id }),
            call('c2', 'readRecord', { id: id + 1 }),
            say('x'),
          ).model,
          tools: tools(set),
          stopWhen: isStepCount(5),
          prompt: 'go',
        }),
      );
      return toUIMessageStream({ stream: result.stream }).getReader();
    };
    const readers = [await answer('alice', 1), await answer('bob', 11)];
    const done = new Set<unknown>();
    while (done.size < readers.length) {
      for (const reader of readers) if ((await reader.read()).done) done.add(reader);
    }
    const seen = world.records.served
      .slice(before)
      .map(({ path, delegation }) => `${delegation.human.sub} ${path}`);
    expect(seen.toSorted()).toEqual([
      'alice /records/1',
      'alice /records/2',
      'bob /records/11',
      'bob /records/12',
    ]);
  });
});

describe('an agent of the module, bound for each call', () => {
  const model7 = host7.script(
    ...Array.from({ length: 4 }, () => [call('c1', 'readRecord', { id: 42 }), say('done')]).flat(),
  );
  const agent = new ToolLoopAgent({
    model: model7.model,
    tools: set,
    callOptionsSchema: z.object({ planner: z.custom<ActingAgent>() }),
    prepareCall: ({ options, ...rest }) => ({
      ...rest,
      ...bind(options.planner, { tools: rest.tools, toolApproval: rest.toolApproval }),
    }),
  });

  it('serves each human as that human', async () => {
    const trail = await beginTrail(world);
    for (const person of ['alice', 'bob']) {
      const planner = (await world.loginAs(person, [READ_42])).agent('planner');
      const { text } = await agent.generate({ prompt: 'go', options: { planner } });
      expect(text).toBe('done');
    }
    const humans = new Set((await trail.attempts()).map(({ human }) => human));
    expect(humans.size).toBe(2);
  });

  it('answers a browser', async () => {
    const trail = await beginTrail(world);
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    const response = await createAgentUIStreamResponse({
      agent,
      uiMessages: [GO],
      options: { planner },
    });
    expect(JSON.stringify(await receive(response))).toContain('record 42');
    expect(await trail.lines()).toEqual(['intent readRecord authorized', 'outcome readRecord ok']);
  });

  it('works in AI SDK 6 too', async () => {
    const trail = await beginTrail(world);
    const model: LanguageModel6 = host6.script(
      call('c1', 'readRecord', { id: 42 }),
      say('done'),
    ).model;
    const six = new ToolLoopAgent6({
      model,
      tools: {
        readRecord: { inputSchema: z.object({ id: z.number() }), execute: async () => 'read' },
      },
      callOptionsSchema: z.object({ planner: z.custom<ActingAgent>() }),
      prepareCall: ({ options, ...rest }) => ({
        ...rest,
        ...bind(options.planner, { tools: rest.tools }),
      }),
    });
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    expect((await six.generate({ prompt: 'go', options: { planner } })).text).toBe('done');
    expect(await trail.lines()).toEqual(['intent readRecord authorized', 'outcome readRecord ok']);
  });
});

it('does not turn a success into an error when the outcome cannot be written', async () => {
  const own = await openWorld({ tools: { think: { resource: 'local', action: 'think' } } });
  const planner = (await own.loginAs('alice')).agent('planner');
  const think = {
    description: 'x',
    inputSchema: z.looseObject({}),
    execute: async () => {
      await own.crumb.close().catch(() => {}); // the effect has happened; the ledger is gone
      return 'sent';
    },
  };
  const { outputs, errors } = await host7.generate({
    model: host7.script(call('c1', 'think', {}), say('done')),
    tools: tools(planner, { think }),
    prompt: 'go',
  });
  expect({ outputs, errors }).toEqual({ outputs: ['sent'], errors: [] });
  const crumbs = await own.readCrumbs();
  expect(crumbs.at(-1)?.kind).toBe('intent'); // "outcome unknown", which is true
  await own.close().catch(() => {});
});

it('leaves a ledger in which every verdict and token verifies', async () => {
  expect(await audit(world)).toEqual([]);
});
