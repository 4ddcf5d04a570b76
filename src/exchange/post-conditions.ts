/**
 * What must hold of a token after an exchange that the provider called a success.
 *
 * Providers drop actors, keep old audiences and widen scopes while answering 200, so nothing of an
 * answer is believed because of its status. One function, values in, no network: every row is a check
 * with its own code, and what cannot be read fails its row.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1
 * @module
 */
import {
  parseActChain,
  sameActor,
  sameChain,
  type ActChain,
  type Actor,
} from '../attribution/act-chain.ts';
import { PostConditionError, type PostConditionCode } from '../errors.ts';
import { scopeOf, textOf } from '../token/delegation-token.ts';
import type { IssuerProfile } from './issuer-profile.ts';
import { detailsWithin } from './narrowing.ts';
import { ACCESS_TOKEN, JWT } from '../token/token-types.ts';

/** How far the provider's clock may run ahead of ours. */
const CLOCK_TOLERANCE_MS = 5_000;

/** A successful answer whose token verified as a JWT of the pinned issuer. */
export interface ExchangeAnswer {
  /** Claims of the token. Its signature, `iss`, `alg`, `typ` and times hold. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** `token_type` in lower case. */
  readonly tokenType: string;
  /** `issued_token_type`, as it came. */
  readonly issuedTokenType: unknown;
  /** `scope` beside the token, if the answer has one. */
  readonly scope: string | undefined;
}

/** What was asked for. */
export interface ExpectedToken {
  readonly issuer: string;
  readonly human: Actor;
  readonly chain: ActChain;
  /** `issuer.client`, for providers that write it innermost. */
  readonly root: Actor;
  readonly audience: string;
  /** Scopes asked for; `[]` asked for none. */
  readonly scope: readonly string[];
  /** `authorization_details` of the subject token. */
  readonly details: unknown;
  /** End of the subject token. */
  readonly subjectExpires: Date;
  readonly now: Date;
  readonly maxLifetimeMs: number;
  /** Thumbprint of the key that the token must be bound to; undefined: to none. */
  readonly jkt: string | undefined;
  /** Who may act next, if anybody: the agent that the token is for. */
  readonly next: Actor | undefined;
}

/** What a token says that is worth keeping, once every post-condition holds. */
export interface CheckedToken {
  readonly aud: string;
  readonly scope: readonly string[];
  readonly exp: Date;
  readonly txn: string | null;
  readonly jti: string | undefined;
  readonly details: unknown;
}

/**
 * Holds an answer to what was expected, row by row. The first row that fails is the one reported.
 *
 * @throws {PostConditionError} All codes but `token_unverifiable` stand for a row; that one for a claim
 *   of the wrong type. `got` is the chain that the token names, whichever row failed.
 */
export function checkPostConditions(
  answer: ExchangeAnswer,
  expected: ExpectedToken,
  profile: IssuerProfile,
): CheckedToken {
  const { claims } = answer;
  const got = chainOf(claims, expected, profile);
  const refuse = (code: PostConditionCode): never => {
    throw new PostConditionError(code, { got });
  };

  if (!subjectKept(claims, expected)) refuse('subject_changed');
  if (got === undefined || !sameChain(withoutRoot(got, expected, profile), expected.chain))
    refuse('chain_mismatch');
  if (!isSoleAudience(claims['aud'], expected.audience)) refuse('audience_mismatch');
  const scope = readable(() => scopeOf(claims)) ?? refuse('scope_widened');
  if (!scopeKept([...scope, ...wordsOf(answer.scope)], expected)) refuse('scope_widened');
  if (!detailsWithin(claims['authorization_details'], expected.details)) refuse('scope_widened');
  const exp = expiryWithin(claims['exp'], expected) ?? refuse('lifetime_widened');
  // Before the type, which is wrong too where a provider knows no DPoP: this says what to switch on.
  if (!boundAsAsked(claims['cnf'], expected.jkt)) refuse('binding_missing');
  if (!typesAsAsked(answer, expected, profile)) refuse('token_type_mismatch');
  if (!mayActSpent(claims['may_act'], expected)) refuse('may_act_left');

  const names = readable(() => ({ txn: textOf(claims, 'txn'), jti: textOf(claims, 'jti') }));
  const { txn, jti } = names ?? refuse('token_unverifiable');
  return {
    aud: expected.audience,
    scope,
    exp,
    txn: txn ?? null,
    jti,
    details: claims['authorization_details'],
  };
}

/** The actors that the token names, as this provider names them; undefined if it names none readably. */
function chainOf(
  claims: ExchangeAnswer['claims'],
  { issuer }: ExpectedToken,
  profile: IssuerProfile,
): readonly Actor[] | undefined {
  const sub = claims['sub'];
  if (typeof sub !== 'string') return undefined;
  return readable(() => parseActChain(claims['act'], issuer, { iss: issuer, sub }))?.map((node) =>
    profile.actorId(node),
  );
}

function subjectKept(claims: ExchangeAnswer['claims'], { issuer, human }: ExpectedToken): boolean {
  return claims['iss'] === issuer && human.iss === issuer && claims['sub'] === human.sub;
}

/** Without the application, where the provider writes it and nobody upstream wrote it already. */
function withoutRoot(
  got: readonly Actor[],
  { root, chain }: ExpectedToken,
  profile: IssuerProfile,
): readonly Actor[] {
  const [first, ...rest] = got;
  const extra = profile.rootClient && !sameActor(chain[0], root);
  if (!extra) return got;
  // Where it must stand and does not, the chain is another one.
  return first !== undefined && sameActor(first, root) ? rest : [];
}

/** A token for two resources lets each of them use it at the other. */
function isSoleAudience(aud: unknown, audience: string): boolean {
  const values: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return values.length === 1 && values[0] === audience;
}

function scopeKept(got: readonly string[], { scope }: ExpectedToken): boolean {
  return got.every((word) => scope.includes(word));
}

function wordsOf(scope: string | undefined): readonly string[] {
  return scope === undefined ? [] : scope.split(' ').filter((word) => word !== '');
}

function expiryWithin(exp: unknown, expected: ExpectedToken): Date | undefined {
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return undefined;
  const at = exp * 1000;
  const cap = expected.now.getTime() + expected.maxLifetimeMs + CLOCK_TOLERANCE_MS;
  return at <= expected.subjectExpires.getTime() && at <= cap ? new Date(at) : undefined;
}

function typesAsAsked(
  { tokenType, issuedTokenType }: ExchangeAnswer,
  { jkt }: ExpectedToken,
  { requestedType, lax }: IssuerProfile,
): boolean {
  // RFC 8693 section 2.2.1: N_A, where what was asked for is not an access token.
  const plain = requestedType === JWT ? ['bearer', 'n_a'] : ['bearer'];
  if (!(jkt === undefined ? plain : ['dpop']).includes(tokenType)) return false;
  if (issuedTokenType === undefined) return lax.issuedTokenType === true;
  const fitting = requestedType === undefined ? [ACCESS_TOKEN, JWT] : [requestedType];
  return fitting.some((type) => type === issuedTokenType);
}

/** A binding that nobody asked for is one that we could not prove. */
function boundAsAsked(cnf: unknown, jkt: string | undefined): boolean {
  if (jkt === undefined) return cnf === undefined;
  const members = membersOf(cnf);
  return members !== undefined && members.size === 1 && members.get('jkt') === jkt;
}

/** Permission to act, left in a token, lets its holder's successor in without the human. */
function mayActSpent(mayAct: unknown, { issuer, next }: ExpectedToken): boolean {
  if (mayAct === undefined) return true;
  const members = membersOf(mayAct);
  if (members === undefined || next === undefined) return false;
  const iss = members.has('iss') ? members.get('iss') : issuer;
  return iss === next.iss && members.get('sub') === next.sub;
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value));
}

/** What a strict reader makes of a claim; undefined if it refuses. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
