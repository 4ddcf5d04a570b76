/**
 * Who and what a development identity provider knows: people, applications, agents, resources. Given
 * once by the developer, checked once, then only read.
 *
 * @module
 */
import type { JSONWebKeySet } from 'jose';
import { agentIdAt } from '../attribution/agent-resource.ts';
import { isScopeToken } from '../token/scope-token.ts';

/** Someone who can log in. There are no passwords. */
export interface Person {
  /** `sub` of every token about this person. */
  readonly sub: string;
  readonly name: string;
  readonly email?: string;
  /** RFC 8176 values. Default `['user']`: somebody was present and pressed a button. */
  readonly amr?: readonly string[];
  /** Authentication context of the login. Absent by default: nothing was proven. */
  readonly acr?: string;
}

/** An application that humans log in to. */
export interface DevClient {
  readonly id: string;
  /** Compared exactly. */
  readonly redirectUris: readonly string[];
  /** Public keys for `private_key_jwt`. Absent: a public client, held by PKCE alone. */
  readonly jwks?: JSONWebKeySet;
  /**
   * Agents that may act first for people who logged in here. One name is also minted as `may_act`.
   * Absent: those that the `agents` of a directive name, which the human saw and allowed.
   */
  readonly agents?: readonly string[];
  /** `aud` of its access tokens. Default: its id. */
  readonly audience?: string;
  /** Shown on the consent page. Default: its id. */
  readonly name?: string;
}

/** Software that acts. It authenticates with `private_key_jwt`. */
export interface DevAgent {
  readonly id: string;
  readonly jwks: JSONWebKeySet;
}

/** A service that accepts delegation tokens. */
export interface DevResource {
  /** Absolute URI; the whole `aud` of tokens for it. */
  readonly resource: string;
  readonly scopes: readonly string[];
}

/** What {@link Registry} is made of. */
export interface DevParties {
  readonly people: readonly Person[];
  readonly clients: readonly DevClient[];
  readonly agents: readonly DevAgent[];
  readonly resources: readonly DevResource[];
}

/** Scopes of OpenID Connect itself; no resource may claim them. */
export const OIDC_SCOPES: readonly string[] = ['openid', 'profile', 'email'];

const NAME = /^[A-Za-z0-9._~-]+$/; // ids travel inside URNs and URLs

/** The parties, checked and indexed. */
export class Registry {
  readonly people: ReadonlyMap<string, Person>;
  readonly clients: ReadonlyMap<string, DevClient>;
  readonly agents: ReadonlyMap<string, DevAgent>;
  readonly resources: ReadonlyMap<string, DevResource>;

  /** @throws {TypeError} What the developer gave contradicts itself. */
  constructor(parties: DevParties) {
    this.people = index('person', parties.people, (person) => person.sub);
    this.clients = index('client', parties.clients, (client) => client.id);
    this.agents = index('agent', parties.agents, (agent) => agent.id);
    this.resources = index('resource', parties.resources, (resource) => resource.resource);
    for (const client of parties.clients) this.#checkClient(client);
    for (const agent of parties.agents) this.#checkAgent(agent);
    for (const resource of parties.resources) checkResource(resource);
  }

  /** `aud` of the access tokens of an application. */
  audienceOf(client: DevClient): string {
    return client.audience ?? client.id;
  }

  /** The RFC 8707 indicator behind that audience, which must be an absolute URI. */
  indicatorOf(client: DevClient): string {
    const audience = this.audienceOf(client);
    return URL.canParse(audience) ? audience : `urn:application:${client.id}`;
  }

  /** Every scope that some resource knows. */
  scopes(): readonly string[] {
    return [...new Set([...this.resources.values()].flatMap(({ scopes }) => scopes))];
  }

  /** The agent behind `urn:agent:<id>`. */
  agentAt(target: string): DevAgent | undefined {
    const id = agentIdAt(target);
    return id === undefined ? undefined : this.agents.get(id);
  }

  #checkClient(client: DevClient): void {
    checkName('client', client.id);
    if (this.agents.has(client.id)) throw new TypeError(`${client.id} is a client and an agent`);
    if (client.jwks !== undefined) checkPublic(client.id, client.jwks);
    for (const agent of client.agents ?? []) {
      if (!this.agents.has(agent)) throw new TypeError(`client ${client.id}: no agent ${agent}`);
    }
  }

  #checkAgent(agent: DevAgent): void {
    checkName('agent', agent.id);
    checkPublic(agent.id, agent.jwks);
    // A chain in which the human acts for herself would be refused by every reader.
    if (this.people.has(agent.id)) throw new TypeError(`${agent.id} is an agent and a person`);
  }
}

function index<T>(what: string, items: readonly T[], keyOf: (item: T) => string): Map<string, T> {
  const byKey = new Map(items.map((item) => [keyOf(item), item]));
  if (byKey.size !== items.length) throw new TypeError(`two of the same ${what}`);
  if (byKey.has('')) throw new TypeError(`a ${what} without a name`);
  return byKey;
}

function checkName(what: string, id: string): void {
  if (!NAME.test(id)) throw new TypeError(`${what} id must match ${NAME.source}`);
}

function checkPublic(id: string, { keys }: JSONWebKeySet): void {
  if (keys.length === 0) throw new TypeError(`${id}: no key`);
  if (keys.some((key) => 'd' in key || 'k' in key)) {
    throw new TypeError(`${id}: register the public key, keep the private one`);
  }
}

function checkResource({ resource, scopes }: DevResource): void {
  if (!URL.canParse(resource) || resource.includes('#') || agentIdAt(resource) !== undefined) {
    throw new TypeError(`resource ${resource} is not an absolute URI of a service`);
  }
  for (const scope of scopes) {
    if (!isScopeToken(scope) || OIDC_SCOPES.includes(scope)) {
      throw new TypeError(`resource ${resource}: ${scope} cannot be a scope`);
    }
  }
}
