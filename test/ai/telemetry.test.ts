import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { bind } from '../../src/ai/bind.ts';
import { telemetry } from '../../src/ai/telemetry.ts';
import { tools } from '../../src/ai/tools.ts';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import { openWorld, READ_42, type CrumbWorld } from '../world.ts';
import { answered, FORGED, forget, ran, readRecord, WAYS } from './approval-turns.ts';
import { call, host7, say, type Outcome, type Step } from './hosts.ts';
import { audit } from './audit.ts';
import { beginTrail } from './trail.ts';

const LOCAL = { resource: 'local', action: 'think' };

let world: CrumbWorld;
let planner: ActingAgent;
beforeAll(async () => {
  world = await openWorld({ tools: { think: LOCAL, other: LOCAL } });
  planner = (await world.loginAs('alice', [READ_42])).agent('planner');
});
afterAll(async () => world.close());
beforeEach(forget);

const anything = z.looseObject({});
const raw = { description: 'x', inputSchema: anything, execute: async () => 'thought' };

/** One generation that is watched. */
function run(
  way: (typeof WAYS)[number],
  settings: { readonly steps: readonly Step[]; readonly [other: string]: unknown },
  options: Parameters<typeof telemetry>[1] = {},
): Promise<Outcome> {
  const { steps, telemetry: more = {}, ...rest } = settings;
  return host7[way]({
    model: host7.script(...steps),
    ...(rest['messages'] === undefined ? { prompt: 'go' } : {}),
    ...rest,
    telemetry: { integrations: [telemetry(world.crumb, options)], ...(more as object) },
  });
}

describe.each(WAYS)('telemetry (%s)', (way) => {
  it('records what runs without guard, beside guarded tools that it leaves alone', async () => {
    const trail = await beginTrail(world);
    const set = { ...tools(planner, { other: raw }), think: raw };
    const calls = [
      { id: 'c1', name: 'think', input: { n: 1 } },
      { id: 'c2', name: 'other', input: { n: 2 } },
    ];
    const { outputs } = await run(way, { tools: set, steps: [{ calls }, say('done')] });
    expect(outputs).toEqual(['thought', 'thought']);
    expect((await trail.lines()).toSorted()).toEqual([
      'intent other unauthorized',
      'observed unguarded think',
      'outcome other ok',
    ]);
    const entries = await trail.entries();
    const observed = entries.find(({ kind }) => kind === 'observed');
    const [intent] = await trail.attempts();
    expect(observed?.body).toMatchObject({
      human: intent?.human,
      session: intent?.session,
      chain: [{ sub: 'planner' }],
      verdict: 'unauthorized',
      call: { id: 'c1', tool: 'think', resource: 'local', action: 'think' },
    });
  });

  it('sees it also where the application records no inputs, and when the tool throws', async () => {
    const trail = await beginTrail(world);
    const failing = { ...raw, execute: async () => Promise.reject(new Error('broken')) };
    const { errors } = await run(way, {
      tools: { think: failing },
      steps: [call('c1', 'think', {}), say('done')],
      telemetry: { recordInputs: false, recordOutputs: false },
    });
    expect(errors).toEqual(['broken']);
    expect(await trail.lines()).toEqual(['observed unguarded think']);
  });

  it('names nobody where nobody acts, and the ambient agent where one does', async () => {
    const trail = await beginTrail(world);
    const watched = (): Promise<Outcome> =>
      run(way, { tools: { think: raw }, steps: [call('c1', 'think', {}), say('done')] });
    await watched();
    await planner.run(watched);
    const bodies = (await trail.entries()).flatMap((entry) =>
      entry.kind === 'observed' ? [entry.body] : [],
    );
    expect(bodies.map(({ chain, verdict }) => [chain.length, verdict])).toEqual([
      [0, null],
      [1, 'unauthorized'],
    ]);
  });

  it("refuses raw tools with unguarded: 'throw', before they run", async () => {
    const trail = await beginTrail(world);
    const set = { ...tools(planner, { other: raw }), readRecord };
    const { errors } = await run(
      way,
      { tools: set, steps: [call('c1', 'readRecord', { id: 42 }), say('done')] },
      { unguarded: 'throw' },
    );
    expect(errors).toEqual(['tools that Crumb does not guard: readRecord']);
    expect(ran).toEqual([]);
    expect(await trail.lines()).toEqual(['refusal readRecord tool_unguarded']);
  });

  it("only records with unguarded: 'throw' where the tools are hidden from it", async () => {
    const trail = await beginTrail(world);
    const { outputs } = await run(
      way,
      {
        tools: { think: raw },
        steps: [call('c1', 'think', {}), say('done')],
        telemetry: { recordInputs: false },
      },
      { unguarded: 'throw' },
    );
    expect(outputs).toEqual(['thought']);
    expect(await trail.lines()).toEqual(['observed unguarded think']);
  });

  it('records what the provider executes, with a commitment to its result', async () => {
    const trail = await beginTrail(world);
    const parts = [
      {
        type: 'tool-call',
        toolCallId: 'p1',
        toolName: 'web_search',
        input: '{"query":"x"}',
        providerExecuted: true,
      },
      {
        type: 'tool-result',
        toolCallId: 'p1',
        toolName: 'web_search',
        result: { hits: 3 },
        providerExecuted: true,
      },
      ...(way === 'generate' ? [{ type: 'text', text: 'found' }] : []),
    ];
    const search = {
      type: 'provider',
      id: 'mock.web_search',
      args: {},
      inputSchema: anything,
      outputSchema: anything,
      isProviderExecuted: true,
    };
    await run(way, {
      tools: { ...tools(planner, { other: raw }), web_search: search },
      steps: [{ parts }],
    });
    expect(await trail.lines()).toEqual(['observed provider web_search']);
    const [body] = (await trail.entries()).flatMap((entry) =>
      entry.kind === 'observed' ? [entry.body] : [],
    );
    expect(body).toMatchObject({
      result: expect.stringMatching(/^h1\./),
      verdict: null,
      call: { resource: 'unmapped', action: 'web_search' },
    });
  });

  it('records what the browser is asked to do', async () => {
    const trail = await beginTrail(world);
    const confirm = { description: 'asks', inputSchema: anything, outputSchema: anything };
    await run(way, {
      tools: { ...tools(planner, { other: raw }), confirm },
      steps: [call('c1', 'confirm', {})],
    });
    expect(await trail.lines()).toEqual(['observed client confirm']);
  });

  it('records a forged approval as a refusal', async () => {
    const trail = await beginTrail(world);
    const failure = run(way, {
      ...bind(planner, { tools: { readRecord }, toolApproval: { readRecord: 'user-approval' } }),
      messages: FORGED,
      steps: [say('never')],
    });
    await expect(failure).rejects.toMatchObject({ name: 'AI_InvalidToolApprovalSignatureError' });
    expect(ran).toEqual([]);
    expect(await trail.lines()).toEqual(['refusal readRecord approval_unverified']);
  });

  it("records a human's no, once, and lets no later yes undo it", async () => {
    const trail = await beginTrail(world);
    const bound = bind(planner, {
      tools: { readRecord },
      toolApproval: { readRecord: 'user-approval' },
    });
    const asked = await run(way, { ...bound, steps: [call('c1', 'readRecord', { id: 42 })] });
    const no = answered(asked.messages, false);
    await run(way, { ...bound, messages: no, steps: [say('as you wish')] });
    await run(way, { ...bound, messages: no, steps: [say('as you wish')] });
    await run(way, { ...bound, messages: answered(asked.messages, true), steps: [say('x')] });
    expect(ran).toEqual([]);
    expect(await trail.lines()).toEqual([
      'refusal readRecord approval_denied',
      'refusal readRecord approval_unverified',
    ]);
  });

  it('is silent about a no to something that nobody asked', async () => {
    const trail = await beginTrail(world);
    await run(way, {
      ...bind(planner, { tools: { readRecord } }),
      messages: JSON.parse(JSON.stringify(FORGED).replace('"approved":true', '"approved":false')),
      steps: [say('x')],
    });
    expect(await trail.lines()).toEqual([]);
  });
});

it('leaves the calls of another Crumb to the telemetry of that', async () => {
  await using other = await openWorld({ tools: { think: LOCAL } });
  const trail = await beginTrail(world);
  const theirs = (await other.loginAs('bob')).agent('planner');
  await theirs.run(() =>
    run('generate', { tools: { think: raw }, steps: [call('c1', 'think', {}), say('x')] }),
  );
  const [body] = (await trail.entries()).flatMap((entry) =>
    entry.kind === 'observed' ? [entry.body] : [],
  );
  expect(body).toMatchObject({ human: null, chain: [] });
});

it('changes nothing for the application when it cannot write', async () => {
  const world = await openWorld({ tools: { think: LOCAL } });
  const acting = (await world.loginAs('alice')).agent('planner');
  const warned = vi.fn();
  process.on('warning', warned);
  const integrations = [telemetry(world.crumb)];
  await world.crumb.close();
  const { outputs } = await acting.run(() =>
    host7.generate({
      model: host7.script(call('c1', 'think', {}), say('done')),
      tools: { think: raw },
      prompt: 'go',
      telemetry: { integrations },
    }),
  );
  expect(outputs).toEqual(['thought']);
  await vi.waitFor(() => expect(warned).toHaveBeenCalled());
  process.off('warning', warned);
  await world.close();
});

it('takes nothing but a Crumb', () => {
  expect(() => telemetry({} as never)).toThrow(TypeError);
});

it('leaves a ledger in which every verdict and token verifies', async () => {
  expect(await audit(world)).toEqual([]);
});
