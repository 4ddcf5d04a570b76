/**
 * A resource server behind the guard, on real HTTP, with a test issuer that its guard trusts. What it
 * serves is the delegation it saw; what it refuses it tells to the test alone.
 */
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createGuard,
  type Guard,
  type GuardIssuer,
  type GuardOptions,
} from '../../src/resource/index.ts';
import {
  now,
  startTestIssuer,
  withClaims,
  type Claims,
  type MintOptions,
  type TestIssuer,
} from './test-issuer.ts';

export interface Answer {
  readonly status: number;
  /** Why the guard refused: for its own log, never in the answer. */
  readonly code: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface GuardedResource {
  readonly url: string;
  readonly guard: Guard;
  readonly issuer: TestIssuer;
  /** Claims of an honest token: Alice, through planner and researcher, for this resource. */
  claims(changes?: Claims): Claims;
  /** An honest token, with changes. */
  token(changes?: Claims, options?: MintOptions): Promise<string>;
  /** Sends a token as Bearer, or whole headers, to the resource. */
  send(tokenOrHeaders: string | readonly string[], request?: SendOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface SendOptions {
  readonly method?: string;
  /** Appended to the resource's address. */
  readonly suffix?: string;
}

export interface GuardedResourceOptions extends Omit<
  Partial<GuardOptions>,
  'resource' | 'issuers'
> {
  readonly alg?: string;
  readonly trust?: Partial<GuardIssuer>;
  /** Replaces the list of trusted issuers. */
  readonly issuers?: readonly GuardIssuer[];
}

export async function startGuardedResource(
  options: GuardedResourceOptions = {},
): Promise<GuardedResource> {
  const { alg = 'ES256', trust, issuers, ...guardOptions } = options;
  const issuer = await startTestIssuer({ alg });
  let refusal: string | undefined;
  const server = createServer((request, response) => {
    void serve(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const url = `http://127.0.0.1:${port}/records`;
  const guard = createGuard({
    resource: url,
    issuers: issuers ?? [{ url: issuer.url, algs: [alg], ...trust }],
    onRefusal: ({ code }) => {
      refusal = code;
    },
    ...guardOptions,
  });
  const serve = guard.node((_request, response, delegation) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(delegation));
  });

  const claims = (changes: Claims = {}): Claims =>
    withClaims(
      {
        iss: issuer.url,
        sub: 'alice',
        aud: url,
        act: { sub: 'researcher', act: { sub: 'planner' } },
        client_id: 'researcher',
        scope: 'records.read',
        jti: crypto.randomUUID(),
        iat: now(),
        exp: now() + 120,
      },
      changes,
    );

  return {
    url,
    guard,
    issuer,
    claims,
    token: (changes, mint) => issuer.sign(claims(changes), mint),
    async send(tokenOrHeaders, { method = 'GET', suffix = '' } = {}) {
      refusal = undefined;
      const headers =
        typeof tokenOrHeaders === 'string'
          ? ['Authorization', `Bearer ${tokenOrHeaders}`]
          : tokenOrHeaders;
      const answer = await exchangeHttp(`${url}${suffix}`, method, headers);
      return { ...answer, code: refusal };
    },
    close: async () => {
      await issuer.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** `node:http`, because `fetch` would not send a header twice. */
function exchangeHttp(
  url: string,
  method: string,
  headers: readonly string[],
): Promise<Omit<Answer, 'code'>> {
  return new Promise((resolve, reject) => {
    const { host } = new URL(url);
    const request = httpRequest(url, { method, headers: ['Host', host, ...headers], agent: false });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.end();
  });
}
