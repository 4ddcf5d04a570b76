import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bind } from '../../src/ai/bind.ts';
import { subAgent } from '../../src/ai/sub-agent.ts';
import { tools } from '../../src/ai/tools.ts';
import { openWorld, type CrumbWorld } from '../world.ts';
import { call, host7, HOSTS, say, type Host } from './hosts.ts';
import { castOf, PLAN, record, task } from './three-levels.ts';
import { audit } from './audit.ts';
import { beginTrail } from './trail.ts';

let world: CrumbWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world.close());

const { readRecord, plannerOf, threeLevels } = castOf(() => world);

describe('streamed sub-agents', () => {
  it('show their work as it goes on', async () => {
    const planner = await plannerOf('alice');
    const { research } = threeLevels(host7, true);
    const { parts, outputs } = await host7.stream({
      model: host7.script(call('p1', 'research', { task: 'x' }), say('done')),
      tools: tools(planner, { research }),
      prompt: 'go',
    });
    expect(parts.filter((part) => part === 'preliminary tool-result').length).toBeGreaterThan(3);
    expect(outputs).toHaveLength(1);
    expect(JSON.stringify(outputs)).toContain('researched');
  });

  it('act in their own scope when they are read outside of it, or inside that of somebody else', async () => {
    const before = world.records.served.length;
    const { research } = threeLevels(host7, true);
    const bob = await plannerOf('bob');
    const { research: guarded } = tools(await plannerOf('alice'), { research });
    const messages = guarded.execute({ task: 'x' }, {})[Symbol.asyncIterator]();
    for (
      let step = await messages.next();
      step.done !== true;
      step = await bob.delegate('researcher', { tool: 'x', args: {} }, () => messages.next())
    );
    const seen = world.records.served.slice(before).map(({ delegation }) => delegation.human.sub);
    expect(seen).toEqual(['alice', 'alice']);
  });

  it('are stopped when nobody reads on, and recorded as aborted', async () => {
    const trail = await beginTrail(world);
    const { research } = threeLevels(host7, true);
    const { research: guarded } = tools(await plannerOf('alice'), { research });
    for await (const message of guarded.execute({ task: 'x' }, {})) {
      expect(message).toHaveProperty('parts');
      break;
    }
    expect(await trail.lines()).toContain('outcome research aborted');
  });

  it.each(HOSTS)('end with an error when the child fails ($name)', async (host) => {
    const trail = await beginTrail(world);
    for (const stream of [false, true]) {
      const model = host.script({ fails: 'the model is gone' });
      const research = subAgent({
        actor: 'researcher',
        agent: host.agent({ model, tools: tools({ readRecord }), onError: () => {} }),
        description: 'x',
        inputSchema: task,
        stream: stream as true,
      });
      const { errors } = await host.stream({
        model: host.script(call('p1', 'research', { task: 'x' }), say('done')),
        tools: tools(await plannerOf('alice'), { research }),
        prompt: 'go',
      });
      // The host masks what its streams say of errors; else the child's own error passes.
      expect(errors).toEqual([expect.stringMatching(/^(the model is gone|An error occurred.)$/u)]);
    }
    const each = ['intent research authorized', 'hop', 'outcome research error'];
    expect(await trail.lines()).toEqual([...each, ...each]);
  });
});

describe('an abort', () => {
  it.each([false, true])('crosses to the child (streamed: %s)', async (stream) => {
    const trail = await beginTrail(world);
    const stop = new AbortController();
    const waiting = {
      description: 'waits',
      inputSchema: record,
      execute: async (
        _input: object,
        { abortSignal }: { abortSignal: AbortSignal },
      ): Promise<never> => {
        stop.abort();
        abortSignal.throwIfAborted();
        throw new Error('the signal did not cross');
      },
    };
    const research = subAgent({
      actor: 'researcher',
      agent: host7.agent({
        model: host7.script(call('r1', 'readRecord', { id: 2 }), say('never')),
        tools: tools({ readRecord: waiting }),
      }),
      description: 'x',
      inputSchema: task,
      stream: stream as true,
    });
    await host7
      .generate({
        model: host7.script(call('p1', 'research', { task: 'x' }), say('done')),
        tools: tools(await plannerOf('alice'), { research }),
        prompt: 'go',
        abortSignal: stop.signal,
      })
      .catch(() => {});
    const lines = await trail.lines();
    expect(lines).toContain('outcome readRecord aborted');
    expect(lines).toContain('outcome research aborted');
  });
});

describe('subAgent()', () => {
  const agentOf = (set: object, host = host7): ReturnType<Host['agent']> =>
    host.agent({ model: host.script(call('r1', 'readRecord', { id: 2 }), say('ok')), tools: set });
  const options = { actor: 'researcher', description: 'x', inputSchema: task };

  it('throws for an agent with raw tools, and names them', () => {
    expect(() => subAgent({ ...options, agent: agentOf({ readRecord }) })).toThrow(
      expect.objectContaining({
        code: 'tool_unguarded',
        message: expect.stringContaining('readRecord'),
      }),
    );
  });

  describe.each(HOSTS)('for an agent of $name', (host) => {
    it.each([
      ['on a prototype', () => Object.assign(Object.create({ raw: readRecord }), tools({}))],
      [
        'that is not enumerable',
        () => Object.defineProperty(tools({}), 'raw', { value: readRecord }),
      ],
    ])('refuses a tool that only a look-up by name finds: %s', async (_where, setOf) => {
      const trail = await beginTrail(world);
      const refusal = expect.objectContaining({
        code: 'tool_unguarded',
        message: expect.stringContaining('raw'),
      });
      const agent = (): ReturnType<Host['agent']> => {
        return host.agent({ model: host.script(call('r1', 'raw', { id: 2 })), tools: setOf() });
      };
      expect(() => subAgent({ ...options, agent: agent() })).toThrow(refusal);
      const research = subAgent({ ...options, agent });
      const { errors } = await host.generate({
        model: host.script(call('p1', 'research', { task: 'x' }), say('done')),
        tools: tools(await plannerOf('alice'), { research }),
        prompt: 'go',
      });
      expect(errors).toEqual([expect.stringContaining('raw')]);
      expect(await trail.lines()).toEqual([
        'intent research authorized',
        'hop',
        'outcome research error',
      ]);
    });
  });

  it('throws for an agent whose tools are bound', async () => {
    const planner = await plannerOf('alice');
    expect(() => subAgent({ ...options, agent: agentOf(tools(planner, { readRecord })) })).toThrow(
      expect.objectContaining({ code: 'actor_mismatch' }),
    );
  });

  it('refuses raw tools of an agent that is made at the call, before it runs', async () => {
    const trail = await beginTrail(world);
    const research = subAgent({ ...options, agent: () => agentOf({ readRecord }) });
    const { errors } = await host7.generate({
      model: host7.script(call('p1', 'research', { task: 'x' }), say('done')),
      tools: tools(await plannerOf('alice'), { research }),
      prompt: 'go',
    });
    expect(errors).toEqual([expect.stringContaining('readRecord')]);
    expect(await trail.lines()).toEqual([
      'intent research authorized',
      'hop',
      'outcome research error',
    ]);
  });

  it('refuses tools that are bound to the parent, on record', async () => {
    const trail = await beginTrail(world);
    const planner = await plannerOf('alice');
    const research = subAgent({ ...options, agent: () => agentOf(tools(planner, { readRecord })) });
    await host7.generate({
      model: host7.script(call('p1', 'research', { task: 'x' }), say('done')),
      tools: tools(planner, { research }),
      prompt: 'go',
    });
    expect(await trail.lines()).toContain('refusal readRecord actor_mismatch');
  });

  it('lets an agent be made for the child that acts', async () => {
    const trail = await beginTrail(world);
    const research = subAgent({
      ...options,
      agent: (acting) => agentOf(tools(acting, { readRecord })),
    });
    await host7.generate({
      model: host7.script(call('p1', 'research', { task: 'x' }), say('done')),
      tools: tools(await plannerOf('alice'), { research }),
      prompt: 'go',
    });
    expect((await trail.attempts()).map(({ chain }) => chain.map(({ sub }) => sub))).toEqual([
      ['planner'],
      ['planner', 'researcher'],
    ]);
  });

  it('takes the child from its definition, whatever the model says', async () => {
    const trail = await beginTrail(world);
    const research = subAgent({
      ...options,
      inputSchema: z.looseObject({ task: z.string() }),
      agent: agentOf(tools({ readRecord })),
    });
    await host7.generate({
      model: host7.script(
        call('p1', 'research', { task: 'x', actor: 'fetcher', agent: 'fetcher' }),
        say('done'),
      ),
      tools: tools(await plannerOf('alice'), { research }),
      prompt: 'go',
    });
    expect((await trail.attempts())[0]?.call.resource).toBe('urn:agent:researcher');
  });

  it.each(HOSTS.filter(({ hasApprovals }) => hasApprovals))(
    'throws when the child stops to wait for an approval ($name)',
    async (host) => {
      const asking = { ...readRecord, needsApproval: true };
      for (const stream of [false, true]) {
        const trail = await beginTrail(world);
        const research = subAgent({
          ...options,
          agent: agentOf(tools({ readRecord: asking }), host),
          stream: stream as true,
        });
        const { errors } = await host.generate({
          model: host.script(call('p1', 'research', { task: 'x' }), say('done')),
          tools: tools(await plannerOf('alice'), { research }),
          prompt: 'go',
        });
        expect(errors).toEqual(['the sub-agent stopped to wait for an approval']);
        expect(await trail.lines()).toEqual([
          'intent research authorized',
          'hop',
          'outcome research error',
        ]);
      }
    },
  );

  it('gives the child no running call: the token of the hop is no key to a resource', async () => {
    let code: unknown;
    const research = subAgent({
      ...options,
      agent: {
        generate: async () => {
          try {
            world.crumb.current();
          } catch (error) {
            code = error;
          }
          return { text: 'done' };
        },
      },
    });
    const { research: guarded } = tools(await plannerOf('alice'), { research });
    expect(await guarded.execute({ task: 'x' }, {})).toBe('done');
    expect(code).toMatchObject({ code: 'call_missing' });
  });

  it('makes the prompt of the input: its only text, else the whole', async () => {
    const prompts: string[] = [];
    const agent = {
      generate: async ({ prompt }: { prompt: string }) => {
        prompts.push(prompt);
        return { text: '' };
      },
    };
    const planner = await plannerOf('alice');
    const plain = subAgent({ ...options, agent });
    const rich = subAgent({ ...options, inputSchema: z.looseObject({}), agent });
    const own = subAgent({ ...options, agent, prompt: (input) => `Do: ${input.task}` });
    const set = tools(planner, { plain, rich, own });
    await set.plain.execute({ task: 'one' }, {});
    await set.rich.execute({ task: 'two', depth: 3 }, {});
    await set.own.execute({ task: 'four' }, {});
    expect(prompts).toEqual(['one', '{"task":"two","depth":3}', 'Do: four']);
  });
});

it('binds a sub-agent like any tool', async () => {
  const trail = await beginTrail(world);
  const { research } = threeLevels(host7, false);
  const { text } = await host7.stream({
    model: host7.script(PLAN, say('planned')),
    ...bind(await plannerOf('alice'), { tools: { research, readRecord } }),
    prompt: 'go',
  });
  expect(text).toBe('planned');
  expect((await trail.attempts()).length).toBe(5);
});

it('leaves a ledger in which every verdict and token verifies', async () => {
  expect(await audit(world)).toEqual([]);
});
