/**
 * An agent's standing to act for a human: which session, which chain. It is made by the session or by
 * an agent that delegates, and nothing else can make one.
 *
 * @module
 */
import {
  checkActChain,
  extendActChain,
  type ActChain,
  type Actor,
} from '../attribution/act-chain.ts';
import { toBase64url } from '../evidence/bytes.ts';
import { factsOf, type Session, type SessionFacts } from '../token/session.ts';
import type { IssuedToken } from './issued-token.ts';
import type { RegisteredAgent } from './issuer-config.ts';

/** What stands behind a grant. */
export interface GrantState {
  readonly session: Session;
  readonly facts: SessionFacts;
  readonly agent: RegisteredAgent;
  readonly chain: ActChain;
  /** How this agent came to act; undefined at the root. */
  readonly hop: Hop | undefined;
  /** Scopes of every hop so far: a hop with less must not be served the tokens of one with more. */
  readonly lineage: readonly (readonly string[])[];
  /** Tells this standing from every other one, in the cache. */
  readonly key: string;
  /** What ends its tokens early: see {@link sessionTags}. */
  readonly tags: readonly string[];
}

/** A delegation from one agent to the next. */
export interface Hop {
  readonly parent: Grant;
  /** The agent that it is to. */
  readonly child: RegisteredAgent;
  /** Sorted. */
  readonly scope: readonly string[];
  /** The hop's token in use; replaced when it nears its end. */
  token: IssuedToken | undefined;
}

// Set inside the class, which alone can read its private field.
let readState: (grant: Grant) => GrantState;

const MAKE = Symbol('only an exchange makes grants');

/** An agent's standing to act for a human. It shows agents, and neither human nor token. */
export class Grant {
  readonly #token: GrantState;
  /** From the agent that the human directed to this one. */
  readonly chain: ActChain;
  /** Its name in `issuer.agents`. */
  readonly agent: string;

  /** Grants come from an exchange; anything else is refused. */
  constructor(key: symbol, state: GrantState) {
    if (key !== MAKE) throw new TypeError('a grant is made by an exchange');
    this.#token = state;
    this.chain = state.chain;
    this.agent = state.agent.name;
    Object.freeze(this);
  }

  static {
    readState = (grant: Grant): GrantState => grant.#token;
  }
}

/** What stands behind a grant. For the exchange alone: it leads to the token. */
export function stateOf(grant: Grant): GrantState {
  return readState(grant);
}

/**
 * The standing of the agent that the session itself directs.
 *
 * @throws {CrumbError} `act_repeated`, `act_too_deep`, `act_is_subject`: with the agents upstream.
 */
export function rootGrant(session: Session, agent: RegisteredAgent): Grant {
  const facts = factsOf(session);
  const chain = extended(facts.upstream, agent.actor, facts.human);
  return grantOf({ session, facts, agent, chain, hop: undefined, lineage: [] });
}

/**
 * The standing of an agent one hop deeper, and the hop to it, still without a token.
 *
 * @throws {CrumbError} `act_repeated`, `act_too_deep`, `act_is_subject`.
 */
export function childGrant(
  parent: Grant,
  child: RegisteredAgent,
  scope: readonly string[],
): { readonly grant: Grant; readonly hop: Hop } {
  const { session, facts, lineage } = stateOf(parent);
  const chain = extended(parent.chain, child.actor, facts.human);
  const hop: Hop = { parent, child, scope, token: undefined };
  const state = { session, facts, agent: child, chain, hop, lineage: [...lineage, scope] };
  return { grant: grantOf(state), hop };
}

/** What tokens of a session hang on: its own token, and the login behind that, if it has a name. */
export function sessionTags({ human, sid, tokenDigest }: SessionFacts): readonly string[] {
  const token = toBase64url(tokenDigest);
  return sid === undefined ? [token] : [token, JSON.stringify([human.iss, human.sub, sid])];
}

function grantOf(state: Omit<GrantState, 'key' | 'tags'>): Grant {
  const { facts, chain, lineage } = state;
  const actors = chain.map(({ iss, sub }) => [iss, sub]);
  const key = JSON.stringify([facts.human.iss, toBase64url(facts.tokenDigest), actors, lineage]);
  return new Grant(MAKE, { ...state, key, tags: sessionTags(facts) });
}

function extended(chain: readonly Actor[], actor: Actor, human: Actor): ActChain {
  return checkActChain(extendActChain(chain, actor), human);
}
