import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subAgent } from '../../src/ai/sub-agent.ts';
import { tools } from '../../src/ai/tools.ts';
import type { Entry } from '../../src/evidence/kinds.ts';
import { openWorld, RECORDS, type CrumbWorld } from '../world.ts';
import { call, HOSTS, say } from './hosts.ts';
import { castOf, PLAN, task } from './three-levels.ts';
import { audit } from './audit.ts';
import { beginTrail } from './trail.ts';

let world: CrumbWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world.close());

const { readRecord, plannerOf, threeLevels } = castOf(() => world);

const CASES = HOSTS.flatMap((host) =>
  (['generate', 'stream'] as const).flatMap((way) =>
    [false, true].map((stream) => ({
      host,
      way,
      stream,
      title: `${host.name}, ${way}, ${stream ? 'streamed' : 'plain'} sub-agents`,
    })),
  ),
);

function rowsOf(entries: readonly Entry[]): string[] {
  const intents = new Map(
    entries.flatMap((e) => (e.kind === 'intent' ? [[e.seq, e.body] as const] : [])),
  );
  const hops = new Map(
    entries.flatMap((e) => (e.kind === 'hop' ? [[e.seq, e.body] as const] : [])),
  );
  return [...intents.values()].map(({ call: { tool, resource, action }, chain, hop }) => {
    const via = hop === null ? undefined : intents.get(hops.get(hop)?.intent ?? -1)?.call.tool;
    const actors = chain
      .map(({ sub }) => sub)
      .toReversed()
      .join(' ← ');
    return `${tool} ${action} ${resource} | ${actors} | ${via ?? '–'}`;
  });
}

describe.each(CASES)('$title', ({ host, way, stream }) => {
  it('puts every agent between the human and the call into the chain, in order', async () => {
    const trail = await beginTrail(world);
    const before = world.records.served.length;
    const planner = await plannerOf('alice');
    const { research } = threeLevels(host, stream);
    const { text, errors } = await host[way]({
      model: host.script(PLAN, say('planned')),
      tools: tools(planner, { research, readRecord }),
      prompt: 'go',
    });
    expect({ text, errors }).toEqual({ text: 'planned', errors: [] });
    expect(rowsOf(await trail.entries()).toSorted()).toEqual(
      [
        'research delegate urn:agent:researcher | planner | –',
        `readRecord read_record ${RECORDS} | researcher ← planner | research`,
        'fetcher delegate urn:agent:fetcher | researcher ← planner | research',
        `readRecord read_record ${RECORDS} | fetcher ← researcher ← planner | fetcher`,
        `readRecord read_record ${RECORDS} | planner | –`,
      ].toSorted(),
    );
    const seen = world.records.served.slice(before).map(({ path, delegation }) => {
      return `${path} ${delegation.human.sub} ${delegation.chain.map(({ sub }) => sub).join('>')}`;
    });
    expect(seen.toSorted()).toEqual([
      '/records/1 alice planner',
      '/records/2 alice planner>researcher',
      '/records/3 alice planner>researcher>fetcher',
    ]);
    const lines = await trail.lines();
    expect(lines.filter((line) => line.startsWith('outcome')).toSorted()).toEqual([
      'outcome fetcher ok',
      'outcome readRecord ok',
      'outcome readRecord ok',
      'outcome readRecord ok',
      'outcome research ok',
    ]);
  });

  it('shows the model of the parent the last text, and the child nothing of the parent', async () => {
    const planner = await plannerOf('alice');
    const { research, models } = threeLevels(host, stream);
    const model = host.script(PLAN, say('planned'));
    await host[way]({
      model,
      tools: tools(planner, { research, readRecord }),
      prompt: 'PARENT WORDS',
    });
    expect(model.prompts()).toContain('researched');
    expect(model.prompts()).not.toContain('fetched');
    for (const child of models) expect(child.prompts()).not.toContain('PARENT WORDS');
    expect(models[0]?.prompts()).toContain('fetch three');
  });

  it('never swaps two humans who are served at once', async () => {
    const trail = await beginTrail(world);
    const before = world.records.served.length;
    const { research: first } = threeLevels(host, stream);
    const { research: second } = threeLevels(host, stream);
    const serve = async (person: string, research: object): Promise<unknown> =>
      host[way]({
        model: host.script(PLAN, say('planned')),
        tools: tools(await plannerOf(person), { research, readRecord }),
        prompt: 'go',
      });
    await Promise.all([serve('alice', first), serve('bob', second)]);
    const seen = world.records.served
      .slice(before)
      .map(({ delegation, path }) => `${delegation.human.sub} ${path}`);
    expect(seen.toSorted()).toEqual([
      'alice /records/1',
      'alice /records/2',
      'alice /records/3',
      'bob /records/1',
      'bob /records/2',
      'bob /records/3',
    ]);
    const attempts = await trail.attempts();
    expect(new Set(attempts.map(({ human }) => human)).size).toBe(2);
    expect(attempts).toHaveLength(10);
  });

  it('refuses before the child runs when the hop cannot be had', async () => {
    const planner = await plannerOf('alice');
    const trail = await beginTrail(world);
    const model = host.script(say('never'));
    const research = subAgent({
      actor: 'researcher',
      agent: host.agent({ model, tools: tools({ readRecord }) }),
      description: 'x',
      inputSchema: task,
      stream: stream as true,
    });
    world.idp.idp.fault('server-error');
    const { errors } = await host[way]({
      model: host.script(call('p1', 'research', { task: 'x' }), say('done')),
      tools: tools(planner, { research }),
      prompt: 'go',
    }).finally(() => world.idp.idp.fault(undefined));
    expect(errors).toEqual(['the identity provider gave no usable answer']);
    expect(model.calls).toBe(0);
    expect(await trail.lines()).toEqual(['refusal research exchange_unreachable']);
  });
});

it('leaves a ledger in which every verdict and token verifies', async () => {
  expect(await audit(world)).toEqual([]);
});
