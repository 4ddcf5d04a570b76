/**
 * The token-exchange grant of the development identity provider: reads the request, asks the rules,
 * signs the answer.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8693
 * @module
 */
import { createHash, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import { ACCESS_TOKEN, TOKEN_EXCHANGE } from '../token/token-types.ts';
import type { DenyList } from './deny-list.ts';
import { DPOP_WINDOW_SECONDS, openDpopProof } from './dpop.ts';
import type { DevIdpEvent } from './events.ts';
import {
  describeRefusal,
  judgeExchange,
  RefusedExchange,
  type Delegated,
  type ExchangeQuestion,
  type PresentedToken,
} from './exchange-rules.ts';
import { openIssuedToken } from './issued-token.ts';
import type { Keyring } from './keyring.ts';
import type { Registry } from './registry.ts';

const PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'resource',
  'audience',
  'scope',
  'requested_token_type',
] as const;

type ExchangeParams = { readonly [Name in (typeof PARAMETERS)[number]]?: string | undefined };

/** A refusal as the token endpoint answers it. Its reason went out as an event of its own. */
export class RefusedExchangeError extends errors.CustomOIDCProviderError {}

/** What the grant works with. */
export interface ExchangeParts {
  readonly registry: Registry;
  readonly keyring: Keyring;
  readonly denied: DenyList;
  readonly tokenSeconds: number;
  readonly emit: (event: DevIdpEvent) => void;
}

/** Teaches a provider the grant. A repeated parameter, also `resource`, is refused before it is called. */
export function registerExchange(provider: Provider, parts: ExchangeParts): void {
  provider.registerGrantType<ExchangeParams>(
    TOKEN_EXCHANGE,
    async (ctx) => {
      const client = ctx.oidc.client.clientId;
      try {
        const delegated = judgeExchange(parts.registry, await questionOf(ctx, provider, parts));
        ctx.body = await answer(delegated, parts);
        parts.emit({ kind: 'exchange', client, ...eventOf(delegated) });
      } catch (error) {
        if (!(error instanceof RefusedExchange)) throw error;
        parts.emit({ kind: 'refusal', client, reason: error.reason });
        const { error: code, description } = describeRefusal(error.reason);
        throw new RefusedExchangeError(code, description);
      }
    },
    [...PARAMETERS],
  );
}

async function questionOf(
  ctx: TokenEndpointGrantContext<ExchangeParams>,
  provider: Provider,
  parts: ExchangeParts,
): Promise<ExchangeQuestion> {
  const { params, client } = ctx.oidc;
  const issuer = provider.issuer;
  const open = async (
    which: 'subject' | 'actor',
    jwt: string | undefined,
    declaredType: string | undefined,
  ): Promise<PresentedToken> => {
    if (!jwt || !declaredType) throw new RefusedExchange(`${which}_missing`);
    const token = await openIssuedToken(jwt, { keyring: parts.keyring, issuer });
    if (token === undefined) throw new RefusedExchange(`${which}_invalid`);
    return { declaredType, token, sha256: createHash('sha256').update(jwt).digest('base64url') };
  };
  const actor = await open('actor', params.actor_token, params.actor_token_type);
  const subject = await open('subject', params.subject_token, params.subject_token_type);
  return {
    iss: issuer,
    client: client.clientId,
    subject,
    actor,
    target: typeof params.resource === 'string' ? params.resource : undefined,
    audience: params.audience,
    scope: params.scope,
    requestedType: params.requested_token_type,
    jkt: await provenKey(ctx, provider),
    signedIn: await isSignedIn(provider, subject.token.sub, subject.token.claims['sid']),
    isDenied: (who) => parts.denied.has(who),
  };
}

/** The key of the DPoP proof, if one was sent; a proof that does not hold refuses the request. */
async function provenKey(
  ctx: TokenEndpointGrantContext<ExchangeParams>,
  provider: Provider,
): Promise<string | undefined> {
  const header = ctx.get('DPoP');
  if (header === '') return undefined;
  const proof = await openDpopProof(header, provider.urlFor('token'));
  if (proof === undefined) throw new RefusedExchange('proof_invalid');
  const until = Math.floor(Date.now() / 1000) + 2 * DPOP_WINDOW_SECONDS;
  const fresh = await provider.ReplayDetection.unique(proof.jkt, proof.jti, until);
  if (!fresh) throw new RefusedExchange('proof_invalid');
  return proof.jkt;
}

/** `sid` is the uid of the login session, which logging out destroys. */
async function isSignedIn(provider: Provider, sub: string, sid: unknown): Promise<boolean> {
  if (typeof sid !== 'string') return false;
  const session = await provider.Session.findByUid(sid);
  return session?.accountId === sub;
}

async function answer(delegated: Delegated, parts: ExchangeParts): Promise<object> {
  const { kid, alg, privateKey } = parts.keyring.current;
  const iat = Math.floor(Date.now() / 1000);
  const exp = Math.min(iat + parts.tokenSeconds, delegated.notAfter); // rule 7
  const token = await new SignJWT({ ...delegated.claims, iat, exp, jti: randomUUID() })
    .setProtectedHeader({ alg, kid, typ: 'at+jwt' })
    .sign(privateKey);
  // Rule 11: no refresh token, no ID token.
  return {
    access_token: token,
    issued_token_type: ACCESS_TOKEN,
    token_type: 'cnf' in delegated.claims ? 'DPoP' : 'Bearer',
    expires_in: exp - iat,
    scope: delegated.scope.join(' '),
  };
}

function eventOf({ chain, claims, scope }: Delegated): {
  readonly chain: readonly string[];
  readonly target: string;
  readonly scope: readonly string[];
} {
  return { chain: chain.map(({ sub }) => sub), target: String(claims['aud']), scope };
}
