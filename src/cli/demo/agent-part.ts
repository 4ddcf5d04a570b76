/**
 * The application of the demo: it hosts the agents and runs Crumb. It holds the keys of its agents and
 * of its ledger, and none of the identity provider's.
 *
 * @module
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { LanguageModel } from 'ai';
import { isCrumbError } from '../../errors.ts';
import { createCrumb, type Crumb } from '../../gateway/create-crumb.ts';
import { createAgents, type DemoAgents } from './agents.ts';
import { listen, sendJson, type RunningPart } from './running-part.ts';
import { scriptedPlanner, scriptedResearcher } from './scripted-model.ts';
import { APPLICATION, ORIGIN, RECORDS, scopesOf, type Injection } from './story.ts';

export interface AgentConfig {
  readonly issuer: string;
  readonly records: string;
  readonly coarse: boolean;
  readonly inject: Injection;
  readonly ledger: string;
  readonly vault: string;
  readonly keys: {
    readonly application: string;
    readonly planner: string;
    readonly researcher: string;
    readonly signing: string;
    readonly vault: string;
  };
  /** Name of a real OpenAI model; absent: the scripted one. */
  readonly live?: string;
}

export async function startAgent(config: AgentConfig): Promise<RunningPart> {
  const { keys } = config;
  const scopes = scopesOf(config.coarse);
  const record = { resource: RECORDS, url: config.records };
  const crumb = await createCrumb({
    issuer: {
      url: config.issuer,
      profile: 'dev',
      client: { id: APPLICATION, key: keys.application },
      agents: { planner: { key: keys.planner }, researcher: { key: keys.researcher } },
    },
    ledger: { url: config.ledger, origin: ORIGIN, signingKey: keys.signing },
    vault: { url: config.vault, key: keys.vault },
    resources: {
      readRecord: { ...record, action: 'read_record', scope: scopes.read },
      exportRecord: { ...record, action: 'export_record', scope: scopes.export },
    },
    allowDevelopment: true,
  });
  const agents = createAgents({
    models: await modelsOf(config.live),
    records: config.records,
    inject: config.inject,
  });

  const server = createServer((request, response) => {
    void serve(request, crumb, agents).then(
      (body) => sendJson(response, 200, body),
      (error: unknown) => sendJson(response, 500, failure(error)),
    );
  });
  return listen(server, async () => crumb.close());
}

async function serve(
  incoming: IncomingMessage,
  crumb: Crumb,
  agents: DemoAgents,
): Promise<unknown> {
  const body = await bodyOf(incoming);
  switch (incoming.url) {
    case '/chat': {
      // Who asks is in the Authorization header; what is asked is in the body. Never the other way.
      const session = await crumb.session(requestOf(incoming));
      return { text: await agents.ask(session.agent('planner'), textIn(body, 'prompt')) };
    }
    case '/identify': {
      const named = await crumb.identify(textIn(body, 'human'), { purpose: 'demo' });
      return { claims: named?.claims ?? null };
    }
    default:
      return { error: 'no such route' };
  }
}

async function modelsOf(
  live: string | undefined,
): Promise<{ planner: LanguageModel; researcher: LanguageModel }> {
  if (live === undefined) return { planner: scriptedPlanner(), researcher: scriptedResearcher() };
  const { openai } = await import('@ai-sdk/openai');
  return { planner: openai(live), researcher: openai(live) };
}

function requestOf({ headers, url = '/' }: IncomingMessage): Request {
  const { authorization } = headers;
  return new Request(new URL(url, 'http://127.0.0.1'), {
    headers: authorization === undefined ? {} : { authorization },
  });
}

async function bodyOf(incoming: IncomingMessage): Promise<unknown> {
  const chunks: unknown[] = await incoming.toArray();
  const text = Buffer.concat(chunks.filter((chunk) => chunk instanceof Uint8Array)).toString(
    'utf8',
  );
  return text === '' ? {} : JSON.parse(text);
}

function textIn(body: unknown, name: string): string {
  const value: unknown =
    typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  return typeof value === 'string' ? value : '';
}

function failure(error: unknown): object {
  return isCrumbError(error)
    ? { error: error.code, hint: error.hint }
    : { error: 'the agent failed' };
}
