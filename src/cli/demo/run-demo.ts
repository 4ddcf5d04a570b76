/**
 * The demo from end to end: three processes, one login, one hijack, one trail, one check, one forgery.
 *
 * @module
 */
import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { login } from '../../dev/login.ts';
import { createKey } from '../keys.ts';
import type { LedgerCheck } from '../check-ledger.ts';
import { checkLedger, readLedger } from './read-ledger.ts';
import { startPart, type StartedPart } from './start-part.ts';
import { APPLICATION, DIRECTIVE, ORIGIN, REQUEST, scopesOf, type Injection } from './story.ts';
import { tamper, type Tampering } from './tamper.ts';
import { sessionsOf, type TrailSession } from './trail.ts';

export interface DemoOptions {
  readonly inject: Injection;
  readonly coarse: boolean;
  /** Name of a real OpenAI model, with its key in the environment. */
  readonly live?: string | undefined;
  /** Where to leave the ledger and the vault. Default: nowhere. */
  readonly keep?: string | undefined;
}

/** What is told while it happens. */
export interface DemoTeller {
  started(processes: Readonly<Record<'idp' | 'records' | 'agent', StartedPart>>): void;
  loggedIn(person: string): void;
  answered(text: string): void;
}

export interface DemoResult {
  readonly answer: string;
  readonly person: string;
  readonly processes: Readonly<
    Record<'idp' | 'records' | 'agent', { readonly pid: number; readonly url: string }>
  >;
  readonly vkey: string;
  readonly sessions: readonly TrailSession[];
  readonly checked: LedgerCheck;
  /** Undefined if nothing unauthorized is on record that a forger could want to change. */
  readonly tampered: { readonly change: Tampering; readonly checked: LedgerCheck } | undefined;
  /** Where the ledger was left. */
  readonly kept: string | undefined;
}

const REDIRECT_URI = 'http://127.0.0.1/callback';
const PERSON = 'alice';

export async function runDemo(options: DemoOptions, teller: DemoTeller): Promise<DemoResult> {
  const folder = options.keep ?? (await mkdtemp(join(tmpdir(), 'crumb-demo-')));
  const running: StartedPart[] = [];
  try {
    const stage: Stage = {
      options,
      keys: makeKeys(),
      ledgerPath: join(folder, 'crumb.db'),
      vaultPath: join(folder, 'crumb-vault.db'),
    };
    return await play(stage, teller, running);
  } finally {
    await Promise.all(running.map(async (part) => part.stop()));
    if (options.keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}

interface DemoKeys {
  readonly private: Record<'application' | 'planner' | 'researcher' | 'signing' | 'vault', string>;
  readonly public: Record<'application' | 'planner' | 'researcher', object>;
  readonly vkey: string;
}

interface Stage {
  readonly options: DemoOptions;
  readonly keys: DemoKeys;
  readonly ledgerPath: string;
  readonly vaultPath: string;
}

type Parts = Readonly<Record<'idp' | 'records' | 'agent', StartedPart>>;

async function play(stage: Stage, teller: DemoTeller, running: StartedPart[]): Promise<DemoResult> {
  const { options, keys, ledgerPath, vaultPath } = stage;
  const parts = await startParts(stage, running);
  const { idp, records, agent } = parts;
  // An independent copy of the provider's keys: the one in the vault is the recorder's own.
  const trust = { key: keys.vkey, issuerKeys: { [idp.url]: await keysOf(idp.url) } };
  teller.started(parts);

  const token = await logIn(stage, idp.url);
  teller.loggedIn('Alice');
  const { text } = await post(`${agent.url}/chat`, { prompt: REQUEST }, token);
  const answer = String(text);
  teller.answered(answer);

  // Naming is recorded by the process that holds the vault, before the name is given out.
  const human = sessionsOf(await readLedger(ledgerPath))[0]?.human ?? '';
  const { claims } = await post(`${agent.url}/identify`, { human });
  await agent.stop(); // closes the ledger: what follows reads a file at rest

  const sessions = sessionsOf(await readLedger(ledgerPath));
  const vault = { path: vaultPath, key: keys.private.vault };
  const checked = await checkLedger(ledgerPath, trust, vault);
  const change = await tamper(ledgerPath, join(dirname(ledgerPath), 'tampered.db'), sessions);
  return {
    answer,
    person: nameIn(claims),
    processes: { idp: shown(idp), records: shown(records), agent: shown(agent) },
    vkey: keys.vkey,
    sessions,
    checked,
    tampered:
      change === undefined ? undefined : { change, checked: await checkLedger(change.path, trust) },
    kept: options.keep,
  };
}

async function startParts(stage: Stage, running: StartedPart[]): Promise<Parts> {
  const { options, keys, ledgerPath, vaultPath } = stage;
  const { inject, coarse, live } = options;
  const start = async (...parameters: Parameters<typeof startPart>): Promise<StartedPart> => {
    const part = await startPart(...parameters);
    running.push(part);
    return part;
  };
  const redirectUri = REDIRECT_URI;
  const idp = await start({ part: 'idp', coarse, publicKeys: keys.public, redirectUri });
  const records = await start({ part: 'records', issuer: idp.url, coarse, inject });
  const agent = await start(
    {
      part: 'agent',
      issuer: idp.url,
      records: records.url,
      coarse,
      inject,
      ledger: `file:${ledgerPath}`,
      vault: `file:${vaultPath}`,
      keys: keys.private,
      ...(live === undefined ? {} : { live }),
    },
    live === undefined ? {} : modelEnvironment(),
  );
  return { idp, records, agent };
}

/** Alice's login and consent, as her browser would make them. */
async function logIn({ keys, options }: Stage, issuer: string): Promise<string> {
  const { accessToken } = await login({
    issuer,
    clientId: APPLICATION,
    redirectUri: REDIRECT_URI,
    key: { ...createPrivateKey(keys.private.application).export({ format: 'jwk' }), alg: 'ES256' },
    person: PERSON,
    scope: `openid profile email ${scopesOf(options.coarse).read}`,
    directives: [DIRECTIVE],
  });
  return accessToken;
}

function makeKeys(): DemoKeys {
  const [application, planner, researcher] = [
    createKey('agent'),
    createKey('agent'),
    createKey('agent'),
  ];
  const signing = createKey('signing', ORIGIN);
  return {
    private: {
      application: application.secret,
      planner: planner.secret,
      researcher: researcher.secret,
      signing: signing.secret,
      vault: createKey('vault').secret.trim(),
    },
    public: {
      application: application.jwk ?? {},
      planner: planner.jwk ?? {},
      researcher: researcher.jwk ?? {},
    },
    vkey: signing.vkey ?? '',
  };
}

/** Only the agent's process talks to a model, and only when it is a real one. */
function modelEnvironment(): Record<string, string | undefined> {
  const { OPENAI_API_KEY, OPENAI_BASE_URL } = process.env;
  return { OPENAI_API_KEY, OPENAI_BASE_URL };
}

async function keysOf(issuer: string): Promise<unknown> {
  const discovery = await fetch(`${issuer}/.well-known/openid-configuration`);
  const metadata: unknown = await discovery.json();
  const url: unknown =
    typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'jwks_uri') : '';
  return (await fetch(String(url))).json();
}

async function post(url: string, body: object, token?: string): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  if (!response.ok || typeof answer !== 'object' || answer === null) {
    throw new Error(`the agent's process answered ${response.status}: ${JSON.stringify(answer)}`);
  }
  return { ...answer };
}

function nameIn(claims: unknown): string {
  const name: unknown =
    typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'name') : undefined;
  return typeof name === 'string' ? name : 'somebody whose name was erased';
}

function shown({ pid, url }: StartedPart): { readonly pid: number; readonly url: string } {
  return { pid, url };
}
