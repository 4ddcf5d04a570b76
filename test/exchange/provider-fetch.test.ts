import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { providerFetch } from '../../src/exchange/provider-fetch.ts';
import { isSafeTransport } from '../../src/token/safe-transport.ts';
import { rejection } from './exchange-world.ts';
import { expectNoSecrets, shown } from './secrets.ts';

const SECRET = 'aaaaSECRETaaaa.bbbbSECRETbbbb.ccccSECRETcccc';
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map(async (close) => close()));
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
}

const post = { method: 'POST', body: new URLSearchParams({ subject_token: SECRET }) };
const json = { 'content-type': 'application/json' };

it('gives a JSON answer with its status, and without headers that nobody reads', async () => {
  const url = await serve((_request, response) =>
    response
      .writeHead(400, {
        ...json,
        'www-authenticate': 'Basic',
        'set-cookie': 'a=b',
        'dpop-nonce': 'n',
      })
      .end('{"error":"invalid_grant"}'),
  );
  const response = await providerFetch()(url, post);
  expect(response.status).toBe(400);
  expect([...response.headers]).toEqual([
    ['content-type', 'application/json'],
    ['dpop-nonce', 'n'],
  ]);
  expect(await response.json()).toEqual({ error: 'invalid_grant' });
});

it.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/problem+json'])(
  'takes %s for JSON',
  async (type) => {
    const url = await serve((_request, response) =>
      response.writeHead(200, { 'content-type': type }).end('{}'),
    );
    expect((await providerFetch()(url)).status).toBe(200);
  },
);

describe('what it does not take', () => {
  it.each<[string, RequestListener]>([
    ['500', (_request, response) => response.writeHead(500, json).end('{}')],
    [
      'HTML',
      (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(''),
    ],
    ['no type', (_request, response) => response.writeHead(200).end('{}')],
    [
      'almost JSON',
      (_request, response) =>
        response.writeHead(200, { 'content-type': 'application/jsonp' }).end('{}'),
    ],
    ['302', (_request, response) => response.writeHead(302, { ...json, location: '/x' }).end('{}')],
    ['307', (_request, response) => response.writeHead(307, { ...json, location: '/x' }).end('{}')],
    ['304', (_request, response) => response.writeHead(304).end()],
    [
      'too much, announced',
      (_request, response) =>
        response.writeHead(200, { ...json, 'content-length': 1001 }).end(' '.repeat(1001)),
    ],
    [
      'too much, in pieces',
      (_request, response) => {
        response.writeHead(200, json);
        for (let n = 0; n < 11; n += 1) response.write(' '.repeat(100));
        response.end();
      },
    ],
    ['nothing ever', () => undefined],
    ['no end', (_request, response) => void response.writeHead(200, json).write('{')],
    ['a broken connection', (request) => request.destroy()],
  ])('%s', async (_what, listener) => {
    let asked = 0;
    const url = await serve((request, response) => {
      asked += 1;
      listener(request, response);
    });
    const error = await rejection(providerFetch({ timeoutMs: 250, maxBytes: 1000 })(url, post));
    expect(error).toMatchObject({ name: 'ExchangeError', code: 'exchange_unreachable' });
    expect(asked).toBe(1); // no redirect was followed, nothing was tried again
    expectNoSecrets(error, [SECRET]);
  });

  it('exactly too much, and not one byte less', async () => {
    const url = await serve((_request, response) =>
      response.writeHead(200, json).end(' '.repeat(998) + '{}'),
    );
    expect((await providerFetch({ maxBytes: 1000 })(url)).status).toBe(200);
    expect(await rejection(providerFetch({ maxBytes: 999 })(url))).toMatchObject({
      code: 'exchange_unreachable',
    });
  });

  it('an answer in time from a fetch that does not watch the clock', async () => {
    const deaf: typeof globalThis.fetch = async () => new Promise(() => undefined);
    const error = await rejection(
      providerFetch({ timeoutMs: 50, fetch: deaf })('https://id.example', post),
    );
    expect(error).toMatchObject({ code: 'exchange_unreachable' });
    expect(shown(error)).toContain('TimeoutError');
  });

  it('what a fetch hangs on its errors', async () => {
    const talkative: typeof globalThis.fetch = async (_input, init) => {
      throw Object.assign(new Error(`cannot send ${SECRET}`, { cause: new Error(SECRET) }), {
        code: SECRET,
        init,
        errno: 'ECONNREFUSED',
      });
    };
    const error = await rejection(providerFetch({ fetch: talkative })('https://id.example', post));
    expectNoSecrets(error, [SECRET]);
  });

  it('a server that is not there, and says so', async () => {
    const url = await serve(() => undefined);
    await closing.pop()?.();
    const error = await rejection(providerFetch()(url, post));
    expect(error).toMatchObject({ code: 'exchange_unreachable' });
    expect(shown(error)).toContain('ECONNREFUSED');
  });
});

describe('a caller who aborts', () => {
  it('gets the own reason, and is told from a timeout', async () => {
    const url = await serve(() => undefined);
    const stop = new AbortController();
    const answer = rejection(providerFetch()(url, { ...post, signal: stop.signal }));
    const reason = new Error('enough');
    stop.abort(reason);
    expect(await answer).toBe(reason);
  });

  it('before anything is sent', async () => {
    let sent = 0;
    const fetch: typeof globalThis.fetch = async () => {
      sent += 1;
      return Response.json({});
    };
    const signal = AbortSignal.abort();
    await rejection(providerFetch({ fetch })('https://id.example', { signal }));
    expect(sent).toBe(0);
  });
});

describe('where tokens may travel', () => {
  it.each([
    ['https://id.example', true],
    ['http://127.0.0.1:4000', true],
    ['http://127.1', true],
    ['http://localhost:4000', true],
    ['http://[::1]:4000', true],
    ['http://id.example', false],
    ['http://localhost.example', false],
    ['http://127.0.0.1.example', false],
    ['http://0.0.0.0', false],
    ['http://10.0.0.1', false],
    ['http://[::2]', false],
    ['ftp://127.0.0.1', false],
    ['file:///etc/passwd', false],
  ])('%s: %s', async (address, safe) => {
    expect(isSafeTransport(new URL(address))).toBe(safe);
    let sent = 0;
    const fetch: typeof globalThis.fetch = async () => {
      sent += 1;
      return Response.json({});
    };
    await providerFetch({ fetch })(address).catch(() => undefined);
    expect(sent).toBe(safe ? 1 : 0);
  });
});
