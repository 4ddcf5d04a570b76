/**
 * A human's verified login, made once and opaque afterwards.
 *
 * @module
 */
import {
  actingAgentOf,
  parseActChain,
  sameActor,
  sameChain,
  type Actor,
} from '../attribution/act-chain.ts';
import { parseDirectives, type Directive, type ScopedResource } from '../attribution/directive.ts';
import type { Json } from '../attribution/tool-call.ts';
import { CrumbError, isCrumbError } from '../errors.ts';
import { readAuthorization, type RequestHead } from './authorization-header.ts';
import type { JsonObject } from './compact-jwt.ts';
import { instantOf, isDevelopment, scopeOf, soleAudience, textOf } from './delegation-token.ts';
import { freezeDeep } from './freeze-deep.ts';
import { isNumericDate, type IssuerKeys, type KeySetSnapshot } from './issuer-keys.ts';

export type { KeySetSnapshot } from './issuer-keys.ts';

/** What a session is made of, once everything was checked. */
export interface SessionFacts {
  readonly human: Actor;
  readonly sid: string | undefined;
  readonly loginAt: Date | undefined;
  readonly acr: string | undefined;
  readonly amr: readonly string[];
  readonly expires: Date;
  /** Agents upstream of us; empty when the human called us directly. */
  readonly upstream: readonly Actor[];
  readonly directives: readonly Directive[];
  readonly malformedDirectives: readonly number[];
  readonly scope: readonly string[];
  /** Identity claims for the vault: name, email and the like. Never for a log. */
  readonly claims: Json;
  readonly kid: string | undefined;
  readonly keySet: KeySetSnapshot;
  /** SHA-256 of the token, 32 bytes. Personal data: it links the human. */
  readonly tokenDigest: Uint8Array;
  /** Whether a development identity provider vouches for all this. */
  readonly development: boolean;
}

// Set inside the class, which alone can read its private fields.
let readFacts: (session: Session) => SessionFacts;
let readToken: (session: Session) => string;

const MAKE = Symbol('only a verifier makes sessions');
const REDACTED = { session: 'redacted' } as const;

/**
 * A verified login. It shows nothing: neither JSON, nor `util.inspect`, nor `structuredClone` of it
 * holds the token or the human.
 */
export class Session {
  readonly #facts: SessionFacts;
  readonly #token: string;

  /** Sessions come from a verifier; anything else is refused. */
  constructor(key: symbol, facts: SessionFacts, token: string) {
    if (key !== MAKE) throw new TypeError('a session is made by verifying a token');
    this.#facts = facts;
    this.#token = token;
    Object.freeze(this);
  }

  toJSON(): { readonly session: 'redacted' } {
    return REDACTED;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): { readonly session: 'redacted' } {
    return REDACTED;
  }

  /** Whether a value is a session, rather than something shaped like one. */
  static isSession(value: unknown): value is Session {
    return typeof value === 'object' && value !== null && #token in value;
  }

  static {
    readFacts = (session) => session.#facts;
    readToken = (session) => session.#token;
  }
}

/** What was verified. For Crumb's own parts: it names the human. */
export function factsOf(session: Session): SessionFacts {
  return readFacts(session);
}

/** The token itself. For the exchange alone. */
export function sessionTokenOf(session: Session): string {
  return readToken(session);
}

/** Which logins are accepted. */
export interface SessionVerifierOptions {
  /** Keys of the one identity provider whose logins count. */
  readonly keys: IssuerKeys;
  /** The `aud` that a login must be for. It may have others beside it: many providers add their own. */
  readonly audience: string;
  /** Our client id: a token about the client itself is no human's. */
  readonly client: string;
  /**
   * The audiences under which an upstream agent may call us, besides `audience` and `client`:
   * `urn:agent:planner` and the like. Default none.
   */
  readonly agentAudiences?: readonly string[];
  /** Accepted `typ` headers. */
  readonly typ: readonly string[];
  /** Accepted `alg` headers. */
  readonly algs: readonly string[];
  /** Resources that a scope stands for, where the token has no directives. */
  readonly scoped: readonly ScopedResource[];
  /** Whether ID tokens are taken as logins. Default false: they are for the client, not for an API. */
  readonly idTokens?: boolean;
  /**
   * What the provider puts into `act.sub` of an upstream agent: the client that the token was issued
   * to, or a user that stands for it. Default `client`.
   */
  readonly actor?: 'client' | 'user';
  /** What else marks a token of a machine at this provider. */
  readonly profileIsMachine?: (claims: JsonObject) => boolean;
  /** Replaces the wall clock in tests. */
  readonly clock?: () => Date;
}

/** Opens sessions. */
export interface SessionVerifier {
  /**
   * Verifies a login's token.
   *
   * @throws {CrumbError} `session_invalid` (its `cause` says why), `session_expired`,
   *   `session_machine`, the `act_` codes for an upstream chain; `keys_unavailable` if the token
   *   could not be judged.
   */
  open(token: string): Promise<Session>;

  /**
   * Opens a later token of the same login: same issuer, human, `sid` and upstream agents.
   *
   * @throws {CrumbError} `session_renewal_mismatch`, and what `open` throws.
   */
  renew(session: Session, token: string): Promise<Session>;
}

/** Verifies logins of one identity provider. */
export function createSessionVerifier(options: SessionVerifierOptions): SessionVerifier {
  const open = async (token: string): Promise<Session> => {
    const verified = await verifyLogin(token, options);
    const facts = sessionFacts(verified, await digestOf(token), options);
    return new Session(MAKE, facts, token);
  };
  return {
    open,
    async renew(session, token) {
      const renewed = await open(token);
      const [before, after] = [factsOf(session), factsOf(renewed)];
      const same =
        sameActor(before.human, after.human) &&
        before.sid === after.sid &&
        sameChain(before.upstream, after.upstream);
      if (!same) throw new CrumbError('session_renewal_mismatch');
      return renewed;
    },
  };
}

/**
 * The token in a request's `Authorization: Bearer` header.
 *
 * @throws {CrumbError} `session_missing` without the header, `session_invalid` if there is more than
 *   one, or it is no Bearer token.
 */
export function bearerOf(request: RequestHead): string {
  const authorization = readAuthorization(request);
  if (authorization.kind === 'absent') throw new CrumbError('session_missing');
  if (authorization.kind === 'malformed' || authorization.scheme !== 'bearer') {
    throw new CrumbError('session_invalid');
  }
  return authorization.token;
}

interface VerifiedLogin {
  readonly payload: JsonObject;
  readonly header: JsonObject;
  readonly keySet: KeySetSnapshot;
}

async function verifyLogin(token: string, options: SessionVerifierOptions): Promise<VerifiedLogin> {
  const { keys, typ, algs } = options;
  return keys
    .verify(token, { typ, algs, requiredClaims: ['sub', 'aud'] })
    .catch((cause: unknown) => {
      if (isCrumbError(cause) && cause.code === 'keys_unavailable') throw cause;
      const expired = isCrumbError(cause) && cause.code === 'token_expired';
      throw new CrumbError(expired ? 'session_expired' : 'session_invalid', { cause });
    });
}

function sessionFacts(
  { payload, header, keySet }: VerifiedLogin,
  tokenDigest: Uint8Array,
  options: SessionVerifierOptions,
): SessionFacts {
  const iss = options.keys.issuer;
  try {
    const sub = textOf(payload, 'sub');
    if (sub === undefined) throw new CrumbError('session_invalid');
    const human = Object.freeze({ iss, sub });
    checkHuman(payload, sub, options);
    if (options.idTokens !== true) checkNoIdToken(payload);
    const upstream = upstreamOf(payload, human, options);
    checkAudience(payload, upstream.length > 0, options);
    const scope = scopeOf(payload);
    const { directives, malformed } = parseDirectives(
      { authorizationDetails: payload['authorization_details'], scope: scope.join(' ') },
      options.scoped,
    );
    return freezeDeep({
      human,
      sid: textOf(payload, 'sid'),
      loginAt: isNumericDate(payload['auth_time']) ? instantOf(payload, 'auth_time') : undefined,
      acr: textOf(payload, 'acr'),
      amr: namesOf(payload['amr']),
      expires: instantOf(payload, 'exp'),
      upstream,
      directives,
      malformedDirectives: malformed,
      scope,
      claims: identityClaims(payload),
      kid: textOf(header, 'kid'),
      keySet,
      tokenDigest,
      development: isDevelopment(payload),
    });
  } catch (cause) {
    throw asSessionError(cause);
  }
}

/** Claims that are shaped wrong make the session invalid; what is said about the chain stays. */
function asSessionError(cause: unknown): unknown {
  const own = isCrumbError(cause) && /^(?:session|act)_/.test(cause.code);
  return own ? cause : new CrumbError('session_invalid', { cause });
}

/** Longest life of a token with which another agent calls us, in seconds: what a guard takes. */
const MAX_UPSTREAM_SECONDS = 300;

/**
 * The agents that called us, held to what a resource's guard asks: a token of its own name, short-lived,
 * and issued to the agent that holds it.
 */
function upstreamOf(
  payload: JsonObject,
  human: Actor,
  { actor = 'client' }: SessionVerifierOptions,
): readonly Actor[] {
  if (!Object.hasOwn(payload, 'act')) return [];
  const chain = parseActChain(payload['act'], human.iss, human);
  const holder = actingAgentOf(chain);
  const isHolder = holder.iss === human.iss && clientsOf(payload).includes(holder.sub);
  const life = instantOf(payload, 'exp').getTime() - instantOf(payload, 'iat').getTime();
  const isShort = life <= MAX_UPSTREAM_SECONDS * 1000;
  if (textOf(payload, 'jti') === undefined || !isShort || (actor === 'client' && !isHolder)) {
    throw new CrumbError('session_invalid', { cause: new Error('delegated token') });
  }
  return chain;
}

function clientsOf(payload: JsonObject): readonly unknown[] {
  return ['client_id', 'azp', 'cid', 'appid'].map((claim) => payload[claim]);
}

/** A client that logs itself in gets tokens too; their `sub` is the client. */
function checkHuman(payload: JsonObject, sub: string, options: SessionVerifierOptions): void {
  const machine = sub === options.client || clientsOf(payload).includes(sub);
  if (machine || options.profileIsMachine?.(payload) === true) {
    throw new CrumbError('session_machine');
  }
}

/** What an ID token or a logout token has and an access token has not. */
function checkNoIdToken(payload: JsonObject): void {
  const marks = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'];
  const named = typeof payload['typ'] === 'string' && payload['typ'] !== 'Bearer'; // Keycloak
  if (named || marks.some((claim) => Object.hasOwn(payload, claim))) {
    throw new CrumbError('session_invalid', { cause: new Error('not an access token') });
  }
}

/**
 * A login may have audiences beside ours. A delegated token may not: it was minted for one receiver,
 * and that must be us or one of our agents.
 */
function checkAudience(
  payload: JsonObject,
  delegated: boolean,
  { audience, client, agentAudiences = [] }: SessionVerifierOptions,
): void {
  const { aud } = payload;
  const values: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!delegated && values.includes(audience)) return;
  const ours = [audience, client, ...agentAudiences].find((name) => name === values[0]);
  if (!delegated || ours === undefined) throw new CrumbError('audience_mismatch');
  soleAudience(payload, ours);
}

/** Only what names a person to another person. */
const IDENTITY_CLAIMS = [
  'name',
  'given_name',
  'middle_name',
  'family_name',
  'nickname',
  'preferred_username',
  'email',
  'email_verified',
  'phone_number',
];

function identityClaims(payload: JsonObject): Json {
  const claims: Record<string, string | boolean> = {};
  for (const name of IDENTITY_CLAIMS) {
    const value = payload[name];
    if (typeof value === 'boolean') claims[name] = value;
    if (typeof value === 'string' && value.isWellFormed()) claims[name] = value;
  }
  return claims;
}

function namesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}

async function digestOf(token: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)));
}
