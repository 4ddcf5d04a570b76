/**
 * Delegation tokens: one real token exchange for each agent of a chain, each answer held to what was
 * asked for before anybody can use it.
 *
 * The human's token comes from the session and every later one from our own previous hop, held where
 * no model output reaches. A refused or doubtful answer is never followed by a request for less.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8693
 * @module
 */
import { CrumbError } from '../errors.ts';
import { parseCompactJwt } from '../token/compact-jwt.ts';
import type { IssuerKeys } from '../token/issuer-keys.ts';
import { factsOf, sessionTokenOf, type Session } from '../token/session.ts';
import { createAgentBindings, type ProvenRequest } from './agent-binding.ts';
import { childGrant, rootGrant, sessionTags, stateOf, type Grant, type Hop } from './grant.ts';
import { asCached, detailsOf, jwtOf, type IssuedToken } from './issued-token.ts';
import { readIssuerConfig, type IssuerConfig } from './issuer-config.ts';
import { expressible, type IssuerProfile } from './issuer-profile.ts';
import { createLegs, type Leg, type RunLeg, type SubjectToken } from './leg.ts';
import { createTokenCache, keptUntil, MARGIN_MS, type TokenCache } from './token-cache.ts';

export { Grant } from './grant.ts';
export { jwtOf, type IssuedToken } from './issued-token.ts';

/** What a token is for. */
export interface TokenTarget {
  /** As the identity provider knows it; the whole `aud` of the token. */
  readonly resource: string;
  readonly action: string;
  /** Scopes to ask for, separated by spaces. */
  readonly scope: string;
  /** For resources that take each token once: always a new one. Default false. */
  readonly oneShot?: boolean;
}

/** Gets delegation tokens from one identity provider. */
export interface Exchange {
  readonly profile: IssuerProfile;

  /**
   * The standing of the agent that a session directs. Nothing is sent.
   *
   * @param agent Its name in `issuer.agents`.
   * @throws {CrumbError} `agent_unknown`; `act_repeated`, `act_too_deep`, `act_is_subject`.
   */
  root(session: Session, agent: string): Grant;

  /**
   * Hands a grant on to another agent, by a token that only this agent can exchange further.
   *
   * @param child Its name in `issuer.agents`.
   * @param scope The most that the child may ask for.
   * @returns The child's standing, and the hop's token for the record.
   * @throws {CrumbError} As {@link Exchange.root} and {@link Exchange.token}.
   */
  delegate(
    grant: Grant,
    child: string,
    scope: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ readonly grant: Grant; readonly issued: IssuedToken }>;

  /**
   * A token with which the agent of a grant calls one resource.
   *
   * It is kept until 30 s before its end, at most 5 minutes; concurrent callers share one exchange.
   * `signal` ends the waiting of its own caller and throws its reason.
   *
   * @throws {CrumbError} `chain_unsupported`, `session_expired`: nothing was sent.
   * @throws {ExchangeError} `exchange_refused`, `exchange_unreachable`.
   * @throws {PostConditionError} The answer is not what was asked for; it is discarded.
   */
  token(grant: Grant, target: TokenTarget, signal?: AbortSignal): Promise<IssuedToken>;

  /** Forgets all tokens of a login, because it ended or is denied. */
  drop(session: Session): void;

  /**
   * For `issuer.dpop`: the `DPoP` header of a request that carries the token (RFC 9449).
   *
   * @throws {TypeError} The exchange binds no tokens, or the token is of an agent it does not know.
   */
  prove(issued: IssuedToken, request: Omit<ProvenRequest, 'jwt'>): Promise<string>;
}

export interface ExchangeOptions {
  readonly issuer: IssuerConfig;
  /** The keys of that issuer. */
  readonly keys: IssuerKeys;
  readonly clock?: () => Date;
}

/**
 * An exchange with one identity provider.
 *
 * @throws {TypeError} The configuration cannot be meant like that; the text says what.
 */
export function createExchange(options: ExchangeOptions): Exchange {
  const { keys, clock = () => new Date() } = options;
  const issuer = readIssuerConfig(options.issuer);
  if (keys.issuer !== issuer.url) throw new TypeError('keys are of another issuer than issuer.url');
  const { profile } = issuer;
  const bindings = createAgentBindings(issuer.url);
  const run = createLegs({
    issuer,
    keys,
    clock,
    bindings: async (agent) => (issuer.dpop ? bindings(agent) : undefined),
  });
  const tokens = createTokenCache<IssuedToken>({ clock });
  const walk: Walk = { profile, run, tokens, clock };

  /** What can be known to fail is not sent. */
  const requireUsable = (grant: Grant): void => {
    if (!expressible(profile, grant.chain.length)) throw new CrumbError('chain_unsupported');
    if (stateOf(grant).facts.expires <= clock()) throw new CrumbError('session_expired');
  };

  return {
    profile,
    root: (session, agent) => rootGrant(session, issuer.agent(agent)),
    // oxlint-disable-next-line max-params -- what is delegated, to whom, how much; a signal comes last
    delegate: async (parent, child, scope, signal) => {
      const { grant, hop } = childGrant(parent, issuer.agent(child), sorted(scope));
      requireUsable(grant);
      return { grant, issued: await hopToken(walk, hop, signal) };
    },
    token: async (grant, target, signal) => {
      requireUsable(grant);
      const { resource: audience, action, oneShot = false } = target;
      const scope = sorted(target.scope.split(' '));
      const request: LegRequest = { grant, audience, scope, use: action, next: undefined };
      if (!oneShot) return cached(walk, request, signal);
      return fresh(walk, request, signal ?? new AbortController().signal);
    },
    drop: (session) => {
      for (const tag of sessionTags(factsOf(session))) tokens.drop(tag);
    },
    prove: async (issued, request) => {
      const holder = issuer.agentOf(issued.chain.at(-1)?.sub);
      if (!issuer.dpop || holder === undefined)
        throw new TypeError('this token is bound to no key of this exchange');
      return (await bindings(holder)).prove({ ...request, jwt: jwtOf(issued) });
    },
  };
}

/** What it takes to get the tokens of a chain, one after the other. */
interface Walk {
  readonly profile: IssuerProfile;
  readonly run: RunLeg;
  readonly tokens: TokenCache<IssuedToken>;
  readonly clock: () => Date;
}

interface LegRequest extends Pick<Leg, 'audience' | 'scope' | 'next'> {
  /** Whose agent asks. */
  readonly grant: Grant;
  /** What the token is for: tokens for two actions are not shared. */
  readonly use: string;
}

/** From the cache, or by the one exchange that all who ask now wait for. */
async function cached(
  walk: Walk,
  request: LegRequest,
  signal: AbortSignal | undefined,
): Promise<IssuedToken> {
  const { audience, scope, use } = request;
  const { key, tags } = stateOf(request.grant);
  const { value, from } = await walk.tokens.get({
    key: `${key} ${JSON.stringify([audience, use, scope])}`,
    tags,
    signal,
    load: async (stop) => {
      const value = await fresh(walk, request, stop);
      return { value, until: keptUntil(value.exp.getTime(), walk.clock()) };
    },
  });
  return from === 'fresh' ? value : asCached(value);
}

async function fresh(walk: Walk, request: LegRequest, signal: AbortSignal): Promise<IssuedToken> {
  const { grant, audience, scope, next } = request;
  const { agent, facts, chain } = stateOf(grant);
  const subject = await subjectOf(walk, grant, signal);
  const leg: Leg = { agent, human: facts.human, chain, audience, scope, next };
  return walk.run(leg, subject, signal);
}

/** What the grant's agent exchanges: the session's token, or that of the hop to it. */
async function subjectOf(walk: Walk, grant: Grant, signal: AbortSignal): Promise<SubjectToken> {
  const { session, facts, hop } = stateOf(grant);
  if (hop === undefined) {
    const jwt = sessionTokenOf(session);
    const details = parseCompactJwt(jwt).payload['authorization_details'];
    return { jwt, details, expires: facts.expires, via: null };
  }
  const via = await hopToken(walk, hop, signal);
  return { jwt: jwtOf(via), details: detailsOf(via), expires: via.exp, via };
}

/** The hop's token while it lasts, and then a new one: an agent may run longer than a token lives. */
async function hopToken(
  walk: Walk,
  hop: Hop,
  signal: AbortSignal | undefined,
): Promise<IssuedToken> {
  const { parent, child, scope, token } = hop;
  if (token !== undefined && token.exp.getTime() - MARGIN_MS > walk.clock().getTime()) return token;
  const audience = walk.profile.agentTarget(child.actor.sub);
  const request = { grant: parent, audience, scope, use: 'delegate', next: child };
  hop.token = await cached(walk, request, signal);
  return hop.token;
}

function sorted(scope: readonly string[]): readonly string[] {
  return [...new Set(scope)].filter((word) => word !== '').toSorted();
}
