/**
 * A small, strict, real OpenID provider for development and tests: people without passwords, agents
 * with keys, consent to directives, and token exchange with nested actors.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { CrumbError } from '../errors.ts';
import { DenyList, type Denial } from './deny-list.ts';
import type { DevIdpEvent } from './events.ts';
import type { DevIdpFault } from './faults.ts';
import { spoilExchange } from './spoil-exchange.ts';
import { INTERACTION_PATH } from './interaction-policy.ts';
import { interact } from './interactions.ts';
import { Keyring, type DevAlgorithm } from './keyring.ts';
import { MemoryStore } from './memory-adapter.ts';
import { createProvider, type ProviderParts } from './provider.ts';
import {
  Registry,
  type DevAgent,
  type DevClient,
  type DevResource,
  type Person,
} from './registry.ts';
import { LOOPBACK, type LoopbackHost } from './transparency/loopback-server.ts';

/** What a development identity provider is made of. */
export interface DevIdpOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** A loopback address; nothing else is served. Default `127.0.0.1`. */
  readonly host?: LoopbackHost;
  /** Who can log in. Default {@link PEOPLE}. */
  readonly people?: readonly Person[];
  readonly clients: readonly DevClient[];
  readonly agents: readonly DevAgent[];
  readonly resources: readonly DevResource[];
  /** What tokens are signed with. Default `RS256`. */
  readonly algorithm?: DevAlgorithm;
  /** Longest life of a delegation token and of an agent's own token, in seconds. Default 120. */
  readonly tokenSeconds?: number;
  /** Life of an application's access token, in seconds: how long a login lasts for it. Default 900. */
  readonly sessionSeconds?: number;
  /** Start in spite of `NODE_ENV=production`. Tokens stay marked as development. */
  readonly force?: boolean;
  /** Is told what happens. */
  readonly log?: (event: DevIdpEvent) => void;
}

/** A running development identity provider. */
export interface DevIdp {
  /** The issuer, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly people: readonly Person[];
  /** `kid` of the key that signs. */
  readonly kid: string;
  /** Publishes the key that the next {@link DevIdp.rotate} will sign with. */
  publish(): Promise<void>;
  /** Signs with a new key from now on. The old one stays published for the longest token life. */
  rotate(): Promise<void>;
  /** Takes back the old keys at once; what they signed verifies nowhere any more. */
  retire(): void;
  /** Turns away a person, agent, login or token at every later login and exchange. */
  deny(denial: Denial): void;
  /** Lifts a denial. */
  allow(denial: Denial): void;
  /** Ends a login, as if its human had signed out. @param sid From the session's token. */
  endSession(sid: string): Promise<void>;
  /** Makes every later answer to an exchange wrong in one way, for tests; undefined heals it. */
  fault(name: DevIdpFault | undefined): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The cast of the examples. */
export const PEOPLE: readonly Person[] = [
  { sub: 'alice', name: 'Alice Lindqvist', email: 'alice@example.com' },
  { sub: 'bob', name: 'Bob Okafor', email: 'bob@example.com' },
  { sub: 'carol', name: 'Carol Reyes', email: 'carol@example.com' },
];

/**
 * Starts a development identity provider on a loopback address.
 *
 * @throws {CrumbError} `development_only`: `NODE_ENV` is `production`, and `force` is not set.
 * @throws {TypeError} The host is not loopback, or the parties contradict themselves.
 */
export async function startDevIdp(options: DevIdpOptions): Promise<DevIdp> {
  if (process.env['NODE_ENV'] === 'production' && options.force !== true) {
    throw new CrumbError('development_only');
  }
  const { host = '127.0.0.1', port = 0, algorithm = 'RS256', people = PEOPLE } = options;
  if (!LOOPBACK.includes(host)) throw new TypeError(`host must be one of ${LOOPBACK.join(', ')}`);
  const registry = new Registry({ ...options, people });
  const keyring = await Keyring.create(algorithm);

  // The issuer is known only once the port is, and nobody can ask before that.
  const server = createServer();
  const url = await listen(server, { host, port });
  return new RunningIdp(server, url, {
    registry,
    keyring,
    issuer: url,
    denied: new DenyList(),
    store: new MemoryStore(),
    cookieKey: randomBytes(32).toString('base64url'),
    tokenSeconds: options.tokenSeconds ?? 120,
    sessionSeconds: options.sessionSeconds ?? 900,
    emit: options.log ?? (() => {}),
  });
}

type RequestListener = ReturnType<Provider['callback']>;

class RunningIdp implements DevIdp {
  readonly url: string;
  readonly #server: Server;
  readonly #parts: ProviderParts;
  readonly #retirements = new Set<NodeJS.Timeout>();
  #provider: Provider;
  #handle: RequestListener;
  #fault: DevIdpFault | undefined;

  constructor(server: Server, url: string, parts: ProviderParts) {
    this.url = url;
    this.#server = server;
    this.#parts = parts;
    [this.#provider, this.#handle] = this.#build();
    server.on('request', (req, res) => void this.#serve(req, res));
  }

  get people(): readonly Person[] {
    return [...this.#parts.registry.people.values()];
  }

  get kid(): string {
    return this.#parts.keyring.current.kid;
  }

  async publish(): Promise<void> {
    const { keyring, emit } = this.#parts;
    await keyring.publish();
    [this.#provider, this.#handle] = this.#build();
    emit({ kind: 'rotation', step: 'published', kid: keyring.keys[1]?.kid ?? keyring.current.kid });
  }

  async rotate(): Promise<void> {
    const { keyring, emit, tokenSeconds, sessionSeconds } = this.#parts;
    await this.publish();
    const old = this.kid;
    keyring.switch();
    [this.#provider, this.#handle] = this.#build();
    emit({ kind: 'rotation', step: 'switched', kid: this.kid });
    const timer = setTimeout(
      () => {
        this.#retirements.delete(timer);
        this.#retire([old]);
      },
      Math.max(tokenSeconds, sessionSeconds) * 1000,
    );
    this.#retirements.add(timer.unref());
  }

  retire(): void {
    this.#retire(undefined);
  }

  deny(denial: Denial): void {
    this.#parts.denied.add(denial);
  }

  allow(denial: Denial): void {
    this.#parts.denied.remove(denial);
  }

  async endSession(sid: string): Promise<void> {
    const session = await this.#provider.Session.findByUid(sid);
    await session?.destroy();
  }

  fault(name: DevIdpFault | undefined): void {
    this.#fault = name;
  }

  async close(): Promise<void> {
    for (const timer of this.#retirements) clearTimeout(timer);
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #retire(kids: readonly string[] | undefined): void {
    const { keyring, emit } = this.#parts;
    const before = keyring.keys;
    keyring.retire(kids);
    [this.#provider, this.#handle] = this.#build();
    for (const { kid } of before.filter((key) => !keyring.keys.includes(key))) {
      emit({ kind: 'rotation', step: 'retired', kid });
    }
  }

  /** The library cannot change keys at run time, so a rotation puts a new provider over the same store. */
  #build(): [Provider, RequestListener] {
    const provider = createProvider(this.#parts);
    provider.use(spoilExchange(() => this.#fault, this.#parts.keyring));
    return [provider, provider.callback()];
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      // A name that resolves to loopback must not make a stranger's page a neighbour of ours.
      if (req.headers.host !== new URL(this.url).host) {
        res.writeHead(421, { 'Content-Type': 'text/plain' }).end('This host is not served here.\n');
        return;
      }
      const provider = this.#provider;
      if (req.url?.startsWith(INTERACTION_PATH) === true) {
        await interact(req, res, { provider, parts: this.#parts });
      } else {
        await this.#handle(req, res);
      }
    } catch {
      if (!res.headersSent) res.writeHead(500);
      res.end();
    }
  }
}

async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host.replace(/[[\]]/g, ''), resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new TypeError('no TCP address');
  return `http://${host}:${address.port}`;
}
