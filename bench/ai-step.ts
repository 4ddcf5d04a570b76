/**
 * What Crumb adds to a whole generation of the AI SDK: a model that calls one tool and then answers.
 *
 * @module
 */
import { generateText, isStepCount, jsonSchema, tool } from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import { tools } from '../src/ai/tools.ts';
import type { Bench } from './bench.ts';
import { interleave, spreadOf } from './measure.ts';
import { timedRows } from './report.ts';
import { readRecord } from './world.ts';

const BARE = 'generateText, bare';
const GUARDED = 'generateText, tools guarded';
const USAGE = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

const model = new MockLanguageModelV4({
  doGenerate: async ({ prompt }) => {
    const called = prompt.some(({ role }) => role === 'tool');
    const reason = called ? 'stop' : 'tool-calls';
    return {
      content: called
        ? [{ type: 'text', text: 'hello' }]
        : [
            {
              type: 'tool-call',
              toolCallId: 'call_7Qk',
              toolName: 'readRecord',
              input: '{"id":"42"}',
            },
          ],
      finishReason: { unified: reason, raw: reason },
      usage: USAGE,
      warnings: [],
    };
  },
});

export const benchAiStep: Bench = async ({ effort, world }) => {
  const toolSet = {
    readRecord: tool({
      inputSchema: jsonSchema<{ id: string }>({
        type: 'object',
        properties: { id: { type: 'string' } },
        required: ['id'],
      }),
      execute: readRecord,
    }),
  };
  const { agent } = await (await world()).open('ai', 'inline');
  const guarded = tools(agent, toolSet);
  const generate = async (used: typeof toolSet): Promise<unknown> => {
    model.doGenerateCalls.length = 0; // it keeps every prompt
    return generateText({ model, tools: used, stopWhen: isStepCount(2), prompt: 'read record 42' });
  };
  const sections = [];
  for (const callers of [1, 64]) {
    const samples = await interleave(
      [
        { name: BARE, run: () => generate(toolSet) },
        { name: GUARDED, run: () => generate(guarded) },
      ],
      { ...effort, callers },
    );
    const [bare = [], crumb = []] = [samples.time.get(BARE), samples.time.get(GUARDED)];
    const added = crumb.map((us, n) => us - (bare[n] ?? Number.NaN));
    sections.push({
      name: 'ai',
      title: `A generation with one tool call, ${callers === 1 ? 'alone' : `${callers} at once`}`,
      rows: [
        ...timedRows(samples, BARE),
        { name: 'added by Crumb', unit: 'us', value: spreadOf(added) },
      ],
      goals: [],
    });
  }
  return sections;
};
