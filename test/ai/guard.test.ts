import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { tools } from '../../src/ai/tools.ts';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import { openWorld, RECORDS, type CrumbWorld } from '../world.ts';
import { call, HOSTS, say, type Host } from './hosts.ts';
import { audit } from './audit.ts';
import { beginTrail } from './trail.ts';

const LOCAL = { resource: 'local', action: 'think' };
const READ_ANY = {
  type: 'crumb_tool_call',
  actions: ['read_record', 'think'],
  locations: [RECORDS, 'local'],
};

let world: CrumbWorld;
let planner: ActingAgent;
beforeAll(async () => {
  world = await openWorld({
    tools: { think: LOCAL, other: LOCAL, count: LOCAL },
  });
  planner = (await world.loginAs('alice', [READ_ANY])).agent('planner');
});
afterAll(async () => world.close());

const anything = z.looseObject({});

function local(execute: (input: never, options: never) => unknown): object {
  return { description: 'for tests', inputSchema: anything, execute };
}

async function readRecord({ id }: { id: number }): Promise<unknown> {
  const { fetch } = world.crumb.current();
  const response = await fetch(`${world.records.url}/records/${id}`);
  if (!response.ok) throw new Error(`answered ${response.status}`);
  return response.json();
}

const WAYS = HOSTS.flatMap((host) =>
  (['generate', 'stream'] as const).map((way) => ({ host, way, title: `${host.name} ${way}` })),
);

function run(
  host: Host,
  way: 'generate' | 'stream',
  set: object,
  ...calls: [string, string, unknown][]
) {
  const steps = calls.map(([id, name, input]) => call(id, name, input));
  return host[way]({ model: host.script(...steps, say('done')), tools: set, prompt: 'go' });
}

describe.each(WAYS)('$title', ({ host, way }) => {
  it('runs a tool under a token of its human and agent, and leaves an intent and an outcome', async () => {
    const trail = await beginTrail(world);
    const set = tools(planner, { readRecord: local(readRecord) });
    const { outputs, text } = await run(host, way, set, ['c1', 'readRecord', { id: 42 }]);
    expect(outputs).toEqual([{ id: 42, text: 'record 42' }]);
    expect(text).toBe('done');
    expect(world.records.served.at(-1)?.delegation).toMatchObject({
      human: { sub: 'alice' },
      chain: [{ sub: 'planner' }],
    });
    expect(await trail.lines()).toEqual(['intent readRecord authorized', 'outcome readRecord ok']);
    expect((await trail.attempts())[0]?.call).toMatchObject({ id: 'c1', origin: 'model' });
  });

  it('names a tool by its key, also the same tool under two keys', async () => {
    const trail = await beginTrail(world);
    const tool = local(() => 'thought');
    const set = tools(planner, { think: tool, other: tool });
    await run(host, way, set, ['c1', 'think', {}], ['c2', 'other', {}]);
    expect((await trail.attempts()).map((body) => body.call.tool)).toEqual(['think', 'other']);
  });

  it('runs the body of a generator tool once, and shows each part as the raw tool does', async () => {
    const trail = await beginTrail(world);
    let ran = 0;
    const tool = local(async function* () {
      ran += 1;
      yield 1;
      yield 2;
      yield 3;
    });
    const raw = await run(host, way, { count: tool }, ['c1', 'count', {}]);
    const { parts, outputs } = await run(host, way, tools(planner, { count: tool }), [
      'c1',
      'count',
      {},
    ]);
    expect(ran).toBe(2);
    expect({ parts, outputs }).toEqual({ parts: raw.parts, outputs: raw.outputs });
    expect(outputs).toEqual([3]);
    expect(await trail.lines()).toEqual(['intent count authorized', 'outcome count ok']);
  });

  it('takes the last value of an iterable that a plain function returns', async () => {
    const numbers = async function* (): AsyncGenerator<number> {
      yield 1;
      yield 2;
    };
    const set = tools(planner, { think: local(() => numbers()) });
    const { outputs, parts } = await run(host, way, set, ['c1', 'think', {}]);
    expect(outputs).toEqual([2]);
    expect(parts.filter((part) => part.startsWith('preliminary'))).toEqual([]);
  });

  it('records a tool that throws as an error, and lets its own error through', async () => {
    const trail = await beginTrail(world);
    const throwing = (): never => {
      throw new Error('disk full');
    };
    const { errors } = await run(host, way, tools(planner, { think: local(throwing) }), [
      'c1',
      'think',
      {},
    ]);
    expect(errors).toEqual(['disk full']);
    expect(await trail.lines()).toEqual(['intent think authorized', 'outcome think error']);
  });

  it('records a generator that throws in the middle', async () => {
    const trail = await beginTrail(world);
    const breaking = async function* (): AsyncGenerator<number> {
      yield 1;
      throw new Error('tape torn');
    };
    const { errors } = await run(host, way, tools(planner, { think: local(breaking) }), [
      'c1',
      'think',
      {},
    ]);
    expect(errors).toEqual(['tape torn']);
    expect(await trail.lines()).toEqual(['intent think authorized', 'outcome think error']);
  });

  it('gives every call a crumb of its own where a provider repeats ids', async () => {
    const trail = await beginTrail(world);
    const set = tools(planner, { think: local(() => 'thought') });
    await run(host, way, set, ['call_0', 'think', { n: 1 }], ['call_0', 'think', { n: 2 }]);
    expect(await trail.lines()).toEqual([
      'intent think authorized',
      'outcome think ok',
      'intent think authorized',
      'outcome think ok',
    ]);
  });

  it('runs fifty parallel calls on one chain', async () => {
    const trail = await beginTrail(world);
    const set = tools(planner, { think: local(({ n }: { n: number }) => n) });
    const calls = Array.from({ length: 50 }, (_none, n) => ({
      id: `c${n}`,
      name: 'think',
      input: { n },
    }));
    const { outputs } = await host[way]({
      model: host.script({ calls }, say('done')),
      tools: set,
      prompt: 'go',
    });
    expect([...outputs].toSorted((a, b) => Number(a) - Number(b))).toEqual(calls.map((_c, n) => n));
    const lines = await trail.lines();
    expect(lines.filter((line) => line.startsWith('intent'))).toHaveLength(50);
    expect(lines.filter((line) => line === 'outcome think ok')).toHaveLength(50);
  });

  it('guards dynamic tools', async () => {
    const trail = await beginTrail(world);
    const set = tools(planner, { think: { ...local(() => 'thought'), type: 'dynamic' } });
    const { outputs } = await run(host, way, set, ['c1', 'think', {}]);
    expect(outputs).toEqual(['thought']);
    expect(await trail.lines()).toEqual(['intent think authorized', 'outcome think ok']);
  });

  it('refuses a call that no delegation can be had for, in fixed words', async () => {
    const trail = await beginTrail(world);
    let ran = false;
    const set = tools(planner, {
      exportRecord: local(() => {
        ran = true;
      }),
    });
    // Carol granted reading alone, so the provider refuses a token for exporting.
    const carol = (await world.loginAs('carol', undefined, { scope: 'openid read_record' })).agent(
      'planner',
    );
    const hers = tools(carol, { exportRecord: local(() => 'exported') });
    const { errors } = await run(host, way, hers, ['c1', 'exportRecord', { id: 1 }]);
    expect(errors).toEqual(['the identity provider refused to delegate']);
    expect(await trail.lines()).toEqual(['refusal exportRecord exchange_refused']);
    expect(ran).toBe(false);
    expect(set).toHaveProperty('exportRecord');
  });

  it('lets ambient tools act for whoever acts, and for nobody outside', async () => {
    const trail = await beginTrail(world);
    const set = tools({ think: local(() => 'thought') });
    const model = (): ReturnType<Host['script']> =>
      host.script(call('c1', 'think', {}), say('done'));
    const bob = (await world.loginAs('bob')).agent('planner');
    await planner.run(() => host[way]({ model: model(), tools: set, prompt: 'go' }));
    await bob.run(() => host[way]({ model: model(), tools: set, prompt: 'go' }));
    const humans = (await trail.attempts()).map((body) => body.human);
    expect(new Set(humans).size).toBe(2);
    const { errors } = await host[way]({ model: model(), tools: set, prompt: 'go' });
    expect(errors).toEqual(['no verified human session is behind this call']);
    expect((await trail.attempts()).length).toBe(2);
  });

  it('aborts a tool and says so', async () => {
    const trail = await beginTrail(world);
    const stop = new AbortController();
    const hanging = async (_input: never, options: { abortSignal: AbortSignal }): Promise<void> => {
      const aborted = new Promise((_resolve, reject) => {
        const onAbort = (): void => reject(new DOMException('stopped', 'AbortError'));
        options.abortSignal.addEventListener('abort', onAbort, { once: true });
      });
      stop.abort();
      await aborted;
    };
    await host[way]({
      model: host.script(call('c1', 'think', {}), say('done')),
      tools: tools(planner, { think: local(hanging) }),
      prompt: 'go',
      abortSignal: stop.signal,
    }).catch(() => {});
    await vi.waitFor(async () => {
      expect(await trail.lines()).toEqual(['intent think authorized', 'outcome think aborted']);
    });
  });
});

it('leaves a ledger in which every verdict and token verifies', async () => {
  expect(await audit(world)).toEqual([]);
});
