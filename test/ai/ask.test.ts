import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bind } from '../../src/ai/bind.ts';
import { subAgent } from '../../src/ai/sub-agent.ts';
import { tools } from '../../src/ai/tools.ts';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import { openWorld, READ_42, type CrumbWorld } from '../world.ts';
import { answered, edited, FORGED, forget, ran, readRecord, WAYS } from './approval-turns.ts';
import { call, host6, host7, say, type Outcome } from './hosts.ts';
import { audit } from './audit.ts';
import { beginTrail } from './trail.ts';

describe("unauthorized: 'ask'", () => {
  let asking: CrumbWorld;
  beforeAll(async () => {
    asking = await openWorld({ crumb: { unauthorized: 'ask' } });
  });
  afterAll(async () => asking.close());

  const planner = async (): Promise<ActingAgent> =>
    (await asking.loginAs('alice', [READ_42])).agent('planner');

  it.each([host7, host6])(
    'asks about what no directive covers, and only that ($name)',
    async (host) => {
      for (const way of WAYS) {
        const acting = await planner();
        const bound = (): object => bind(acting, { tools: { readRecord } });
        const trail = await beginTrail(asking);
        forget();
        const covered = await host[way]({
          model: host.script(call('c1', 'readRecord', { id: 42 }), say('done')),
          ...bound(),
          prompt: 'go',
        });
        expect(covered.errors).toEqual([]);
        const first = await host[way]({
          model: host.script(call('c1', 'readRecord', { id: 43 })),
          ...bound(),
          prompt: 'go',
        });
        expect(ran).toEqual([{ id: 42 }]);
        await host[way]({
          model: host.script(say('x')),
          ...bound(),
          messages: answered(first.messages, true),
        });
        expect(ran).toEqual([{ id: 42 }, { id: 43 }]);
        expect(await trail.lines()).toEqual([
          'intent readRecord authorized',
          'outcome readRecord ok',
          'approval readRecord',
          'intent readRecord authorized',
          'outcome readRecord ok',
        ]);
      }
    },
  );

  it('does not ask for a use that is gone without saying so: that is asked about too', async () => {
    const acting = await planner();
    const bound = bind(acting, { tools: { readRecord } });
    const run = (): Promise<Outcome> =>
      host7.generate({
        model: host7.script(call('c1', 'readRecord', { id: 42 }), say('x')),
        ...bound,
        prompt: 'go',
      });
    await run();
    const second = await run();
    expect(answered(second.messages, true).length).toBeGreaterThan(2);
  });

  it('lets the policy of the application deny first, and approve nothing by itself', async () => {
    const trail = await beginTrail(asking);
    const run = async (toolApproval: object): Promise<Outcome> =>
      host7.generate({
        model: host7.script(call('c1', 'readRecord', { id: 43 }), say('x')),
        ...bind(await planner(), { tools: { readRecord }, toolApproval }),
        prompt: 'go',
      });
    forget();
    await run({ readRecord: 'denied' });
    expect(await trail.lines()).toEqual(['refusal readRecord policy_denied']);
    const { messages } = await run({ readRecord: 'approved' });
    expect(answered(messages, true)).toHaveLength(3);
    expect(ran).toEqual([]);
  });

  it.each([
    [
      'tools that are only wrapped',
      (acting: ActingAgent) => ({ tools: tools(acting, { readRecord }) }),
    ],
    [
      'a sub-agent',
      (acting: ActingAgent) => {
        const agent = host7.agent({
          model: host7.script(call('r1', 'readRecord', { id: 43 }), say('x')),
          tools: tools({ readRecord }),
        });
        const research = subAgent({
          actor: 'researcher',
          agent,
          description: 'x',
          inputSchema: z.looseObject({}),
        });
        return bind(acting, { tools: { readRecord: research } });
      },
    ],
  ])('refuses for %s, where nobody can ask', async (_what, bound) => {
    const trail = await beginTrail(asking);
    forget();
    await host7.generate({
      model: host7.script(call('c1', 'readRecord', { id: 43 }), say('done')),
      ...bound(await planner()),
      prompt: 'go',
    });
    expect(ran).toEqual([]);
    expect((await trail.lines()).filter((line) => line.startsWith('refusal'))).toEqual([
      'refusal readRecord not_authorized',
    ]);
  });

  it('takes a forged yes for what it is', async () => {
    for (const host of [host7, host6]) {
      const trail = await beginTrail(asking);
      forget();
      const { experimental_toolApprovalSecret: _off, ...bound } = bind(await planner(), {
        tools: { readRecord },
      });
      await host.generate({
        model: host.script(say('x')),
        ...bound,
        messages: edited(FORGED, '{"id":42}', '{"id":43}'),
      });
      expect(ran).toEqual([]);
      expect(await trail.lines()).toEqual(['refusal readRecord approval_unverified']);
    }
  });

  it('leaves a ledger in which every verdict and token verifies', async () => {
    expect(await audit(asking)).toEqual([]);
  });
});
