/**
 * What the AI SDK examples stand on: a development identity provider, a records service that takes
 * delegation tokens alone, a Crumb in a temporary folder, and models that follow a script. No network, no
 * key. An application brings its own of each.
 *
 * @module
 */
import { createClient } from '@libsql/client';
import { simulateReadableStream } from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCrumb, type Crumb } from 'crumb-ai';
import { devKeyPair, login, startDevIdp } from 'crumb-ai/dev';
import { isKnownKind, parseEntry, type Entry } from 'crumb-ai/evidence';
import { createGuard } from 'crumb-ai/resource';

export const RECORDS = 'https://records.example';

const REDIRECT = 'http://127.0.0.1/callback';

/** What an example plays on. */
export interface Stage {
  readonly crumb: Crumb;
  /** Address of the records service: `GET /42`, `DELETE /42`. */
  readonly records: string;
  /** Logs somebody in, who consents to these directives; answers the access token. */
  login(person: 'alice' | 'bob', directives: readonly object[]): Promise<string>;
  /** Prints what the ledger holds. */
  printTrail(): Promise<void>;
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'crumb-example-'));
  const [app, planner, researcher, signing] = await Promise.all([
    devKeyPair(),
    devKeyPair(),
    devKeyPair(),
    devKeyPair(),
  ]);
  const scopes = ['read_record', 'delete_record'];
  const idp = await startDevIdp({
    clients: [{ id: 'app', redirectUris: [REDIRECT], jwks: app.jwks, agents: ['planner'] }],
    agents: [
      { id: 'planner', jwks: planner.jwks },
      { id: 'researcher', jwks: researcher.jwks },
    ],
    resources: [{ resource: RECORDS, scopes }],
  });
  const service = await startRecords(idp.url);
  const record = { resource: RECORDS, url: service.url };
  const crumb = await createCrumb({
    issuer: {
      url: idp.url,
      profile: 'dev',
      client: { id: 'app', key: app.key },
      agents: { planner: { key: planner.key }, researcher: { key: researcher.key } },
    },
    ledger: {
      url: `file:${join(folder, 'crumb.db')}`,
      origin: 'crumb.example/examples',
      signingKey: signing.key,
    },
    vault: { url: `file:${join(folder, 'vault.db')}`, key: new Uint8Array(randomBytes(32)) },
    resources: {
      readRecord: { ...record, action: 'read_record' },
      deleteRecord: { ...record, action: 'delete_record' },
    },
    allowDevelopment: true, // for the development identity provider
  });
  return {
    crumb,
    records: service.url,
    async login(person, directives) {
      const { accessToken } = await login({
        issuer: idp.url,
        clientId: 'app',
        redirectUri: REDIRECT,
        key: app.key,
        person,
        scope: ['openid', ...scopes].join(' '),
        directives,
      });
      return accessToken;
    },
    async printTrail() {
      await crumb.flush();
      console.log('\nWhat the ledger says:');
      for (const line of await trailOf(join(folder, 'crumb.db'))) console.log(line);
    },
    async close() {
      await crumb.close();
      service.server.close();
      service.server.closeAllConnections();
      await idp.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A resource server with two lines of Crumb in it: nobody gets in without a delegation. */
async function startRecords(issuer: string): Promise<{ url: string; server: Server }> {
  const guardFor = (scope: string): ReturnType<typeof createGuard> =>
    createGuard({
      resource: RECORDS,
      issuers: [{ url: issuer, algs: ['RS256'] }],
      scope,
      allowDevelopment: true,
    });
  const guards = { GET: guardFor('read_record'), DELETE: guardFor('delete_record') };
  const server = createServer((request, response) => {
    const guard = request.method === 'DELETE' ? guards.DELETE : guards.GET;
    void guard.node(() => {
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({ id: Number(request.url?.slice(1)), text: 'the figures are up' }),
      );
    })(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, server };
}

/** One line for each attempt. `crumb log` does this better, and `crumb verify` checks it. */
async function trailOf(file: string): Promise<readonly string[]> {
  const client = createClient({ url: `file:${file}` });
  const { rows } = await client.execute('SELECT bytes FROM entry ORDER BY seq');
  client.close();
  return rows.flatMap(({ bytes }) => {
    const entry = bytes instanceof ArrayBuffer ? parseEntry(new Uint8Array(bytes)) : undefined;
    return entry !== undefined && isKnownKind(entry) ? lineOf(entry) : [];
  });
}

function lineOf(entry: Entry): readonly string[] {
  const line = (...words: readonly string[]): readonly string[] => [
    `  #${String(entry.seq).padEnd(3)} ${words.map((word) => word.padEnd(13)).join(' ')}`,
  ];
  switch (entry.kind) {
    case 'session':
      return line('session', entry.body.op, `${entry.body.directives.length} directives`);
    case 'approval':
      return line('approval', entry.body.call.tool, 'by the human of the session');
    case 'intent': {
      const agents = entry.body.chain.map(({ sub }) => sub).join(' → ');
      return line('intent', entry.body.call.tool, entry.body.verdict, agents);
    }
    case 'refusal':
      return line('refusal', entry.body.call.tool, entry.body.verdict, entry.body.code);
    case 'outcome':
      return line('outcome', `of #${entry.body.intent}`, entry.body.status);
    default:
      return [];
  }
}

/** One answer of a scripted model. */
export type Answer =
  | { readonly says: string }
  | { readonly calls: string; readonly with: Readonly<Record<string, unknown>> };

/** A model that gives these answers, whatever it is asked; then it has nothing more to say. */
export function scriptedModel(...answers: readonly Answer[]): MockLanguageModelV4 {
  let next = 0;
  const tokens = { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 };
  const usage = { inputTokens: tokens, outputTokens: { total: 1, text: 1, reasoning: 0 } };
  const take = (): {
    answer: Answer;
    finishReason: { unified: 'stop' | 'tool-calls'; raw: string };
  } => {
    const answer = answers[next] ?? { says: 'That is all.' };
    next += 1;
    const unified = 'says' in answer ? 'stop' : 'tool-calls';
    return { answer, finishReason: { unified, raw: unified } };
  };
  const callOf = (answer: Extract<Answer, { calls: string }>) => ({
    type: 'tool-call' as const,
    toolCallId: `call_${next}`,
    toolName: answer.calls,
    input: JSON.stringify(answer.with),
  });
  return new MockLanguageModelV4({
    doGenerate: async () => {
      const { answer, finishReason } = take();
      const content =
        'says' in answer ? { type: 'text' as const, text: answer.says } : callOf(answer);
      return { content: [content], finishReason, usage, warnings: [] };
    },
    doStream: async () => {
      const { answer, finishReason } = take();
      const content =
        'says' in answer
          ? [
              { type: 'text-start' as const, id: 't' },
              { type: 'text-delta' as const, id: 't', delta: answer.says },
              { type: 'text-end' as const, id: 't' },
            ]
          : [callOf(answer)];
      return {
        stream: simulateReadableStream({
          chunks: [
            { type: 'stream-start' as const, warnings: [] },
            ...content,
            { type: 'finish' as const, finishReason, usage },
          ],
        }),
      };
    },
  });
}
