/** Claim: a token is seen by its issuer and by the one resource that it is for, and nowhere else. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import type { HumanSession } from '../../src/gateway/human-session.ts';
import { shown } from '../exchange/secrets.ts';
import { openWorld, READ_42, type CrumbWorld } from '../world.ts';

const JWT = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g;

let world: CrumbWorld;
let session: HumanSession;
let planner: ActingAgent;
let sessionToken: string;
let wire: Wire;

/** What this process sent and got over HTTP since the world stands. */
interface Wire {
  /** Every token that went either way, in any place. */
  readonly tokens: Set<string>;
  readonly urls: string[];
  readonly tokenEndpoint: number;
}

beforeEach(async () => {
  wire = tapWire();
  world = await openWorld();
  sessionToken = await world.tokenOf('alice', [READ_42]);
  session = await world.crumb.session(sessionToken);
  planner = session.agent('planner');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await world.close();
});

/** Listens at the global `fetch`, which the exchange and the tools use. */
function tapWire(): Wire {
  const tokens = new Set<string>();
  const urls: string[] = [];
  const collect = (text: string): void => {
    for (const [token] of text.matchAll(JWT)) tokens.add(token);
  };
  const { fetch } = globalThis;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    urls.push(input instanceof Request ? input.url : String(input));
    if (init?.body instanceof URLSearchParams) collect(init.body.toString());
    if (input instanceof Request) collect(input.headers.get('authorization') ?? '');
    const response = await fetch(input, init);
    if (urls.at(-1)?.endsWith('/token') === true) collect(await response.clone().text());
    return response;
  });
  return {
    tokens,
    urls,
    get tokenEndpoint() {
      return urls.filter((url) => url.endsWith('/token')).length;
    },
  };
}

/** No token, nor the part of one that would do, in a text. */
function expectClean(text: string, tokens: Iterable<string> = wire.tokens): void {
  let looked = 0;
  for (const token of [sessionToken, ...tokens]) {
    const [, payload = token, signature = token] = token.split('.');
    for (const part of [token, payload, signature]) {
      looked += 1;
      if (text.includes(part)) expect.fail('a token is in there');
    }
  }
  expect(looked).toBeGreaterThan(2);
}

const readRecord = async (): Promise<string> =>
  planner.invoke({ tool: 'readRecord', args: { id: 42 } }, async () =>
    (await planner.fetch(`${world.records.url}/records/42`)).text(),
  );

it('is really there: the session, an actor token, an assertion and the delegation go over the wire', async () => {
  await readRecord();
  // Session, the agent's own token, two client assertions, the delegation token.
  expect(wire.tokens.size).toBeGreaterThanOrEqual(4);
  expect(wire.tokens.has(sessionToken)).toBe(true);
  const inside = await planner.invoke(
    { tool: 'readRecord', args: { id: 42 } },
    () => world.crumb.current().token,
  );
  expect(wire.tokens.has(inside ?? '')).toBe(true);
  expect(() => expectClean(`so it would be found: ${sessionToken}`)).toThrow();
});

it('is in nothing that a tool is given or gives, nor in what it can print', async () => {
  const seen: unknown[] = [];
  const result = await planner.invoke({ tool: 'readRecord', args: { id: 42 } }, async (args) => {
    const current = world.crumb.current();
    seen.push(args, current, planner, session, world.crumb, current.fetch);
    return (await current.fetch(`${world.records.url}/records/42`)).text();
  });
  for (const value of [...seen, result]) {
    expectClean(inspect(value, { depth: 9, showHidden: true, getters: false }));
    expectClean(inspect(value, { depth: 9, showHidden: true, customInspect: false }));
    expectClean(JSON.stringify(value) ?? '');
    if (typeof value === 'object') expectClean(inspect(cloneOf(value), { depth: 9 }));
  }
});

function cloneOf(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch (error) {
    return error; // something in it cannot be cloned: nothing got out
  }
}

it('is in no address, and in no request to another origin', async () => {
  const requests: IncomingMessage[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
    request.on('end', () => response.end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  await planner.invoke({ tool: 'readRecord', args: { id: 42 } }, async () => {
    await planner.fetch(`${world.records.url}/records/42`);
    // What a hijacked tool may try: another origin, one that looks alike, and a path beside.
    for (const url of [
      `http://127.0.0.1:${port}/collect`,
      `http://localhost:${port}/records/42`,
      `${world.records.url.replace('127.0.0.1', 'user@127.0.0.1').replace(/:\d+$/, `:${port}`)}/a`,
    ]) {
      await planner.fetch(url, { method: 'POST', body: '{}' }).catch(() => undefined);
    }
  });
  expect(requests.length).toBeGreaterThanOrEqual(2);
  expect(world.records.served).toHaveLength(1);
  for (const request of requests) {
    expect(request.headers.authorization).toBeUndefined();
    expectClean(`${request.url} ${request.rawHeaders.join(' ')}`);
  }
  expectClean(bodies.join(' '));
  expectClean(wire.urls.join(' '));
  server.close();
});

it('is not carried along by a redirect', async () => {
  const followed: string[] = [];
  const evil = createServer((request, response) => {
    followed.push(request.headers.authorization ?? 'without');
    response.end();
  });
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
  const { port } = evil.address() as AddressInfo; // it listens on TCP
  const redirecting = createServer((_request, response) =>
    response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end(),
  );
  await new Promise<void>((resolve) => redirecting.listen(0, '127.0.0.1', resolve));
  const at = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}`; // TCP as well
  await using other = await openWorld({
    tools: { moved: { resource: 'https://records.example', action: 'read_record', url: at } },
  });
  const agent = (await other.loginAs('alice', [READ_42])).agent('planner');
  await expect(
    agent.invoke({ tool: 'moved', args: { id: 42 } }, async () => agent.fetch(`${at}/records/42`)),
  ).rejects.toThrow();
  expect(followed).toEqual([]);
  evil.close();
  redirecting.close();
});

describe('is in no error, whatever the provider answers', () => {
  it.each([
    'server-error',
    'html',
    'huge',
    'redirect',
    'opaque-token',
    'missing-act',
    'wrong-audience',
  ] as const)('with the fault %s', async (fault) => {
    world.idp.idp.fault(fault);
    const error = await readRecord().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(wire.tokenEndpoint).toBeGreaterThan(0);
    expectClean(shown(error));
  });

  it('when it refuses', async () => {
    world.idp.idp.deny({ sub: 'alice' });
    const error = await readRecord().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'exchange_refused' });
    expectClean(shown(error));
  });

  it('when it does not answer at all', async () => {
    world.idp.idp.fault('slow');
    const signal = AbortSignal.timeout(300);
    const call = planner.invoke({ tool: 'readRecord', args: { id: 42 }, signal }, () => 'ran');
    expectClean(shown(await call.catch((reason: unknown) => reason)));
  });

  it('when the session’s own token is refused', async () => {
    const [header, payload, signature = ''] = sessionToken.split('.');
    const damaged = `${header}.${payload}.${[...signature].toReversed().join('')}`;
    const error = await world.crumb.session(damaged).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'session_invalid' });
    expectClean(shown(error), [damaged]);
  });
});

it('is in no file: neither in the ledger, nor readable in the vault', async () => {
  await readRecord();
  await world.crumb.flush();
  const files = readdirSync(world.folder);
  expect(files).toContain('vault.db');
  for (const file of files) {
    const bytes = readFileSync(join(world.folder, file));
    expectClean(bytes.toString('latin1'));
    expectClean(bytes.toString('utf16le'));
  }
});

it('is on no log', async () => {
  const lines: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      lines.push(String(chunk));
      return true;
    });
  }
  const warnings: string[] = [];
  const listen = (warning: Error): void => void warnings.push(inspect(warning));
  process.on('warning', listen);
  await readRecord();
  world.idp.idp.fault('wrong-key');
  await planner
    .invoke({ tool: 'exportRecord', args: { id: 42 } }, () => 'ran')
    .catch(() => undefined);
  process.off('warning', listen);
  expectClean([...lines, ...warnings].join('\n'));
});

it('that a model writes itself is an argument like any other, and is not sent', async () => {
  const invented = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2IifQ.c2lnbmF0dXJl';
  const args = { id: 42, authorization: `Bearer ${invented}` };
  await planner.invoke({ tool: 'readRecord', args }, async () => {
    const headers = { authorization: `Bearer ${invented}` };
    await planner.fetch(`${world.records.url}/records/42`, { headers });
  });
  expect(world.records.served.at(-1)?.delegation.human.sub).toBe('alice');
  await world.crumb.flush();
  const ledger = readFileSync(world.ledgerFile).toString('latin1');
  expect(ledger).not.toContain(invented);
  const intent = (await world.crumbsOf('intent')).at(-1);
  expect(intent?.body).toMatchObject({
    verdict: 'unauthorized',
    reason: { code: 'argument_extra' },
  });
});
