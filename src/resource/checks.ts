/**
 * The steps of a guard, each of which lets pass or throws why not. Their order is in `guard.ts`.
 *
 * @module
 */
import { actingAgentOf, sameActor } from '../attribution/act-chain.ts';
import { toJson } from '../attribution/canonical.ts';
import type { ParsedDirectives } from '../attribution/directive.ts';
import { judge, type Judgement } from '../attribution/judge.ts';
import { CrumbError } from '../errors.ts';
import { toBase64url } from '../evidence/bytes.ts';
import { headerValues, readAuthorization } from '../token/authorization-header.ts';
import { parseCompactJwt } from '../token/compact-jwt.ts';
import { verifyDelegationToken, type DelegationToken } from '../token/delegation-token.ts';
import type { ReplayStore } from '../token/replay-store.ts';
import { verifyProof } from './dpop-proof.ts';
import type { GuardSettings, TrustedIssuer } from './guard-options.ts';
import { headOf, requestLineOf, type GuardedRequest } from './guarded-request.ts';

/** What a request is about to do, as the resource itself understands it. */
export interface GuardedCall {
  /** As directives name it. */
  readonly action: string;
  /** Exactly the parsed value that will be acted on: JSON. */
  readonly args: unknown;
  /** Scopes that this action needs besides those of the guard. */
  readonly scope?: string | readonly string[];
}

/** What the request carries. */
export interface Credentials {
  readonly jwt: string;
  readonly scheme: 'bearer' | 'dpop';
}

/** Exactly one token, in the header, of a scheme that this guard takes. */
export function credentialsOf(request: GuardedRequest, { dpop }: GuardSettings): Credentials {
  const authorization = readAuthorization(headOf(request));
  const line = requestLineOf(request);
  // A token in an address stands in logs and histories; one there beside the header is a second one.
  if (line === undefined || line.query.has('access_token'))
    throw new CrumbError('request_malformed');
  if (authorization.kind === 'absent') throw new CrumbError('token_missing');
  if (authorization.kind === 'malformed') throw new CrumbError('request_malformed');
  if (authorization.scheme === 'dpop' && dpop === 'off') throw new CrumbError('request_malformed');
  return { jwt: authorization.token, scheme: authorization.scheme };
}

/** Bounds, issuer, signature, type, times, actors, audience, client, origin of the issuer's claims. */
export async function openToken(jwt: string, settings: GuardSettings): Promise<DelegationToken> {
  const { iss } = parseCompactJwt(jwt).payload;
  // The unverified name only picks the key set under which it must then prove true.
  const issuer = typeof iss === 'string' ? settings.issuers.get(iss) : undefined;
  if (issuer === undefined) throw new CrumbError('issuer_unknown');
  const { maxTokenAge, clockTolerance, maxDepth, resource } = settings;
  const { algs, typ, clientClaim, keys } = issuer;
  const token = await verifyDelegationToken(jwt, keys, {
    audience: resource,
    algs,
    typ,
    clientClaim,
    maxTokenAge,
    clockTolerance,
    maxDepth,
  });
  if (token.development && !settings.allowDevelopment) throw new CrumbError('token_development');
  checkClient(token, issuer);
  return token;
}

/** A token minted for one client and held by another agent is one that changed hands. */
function checkClient({ iss, clientId, chain }: DelegationToken, issuer: TrustedIssuer): void {
  const isHolder = sameActor(actingAgentOf(chain), { iss, sub: clientId });
  if (issuer.actor === 'client' && !isHolder) throw new CrumbError('client_mismatch');
}

/** Judges the call by the token's own directives, with the agent that holds it as the only actor. */
export function judgeCall(
  call: GuardedCall,
  token: DelegationToken,
  { parsed, settings }: { readonly parsed: ParsedDirectives; readonly settings: GuardSettings },
): Judgement {
  return judge(
    parsed.directives,
    {
      id: token.jti,
      tool: call.action,
      resource: settings.resource,
      action: call.action,
      args: toJson(call.args),
      origin: 'model',
    },
    [actingAgentOf(token.chain)],
    { iss: token.iss, now: settings.clock() },
  );
}

/** Scope, agent, directives. Of the chain only the outermost actor counts (RFC 8693, section 4.1). */
export function checkAccess(
  token: DelegationToken,
  needed: readonly string[],
  {
    judgement,
    settings,
  }: { readonly judgement: Judgement | undefined; readonly settings: GuardSettings },
): void {
  if (!needed.every((scope) => token.scope.includes(scope))) {
    throw new CrumbError('scope_insufficient');
  }
  const holder = actingAgentOf(token.chain);
  const { actors, directives } = settings;
  if (actors !== undefined && !actors.some((actor) => sameActor(actor, holder))) {
    throw new CrumbError('actor_not_allowed');
  }
  if (directives === 'enforce' && judgement?.verdict !== 'authorized') {
    throw new CrumbError('directive_unmet');
  }
}

/** Whether the token is bound to a key, and whether the caller proved to hold it. */
export async function checkBinding(
  request: GuardedRequest,
  { jwt, scheme, token }: Credentials & { readonly token: DelegationToken },
  { settings, proofs }: { readonly settings: GuardSettings; readonly proofs: ReplayStore },
): Promise<void> {
  const { cnfJkt } = token;
  if (settings.dpop === 'off') {
    if (cnfJkt === undefined) return;
    throw new CrumbError('token_unverifiable', { cause: new Error('bound, but proofs are off') });
  }
  if (cnfJkt === undefined && settings.dpop === 'optional' && scheme === 'bearer') return;

  const [proof, ...more] = headerValues(headOf(request), 'dpop');
  const line = requestLineOf(request);
  const usable = scheme === 'dpop' && more.length === 0 && line !== undefined;
  if (!usable || proof === undefined || cnfJkt === undefined) throw new CrumbError('proof_invalid');
  const holds = await answerOf(() =>
    verifyProof(proof, {
      method: line.method,
      url: `${new URL(settings.resource).origin}${line.path}`,
      token: jwt,
      thumbprint: cnfJkt,
      used: proofs,
      clockTolerance: settings.clockTolerance,
      now: settings.clock(),
    }),
  );
  if (holds !== true) throw new CrumbError('proof_invalid');
}

/** The human, the agents, the session, the token: any of them may have been denied since. */
export async function checkDenied(
  token: DelegationToken,
  { denied }: GuardSettings,
): Promise<void> {
  if (denied === undefined) return;
  const { iss, sub, chain, sid, jti } = token;
  const isDenied = await answerOf(() => denied.isDenied({ human: { iss, sub }, chain, sid, jti }));
  // Only a clear no lets pass.
  if (isDenied !== false) throw new CrumbError('token_denied');
}

/** With a replay store, a token is good for one request. */
export async function useOnce(token: DelegationToken, settings: GuardSettings): Promise<void> {
  const { replay, clockTolerance } = settings;
  if (replay === undefined) return;
  const until = new Date(token.exp.getTime() + (clockTolerance + 1) * 1000);
  const first = await answerOf(() => replay.take(token.iss, token.jti, until));
  if (first !== true) throw new CrumbError('token_replayed');
}

/** Tells the log of sightings. One that cannot be told would be a delegation that nobody saw. */
export async function reportSighting(
  token: DelegationToken,
  {
    jwt,
    call,
    judgement,
  }: {
    readonly jwt: string;
    readonly call: GuardedCall | undefined;
    readonly judgement: Judgement | undefined;
  },
  { onDelegation, clock }: GuardSettings,
): Promise<void> {
  if (onDelegation === undefined) return;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(jwt));
  try {
    onDelegation({
      at: clock(),
      iss: token.iss,
      resource: token.aud,
      jti: token.jti,
      tokenDigest: toBase64url(new Uint8Array(digest)),
      kid: token.kid ?? null,
      chain: token.chain,
      action: call?.action ?? null,
      verdict: judgement?.verdict ?? null,
    });
  } catch (cause) {
    throw new CrumbError('guard_unavailable', { cause });
  }
}

/** A store's answer, not believed to be what its type says: it may be someone's JavaScript. */
async function answerOf(ask: () => Promise<boolean>): Promise<unknown> {
  try {
    return await ask();
  } catch (cause) {
    throw new CrumbError('guard_unavailable', { cause });
  }
}
