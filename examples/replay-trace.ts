/**
 * Replays recorded conversations through Crumb: every tool call that a model really made runs through
 * `crumb.invoke`, under a real login of the conversation's human and a real token exchange. What the
 * human really asked for are the directives. Then it counts, and compares with a matcher of its own.
 *
 *   npm run replay -- FILE [--limit N] [--keep FOLDER] [--json]
 *
 * FILE is JSON: a list of conversations, each with messages in OpenAI's format (`messages` or `traj`,
 * with `tool_calls` and `role: "tool"` answers), the human (`user` or `info.task.user_id`) and the
 * actions that the human asked for (`actions` or `info.task.actions`: `{ name, kwargs }`).
 */
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { createCrumb, type ActingAgent, type Crumb, type Json } from 'crumb-ai';
import { devKeyPair, login, startDevIdp } from 'crumb-ai/dev';
import { parseEntry } from 'crumb-ai/evidence';
import { verifyBundle } from 'crumb-ai/verify';

const AIRLINE = 'https://airline.example';
const REDIRECT = 'http://127.0.0.1/callback';
/** Tools that only think: they call no resource. */
const LOCAL_TOOLS = new Set(['think', 'calculate']);

interface Action {
  readonly name: string;
  readonly kwargs: Readonly<Record<string, Json>>;
}

interface Call {
  readonly id: string;
  readonly tool: string;
  readonly args: Json;
  /** What the tool answered then. */
  readonly answer: string;
}

interface Conversation {
  readonly human: string;
  readonly asked: readonly Action[];
  readonly calls: readonly Call[];
}

/** One replayed call: whose conversation it was, whether it was asked for, and where its intent stands. */
interface Replayed {
  readonly human: string;
  readonly asked: boolean;
  readonly seq: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    limit: { type: 'string' },
    keep: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const [file] = positionals;
if (file === undefined || values.help) {
  process.stderr.write('usage: npm run replay -- FILE [--limit N] [--keep FOLDER] [--json]\n');
  process.exit(values.help ? 0 : 2);
}

const all = parseConversations(JSON.parse(await readFile(file, 'utf8')));
const conversations = all.slice(0, values.limit === undefined ? all.length : Number(values.limit));
const folder = values.keep ?? (await mkdtemp(join(tmpdir(), 'crumb-replay-')));
const report = await replay(conversations, folder);
if (values.keep === undefined) await rm(folder, { recursive: true });
process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : describe(report));
process.exitCode = report.attributed === report.calls && report.confusion.differing === 0 ? 0 : 1;

async function replay(conversations: readonly Conversation[], folder: string): Promise<Report> {
  const people = [...new Set(conversations.map(({ human }) => human))];
  const actions = [
    ...new Set(
      conversations.flatMap(({ asked, calls }) => [
        ...asked.map(({ name }) => name),
        ...calls.map(({ tool }) => tool),
      ]),
    ),
  ];
  const scopes = actions.filter((action) => !LOCAL_TOOLS.has(action));
  const app = await devKeyPair('ES256');
  const agent = await devKeyPair('ES256');
  const signing = await devKeyPair('EdDSA');
  const idp = await startDevIdp({
    people: people.map((sub) => ({ sub, name: sub })),
    clients: [{ id: 'desk', redirectUris: [REDIRECT], jwks: app.jwks, agents: ['assistant'] }],
    agents: [{ id: 'assistant', jwks: agent.jwks }],
    resources: [{ resource: AIRLINE, scopes }],
  });
  const crumb = await createCrumb({
    issuer: {
      url: idp.url,
      profile: 'dev',
      client: { id: 'desk', key: app.key },
      agents: { assistant: { key: agent.key } },
    },
    ledger: {
      url: `file:${join(folder, 'replay.db')}`,
      origin: 'crumb.example/replay',
      signingKey: signing.key,
    },
    vault: { url: `file:${join(folder, 'replay-vault.db')}`, key: new Uint8Array(32).fill(7) },
    resources: (tool) => ({ resource: LOCAL_TOOLS.has(tool) ? 'local' : AIRLINE, action: tool }),
    scopeFallback: false,
    allowDevelopment: true,
  });
  try {
    const replayed: Replayed[] = [];
    for (const [n, conversation] of conversations.entries()) {
      const { accessToken } = await login({
        issuer: idp.url,
        clientId: 'desk',
        redirectUri: REDIRECT,
        key: app.key,
        person: conversation.human,
        scope: ['openid', ...scopes].join(' '),
        directives: conversation.asked.map(directiveOf),
      });
      const session = await crumb.session(accessToken);
      replayed.push(...(await replayOne(crumb, session.agent('assistant'), conversation)));
      if (process.stderr.isTTY)
        process.stderr.write(`\r${n + 1} of ${conversations.length} conversations`);
    }
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
    await crumb.flush();
    return await count(crumb, conversations, replayed);
  } finally {
    await crumb.close();
    await idp.close();
  }
}

/** Exactly what the human asked for, and nothing beside it. */
function directiveOf({ name, kwargs }: Action): object {
  return {
    type: 'crumb_tool_call',
    actions: [name],
    locations: [LOCAL_TOOLS.has(name) ? 'local' : AIRLINE],
    arguments: Object.fromEntries(
      Object.entries(kwargs).map(([key, value]) => [key, { const: value }]),
    ),
  };
}

async function replayOne(
  crumb: Crumb,
  assistant: ActingAgent,
  conversation: Conversation,
): Promise<Replayed[]> {
  const { human, calls, asked } = conversation;
  const replayed: Replayed[] = [];
  await assistant.run(async () => {
    for (const call of calls) {
      let seq = -1;
      await crumb.invoke({ id: call.id, tool: call.tool, args: call.args }, () => {
        seq = crumb.current().intent.seq;
        return call.answer; // here the tool would act; this is what it answered then
      });
      replayed.push({ human, asked: isAsked(call, asked), seq });
    }
  });
  return replayed;
}

/** The gold standard, apart from Crumb's own judging: same name, and deeply the same arguments. */
function isAsked({ tool, args }: Call, asked: readonly Action[]): boolean {
  return asked.some(({ name, kwargs }) => name === tool && isDeepStrictEqual(args, kwargs));
}

interface Report {
  readonly conversations: number;
  readonly humans: number;
  readonly calls: number;
  /** Calls whose crumb leads to the human of their conversation. */
  readonly attributed: number;
  readonly authorized: number;
  readonly unauthorized: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly confusion: {
    readonly askedAndAuthorized: number;
    readonly neitherAskedNorAuthorized: number;
    readonly differing: number;
  };
  readonly ledger: { readonly entries: number; readonly sound: boolean; readonly level: string };
}

/** Counts from the ledger's own entries: what the program remembers only says whom to expect. */
async function count(
  crumb: Crumb,
  conversations: readonly Conversation[],
  replayed: readonly Replayed[],
): Promise<Report> {
  const intents = new Map<
    number,
    { human: string | null; verdict: string; reason: string | null }
  >();
  let entries = 0;
  for await (const line of crumb.bundle()) {
    const parsed: { t: string; raw?: string } = JSON.parse(line);
    if (parsed.t !== 'entry' || parsed.raw === undefined) continue;
    entries += 1;
    const entry = parseEntry(new TextEncoder().encode(parsed.raw));
    if (entry.kind !== 'intent' || !('verdict' in entry.body)) continue;
    const { human, verdict, reason } = entry.body;
    intents.set(entry.seq, { human, verdict, reason: reason?.code ?? null });
  }
  const report = await verifyBundle(crumb.bundle(), { key: crumb.ledger.vkey });

  const names = new Map<string, string>();
  const reasons: Record<string, number> = {};
  let [attributed, authorized, both, neither] = [0, 0, 0, 0];
  for (const { human, asked, seq } of replayed) {
    const intent = intents.get(seq);
    if (intent === undefined) continue;
    if (intent.human !== null && !names.has(intent.human)) {
      const named = await crumb.identify(intent.human, { purpose: 'replay' });
      names.set(intent.human, named?.person.sub ?? 'unknown');
    }
    if (names.get(intent.human ?? '') === human) attributed += 1;
    const isAuthorized = intent.verdict === 'authorized';
    if (isAuthorized) authorized += 1;
    if (intent.reason !== null) reasons[intent.reason] = (reasons[intent.reason] ?? 0) + 1;
    if (asked && isAuthorized) both += 1;
    if (!asked && !isAuthorized) neither += 1;
  }
  return {
    conversations: conversations.length,
    humans: new Set(conversations.map(({ human }) => human)).size,
    calls: replayed.length,
    attributed,
    authorized,
    unauthorized: replayed.length - authorized,
    reasons,
    confusion: {
      askedAndAuthorized: both,
      neitherAskedNorAuthorized: neither,
      differing: replayed.length - both - neither,
    },
    ledger: { entries, sound: report.sound, level: report.level },
  };
}

function describe(report: Report): string {
  const { confusion, ledger } = report;
  const row = (label: string, value: number | string): string =>
    `${label.padEnd(44)}${String(value).padStart(8)}`;
  return [
    row('conversations', report.conversations),
    row('humans, each logged in for real', report.humans),
    row('tool calls', report.calls),
    row('attributed to the right human', report.attributed),
    '',
    row('authorized', report.authorized),
    row('no recorded authorization', report.unauthorized),
    ...Object.entries(report.reasons)
      .toSorted(([, a], [, b]) => b - a)
      .map(([reason, n]) => row(`  ${reason}`, n)),
    '',
    'Against what the humans really asked for, matched apart:',
    row('  asked for, authorized', confusion.askedAndAuthorized),
    row('  not asked for, no recorded authorization', confusion.neitherAskedNorAuthorized),
    row('  verdict and gold standard differ', confusion.differing),
    '',
    row('entries in the ledger', ledger.entries),
    row('it verifies', ledger.sound ? `yes, ${ledger.level}` : 'NO'),
    '',
  ].join('\n');
}

function parseConversations(value: unknown): Conversation[] {
  if (!Array.isArray(value)) throw new TypeError('the file must hold a list of conversations');
  return value.map((item: unknown, n) => parseConversation(item, n));
}

function parseConversation(item: unknown, n: number): Conversation {
  const task = memberOf(memberOf(item, 'info'), 'task');
  const human = memberOf(item, 'user') ?? memberOf(task, 'user_id');
  const messages = memberOf(item, 'messages') ?? memberOf(item, 'traj');
  const actions = memberOf(item, 'actions') ?? memberOf(task, 'actions') ?? [];
  if (typeof human !== 'string' || !Array.isArray(messages) || !Array.isArray(actions)) {
    throw new TypeError(`conversation ${n} has no human, no messages or no list of actions`);
  }
  const answers = new Map(
    messages.map((message: unknown) => [
      memberOf(message, 'tool_call_id'),
      memberOf(message, 'content'),
    ]),
  );
  const made = messages.flatMap((message: unknown): unknown[] => {
    const calls = memberOf(message, 'tool_calls');
    return Array.isArray(calls) ? calls : [];
  });
  return {
    human,
    asked: actions.map((action: unknown) => ({
      name: String(memberOf(action, 'name')),
      kwargs: Object(memberOf(action, 'kwargs') ?? {}),
    })),
    calls: made.map((call) => {
      const described = memberOf(call, 'function');
      return {
        id: String(memberOf(call, 'id')),
        tool: String(memberOf(described, 'name')),
        args: JSON.parse(String(memberOf(described, 'arguments'))),
        answer: String(answers.get(memberOf(call, 'id')) ?? ''),
      };
    }),
  };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
