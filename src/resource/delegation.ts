/**
 * What a resource learns from a delegation token that passed every check.
 *
 * @module
 */
import { actingAgentOf, type ActChain, type Actor } from '../attribution/act-chain.ts';
import type { Directive, ParsedDirectives } from '../attribution/directive.ts';
import type { Judgement } from '../attribution/judge.ts';
import type { DelegationToken } from '../token/delegation-token.ts';
import { freezeDeep } from '../token/freeze-deep.ts';

/** A checked delegation, frozen. It holds no token: what came in is not for passing on. */
export interface Delegation {
  /** On whose behalf. */
  readonly human: Actor;
  /** The agent that holds the token: the only one that may count in an access decision (RFC 8693). */
  readonly agent: Actor;
  /** All agents, in order of delegation; the earlier ones are information. */
  readonly chain: ActChain;
  readonly resource: string;
  readonly scope: readonly string[];
  readonly issuedAt: Date;
  readonly expires: Date;
  /** `jti` */
  readonly tokenId: string;
  readonly clientId: string;
  readonly sid: string | undefined;
  readonly txn: string | undefined;
  /** What the human authorised, if the token carries it (RFC 9396). */
  readonly directives: readonly Directive[];
  /** Positions of directives that could not be read. They authorise nothing. */
  readonly malformedDirectives: readonly number[];
  /** How the directives judge this request; undefined if `verify` was not told what it is. */
  readonly judgement: Judgement | undefined;
  /** RFC 7638 thumbprint of the key that the caller proved to hold. */
  readonly proofKey: string | undefined;
  /** Whether an identity provider for development vouches for all this. */
  readonly development: boolean;
}

/** Gathers what was checked, and freezes it. */
export function delegationOf(
  token: DelegationToken,
  { directives, malformed }: ParsedDirectives,
  judgement: Judgement | undefined,
): Delegation {
  return freezeDeep({
    human: { iss: token.iss, sub: token.sub },
    agent: actingAgentOf(token.chain),
    chain: token.chain,
    resource: token.aud,
    scope: token.scope,
    issuedAt: token.iat,
    expires: token.exp,
    tokenId: token.jti,
    clientId: token.clientId,
    sid: token.sid,
    txn: token.txn,
    directives,
    malformedDirectives: malformed,
    judgement,
    proofKey: token.cnfJkt,
    development: token.development,
  });
}
