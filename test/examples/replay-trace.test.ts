/** The replay of recorded conversations, as its user runs it. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MalformedFileError, parseConversations } from '../../examples/recorded-conversations.ts';
import { runCli } from '../support/run-cli.ts';

const SCRIPT = resolve('examples/replay-trace.ts');
/** Not part of the package: used when it is there. */
const AIRLINE = resolve('../shared/data/tau-airline-gpt4o.json');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'crumb-replay-test-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function replay(
  ...words: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [SCRIPT, ...words], { cwd: folder });
  const exited = new Promise<number | null>((settle) => void child.once('close', settle));
  const [code, stdout, stderr] = await Promise.all([
    exited,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}

function fileOf(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function called(id: string | undefined, name: string, args: string): object {
  const call = { ...(id === undefined ? {} : { id }), function: { name, arguments: args } };
  return { role: 'assistant', content: null, tool_calls: [call] };
}

/** Two humans whose calls have the same ids; one conversation in the shape of tau-bench. */
const CONVERSATIONS = [
  {
    user: 'ada',
    actions: [
      { name: 'book', kwargs: { to: 'LIS', seats: [{ row: 3 }], note: null } },
      { name: 'think', kwargs: { about: 'x' } },
    ],
    messages: [
      { role: 'user', content: 'book it' },
      called('call_1', 'book', '{"note":null,"seats":[{"row":3}],"to":"LIS"}'),
      { role: 'tool', tool_call_id: 'call_1', content: 'booked' },
      called('call_2', 'book', '{"to":"LIS","seats":[{"row":4}],"note":null}'),
      called('call_3', 'book', '{"to":"LIS","seats":[{"row":3}]}'),
      called('call_4', 'book', '{"to":"LIS","seats":[{"row":3}],"note":null,"extra":1}'),
      called('call_5', 'think', '{"about":"x"}'),
      called('call_6', 'cancel', ''),
      called(undefined, 'book', '{"to": LIS}'),
    ],
  },
  {
    info: { task: { user_id: 'bo', actions: [] } },
    traj: [called('call_1', 'book', '{"to":"LIS","seats":[{"row":3}],"note":null}')],
  },
  { user: 'ada', messages: [called('call_1', 'cancel', '{}')] },
];

describe('the replay', () => {
  it('attributes every call to its human, and judges as exact matching does', async () => {
    const kept = join(folder, 'kept');
    const file = fileOf('conversations.json', CONVERSATIONS);
    const { code, stdout, stderr } = await replay(file, '--json', '--keep', kept);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      conversations: 3,
      humans: 2,
      calls: 9,
      attributed: 9,
      authorized: 2,
      unauthorized: 7,
      reasons: {
        action: 1,
        argument: 2,
        argument_extra: 1,
        argument_missing: 1,
        no_directive: 2,
      },
      confusion: {
        askedAndAuthorized: 2,
        askedAndUnauthorized: 0,
        notAskedAndAuthorized: 0,
        notAskedAndUnauthorized: 7,
      },
      ledger: { entries: expect.any(Number), sound: true, level: 'signed' },
      seconds: expect.any(Number),
    });

    const key = join(kept, 'ledger.vkey');
    const words = ['verify', join(kept, 'replay.db'), '--key', key, '--without-vault', '--json'];
    const verified = await runCli(words, { cwd: folder });
    expect(JSON.parse(verified.stdout)).toMatchObject({ sound: true, level: 'signed' });
    expect((await replay(file, '--keep', kept)).stderr).toContain('already holds a replay');
  });

  it('prints a table, of as many conversations as it is asked for', async () => {
    const file = fileOf('conversations.json', CONVERSATIONS);
    const { code, stdout } = await replay(file, '--limit', '1');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^conversations +1$/m);
    expect(stdout).toMatch(/^tool calls +7$/m);
    expect(stdout).toMatch(/^attributed to the right human +7$/m);
    expect(stdout).toMatch(/^ {2}not asked for, yet authorized +0$/m);
  });

  it('explains itself', async () => {
    const { code, stdout } = await replay('--help');
    expect(code).toBe(0);
    expect(stdout).toContain('usage: npm run replay -- FILE');
  });

  // Every call of 200 real conversations; a part of them here, all by hand.
  it.skipIf(!existsSync(AIRLINE))('does so for real conversations too', async () => {
    const { code, stdout } = await replay(AIRLINE, '--limit', '12', '--json');
    expect(code).toBe(0);
    const recorded: { traj: { tool_calls?: unknown[] }[] }[] = JSON.parse(
      readFileSync(AIRLINE, 'utf8'),
    );
    const calls = recorded
      .slice(0, 12)
      .flatMap(({ traj }) => traj.flatMap((message) => message.tool_calls ?? []));
    expect(JSON.parse(stdout)).toMatchObject({
      conversations: 12,
      calls: calls.length,
      attributed: calls.length,
      confusion: { askedAndUnauthorized: 0, notAskedAndAuthorized: 0 },
    });
  });
});

describe('a file that is not what it should be', () => {
  const talk = { user: 'ada', messages: [] };
  const call = (fn: unknown): object => ({ user: 'ada', messages: [{ tool_calls: [fn] }] });
  it.each([
    ['no JSON', '{"user":', 'the file is not JSON'],
    ['no list', { user: 'ada' }, 'a JSON list of conversations'],
    ['no conversation', [], 'a JSON list of conversations'],
    ['a conversation that is no object', [talk, 7], 'conversation 1: no human'],
    ['nobody', [{ messages: [] }], 'conversation 0: no human'],
    ['a human without a name', [{ user: '', messages: [] }], 'conversation 0: no human'],
    ['no messages', [{ user: 'ada' }], 'conversation 0: no list of messages'],
    ['actions that are no list', [{ ...talk, actions: 'all' }], '"actions" is not a list'],
    ['an action without a name', [{ ...talk, actions: [{}] }], 'conversation 0, action 0'],
    ['an action with a list', [{ ...talk, actions: [{ name: 'a', kwargs: [] }] }], '"kwargs"'],
    ['calls that are no list', [{ user: 'a', messages: [{ tool_calls: {} }] }], '"tool_calls"'],
    ['a call of nothing', [call({})], 'conversation 0, message 0: a call'],
    ['a tool with a space', [call({ function: { name: 'a b', arguments: '{}' } })], 'a call'],
    ['arguments that are no text', [call({ function: { name: 'a', arguments: {} } })], 'a call'],
  ])('is refused with the place of the mistake: %s', (_what, content, message) => {
    const written = typeof content === 'string' ? content : JSON.stringify(content);
    expect(() => parseConversations(written)).toThrow(message);
    expect(() => parseConversations(written)).toThrow(MalformedFileError);
  });

  it.each([
    ['a file that is none', ['nowhere.json'], /^replay: ENOENT.*nowhere\.json'\n$/],
    [
      'a limit that is no number',
      ['nowhere.json', '--limit', 'x'],
      /^replay: --limit takes a number/,
    ],
    ['an option that is none', ['--faster'], /^replay: Unknown option '--faster'/],
  ])('ends in one line and exit code 2: %s', async (_what, words, message) => {
    const { code, stdout, stderr } = await replay(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.split('\n')).toHaveLength(2);
  });
});
