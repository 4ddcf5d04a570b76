import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bind } from '../../src/ai/bind.ts';
import { subAgent } from '../../src/ai/sub-agent.ts';
import { tools } from '../../src/ai/tools.ts';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import { openWorld, READ_42, type CrumbWorld } from '../world.ts';
import { answered, ask, forget, ran, readRecord } from './approval-turns.ts';
import { call, host5, host6, host7, say } from './hosts.ts';
import { audit } from './audit.ts';
import { beginTrail } from './trail.ts';

const LOCAL = { resource: 'local', action: 'think' };

let world: CrumbWorld;
beforeAll(async () => {
  world = await openWorld({ tools: { think: LOCAL } });
});
afterAll(async () => world.close());

async function plannerOf(person: string, directives: readonly object[] = []): Promise<ActingAgent> {
  return (await world.loginAs(person, directives, { scope: 'openid read_record' })).agent(
    'planner',
  );
}

it('is refused when the settings stand beside bind()', async () => {
  const planner = await plannerOf('alice');
  const trail = await beginTrail(world);
  const settings = {
    ...bind(planner, { tools: { readRecord } }),
    toolApproval: { readRecord: 'user-approval' },
  };
  const { messages } = await host7.generate({
    model: host7.script(call('c1', 'readRecord', { id: 42 })),
    ...settings,
    prompt: 'go',
  });
  forget();
  await host7.generate({
    model: host7.script(say('x')),
    ...settings,
    messages: answered(messages, true),
  });
  expect(ran).toEqual([]);
  expect(await trail.lines()).toEqual(['refusal readRecord approval_unverified']);
});

it.each([host6, host5])(
  'runs nothing where the host knows no toolApproval ($name)',
  async (host) => {
    const planner = await plannerOf('alice');
    const trail = await beginTrail(world);
    forget();
    const { errors } = await host.generate({
      model: host.script(call('c1', 'readRecord', { id: 42 }), say('done')),
      ...bind(planner, { tools: { readRecord }, toolApproval: { readRecord: 'user-approval' } }),
      prompt: 'go',
    });
    expect(errors).toEqual([expect.stringContaining('needsApproval')]);
    expect(ran).toEqual([]);
    expect(await trail.lines()).toEqual([]);
  },
);

describe('the policy of the application', () => {
  it('is recorded where it denies', async () => {
    const planner = await plannerOf('alice');
    const trail = await beginTrail(world);
    forget();
    await host7.generate({
      model: host7.script(call('c1', 'readRecord', { id: 42 }), say('done')),
      ...bind(planner, {
        tools: { readRecord },
        toolApproval: { readRecord: () => ({ type: 'denied', reason: 'not today' }) },
      }),
      prompt: 'go',
    });
    expect(ran).toEqual([]);
    expect(await trail.lines()).toEqual(['refusal readRecord policy_denied']);
  });

  it('is recorded where it approves by itself', async () => {
    const planner = await plannerOf('alice', [READ_42]);
    const trail = await beginTrail(world);
    await host7.generate({
      model: host7.script(call('c1', 'readRecord', { id: 42 }), say('done')),
      ...bind(planner, { tools: { readRecord }, toolApproval: { readRecord: 'approved' } }),
      prompt: 'go',
    });
    const [intent] = await trail.attempts();
    expect(intent?.decision).toEqual({ by: 'ai-sdk', id: 'toolApproval', effect: 'approved' });
  });

  it('that says nothing about a tool leaves it to what the tool itself says', async () => {
    const planner = await plannerOf('alice');
    const { messages } = await host7.generate({
      model: host7.script(call('c1', 'readRecord', { id: 42 })),
      ...bind(planner, {
        tools: { readRecord: { ...readRecord, needsApproval: true }, think: readRecord },
        toolApproval: { think: 'approved' },
      }),
      prompt: 'go',
    });
    expect(answered(messages, true)).toHaveLength(3);
  });

  it('keeps its `this` and its arguments', async () => {
    const planner = await plannerOf('alice');
    let seen: unknown;
    class Careful {
      readonly #limit = 40;
      readonly description = 'reads';
      readonly inputSchema = readRecord.inputSchema;
      readonly execute = readRecord.execute;
      needsApproval({ id }: { id: number }, options: { toolCallId: string }): boolean {
        seen = options.toolCallId;
        return id > this.#limit;
      }
    }
    const bound = bind(planner, { tools: { readRecord: new Careful() } });
    const { messages } = await host7.generate({
      model: host7.script(call('c9', 'readRecord', { id: 42 })),
      ...bound,
      prompt: 'go',
    });
    expect(answered(messages, true)).toHaveLength(3);
    expect(seen).toBe('c9');
  });

  it('is not asked about what is not JSON: the guard refuses that', async () => {
    const planner = await plannerOf('alice');
    const trail = await beginTrail(world);
    const think = {
      description: 'x',
      inputSchema: z.object({ at: z.string().transform((text) => new Date(text)) }),
      execute: () => 'never',
    };
    const { errors } = await host7.generate({
      model: host7.script(call('c1', 'think', { at: '2026-01-01' }), say('done')),
      ...bind(planner, { tools: { think }, toolApproval: { think: 'user-approval' } }),
      prompt: 'go',
    });
    expect(errors).toEqual(['the arguments are not JSON']);
    expect(await trail.lines()).toEqual(['refusal think arguments_not_json']);
  });

  it('may ask about a delegation too', async () => {
    const planner = await plannerOf('alice');
    const research = subAgent({
      actor: 'researcher',
      agent: host7.agent({ model: host7.script(say('researched')), tools: tools({ readRecord }) }),
      description: 'x',
      inputSchema: z.object({ task: z.string() }),
    });
    const bound = bind(planner, {
      tools: { research },
      toolApproval: { research: 'user-approval' },
    });
    const { experimental_toolApprovalSecret: _off, ...recordOnly } = bound;
    const trail = await beginTrail(world);
    const { messages } = await host7.generate({
      model: host7.script(call('c1', 'research', { task: 'x' })),
      ...recordOnly,
      prompt: 'go',
    });
    const yes = answered(messages, true);
    await host7.generate({ model: host7.script(say('done')), ...recordOnly, messages: yes });
    await host7.generate({ model: host7.script(say('done')), ...recordOnly, messages: yes });
    expect(await trail.lines()).toEqual([
      'approval research',
      'intent research authorized',
      'hop',
      'outcome research ok',
      'refusal research approval_unverified',
    ]);
  });

  it('cannot ask anybody about a job that no human directs', async () => {
    const job = world.crumb.unattended('planner');
    await expect(ask(job, { host: host7, way: 'generate', form: 'a map' })).rejects.toMatchObject({
      code: 'session_missing',
    });
    const one = bind(job, { tools: {} }).experimental_toolApprovalSecret;
    expect(one).toHaveLength(32);
    expect(bind(job, { tools: {} }).experimental_toolApprovalSecret).not.toEqual(one);
  });
});

it('leaves a ledger in which every verdict and token verifies', async () => {
  expect(await audit(world)).toEqual([]);
});
