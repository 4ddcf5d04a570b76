/**
 * An identity provider whose token endpoint does what a test tells it to: a real HTTP server with
 * discovery and keys, for answers that no honest provider gives.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportPKCS8, generateKeyPair, SignJWT } from 'jose';
import { createExchange, type Exchange } from '../../src/exchange/exchange.ts';
import type { IssuerConfig } from '../../src/exchange/issuer-config.ts';
import { createIssuerKeys } from '../../src/token/issuer-keys.ts';
import { createSessionVerifier, type Session } from '../../src/token/session.ts';

type Members = Readonly<Record<string, unknown>>;
type Answerer = (form: URLSearchParams, response: ServerResponse) => void | Promise<void>;

export interface ScriptedProvider extends AsyncDisposable {
  readonly url: string;
  /** Answers token exchanges. Default: {@link ScriptedProvider.grant}. */
  onExchange: Answerer;
  /** Answers client credentials. */
  onSelf: Answerer;
  /** Answers discovery and keys instead; undefined: correctly. */
  onGet: ((path: string, response: ServerResponse) => void) | undefined;
  /** Forms of exchanges, as they came. */
  readonly asked: URLSearchParams[];
  /** All tokens and assertions that went either way. */
  readonly secrets: Set<string>;
  /** A correct answer to an exchange, with members of token and answer replaced. */
  grant(form: URLSearchParams, claims?: Members, answer?: Members): Promise<Members>;
  sign(claims: Members): Promise<string>;
  /** A verified login of Alice. */
  session(claims?: Members): Promise<Session>;
  exchange(more?: Partial<IssuerConfig>, clock?: () => Date): Exchange;
}

export const RESOURCE = 'https://records.example';
export const TARGET = { resource: RESOURCE, action: 'read', scope: 'read' };

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

export async function startScriptedProvider(): Promise<ScriptedProvider> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const pem = await exportPKCS8(privateKey);
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const url = `http://127.0.0.1:${port}`;
  const asked: URLSearchParams[] = [];
  const secrets = new Set<string>();

  const sign = async (claims: Members): Promise<string> => {
    const jwt = await new SignJWT({
      iss: url,
      iat: nowSeconds(),
      jti: crypto.randomUUID(),
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' })
      .sign(privateKey);
    secrets.add(jwt);
    return jwt;
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    if (request.method === 'GET') return get(path, response);
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array); // no encoding was set
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    for (const name of ['subject_token', 'actor_token', 'client_assertion']) {
      const secret = form.get(name);
      if (secret !== null) secrets.add(secret);
    }
    if (!form.has('subject_token')) return provider.onSelf(form, response);
    asked.push(form);
    await provider.onExchange(form, response);
  }

  function get(path: string, response: ServerResponse): void {
    if (provider.onGet !== undefined) return provider.onGet(path, response);
    if (path === '/.well-known/openid-configuration')
      return json(response, 200, {
        issuer: url,
        token_endpoint: `${url}/token`,
        jwks_uri: `${url}/jwks`,
      });
    if (path === '/jwks') return json(response, 200, jwks);
    response.writeHead(404).end();
  }

  const keys = createIssuerKeys({ url, cooldownSeconds: 0 });
  const sessions = createSessionVerifier({
    keys,
    audience: 'app',
    client: 'app',
    typ: ['at+jwt'],
    algs: ['ES256'],
    scoped: [],
  });

  const provider: ScriptedProvider = {
    url,
    asked,
    secrets,
    sign,
    onExchange: async (form, response) => json(response, 200, await provider.grant(form)),
    onSelf: async (_form, response) =>
      json(response, 200, {
        access_token: await sign({ sub: 'planner', aud: url, exp: nowSeconds() + 60 }),
        token_type: 'Bearer',
        expires_in: 60,
      }),
    onGet: undefined,
    grant: async (form, claims = {}, answer = {}) => ({
      access_token: await sign({
        sub: 'alice',
        aud: form.get('resource') ?? form.get('audience'),
        act: { sub: 'planner' },
        scope: form.get('scope'),
        exp: nowSeconds() + 120,
        ...claims,
      }),
      token_type: 'Bearer',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      expires_in: 120,
      ...answer,
    }),
    session: async (claims = {}) =>
      sessions.open(
        await sign({
          sub: 'alice',
          aud: 'app',
          client_id: 'app',
          scope: 'read write',
          exp: nowSeconds() + 900,
          ...claims,
        }),
      ),
    exchange: (more = {}, clock = () => new Date()) =>
      createExchange({
        issuer: {
          url,
          client: { id: 'app', key: pem },
          agents: { planner: { key: pem }, researcher: { key: pem } },
          ...more,
        },
        keys,
        clock,
      }),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return provider;
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
