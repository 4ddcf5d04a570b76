/**
 * One token exchange from request to checked token: as one agent, for one target.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8693
 * @module
 */
import type { ActChain, Actor } from '../attribution/act-chain.ts';
import { ExchangeError, isCrumbError, PostConditionError } from '../errors.ts';
import type { IssuerKeys, VerifiedJwt } from '../token/issuer-keys.ts';
import { exchangeParameters } from './exchange-request.ts';
import { issueToken, type IssuedToken } from './issued-token.ts';
import type { Issuer, RegisteredAgent } from './issuer-config.ts';
import { checkPostConditions } from './post-conditions.ts';
import { createSelfTokens, type Bindings } from './self-token.ts';
import { createTokenEndpoint, type TokenAnswer } from './token-endpoint.ts';
import { TOKEN_EXCHANGE } from '../token/token-types.ts';

/** The token that is exchanged, and what is known of it. */
export interface SubjectToken {
  readonly jwt: string;
  readonly expires: Date;
  /** Its `authorization_details`. */
  readonly details: unknown;
  /** The same as a hop's token; null: the session's. */
  readonly via: IssuedToken | null;
}

/** What one exchange is to give. */
export interface Leg {
  readonly agent: RegisteredAgent;
  readonly human: Actor;
  /** Down to the agent. */
  readonly chain: ActChain;
  readonly audience: string;
  readonly scope: readonly string[];
  /** The agent that the token is for; undefined: it is for a resource. */
  readonly next: RegisteredAgent | undefined;
}

export interface LegParts {
  readonly issuer: Issuer;
  readonly keys: IssuerKeys;
  readonly bindings: Bindings;
  readonly clock: () => Date;
}

/**
 * Does one exchange. Whatever it throws, no token of it is in use anywhere.
 *
 * @throws {ExchangeError} `exchange_refused`, `exchange_unreachable`.
 * @throws {PostConditionError}
 */
export type RunLeg = (leg: Leg, subject: SubjectToken, signal: AbortSignal) => Promise<IssuedToken>;

/** Prepares exchanges with one provider. */
export function createLegs(parts: LegParts): RunLeg {
  const { issuer, bindings } = parts;
  const endpoint = createTokenEndpoint(issuer);
  const selfTokens = createSelfTokens({ endpoint, bindings, clock: parts.clock });

  return async (leg, subject, signal) => {
    const { agent, audience, scope } = leg;
    const binding = await bindings(agent);
    const actorToken =
      issuer.profile.actor === 'client' ? undefined : await selfTokens.get(agent, signal);
    const parameters = exchangeParameters(
      { subjectToken: subject.jwt, actorToken, target: audience, scope },
      issuer.profile,
    );
    const request = { agent, parameters, dpop: binding?.handle, signal };
    const answer = await endpoint({ ...request, grant: TOKEN_EXCHANGE }).catch((error: unknown) => {
      // It may have been the agent's own token that is no longer good: get a new one next time.
      if (isCrumbError(error) && error.code === 'exchange_refused') selfTokens.forget(agent);
      throw error;
    });
    return check({ leg, subject, answer, jkt: binding?.jkt }, parts);
  };
}

interface Answered {
  readonly leg: Leg;
  readonly subject: SubjectToken;
  readonly answer: TokenAnswer;
  readonly jkt: string | undefined;
}

async function check(answered: Answered, parts: LegParts): Promise<IssuedToken> {
  const { leg, subject, answer, jkt } = answered;
  const { issuer, clock } = parts;
  const { payload, header, keySet } = await verify(answer.accessToken, parts);
  const { details, jti, ...checked } = checkPostConditions(
    { ...answer, claims: payload },
    {
      issuer: issuer.url,
      human: leg.human,
      chain: leg.chain,
      root: issuer.root,
      audience: leg.audience,
      scope: leg.scope,
      details: subject.details,
      subjectExpires: subject.expires,
      now: clock(),
      maxLifetimeMs: issuer.maxLifetimeMs,
      jkt,
      next: leg.next?.actor,
    },
    issuer.profile,
  );
  const open: IssuedToken = {
    ...checked,
    ...(jti === undefined ? {} : { jti }),
    iss: issuer.url,
    profile: issuer.profile.name,
    nesting: issuer.profile.nesting,
    kid: typeof header['kid'] === 'string' ? header['kid'] : null,
    chain: leg.chain,
    exchange: 'fresh',
    keySet,
    via: subject.via,
  };
  return issueToken(open, { jwt: answer.accessToken, details });
}

async function verify(jwt: string, { issuer, keys }: LegParts): Promise<VerifiedJwt> {
  const { tokenTyp: typ, algs } = issuer.profile;
  return keys.verify(jwt, { typ, algs }).catch((cause: unknown) => {
    // Without keys nothing is known about the token.
    if (isCrumbError(cause) && cause.code === 'keys_unavailable')
      throw new ExchangeError('exchange_unreachable', { cause });
    throw new PostConditionError('token_unverifiable', { cause });
  });
}
