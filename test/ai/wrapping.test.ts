import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { bind } from '../../src/ai/bind.ts';
import { tools } from '../../src/ai/tools.ts';
import { subAgent } from '../../src/ai/sub-agent.ts';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import { openWorld, READ_42, RECORDS, type CrumbWorld } from '../world.ts';
import { call, host7, HOSTS, say, type Outcome } from './hosts.ts';
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
    tools: { think: LOCAL, other: LOCAL },
  });
  planner = (await world.loginAs('alice', [READ_ANY])).agent('planner');
});
afterAll(async () => world.close());

const anything = z.looseObject({});

function local(execute: (input: never, options: never) => unknown): object {
  return { description: 'for tests', inputSchema: anything, execute };
}

async function run(set: object, ...calls: [string, string, unknown][]): Promise<Outcome> {
  const steps = calls.map(([id, name, input]) => call(id, name, input));
  return host7.generate({ model: host7.script(...steps, say('done')), tools: set, prompt: 'go' });
}

describe('wrapping', () => {
  const think = local(() => 'thought');

  it('twice guards once', async () => {
    const trail = await beginTrail(world);
    const once = tools(planner, { think });
    const twice = tools(planner, { think: { ...once.think } });
    const ambient = tools(planner, tools({ think }));
    await run(twice, ['c1', 'think', {}]);
    await run(ambient, ['c1', 'think', {}]);
    await run(tools(once), ['c1', 'think', {}]);
    expect(await trail.lines()).toEqual(
      [1, 2, 3].flatMap(() => ['intent think authorized', 'outcome think ok']),
    );
  });

  it('throws for tools that are bound to another agent or human', async () => {
    const bound = tools(planner, { think });
    const session = await world.loginAs('bob');
    expect(() => tools(session.agent('planner'), bound)).toThrow(
      expect.objectContaining({ code: 'actor_mismatch' }),
    );
    const again = (await world.loginAs('alice', [READ_ANY])).agent('planner');
    expect(() => tools(again, bound)).toThrow(expect.objectContaining({ code: 'actor_mismatch' }));
  });

  it('takes two handles on one agent of one login for the same', async () => {
    const session = await world.loginAs('alice', [READ_ANY]);
    const bound = tools(session.agent('planner'), { think });
    const other = session.agent('planner');
    expect(tools(other, bound)).toHaveProperty('think');
    const { errors } = await other.run(() => run(bound, ['c1', 'think', {}]));
    expect(errors).toEqual([]);
  });

  it('refuses bound tools where another agent acts, on record', async () => {
    const trail = await beginTrail(world);
    const bob = (await world.loginAs('bob')).agent('planner');
    const bound = tools(planner, { think });
    const { errors } = await bob.run(() => run(bound, ['c1', 'think', {}]));
    expect(errors).toEqual(['the tool is bound to another agent']);
    expect(await trail.lines()).toEqual(['refusal think actor_mismatch']);
  });

  it('names every tool without a resource', () => {
    const set = {
      think,
      unknown: think,
      alsoUnknown: think,
      clientSide: { inputSchema: anything },
    };
    expect(() => tools(planner, set)).toThrow(
      expect.objectContaining({
        code: 'tool_unmapped',
        message: expect.stringContaining('unknown, alsoUnknown'),
      }),
    );
  });

  it('leaves tools alone that run elsewhere', () => {
    const clientSide = { description: 'asks the browser', inputSchema: anything };
    expect(tools(planner, { clientSide }).clientSide).toBe(clientSide);
  });

  it('warns of hooks that run before the guard, once for each tool', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => {
      if (warning.name === 'CrumbWarning') warnings.push(warning.message);
    };
    process.on('warning', listen);
    const hooked = { ...think, onInputAvailable: () => {} };
    tools(planner, { think: hooked });
    tools(planner, { think: hooked });
    await vi.waitFor(() => expect(warnings).toHaveLength(1));
    process.off('warning', listen);
    expect(warnings[0]).toContain('onInputAvailable');
  });

  it('does not need its options', async () => {
    const trail = await beginTrail(world);
    const { think: guarded } = tools(planner, {
      think: { execute: async (input: { n: number }) => input.n },
    });
    expect(await guarded.execute({ n: 3 })).toBe(3);
    expect(await trail.lines()).toEqual(['intent think authorized', 'outcome think ok']);
  });
});

describe('a tool that only a look-up by name finds', () => {
  const raw = local(() => 'ran');
  const think = local(() => 'thought');
  const caller = { type: 'local', bind: () => raw };
  class Toolbox {
    readonly think = think;
    get raw(): object {
      return raw;
    }
  }

  it.each([
    ['on a prototype', Object.assign(Object.create({ raw }), { think })],
    ['further up', Object.assign(Object.create(Object.create({ raw })), { think })],
    ['up to no prototype', Object.create(Object.assign(Object.create(null), { raw }))],
    ['of a class', new Toolbox()],
    ['that is not enumerable', Object.defineProperty({ think }, 'raw', { value: raw })],
    ['that hides one', Object.defineProperty(Object.create({ raw }), 'raw', { value: raw })],
    ['that runs code', Object.create({ raw: { experimental_toolCaller: caller } })],
    ['that is a function', { think, raw: Object.assign(() => {}, raw) }],
  ])('is refused by name: %s', (_where, set: Record<string, object>) => {
    const refusal = expect.objectContaining({
      code: 'tool_unguarded',
      message: expect.stringMatching(/\braw\b/u),
    });
    expect(() => tools(planner, set)).toThrow(refusal);
    expect(() => tools(set)).toThrow(refusal);
    expect(() => bind(planner, { tools: set })).toThrow(refusal);
  });

  it.each(HOSTS)('never runs, even if it comes later ($name)', async (host) => {
    const trail = await beginTrail(world);
    const ran: unknown[] = [];
    const late = local((input) => ran.push(input));
    const base: Record<string, object> = { helper: () => 'no tool' };
    const set = Object.assign(Object.create(base), { think });
    const hidden: { tool?: object } = {};
    Object.defineProperty(set, 'other', { get: () => hidden.tool });
    const guarded = tools(planner, set);
    base['late'] = late;
    hidden.tool = late;
    for (const name of ['late', 'other']) {
      const model = host.script(call('c1', name, {}), say('done'));
      await host.generate({ model, tools: guarded, prompt: 'go' });
    }
    const model = host.script(call('c2', 'think', {}), say('done'));
    await host.generate({ model, tools: guarded, prompt: 'go' });
    expect(ran).toEqual([]);
    expect(Object.getPrototypeOf(guarded)).toBe(Object.prototype);
    expect(Reflect.ownKeys(guarded)).toEqual(['think']);
    expect(await trail.lines()).toEqual(['intent think authorized', 'outcome think ok']);
  });

  it('is none where an own member stands before it', async () => {
    const { outputs } = await run(
      tools(planner, Object.assign(Object.create({ think: raw }), { think })),
      ['c1', 'think', {}],
    );
    expect(outputs).toEqual(['thought']);
  });
});

describe('a copy of a tool', () => {
  it('keeps its class, its hidden members and its `this`', async () => {
    class Thinker {
      readonly #word = 'thought';
      readonly description = 'thinks';
      readonly inputSchema = anything;
      execute(): string {
        return this.#word;
      }
    }
    const thinker = Object.defineProperty(new Thinker(), 'hidden', { value: 'secret' });
    const { think } = tools(planner, { think: thinker });
    expect(think).toBeInstanceOf(Thinker);
    expect(Reflect.get(think, 'hidden')).toBe('secret');
    expect(Object.keys(think)).not.toContain('hidden');
    const { outputs } = await run({ think }, ['c1', 'think', {}]);
    expect(outputs).toEqual(['thought']);
  });

  it('leaves a set without prototype without prototype, and the original untouched', async () => {
    const execute = (): string => 'thought';
    const original = { think: { description: 'x', inputSchema: anything, execute } };
    const bare = Object.assign(Object.create(null), original);
    const guarded = tools(planner, bare);
    expect(Object.getPrototypeOf(guarded)).toBe(null);
    expect(Object.keys(guarded)).toEqual(['think']);
    expect(original.think.execute).toBe(execute);
  });

  it('keeps a tool by the name of __proto__ a tool', () => {
    const set = JSON.parse('{"__proto__": {"description": "x"}}');
    set.think = { description: 'x', inputSchema: anything, execute: () => 'thought' };
    const guarded = tools(planner, set);
    expect(Object.keys(guarded)).toEqual(['__proto__', 'think']);
    expect(Object.getPrototypeOf(guarded)).toBe(Object.prototype);
  });

  it('lets code that calls tools leave a crumb for itself and for each of them', async () => {
    const trail = await beginTrail(world);
    const code = Object.defineProperty(
      { description: 'runs code', inputSchema: anything },
      'experimental_toolCaller',
      {
        value: {
          type: 'local',
          bind: (
            inner: Record<string, { execute(input: unknown, options: unknown): unknown }>,
          ) => ({
            description: 'runs code',
            inputSchema: anything,
            execute: async (_code: unknown, options: { toolCallId: string }) => {
              const { think } = inner;
              const nested = (n: number): object => ({
                ...options,
                toolCallId: `${options.toolCallId}-${n}`,
              });
              return [
                await think?.execute({ n: 1 }, nested(1)),
                await think?.execute({ n: 2 }, nested(2)),
              ];
            },
          }),
        },
      },
    );
    const set = tools(planner, { other: code, think: local(({ n }: { n: number }) => n) });
    const { outputs } = await host7.generate({
      model: host7.script(call('c1', 'other', { code: 'x' }), say('done')),
      tools: set,
      experimental_toolCallers: { think: ['other'] },
      prompt: 'go',
    });
    expect(outputs).toEqual([[1, 2]]);
    expect(await trail.lines()).toEqual([
      'intent other authorized',
      'intent think authorized',
      'outcome think ok',
      'intent think authorized',
      'outcome think ok',
      'outcome other ok',
    ]);
  });
});

describe('what is committed to', () => {
  it('is what the tool is given after repair and refinement, whatever happens to the input later', async () => {
    const trail = await beginTrail(world);
    const given: unknown[] = [];
    const set = tools(planner, {
      readRecord: {
        description: 'x',
        inputSchema: z.object({ id: z.number() }),
        execute: async (input: { id: number }) => given.push(input),
      },
    });
    const login = await world.loginAs('alice', [READ_42]);
    const bound = tools(login.agent('planner'), {
      readRecord: {
        ...set.readRecord,
        execute: async (input: { id: number }) => given.push(input),
      },
    });
    await host7.generate({
      model: host7.script(call('c1', 'readRecord', { id: 1 }), say('done')),
      tools: bound,
      experimental_refineToolInput: { readRecord: () => ({ id: 42 }) },
      prompt: 'go',
    });
    expect(given).toEqual([{ id: 42 }]);
    expect(await trail.lines()).toEqual(['intent readRecord authorized', 'outcome readRecord ok']);

    const input = { id: 42 };
    const running = bound.readRecord.execute(input);
    input.id = 43; // while the token is fetched
    await running;
    expect(given.at(-1)).toEqual({ id: 42 });
  });

  it('refuses what is not JSON', async () => {
    const trail = await beginTrail(world);
    const { think } = tools(planner, { think: { execute: async (input: unknown) => input } });
    await expect(think.execute({ at: new Date() })).rejects.toMatchObject({
      code: 'arguments_not_json',
    });
    expect(await trail.lines()).toEqual(['refusal think arguments_not_json']);
  });
});

describe('the ambient scope', () => {
  it('is there after every yield, also when two humans are read crosswise', async () => {
    const bob = (await world.loginAs('bob')).agent('planner');
    const seen: string[] = [];
    const look = (step: number): void => {
      seen.push(`${world.crumb.current().human?.sub ?? 'nobody'} ${step}`);
    };
    const set = tools({
      think: {
        execute: async function* (_input: object) {
          look(1);
          yield 1;
          look(2);
          yield 2;
          look(3);
        },
      },
    });
    const hers = planner.run(() => set.think.execute({}));
    const his = bob.run(() => set.think.execute({}));
    // The host reads them outside of any scope, or inside that of somebody else.
    await hers.next();
    await bob.run(() => his.next());
    await bob.run(() => hers.next());
    await planner.run(() => his.next());
    await hers.next();
    await his.next();
    expect(seen.toSorted()).toEqual(['alice 1', 'alice 2', 'alice 3', 'bob 1', 'bob 2', 'bob 3']);
  });

  it('is there while a generator is given up', async () => {
    const trail = await beginTrail(world);
    let cleaned: string | undefined;
    const { think } = tools(planner, {
      think: {
        execute: async function* (_input: object) {
          try {
            yield 1;
            yield 2;
          } finally {
            cleaned = world.crumb.current().human?.sub;
          }
        },
      },
    });
    for await (const part of think.execute({})) {
      expect(part).toBe(1);
      break;
    }
    expect(cleaned).toBe('alice');
    expect(await trail.lines()).toEqual(['intent think authorized', 'outcome think aborted']);
  });

  it('records an error of a generator that fails while it is given up', async () => {
    const trail = await beginTrail(world);
    const { think } = tools(planner, {
      think: {
        execute: async function* (_input: object) {
          try {
            yield 1;
          } finally {
            await Promise.reject(new Error('stuck'));
          }
        },
      },
    });
    const parts = think.execute({});
    await parts.next();
    await expect(parts.return(undefined)).rejects.toThrow('stuck');
    expect(await trail.lines()).toEqual(['intent think authorized', 'outcome think error']);
  });

  it('is not there in what a tool hands out for later', async () => {
    const { think } = tools(planner, {
      think: { execute: async (_input: object) => () => world.crumb.current() },
    });
    const later = await think.execute({});
    expect(later).toThrow(expect.objectContaining({ code: 'call_missing' }));
  });
});

it('never takes an identity from what a model says', async () => {
  const trail = await beginTrail(world);
  const { think } = tools(planner, { think: { execute: async (input: unknown) => input } });
  await think.execute({ human: 'mallory', sub: 'mallory', act: { sub: 'root' }, agent: 'root' });
  const [body] = await trail.attempts();
  expect(body?.chain.map(({ sub }) => sub)).toEqual(['planner']);
  expect(JSON.stringify(body)).not.toMatch(/mallory|root/);
});

it('delegates with a tool that was given no name, under the name of its agent', () => {
  const research = subAgent({
    actor: 'researcher',
    agent: host7.agent({ model: host7.script(), tools: tools({ think: { execute: () => 1 } }) }),
    description: 'x',
    inputSchema: anything,
  });
  expect(tools(planner, { research })).toHaveProperty('research');
});

it('leaves a ledger in which every verdict and token verifies', async () => {
  expect(await audit(world)).toEqual([]);
});
