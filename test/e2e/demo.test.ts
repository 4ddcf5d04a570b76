import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

/** Runs the command as a user does, in a process of its own. */
async function demo(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ stdout: string; stderr: string }> {
  const { PATH = '', HOME = '' } = process.env;
  return run(process.execPath, ['src/cli/crumb.ts', 'demo', ...args], {
    env: { PATH, HOME, ...env },
    timeout: 60_000,
  });
}

async function facts(...args: string[]): Promise<unknown> {
  const { stdout } = await demo([...args, '--json']);
  return JSON.parse(stdout);
}

it.each([
  ['in the record', ['--inject', 'output']],
  ['in the description of a tool', ['--inject', 'description']],
])('flags what a hijacked researcher does when the words stand %s', async (_where, args) => {
  expect(await facts(...args)).toMatchObject({
    person: expect.stringContaining('Alice'),
    facts: {
      attributed: true,
      authorizedReads: [5],
      unauthorized: [7, 9],
      exportRefused: 'exchange_refused',
      exportRan: false,
      ledgerSound: true,
      forgeryFound: true,
      forgedRow: 7,
    },
    sessions: [
      {
        calls: [
          { action: 'delegate', chain: ['planner'], verdict: 'authorized', outcome: 'ok' },
          { tool: 'readRecord', chain: ['planner', 'researcher'], verdict: 'authorized' },
          { tool: 'readRecord', verdict: 'unauthorized', reason: 'argument id', outcome: 'ok' },
          { tool: 'exportRecord', verdict: 'unauthorized', reason: 'action', outcome: 'refused' },
        ],
      },
    ],
  });
});

it('lets the export run where one scope stands for everything, and flags it', async () => {
  expect(await facts('--coarse')).toMatchObject({
    facts: { unauthorized: [7, 9], exportRan: true, exportRefused: null, ledgerSound: true },
  });
});

it('has nothing to flag where nobody put words into the record', async () => {
  expect(await facts('--inject', 'none')).toMatchObject({
    facts: { attributed: true, unauthorized: [], exportRan: false, forgeryFound: null },
    forgery: null,
  });
});

it('tells the story to a person, and leaves the files where it is asked to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crumb-kept-'));
  const { stdout } = await demo(['--keep', folder]);
  expect(stdout).toContain('no recorded authorization for this action');
  expect(stdout).toContain('planner → researcher');
  expect(await readdir(folder)).toEqual(
    expect.arrayContaining(['crumb.db', 'crumb-vault.db', 'tampered.db']),
  );
  const verified = await run(process.execPath, [
    'src/cli/crumb.ts',
    'verify',
    join(folder, 'crumb.db'),
    '--json',
  ]);
  expect(JSON.parse(verified.stdout)).toMatchObject({ sound: true });
  const forged = await run(process.execPath, [
    'src/cli/crumb.ts',
    'verify',
    join(folder, 'tampered.db'),
  ]).catch((error: unknown) => error);
  expect(forged).toMatchObject({ code: 1, stdout: expect.stringContaining('crumb 7 was changed') });
  await rm(folder, { recursive: true });
});

it('asks for a key before it lets a real model play', async () => {
  await expect(demo(['--live'])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('OPENAI_API_KEY'),
  });
});

it('lets a model behind the real OpenAI protocol play, whose key only the agents get', async () => {
  const asked: string[] = [];
  const model = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answerTo(body)));
    });
  });
  model.listen(0, '127.0.0.1');
  await once(model, 'listening');
  const address = model.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    const { stdout } = await demo(['--live', '--model', 'gpt-test', '--json'], {
      OPENAI_API_KEY: 'sk-canary',
      OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`,
    });
    expect(stdout).not.toContain('sk-canary');
    expect(JSON.parse(stdout)).toMatchObject({
      model: 'gpt-test',
      answer: 'It is about the quarterly review.',
      facts: { attributed: true, authorizedReads: [5], unauthorized: [], ledgerSound: true },
    });
    expect(asked.length).toBeGreaterThan(2);
    expect(new Set(asked)).toEqual(new Set(['/v1/responses Bearer sk-canary']));
  } finally {
    model.close();
    model.closeAllConnections();
  }
});

/** A model that does what it is asked: the planner delegates, the researcher reads record 42. */
function answerTo(body: string): object {
  const request: { tools?: { name: string }[]; input: { type?: string }[] } = JSON.parse(body);
  const answered = request.input.some((item) => item.type === 'function_call_output');
  const tool = request.tools?.[0]?.name ?? '';
  const input = tool === 'research' ? { task: 'record 42' } : { id: 42 };
  const output = answered
    ? {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [
          { type: 'output_text', text: 'It is about the quarterly review.', annotations: [] },
        ],
      }
    : {
        type: 'function_call',
        id: 'fc_1',
        call_id: 'call_1',
        name: tool,
        arguments: JSON.stringify(input),
        status: 'completed',
      };
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    status: 'completed',
    model: 'gpt-test',
    output: [output],
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
