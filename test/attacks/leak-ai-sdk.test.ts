/**
 * Tokens and secrets must show nowhere that a model, a browser, a trace or a log can look, whether the
 * exchange succeeds or fails.
 *
 * The canaries are the real ones: everything that was sent to or got from the provider's token endpoint.
 */
import { tracingChannel } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { isStepCount, streamText, toUIMessageStream, type Tool } from 'ai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bind } from '../../src/ai/bind.ts';
import { subAgent } from '../../src/ai/sub-agent.ts';
import { telemetry } from '../../src/ai/telemetry.ts';
import { tools } from '../../src/ai/tools.ts';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import type { HumanSession } from '../../src/gateway/human-session.ts';
import { call, HOSTS, host7, say, type Host, type Scripted } from '../ai/hosts.ts';
import { openWorld, RECORDS, type CrumbWorld } from '../world.ts';

const READ_ANY = { type: 'crumb_tool_call', actions: ['read_record'], locations: [RECORDS] };

/** In every answer of a failing provider. */
const PROVIDER_CANARY = 'CANARY-of-the-provider-7f3a';

type Failure = 'none' | '400' | '500' | 'timeout';

let failure: Failure = 'none';
const canaries = new Set<string>([PROVIDER_CANARY]);

/** A token, and each of its parts: claims or a signature alone would be a leak too. */
function watch(token: string): void {
  canaries.add(token);
  for (const part of token.split('.').slice(1)) if (part.length > 20) canaries.add(part);
}

/** The provider's side of the wire, on which everything is seen and some things fail. */
const fetchAndWatch: typeof fetch = async (input, init) => {
  const request = new Request(input, init);
  if (!request.url.endsWith('/token')) return fetch(request);
  const sent = new URLSearchParams(await request.clone().text());
  for (const name of ['subject_token', 'actor_token', 'client_assertion']) {
    const token = sent.get(name);
    if (token !== null) watch(token);
  }
  switch (failure) {
    case '400':
      return Response.json(
        { error: 'invalid_target', error_description: PROVIDER_CANARY, error_uri: PROVIDER_CANARY },
        { status: 400 },
      );
    case '500':
      return new Response(`<p>${PROVIDER_CANARY} ${sent.get('subject_token') ?? ''}</p>`, {
        status: 500,
      });
    case 'timeout':
      throw new DOMException(`${PROVIDER_CANARY} timed out`, 'TimeoutError');
    case 'none': {
      const response = await fetch(request);
      const body: unknown = await response.clone().json();
      const token: unknown = Object(body).access_token;
      if (typeof token === 'string') watch(token);
      return response;
    }
  }
};

let world: CrumbWorld;
let session: HumanSession;
let planner: ActingAgent;

/** A login of its own for each case: no token of an earlier one is cached. */
async function logIn(): Promise<HumanSession> {
  const token = await world.tokenOf('alice', [READ_ANY], { scope: 'openid read_record' });
  watch(token);
  return world.crumb.session(token);
}
const secrets: Uint8Array[] = [];

beforeAll(async () => {
  world = await openWorld({
    crumb: { issuer: { fetch: fetchAndWatch, timeoutMs: 2_000 } },
    tools: { think: { resource: 'local', action: 'think' } },
  });
  session = await logIn();
  planner = session.agent('planner');
});
afterAll(async () => world.close());
afterEach(() => {
  failure = 'none';
});

function expectClean(surface: string, text: string): void {
  expect(canaries.size).toBeGreaterThan(2);
  for (const canary of canaries) {
    if (text.includes(canary)) expect.fail(`${surface} shows ${canary.slice(0, 30)}`);
  }
  for (const secret of secrets) {
    const bytes = Buffer.from(secret);
    for (const form of [
      bytes.toString('hex'),
      bytes.toString('base64'),
      bytes.toString('base64url'),
      [...secret].join(','),
    ]) {
      if (text.includes(form)) expect.fail(`${surface} shows an approval secret`);
    }
  }
  expect(text).not.toContain('alice'); // nor who it is
}

/** Everything that can be seen of a value, errors and their causes included. */
function seen(value: unknown): string {
  return inspect(value, {
    depth: 12,
    showHidden: true,
    maxArrayLength: null,
    maxStringLength: null,
  });
}

/** What a careless tool returns of something that it was given. */
function plain(value: unknown): unknown {
  return { json: JSON.stringify(value), text: `${String(value)} ${inspect(value)}` };
}

const task = z.object({ task: z.string() });

/** A planner that reads, delegates, streams and fails. */
function cast(host: Host): { tools: Record<string, object>; model: Scripted; child: Scripted } {
  const child = host.script(call('r1', 'readRecord', { id: 2 }), say('researched'));
  const readRecord = {
    description: 'reads',
    inputSchema: z.object({ id: z.number() }),
    execute: async ({ id }: { id: number }) => {
      const response = await world.crumb.current().fetch(`${world.records.url}/records/${id}`);
      return { record: await response.json(), call: plain(world.crumb.current()) };
    },
  };
  const think = {
    description: 'fails',
    inputSchema: z.looseObject({}),
    execute: async function* () {
      yield plain(world.crumb.current());
      throw new Error('thinking failed', { cause: world.crumb.current() });
    },
  };
  const research = subAgent({
    actor: 'researcher',
    agent: host.agent({ model: child, tools: tools({ readRecord }) }),
    description: 'researches',
    inputSchema: task,
    stream: true,
  });
  const model = host.script(
    {
      calls: [
        { id: 'c1', name: 'readRecord', input: { id: 1 } },
        { id: 'c2', name: 'research', input: { task: 'x' } },
        { id: 'c3', name: 'think', input: {} },
      ],
    },
    say('done'),
  );
  return { tools: { readRecord, research, think }, model, child };
}

const FAILURES: readonly Failure[] = ['none', '400', '500', 'timeout'];

const CASES = HOSTS.flatMap((host) =>
  FAILURES.flatMap((way) =>
    (['generate', 'stream'] as const).map((mode) => ({
      host,
      way,
      mode,
      title: `${host.name}, ${mode}, exchange: ${way}`,
    })),
  ),
);

describe.each(CASES)('$title', ({ host, way, mode }) => {
  it('shows no token and no secret to models, results, messages and traces', async () => {
    failure = way;
    const acting = (await logIn()).agent('planner');
    const { tools: set, model, child } = cast(host);
    const bound = bind(acting, { tools: set });
    secrets.push(bound.experimental_toolApprovalSecret);
    const events: unknown[] = [];
    const listener = (message: unknown): number => events.push(message);
    const channel = tracingChannel('ai:telemetry');
    const subscribers = {
      start: listener,
      end: listener,
      asyncStart: listener,
      asyncEnd: listener,
      error: listener,
    };
    channel.subscribe(subscribers);
    const integrations = [telemetry(world.crumb), recorder(events)];
    const outcome = await host[mode]({
      model,
      ...bound,
      prompt: 'go',
      ...(host === host7 ? { telemetry: { integrations } } : {}),
    });
    channel.unsubscribe(subscribers);
    expect(outcome.text).toBe('done');
    expect(outcome.errors.length).toBe(way === 'none' ? 1 : 3);
    expectClean('the model', model.prompts());
    expectClean("the sub-agent's model", child.prompts());
    expectClean('the result', outcome.everything);
    expectClean('the result, inspected', seen(outcome));
    expectClean('the telemetry', seen(events) + safeJson(events));
    if (host === host7) expect(events.length).toBeGreaterThan(5);
  });
});

/** An integration that keeps whatever it is told. */
function recorder(events: unknown[]): object {
  return new Proxy(
    {},
    {
      get: (_target, name) =>
        typeof name === 'string' && name.startsWith('on')
          ? (event: unknown) => void events.push(event)
          : undefined,
    },
  );
}

/** JSON of what refers to itself too. */
function safeJson(value: unknown): string {
  const path = new WeakSet();
  return JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member !== 'object' || member === null) return member;
    if (path.has(member)) return '[again]';
    path.add(member);
    return member;
  });
}

describe.each(FAILURES)('exchange: %s', (way) => {
  it('shows nothing in the bytes that a browser is sent', async () => {
    failure = way;
    const { tools: set, model } = cast(host7);
    const result = streamText({
      model: model.model,
      ...bind((await logIn()).agent('planner'), { tools: set as Record<string, Tool> }),
      prompt: 'go',
      stopWhen: isStepCount(5),
      onError: () => {},
    });
    const chunks: unknown[] = [];
    for await (const chunk of toUIMessageStream({ stream: result.stream })) chunks.push(chunk);
    expect(chunks.length).toBeGreaterThan(5);
    expectClean('the UI stream', JSON.stringify(chunks));
  });

  it('shows nothing in errors, their causes and stacks', async () => {
    failure = way;
    const { readRecord } = tools((await logIn()).agent('planner'), {
      readRecord: {
        execute: async (input: object) => {
          throw new Error('own', { cause: input });
        },
      },
    });
    const error: unknown = await readRecord.execute({ id: 9 }).catch((reason: unknown) => reason);
    expectClean('an error', seen(error) + JSON.stringify(error));
  });
});

it('puts no secret into what a browser is asked to approve', async () => {
  const { tools: set } = cast(host7);
  const bound = bind((await logIn()).agent('planner'), {
    tools: { readRecord: set['readRecord'] ?? {} },
    toolApproval: { readRecord: 'user-approval' },
  });
  secrets.push(bound.experimental_toolApprovalSecret);
  const model = host7.script(call('c1', 'readRecord', { id: 1 }));
  const { everything, messages } = await host7.generate({ model, ...bound, prompt: 'go' });
  expect(everything).toContain('tool-approval-request');
  expectClean('a request for approval', everything + JSON.stringify(messages));
});

it('would find a canary, and a secret in any spelling', () => {
  const [secret] = secrets;
  const planted = [...canaries, Buffer.from(secret ?? []).toString('base64url'), 'alice'];
  for (const text of planted) expect(() => expectClean('plant', `x${text}y`)).toThrow();
});

it('keeps tokens and people out of the handles that applications hold', () => {
  for (const handle of [session, planner, world.crumb]) {
    expectClean('a handle, inspected', seen(handle));
    expectClean('a handle, as JSON', JSON.stringify(handle));
  }
  // The handles are made of private members and functions: no copy carries anything along.
  expectClean('a clone', seen(structuredClone(session)));
  expect(() => structuredClone(planner)).toThrow('could not be cloned');
});

it('keeps tokens and people out of the ledger, and readable ones out of the vault', async () => {
  await world.crumb.flush();
  expectClean('the entries', JSON.stringify(await world.readCrumbs()));
  for (const file of ['crumb.db', 'crumb.db-wal', 'vault.db', 'vault.db-wal']) {
    expectClean(file, readFileSync(join(world.folder, file)).toString('latin1'));
  }
});

it('sends a token to its resource alone, whatever address a tool calls', async () => {
  const seenElsewhere: (string | null)[] = [];
  const { createServer } = await import('node:http');
  const server = createServer((request, response) => {
    seenElsewhere.push(request.headers.authorization ?? null);
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { readRecord } = tools(planner, {
    readRecord: {
      execute: async (input: { id: number }) => {
        await world.crumb.current().fetch(`http://127.0.0.1:${port}/records/${input.id}`);
      },
    },
  });
  await readRecord.execute({ id: 1 });
  server.close();
  expect(seenElsewhere).toEqual([null]);
});
