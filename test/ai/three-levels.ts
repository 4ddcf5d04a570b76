/**
 * Planner, researcher and fetcher: each reads a record, the first two delegate.
 *
 * @module
 */
import { z } from 'zod';
import { subAgent } from '../../src/ai/sub-agent.ts';
import { tools } from '../../src/ai/tools.ts';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import { currentCall } from '../../src/gateway/scope.ts';
import { RECORDS, type CrumbWorld } from '../world.ts';
import { call, say, type Host, type Scripted } from './hosts.ts';

const READ_ANY = { type: 'crumb_tool_call', actions: ['read_record'], locations: [RECORDS] };

export const record = z.object({ id: z.number() });
export const task = z.object({ task: z.string() });

/** What the first two levels stand on, in one world. */
export interface Cast {
  readonly readRecord: {
    readonly description: string;
    readonly inputSchema: typeof record;
    execute(input: { id: number }): Promise<unknown>;
  };
  plannerOf(person: string): Promise<ActingAgent>;
  threeLevels(host: Host, stream: boolean): Levels;
}

export interface Levels {
  readonly research: { execute(input: object, options: object): AsyncIterable<unknown> };
  /** Of the fetcher and of the researcher. */
  readonly models: readonly [Scripted, Scripted];
}

/** @param world May be opened later. */
export function castOf(world: () => CrumbWorld): Cast {
  const readRecord = {
    description: 'reads',
    inputSchema: record,
    execute: async ({ id }: { id: number }): Promise<unknown> => {
      const response = await currentCall().fetch(`${world().records.url}/records/${id}`);
      return response.json();
    },
  };
  return {
    readRecord,
    plannerOf: async (person) => (await world().loginAs(person, [READ_ANY])).agent('planner'),
    threeLevels: (host, stream) => threeLevels(readRecord, host, stream),
  };
}

function threeLevels(readRecord: Cast['readRecord'], host: Host, stream: boolean): Levels {
  const fetching = host.script(call('f1', 'readRecord', { id: 3 }), say('fetched'));
  const researching = host.script(
    {
      calls: [
        { id: 'r1', name: 'readRecord', input: { id: 2 } },
        { id: 'r2', name: 'fetcher', input: { task: 'fetch three' } },
      ],
    },
    say('researched'),
  );
  const fetcher = subAgent({
    actor: 'fetcher',
    agent: host.agent({ model: fetching, tools: tools({ readRecord }) }),
    description: 'fetches',
    inputSchema: task,
    stream: stream as true,
  });
  const research = subAgent({
    actor: 'researcher',
    agent: host.agent({ model: researching, tools: tools({ readRecord, fetcher }) }),
    description: 'researches',
    inputSchema: task,
    stream: stream as true,
  });
  return { research, models: [fetching, researching] };
}

/** The planner's first step: delegate, and read in parallel. */
export const PLAN = {
  calls: [
    { id: 'p1', name: 'research', input: { task: 'research two and three' } },
    { id: 'p2', name: 'readRecord', input: { id: 1 } },
  ],
};
