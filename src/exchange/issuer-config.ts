/**
 * What the developer says about the identity provider, read once.
 *
 * @module
 */
import type { Actor } from '../attribution/act-chain.ts';
import { CrumbError } from '../errors.ts';
import { isSafeTransport } from '../token/safe-transport.ts';
import { profileOf, type IssuerProfile } from './issuer-profile.ts';
import { importSigningKey, type KeyInput, type SigningKey } from './signing-key.ts';

/** The identity provider that logs humans in and exchanges their tokens. */
export interface IssuerConfig {
  /** Its issuer identifier, exactly as tokens and its metadata say it. HTTPS, or HTTP on loopback. */
  readonly url: string;
  /** A name in {@link PROFILES}, or a profile of your own. Default `generic`. */
  readonly profile?: string | IssuerProfile;
  /** `aud` of session tokens. Default: the client id. */
  readonly audience?: string;
  /** The application or gateway as a client of the provider. */
  readonly client: { readonly id: string; readonly key: KeyInput };
  /** Every agent is a client of its own. `id` is its client id; default: its name here. */
  readonly agents: Readonly<Record<string, { readonly id?: string; readonly key: KeyInput }>>;
  /** Bind tokens to a key of each agent (RFC 9449). Default false. */
  readonly dpop?: boolean;
  /** How long to wait for an answer of the provider, in milliseconds. Default 10000. */
  readonly timeoutMs?: number;
  /** Longest life of a delegation token from now, in seconds. Default 300. */
  readonly maxLifetimeSeconds?: number;
  /** Replaces the global `fetch`, for a proxy or a test. */
  readonly fetch?: typeof globalThis.fetch;
}

/** An agent that can act: a client of the provider, with its key. */
export interface RegisteredAgent {
  /** The name in `issuer.agents`. */
  readonly name: string;
  /** How tokens name it: `sub` is its client id. */
  readonly actor: Actor;
  /** Parsed at the first use, once. @throws {TypeError} It is no private key. */
  readonly key: () => Promise<SigningKey>;
}

/** The configuration with everything in place and checked. */
export interface Issuer {
  readonly url: string;
  readonly profile: IssuerProfile;
  /** The application as the innermost actor that some providers write. */
  readonly root: Actor;
  readonly dpop: boolean;
  readonly timeoutMs: number;
  readonly maxLifetimeMs: number;
  readonly fetch: typeof globalThis.fetch;
  /** @throws {CrumbError} `agent_unknown` */
  readonly agent: (name: string) => RegisteredAgent;
  /** By client id. */
  readonly agentOf: (sub: string | undefined) => RegisteredAgent | undefined;
}

/** Reads a configuration. @throws {TypeError} It cannot be meant like that; the text says what. */
export function readIssuerConfig(config: IssuerConfig): Issuer {
  const { url, dpop = false, timeoutMs = 10_000, maxLifetimeSeconds = 300 } = config;
  const parsed = URL.parse(url);
  if (parsed === null || parsed.search !== '' || parsed.hash !== '' || parsed.username !== '')
    throw new TypeError('issuer.url is not an issuer identifier: a URL without query and fragment');
  if (!isSafeTransport(parsed))
    throw new TypeError('issuer.url must be https; plain http works on loopback only');
  requirePositive(timeoutMs, 'issuer.timeoutMs');
  requirePositive(maxLifetimeSeconds, 'issuer.maxLifetimeSeconds');
  requireId(config.client.id, 'issuer.client.id');

  const agents = readAgents(config);
  return {
    url,
    profile: profileOf(config.profile),
    root: { iss: url, sub: config.client.id },
    dpop,
    timeoutMs,
    maxLifetimeMs: maxLifetimeSeconds * 1000,
    fetch: config.fetch ?? globalThis.fetch,
    agent: (name) => {
      const agent = agents.get(name);
      if (agent === undefined) throw new CrumbError('agent_unknown', { names: [name] });
      return agent;
    },
    agentOf: (sub) => [...agents.values()].find(({ actor }) => actor.sub === sub),
  };
}

function readAgents(config: IssuerConfig): ReadonlyMap<string, RegisteredAgent> {
  const agents = new Map<string, RegisteredAgent>();
  const ids = new Map([[config.client.id, 'issuer.client']]);
  for (const [name, { id = name, key }] of Object.entries(config.agents)) {
    const at = `issuer.agents.${name}`;
    requireId(id, `${at}.id`);
    // Two agents behind one client would be one actor in every token, and nobody could tell which.
    const other = ids.get(id);
    if (other !== undefined) throw new TypeError(`${at} has the client id of ${other}`);
    ids.set(id, at);
    let imported: Promise<SigningKey> | undefined;
    agents.set(name, {
      name,
      actor: { iss: config.url, sub: id },
      key: () => (imported ??= importSigningKey(key, `${at}.key`)),
    });
  }
  return agents;
}

function requirePositive(value: number, at: string): void {
  if (!Number.isSafeInteger(value) || value <= 0)
    throw new TypeError(`${at} must be a positive integer`);
}

function requireId(value: unknown, at: string): void {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${at} must be a client id`);
}
