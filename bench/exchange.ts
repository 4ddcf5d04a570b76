/**
 * What a delegation token costs on loopback: asked for anew, one and two hops deep, and out of the
 * cache; beside the same request by bare `fetch`, which checks nothing. The provider runs in a thread
 * of its own. Runs are interleaved, because the machine drifts.
 *
 * `node bench/exchange.ts [rounds] [--json]`
 *
 * @module
 */
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { importJWK, SignJWT } from 'jose';
import { login } from '../src/dev/login.ts';
import { createExchange, type Exchange } from '../src/exchange/exchange.ts';
import { profileOf } from '../src/exchange/issuer-profile.ts';
import { createIssuerKeys } from '../src/token/issuer-keys.ts';
import { createSessionVerifier, sessionTokenOf, type Session } from '../src/token/session.ts';
import { ACCESS_TOKEN, TOKEN_EXCHANGE } from '../src/token/token-types.ts';
import type { ProviderReady } from './exchange-provider.ts';

/** Microseconds for one token. */
export interface Spread {
  readonly name: string;
  readonly medianUs: number;
  readonly p10Us: number;
  readonly p90Us: number;
}

export interface ExchangeBench {
  readonly algorithm: string;
  readonly rounds: number;
  readonly results: readonly Spread[];
  /** Median over median of the bare request. */
  readonly ratios: Readonly<Record<string, number>>;
}

const READ = {
  resource: 'https://records.example',
  action: 'read_record',
  scope: 'read_record',
};
/** Reads out of the cache in one measured step: one alone is shorter than the clock's tick. */
const CACHED = 1000;

/** Measures. @param rounds How often each step runs. */
export async function benchExchange(
  rounds = 200,
  algorithm: 'RS256' | 'ES256' | 'EdDSA' = 'RS256',
): Promise<ExchangeBench> {
  const worker = new Worker(new URL('exchange-provider.ts', import.meta.url), {
    workerData: { algorithm },
  });
  const [ready] = (await once(worker, 'message')) as [ProviderReady]; // its first message
  try {
    const { exchange, session } = await open(ready);
    const steps = await stepsOf(ready, exchange, session);
    const took = new Map(steps.map(({ name }) => [name, [] as number[]]));
    for (let round = -20; round < rounds; round += 1) {
      const us = await measureEach(steps);
      if (round < 0) continue; // the first rounds warm up
      for (const [name, time] of us) took.get(name)?.push(time);
    }
    const results = [...took].map(([name, all]) => spreadOf(name, all));
    const bare = results[0]?.medianUs ?? Number.NaN;
    const ratios = Object.fromEntries(
      results.map(({ name, medianUs }) => [name, Number((medianUs / bare).toPrecision(3))]),
    );
    return { algorithm, rounds, results, ratios };
  } finally {
    await worker.terminate();
  }
}

async function measureEach(steps: readonly Step[]): Promise<ReadonlyMap<string, number>> {
  const us = new Map<string, number>();
  for (const { name, times, run } of steps) {
    const start = performance.now();
    await run();
    us.set(name, ((performance.now() - start) * 1000) / times);
  }
  return us;
}

async function open(ready: ProviderReady): Promise<{ exchange: Exchange; session: Session }> {
  const { issuer, audience, client, keys: agents } = ready;
  const keys = createIssuerKeys({ url: issuer });
  const { tokenTyp: typ, algs } = profileOf('dev');
  const sessions = createSessionVerifier({
    keys,
    audience,
    client: client.id,
    typ,
    algs,
    scoped: [],
  });
  const { accessToken } = await login({
    issuer,
    clientId: client.id,
    redirectUri: client.redirectUri,
    person: 'alice',
    scope: 'openid read_record export_record',
  });
  const exchange = createExchange({
    keys,
    issuer: {
      url: issuer,
      profile: 'dev',
      client: { id: client.id, key: agents['planner'] ?? {} },
      agents: Object.fromEntries(Object.entries(agents).map(([name, key]) => [name, { key }])),
    },
  });
  return { exchange, session: await sessions.open(accessToken) };
}

interface Step {
  readonly name: string;
  /** Tokens in one run. */
  readonly times: number;
  readonly run: () => Promise<unknown>;
}

async function stepsOf(
  ready: ProviderReady,
  exchange: Exchange,
  session: Session,
): Promise<readonly Step[]> {
  const planner = exchange.root(session, 'planner');
  const once = { ...READ, oneShot: true };
  const hop = await exchange.delegate(planner, 'researcher', ['read_record']);
  let round = 0;
  return [
    { name: 'bare fetch, nothing checked', times: 1, run: await bareRequest(ready, session) },
    { name: 'fresh, one agent', times: 1, run: async () => exchange.token(planner, once) },
    {
      name: 'fresh, two agents, hop kept',
      times: 1,
      run: async () => exchange.token(hop.grant, once),
    },
    {
      name: 'one miss for 64 callers, each',
      times: 64,
      run: async () => {
        round += 1;
        const target = { ...READ, action: `read ${round}` };
        await Promise.all(Array.from({ length: 64 }, async () => exchange.token(planner, target)));
      },
    },
    {
      name: 'cached',
      times: CACHED,
      run: async () => {
        for (let n = 0; n < CACHED; n += 1) await exchange.token(hop.grant, READ);
      },
    },
  ];
}

/** The same form, signed and sent by hand; the answer is read and believed. */
async function bareRequest(ready: ProviderReady, session: Session): Promise<Step['run']> {
  const key = await importJWK(ready.keys['planner'] ?? {}, 'EdDSA');
  const send = async (form: Record<string, string>): Promise<{ access_token: string }> => {
    const assertion = await new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer('planner')
      .setSubject('planner')
      .setAudience(ready.issuer)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(key);
    const body = new URLSearchParams({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      ...form,
    });
    const response = await fetch(`${ready.issuer}/token`, { method: 'POST', body });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return (await response.json()) as { access_token: string }; // the provider is ours
  };
  const self = await send({ grant_type: 'client_credentials' });
  return async () =>
    send({
      grant_type: TOKEN_EXCHANGE,
      subject_token: sessionTokenOf(session),
      subject_token_type: ACCESS_TOKEN,
      actor_token: self.access_token,
      actor_token_type: ACCESS_TOKEN,
      resource: READ.resource,
      scope: READ.scope,
    });
}

function spreadOf(name: string, all: readonly number[]): Spread {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (share: number): number => round3(sorted[Math.floor(share * (sorted.length - 1))]);
  return { name, medianUs: at(0.5), p10Us: at(0.1), p90Us: at(0.9) };
}

function round3(value = Number.NaN): number {
  return Number(value.toPrecision(3));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [rounds = '200'] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
  const bench = await benchExchange(Number(rounds));
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify(bench, null, 2));
  } else {
    console.log(`exchange on loopback, ${bench.algorithm}, ${bench.rounds} rounds, us per token`);
    for (const { name, medianUs, p10Us, p90Us } of bench.results) {
      const ratio = bench.ratios[name] ?? Number.NaN;
      console.log(
        `${name.padEnd(32)} ${String(medianUs).padStart(8)}  (${p10Us} to ${p90Us})  ${ratio}x`,
      );
    }
  }
}
