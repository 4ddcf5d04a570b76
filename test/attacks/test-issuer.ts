/**
 * An issuer of the test's own: a real HTTP server with discovery and a JWK set, and a pen that signs
 * whatever a test wants signed. It is no identity provider: what an honest one does is in `dev/`.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { base64url, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  /** What the key set publishes. */
  readonly jwk: JWK;
}

export interface MintOptions {
  readonly key?: SigningKey;
  /** Laid over the header; `undefined` removes a member. */
  readonly header?: Readonly<Record<string, unknown>>;
}

export type Claims = Readonly<Record<string, unknown>>;

export interface TestIssuer {
  readonly url: string;
  readonly key: SigningKey;
  /** What `/jwks` publishes; a test may change it. */
  keys: JWK[];
  /** Answers `/jwks` instead, to misbehave. */
  jwksAnswer: RequestListener | undefined;
  /** Members laid over the discovery document. */
  discovery: Readonly<Record<string, unknown>>;
  /** How often each path was asked for. */
  readonly asked: Map<string, number>;
  /** Signs claims as they are. */
  sign(claims: Claims, options?: MintOptions): Promise<string>;
  close(): Promise<void>;
}

export async function makeKey(
  alg = 'ES256',
  kid: string = crypto.randomUUID(),
): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  return { kid, alg, privateKey, publicKey, jwk };
}

export async function startTestIssuer(
  options: { readonly alg?: string } = {},
): Promise<TestIssuer> {
  const key = await makeKey(options.alg);
  const asked = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.set(path, (asked.get(path) ?? 0) + 1);
    if (path === '/.well-known/openid-configuration') {
      const document = { issuer: issuer.url, jwks_uri: `${issuer.url}/jwks`, ...issuer.discovery };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
    } else if (path === '/jwks' && issuer.jwksAnswer !== undefined) {
      issuer.jwksAnswer(request, response);
    } else if (path === '/jwks') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ keys: issuer.keys }));
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP

  const issuer: TestIssuer = {
    url: `http://127.0.0.1:${port}`,
    key,
    keys: [key.jwk],
    jwksAnswer: undefined,
    discovery: {},
    asked,
    sign: (claims, mint = {}) => sign(claims, { key, ...mint }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return issuer;
}

async function sign(
  claims: Claims,
  { key, header = {} }: MintOptions & { readonly key: SigningKey },
): Promise<string> {
  const full: Record<string, unknown> = { alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header };
  for (const [name, value] of Object.entries(full)) if (value === undefined) delete full[name];
  return new SignJWT({ ...claims })
    .setProtectedHeader({ ...full, alg: key.alg })
    .sign(key.privateKey);
}

/**
 * Signs a header and a payload as text, so that they can say what no JSON library would write.
 */
export async function signText(
  header: string,
  payload: string | Uint8Array<ArrayBuffer>,
  key: SigningKey,
): Promise<string> {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  const input = `${base64url.encode(header)}.${base64url.encode(bytes)}`;
  const signature = await signBytes(new TextEncoder().encode(input), key);
  return `${input}.${base64url.encode(signature)}`;
}

/** The header that an honest token has, as text, with more members behind it. */
export function headerText(key: SigningKey, more = ''): string {
  const text = JSON.stringify({ alg: key.alg, kid: key.kid, typ: 'at+jwt' });
  return more === '' ? text : `${text.slice(0, -1)},${more}}`;
}

async function signBytes(
  bytes: Uint8Array<ArrayBuffer>,
  { privateKey, alg }: SigningKey,
): Promise<Uint8Array> {
  const algorithm = {
    name: privateKey.algorithm.name,
    hash: `SHA-${alg.slice(2)}`,
    saltLength: 32,
  };
  return new Uint8Array(await crypto.subtle.sign(algorithm, privateKey, bytes));
}

export const now = (): number => Math.floor(Date.now() / 1000);

/** Claims laid over others; `undefined` removes one. */
export function withClaims(base: Claims, changes: Claims): Claims {
  return Object.fromEntries(
    Object.entries({ ...base, ...changes }).filter(([, value]) => value !== undefined),
  );
}
