/**
 * An agent that acts for Alice through a real Crumb: login, exchange, ledger and vault in files. The
 * identity provider runs in a thread of its own.
 *
 * @module
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { login } from '../src/dev/login.ts';
import { stateOf, type ActingAgent } from '../src/gateway/acting-agent.ts';
import { createActing } from '../src/gateway/create-acting.ts';
import { createCrumb, type Crumb } from '../src/gateway/create-crumb.ts';
import type { ProviderReady } from './exchange-provider.ts';

const RECORDS = 'https://records.example';

/** A Crumb of its own, and an agent of it. */
export interface BenchCrumb {
  readonly crumb: Crumb;
  readonly agent: ActingAgent;
  /** The same agent over a vault that keeps nothing. */
  readonly withoutVault: ActingAgent;
  readonly path: string;
  readonly vaultPath: string;
  readonly vaultKey: Uint8Array;
}

export interface BenchWorld {
  open(name: string, writer: 'inline' | 'worker'): Promise<BenchCrumb>;
  close(): Promise<void>;
}

export async function openBenchWorld(directory: string): Promise<BenchWorld> {
  const provider = new Worker(new URL('exchange-provider.ts', import.meta.url), {
    workerData: { algorithm: 'ES256' },
  });
  const [ready] = (await once(provider, 'message')) as [ProviderReady]; // its first message
  const crumbs: Crumb[] = [];
  return {
    async open(name, writer) {
      const place = {
        path: join(directory, `${name}.db`),
        vaultKey: new Uint8Array(randomBytes(32)),
      };
      const vaultPath = join(directory, `${name}-vault.db`);
      const crumb = await openCrumb(ready, { ...place, vaultPath, writer });
      crumbs.push(crumb);
      const agent = await agentOf(ready, crumb);
      const state = stateOf(agent);
      const vault = { ...state.gateway.vault, keep: async () => {} };
      const withoutVault = createActing({ ...state, gateway: { ...state.gateway, vault } });
      return { crumb, agent, withoutVault, vaultPath, ...place };
    },
    async close() {
      for (const crumb of crumbs) await crumb.close();
      await provider.terminate();
    },
  };
}

interface CrumbPlace {
  readonly path: string;
  readonly vaultPath: string;
  readonly vaultKey: Uint8Array;
  readonly writer: 'inline' | 'worker';
}

async function openCrumb(ready: ProviderReady, place: CrumbPlace): Promise<Crumb> {
  const key = ready.keys['planner'] ?? {};
  return createCrumb({
    issuer: {
      url: ready.issuer,
      profile: 'dev',
      audience: ready.audience,
      client: { id: ready.client.id, key },
      agents: { planner: { key } },
    },
    ledger: {
      url: `file:${place.path}`,
      origin: 'bench.example/crumb',
      signingKey: generateKeyPairSync('ed25519').privateKey,
      guard: `${place.path}.guard`,
      writer: place.writer,
    },
    vault: { url: `file:${place.vaultPath}`, key: place.vaultKey },
    resources: { readRecord: { resource: RECORDS, action: 'read_record' } },
    allowDevelopment: true,
  });
}

async function agentOf({ issuer, client }: ProviderReady, crumb: Crumb): Promise<ActingAgent> {
  const { accessToken } = await login({
    issuer,
    clientId: client.id,
    redirectUri: client.redirectUri,
    person: 'alice',
    scope: 'openid read_record',
    directives: [
      {
        type: 'crumb_tool_call',
        actions: ['read_record'],
        locations: [RECORDS],
        arguments: { id: { const: '42' } },
      },
    ],
  });
  return (await crumb.session(accessToken)).agent('planner');
}

/** What the tool does: as little as a tool can. */
export async function readRecord(): Promise<{ readonly body: string; readonly id: string }> {
  return { body: 'hello', id: '42' };
}

/** One guarded call. */
export async function callTool(agent: ActingAgent): Promise<unknown> {
  return agent.invoke({ id: 'call_7Qk', tool: 'readRecord', args: { id: '42' } }, readRecord);
}
