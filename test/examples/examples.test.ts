/** The examples, as their user runs them: after the build, with no key and no network. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';

async function run(example: string): Promise<{ code: number | null; lines: readonly string[] }> {
  const child = spawn(process.execPath, [resolve('examples', example)]);
  const exited = new Promise<number | null>((settle) => void child.once('close', settle));
  const [code, out, err] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  expect(err).not.toMatch(/error/iu);
  const trail = out.split('What the ledger says:\n')[1] ?? '';
  const lines = trail.split('\n').map((line) => line.trim().split(/\s+/u).slice(1, 4).join(' '));
  return { code, lines: lines.filter((line) => line !== '') };
}

it.each([
  [
    'ai-sdk-route.ts',
    [
      'session open 1',
      'intent readRecord authorized',
      'outcome of #3',
      'intent readRecord unauthorized',
      'outcome of #5',
    ],
  ],
  [
    'sub-agent.ts',
    [
      'session open 1',
      'intent research authorized',
      'intent readRecord authorized',
      'outcome of #5',
      'outcome of #3',
    ],
  ],
  [
    'openai-dispatch.ts',
    [
      'session open 1',
      'intent readRecord authorized',
      'outcome of #3',
      'intent readRecord unauthorized',
      'outcome of #5',
    ],
  ],
  [
    'approval.ts',
    [
      'session open 1',
      'approval deleteRecord by',
      'intent deleteRecord authorized',
      'outcome of #4',
      'refusal deleteRecord unauthorized',
    ],
  ],
])('%s tells its story', async (example, story) => {
  expect(await run(example)).toEqual({ code: 0, lines: story });
});
