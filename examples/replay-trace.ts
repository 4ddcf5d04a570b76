/**
 * Replays recorded conversations: every tool call that a model really made runs through `crumb.invoke`,
 * under a real login of the conversation's human and real token exchanges. What the human really asked
 * for are the directives. Then it counts, out of the ledger, and compares with a matcher of its own.
 *
 *   npm run replay -- --help
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { createCrumb, type ActingAgent, type Crumb } from 'crumb-ai';
import { devKeyPair, login, startDevIdp } from 'crumb-ai/dev';
import { isKnownKind, parseEntry } from 'crumb-ai/evidence';
import { verifyBundle } from 'crumb-ai/verify';
import {
  MalformedFileError,
  parseConversations,
  type Action,
  type Conversation,
  type RecordedCall,
} from './recorded-conversations.ts';

const HELP = `Replays recorded conversations through Crumb and compares verdicts with what was asked for.

usage: npm run replay -- FILE [--limit N] [--keep FOLDER] [--json]

  FILE           JSON: a list of conversations, each with
                   "messages"  in OpenAI's chat format: "tool_calls", and "role": "tool" answers
                   "user"      the human
                   "actions"   what the human asked for: [{ "name", "kwargs" }]
                 or the same as tau-bench writes them: "traj", "info.task.user_id",
                 "info.task.actions"
  --limit N      only the first N conversations
  --keep FOLDER  keep the ledger (replay.db), its key (ledger.vkey) and the vault there;
                 crumb verify FOLDER/replay.db --key FOLDER/ledger.vkey --without-vault
  --json         one JSON document instead of a table

Nothing is called: a tool answers what it answered then. "think" and "calculate" call no resource;
for all others a token is got. Exits 0 if every call was attributed to its human and every verdict
is what exact matching says, 1 if not, 2 if FILE cannot be read.
`;

/** What all tools call that are not {@link LOCAL_TOOLS}. */
const RESOURCE = 'https://tools.example';
const LOCAL_TOOLS = new Set(['think', 'calculate']);
const REDIRECT = 'http://127.0.0.1/callback';

interface Report {
  readonly conversations: number;
  readonly humans: number;
  readonly calls: number;
  /** Calls whose crumb leads to the human of their conversation. */
  readonly attributed: number;
  readonly authorized: number;
  readonly unauthorized: number;
  /** Of the unauthorized. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Verdicts against what the humans asked for, as matched here. */
  readonly confusion: Confusion;
  readonly ledger: { readonly entries: number; readonly sound: boolean; readonly level: string };
  readonly seconds: number;
}

interface Confusion {
  askedAndAuthorized: number;
  askedAndUnauthorized: number;
  notAskedAndAuthorized: number;
  notAskedAndUnauthorized: number;
}

/** A replayed call: what is expected, and the entry that says what came of it. */
interface Replayed {
  readonly human: string;
  readonly asked: boolean;
  readonly intent: number;
}

/** What an intent says. */
interface Recorded {
  readonly human: string | null;
  readonly authorized: boolean;
  readonly reason: string | undefined;
}

async function replay(conversations: readonly Conversation[], folder: string): Promise<Report> {
  const begun = performance.now();
  const world = await openWorld(conversations, folder);
  try {
    const replayed: Replayed[] = [];
    for (const [n, conversation] of conversations.entries()) {
      progress(`${n + 1} of ${conversations.length} conversations`);
      const session = await world.crumb.session(await world.logIn(conversation));
      const assistant = session.agent('assistant');
      replayed.push(...(await replayCalls(world.crumb, assistant, conversation)));
    }
    progress('');
    const counts = await count(world.crumb, replayed);
    return {
      conversations: conversations.length,
      humans: new Set(conversations.map(({ human }) => human)).size,
      ...counts,
      seconds: Math.round((performance.now() - begun) / 100) / 10,
    };
  } finally {
    await world.close();
  }
}

interface World {
  readonly crumb: Crumb;
  /** Logs the human in, who consents to what they asked for; answers the access token. */
  logIn(conversation: Conversation): Promise<string>;
  close(): Promise<void>;
}

/** An identity provider that knows all these humans, and a Crumb that trusts it. */
async function openWorld(conversations: readonly Conversation[], folder: string): Promise<World> {
  const vaultKey = crypto.getRandomValues(new Uint8Array(32));
  const scopes = toolsOf(conversations).filter((tool) => !LOCAL_TOOLS.has(tool));
  const people = [...new Set(conversations.map(({ human }) => human))];
  const app = await devKeyPair('ES256');
  const agent = await devKeyPair('ES256');
  const idp = await startDevIdp({
    people: people.map((sub) => ({ sub, name: sub })),
    clients: [{ id: 'desk', redirectUris: [REDIRECT], jwks: app.jwks, agents: ['assistant'] }],
    agents: [{ id: 'assistant', jwks: agent.jwks }],
    resources: [{ resource: RESOURCE, scopes }],
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
      signingKey: (await devKeyPair('EdDSA')).key,
    },
    vault: {
      url: `file:${join(folder, 'replay-vault.db')}`,
      key: vaultKey,
    },
    resources: (tool) => ({ resource: placeOf(tool), action: tool }),
    scopeFallback: false, // only directives authorise
    allowDevelopment: true,
  });
  await writeFile(join(folder, 'ledger.vkey'), `${crumb.ledger.vkey}\n`);
  await writeFile(join(folder, 'vault.key'), vaultKey, { mode: 0o600 });
  return {
    crumb,
    async logIn({ human, asked }) {
      const { accessToken } = await login({
        issuer: idp.url,
        clientId: 'desk',
        redirectUri: REDIRECT,
        key: app.key,
        person: human,
        scope: ['openid', ...scopes].join(' '),
        directives: asked.map(directiveOf),
      });
      return accessToken;
    },
    async close() {
      await crumb.close();
      await idp.close();
    },
  };
}

function toolsOf(conversations: readonly Conversation[]): readonly string[] {
  const names = conversations.flatMap(({ asked, calls }) => [
    ...asked.map(({ name }) => name),
    ...calls.map(({ tool }) => tool),
  ]);
  return [...new Set(names)];
}

function placeOf(tool: string): string {
  return LOCAL_TOOLS.has(tool) ? 'local' : RESOURCE;
}

/** Exactly what the human asked for: this tool with these arguments, no more and no fewer. */
function directiveOf({ name, kwargs }: Action): object {
  const exactly = Object.entries(kwargs).map(([key, value]) => [key, { const: value }]);
  return {
    type: 'crumb_tool_call',
    actions: [name],
    locations: [placeOf(name)],
    arguments: Object.fromEntries(exactly),
  };
}

async function replayCalls(
  crumb: Crumb,
  assistant: ActingAgent,
  { human, asked, calls }: Conversation,
): Promise<readonly Replayed[]> {
  const replayed: Replayed[] = [];
  await assistant.run(async () => {
    for (const { id, tool, args, answer } of calls) {
      const call = { tool, args, ...(id === undefined ? {} : { id }) };
      const intent = await crumb.invoke(call, () => {
        // Here the tool would act. It would find its token, and who directs it, in crumb.current().
        return { answer, seq: crumb.current().intent.seq };
      });
      replayed.push({ human, asked: isAsked({ tool, args }, asked), intent: intent.seq });
    }
  });
  return replayed;
}

/** The gold standard, apart from Crumb's own judging: the same name, and deeply the same arguments. */
function isAsked({ tool, args }: Pick<RecordedCall, 'tool' | 'args'>, asked: readonly Action[]) {
  return asked.some(({ name, kwargs }) => name === tool && isDeepStrictEqual(args, kwargs));
}

/** Counts what the ledger says. What this program remembers only says what to expect of it. */
async function count(
  crumb: Crumb,
  replayed: readonly Replayed[],
): Promise<Omit<Report, 'conversations' | 'humans' | 'seconds'>> {
  const recorded = new Map<number, Recorded>();
  const { sound, level, size } = await verifyBundle(intentsInto(recorded, crumb.bundle()), {
    key: crumb.ledger.vkey,
  });
  const nameOf = identifier(crumb);
  const reasons: Record<string, number> = {};
  const confusion: Confusion = {
    askedAndAuthorized: 0,
    askedAndUnauthorized: 0,
    notAskedAndAuthorized: 0,
    notAskedAndUnauthorized: 0,
  };
  let attributed = 0;
  for (const { human, asked, intent } of replayed) {
    const { human: pseudonym, authorized, reason } = recorded.get(intent) ?? MISSING;
    if (pseudonym !== null && (await nameOf(pseudonym)) === human) attributed += 1;
    if (reason !== undefined) reasons[reason] = (reasons[reason] ?? 0) + 1;
    confusion[`${asked ? 'asked' : 'notAsked'}And${authorized ? 'Authorized' : 'Unauthorized'}`]++;
  }
  const authorized = confusion.askedAndAuthorized + confusion.notAskedAndAuthorized;
  return {
    calls: replayed.length,
    attributed,
    authorized,
    unauthorized: replayed.length - authorized,
    reasons,
    confusion,
    ledger: { entries: size, sound, level },
  };
}

const MISSING: Recorded = { human: null, authorized: false, reason: 'not_recorded' };

/** Passes the lines of a bundle on, and notes what the intents among them say. */
async function* intentsInto(
  recorded: Map<number, Recorded>,
  lines: AsyncIterable<string>,
): AsyncIterable<string> {
  for await (const line of lines) {
    yield line;
    const item: { readonly t: string; readonly raw: string } = JSON.parse(line);
    if (item.t !== 'entry') continue;
    const entry = parseEntry(new TextEncoder().encode(item.raw));
    if (!isKnownKind(entry) || entry.kind !== 'intent') continue;
    const { human, verdict, reason } = entry.body;
    recorded.set(entry.seq, {
      human,
      authorized: verdict === 'authorized',
      reason: reason?.code,
    });
  }
}

/** Who stands behind a pseudonym. Each naming is an entry of its own: hence once for each human. */
function identifier(crumb: Crumb): (pseudonym: string) => Promise<string | undefined> {
  const names = new Map<string, string | undefined>();
  return async (pseudonym) => {
    if (!names.has(pseudonym)) {
      const known = await crumb.identify(pseudonym, { purpose: 'replay' });
      names.set(pseudonym, known?.person.sub);
    }
    return names.get(pseudonym);
  };
}

function describe(report: Report): string {
  const { confusion, ledger, reasons } = report;
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
    ...Object.entries(reasons)
      .toSorted(([, a], [, b]) => b - a)
      .map(([reason, n]) => row(`  ${reason}`, n)),
    '',
    'Against what the humans asked for, matched apart:',
    row('  asked for, and authorized', confusion.askedAndAuthorized),
    row('  asked for, yet not authorized', confusion.askedAndUnauthorized),
    row('  not asked for, yet authorized', confusion.notAskedAndAuthorized),
    row('  not asked for, and not authorized', confusion.notAskedAndUnauthorized),
    '',
    row('entries in the ledger', ledger.entries),
    row('it verifies', ledger.sound ? ledger.level : 'NO'),
    row('seconds', report.seconds),
    '',
  ].join('\n');
}

function isAsExpected({ calls, attributed, confusion, ledger }: Report): boolean {
  const differing = confusion.askedAndUnauthorized + confusion.notAskedAndAuthorized;
  return attributed === calls && differing === 0 && ledger.sound;
}

/** One line that is written over, for whoever sits in front of it. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
}

/** A user's mistake: said in one line, without a stack. */
class UsageError extends Error {}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      limit: { type: 'string' },
      keep: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [file, ...more] = positionals;
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (file === undefined || more.length > 0) throw new UsageError('give one FILE; see --help');
  const limit = limitOf(values.limit);
  const conversations = parseConversations(await readFile(file, 'utf8')).slice(0, limit);
  const report = await inFolder(values.keep, (folder) => replay(conversations, folder));
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : describe(report));
  return isAsExpected(report) ? 0 : 1;
}

function limitOf(text: string | undefined): number | undefined {
  if (text !== undefined && !/^[1-9]\d*$/.test(text)) {
    throw new UsageError('--limit takes a number of conversations, 1 or more');
  }
  return text === undefined ? undefined : Number(text);
}

/** Runs `work` in the folder to keep, or in one that goes afterwards. */
async function inFolder<T>(keep: string | undefined, work: (folder: string) => Promise<T>) {
  const folder = keep ?? (await mkdtemp(join(tmpdir(), 'crumb-replay-')));
  await mkdir(folder, { recursive: true });
  if (existsSync(join(folder, 'replay.db'))) {
    throw new UsageError(`${folder} already holds a replay: name another folder`);
  }
  try {
    return await work(folder);
  } finally {
    if (keep === undefined) await rm(folder, { recursive: true });
  }
}

function isUsersMistake(error: unknown): error is Error {
  if (error instanceof UsageError || error instanceof MalformedFileError) return true;
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  // Of `readFile`, `mkdir` and `parseArgs`.
  return typeof code === 'string' && /^(ENOENT|EISDIR|EACCES|ENOTDIR|ERR_PARSE_ARGS)/.test(code);
}

process.exitCode = await main().catch((error: unknown) => {
  if (!isUsersMistake(error)) throw error;
  process.stderr.write(`replay: ${error.message}\n`);
  return 2;
});
