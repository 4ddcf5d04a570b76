/**
 * What a guard answers when it lets nothing pass: a status, a challenge, and a body that tells an
 * attacker nothing. Why is in `code`, for our own log.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-5.1
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-7.1
 * @module
 */
import { CrumbError, isCrumbError, type CrumbErrorOptions } from '../errors.ts';

/** How each reason is answered: status, and `error` of RFC 6750 or 9449. */
const ANSWERS = {
  token_missing: [401, undefined],
  request_malformed: [400, 'invalid_request'],
  arguments_not_json: [400, 'invalid_request'],
  token_malformed: [401, 'invalid_token'],
  issuer_unknown: [401, 'invalid_token'],
  token_unverifiable: [401, 'invalid_token'],
  token_expired: [401, 'invalid_token'],
  audience_mismatch: [401, 'invalid_token'],
  client_mismatch: [401, 'invalid_token'],
  act_malformed: [401, 'invalid_token'],
  act_too_deep: [401, 'invalid_token'],
  act_issuer_missing: [401, 'invalid_token'],
  act_repeated: [401, 'invalid_token'],
  act_is_subject: [401, 'invalid_token'],
  token_development: [401, 'invalid_token'],
  token_denied: [401, 'invalid_token'],
  token_replayed: [401, 'invalid_token'],
  proof_invalid: [401, 'invalid_dpop_proof'],
  scope_insufficient: [403, 'insufficient_scope'],
  actor_not_allowed: [403, 'insufficient_scope'],
  directive_unmet: [403, 'insufficient_scope'],
  keys_unavailable: [503, 'temporarily_unavailable'],
  guard_unavailable: [503, 'temporarily_unavailable'],
} as const;

/** Why a guard refused a request. */
export type GuardCode = keyof typeof ANSWERS;

/** Whether a code is one that a guard answers. */
export function isGuardCode(code: string): code is GuardCode {
  return Object.hasOwn(ANSWERS, code);
}

/** What a challenge tells the client about this resource. */
export interface Challenge {
  /** Address of the RFC 9728 document. */
  readonly metadataUrl: string;
  /** Every scope that the operation needs. */
  readonly scope: readonly string[];
  readonly dpop: 'off' | 'optional' | 'required';
  /** Accepted algorithms of DPoP proofs. */
  readonly proofAlgs: readonly string[];
}

/** A request that a guard refused. `code` is for our log; the rest is the answer to the caller. */
export class GuardError extends CrumbError<GuardCode> {
  override readonly name = 'GuardError';
  /** 400, 401, 403 or 503. */
  readonly status: 400 | 401 | 403 | 503;
  /** Headers of the answer, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Body of the answer: JSON with the public word for what is wrong. */
  readonly body: string;

  constructor(code: GuardCode, challenge: Challenge, options: CrumbErrorOptions = {}) {
    super(code, options);
    const [status, error] = ANSWERS[code];
    this.status = status;
    this.headers = Object.freeze({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...(status === 503 ? {} : { 'www-authenticate': challengeText(error, challenge) }),
    });
    this.body = JSON.stringify({ error: error ?? 'unauthorized' });
  }
}

/**
 * Bearer and, where proofs are taken, DPoP. All values are ours: no character of the request gets into
 * a header.
 */
function challengeText(error: string | undefined, challenge: Challenge): string {
  const { metadataUrl, scope, dpop, proofAlgs } = challenge;
  const common = [
    `resource_metadata="${metadataUrl}"`,
    ...(scope.length === 0 ? [] : [`scope="${scope.join(' ')}"`]),
  ];
  const own = error === undefined ? [] : [`error="${error}"`];
  const aboutProof = error === 'invalid_dpop_proof';
  const bearer = `Bearer ${[...(aboutProof ? [] : own), ...common].join(', ')}`;
  const proof = `DPoP ${[...own, ...common, `algs="${proofAlgs.join(' ')}"`].join(', ')}`;
  if (dpop === 'off') return bearer;
  return dpop === 'required' || aboutProof ? proof : `${bearer}, ${proof}`;
}

/** Whether a caught value is a guard's answer, also when it comes from a second copy of the package. */
export function isGuardError(error: unknown): error is GuardError {
  return isCrumbError(error) && error.name === 'GuardError' && isGuardCode(error.code);
}
