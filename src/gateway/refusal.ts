/**
 * Calls that did not run.
 *
 * @module
 */
import type { Actor } from '../attribution/act-chain.ts';
import type { Judgement } from '../attribution/judge.ts';
import { CrumbError, isCrumbError, PostConditionError } from '../errors.ts';
import { attemptBody, type Attempt, type JudgedAttempt } from './attempt.ts';
import { hopPlace } from './hop-standing.ts';
import { loginId } from './login-entries.ts';
import { prerequisitesOf } from './prerequisites.ts';
import type { Dependent, Place } from './known-entries.ts';

export interface Refused {
  /** Why it did not run: a code of errors.ts, or of the host. */
  readonly code: string;
  /** Chain that the token should have named, and the one it named. */
  readonly expected?: readonly Actor[];
  readonly got?: readonly Actor[] | undefined;
  /** Whether the identity provider was asked. */
  readonly exchanged?: boolean;
}

/**
 * Records that a call did not run. Its opening goes to the vault first, as an intent's does.
 *
 * @throws {CrumbError} `intent_unrecorded`: not even the refusal could be written. It did not run.
 */
export async function recordRefusal(
  attempt: Attempt,
  judgement: Judgement,
  refused: Refused,
): Promise<void> {
  const { gateway } = attempt.state;
  try {
    if (attempt.opening !== undefined) await gateway.vault.keep({ openings: [attempt.opening] });
    await gateway.known.append(prerequisitesOf(attempt.state, undefined), (at) => ({
      drafts: [refusalDraft({ ...attempt, judgement }, refused, at)],
    }));
  } catch (cause) {
    throw new CrumbError('intent_unrecorded', { cause });
  }
}

export function refusalDraft(
  attempt: JudgedAttempt,
  refused: Refused,
  at: (id: string) => Place,
): Dependent['drafts'][number] {
  const { gateway, attended, hop } = attempt.state;
  const { code, expected = [], got, exchanged = false } = refused;
  return {
    kind: 'refusal',
    body: {
      ...attemptBody(attempt, attempt.judgement),
      session: attended === undefined ? null : at(loginId(attended.login)),
      hop: hopPlace(hop, undefined, at),
      approval: null,
      code,
      iss: exchanged ? gateway.issuer : null,
      profile: exchanged ? gateway.exchange.profile.name : null,
      expected,
      got: got ?? null,
    },
  };
}

/**
 * An intent did not come to stand. That the login ended meanwhile is a refusal like any other.
 *
 * @throws {CrumbError} `session_expired`, `intent_unrecorded`.
 */
export async function refuseUnrecorded(attempt: JudgedAttempt, cause: unknown): Promise<never> {
  if (isCrumbError(cause) && cause.code === 'session_expired') {
    await recordRefusal(attempt, attempt.judgement, { code: cause.code });
    throw cause;
  }
  throw new CrumbError('intent_unrecorded', { cause });
}

/** What the record says of an exchange that gave no token. */
export function refusedExchange(attempt: Attempt, error: unknown): Refused {
  return {
    code: codeOf(error),
    expected: attempt.state.chain,
    got: error instanceof PostConditionError ? error.got : undefined,
    exchanged: true,
  };
}

/** The code of an error, for the record: never its text. */
export function codeOf(error: unknown): string {
  try {
    if (isCrumbError(error)) return error.code;
    return error instanceof DOMException && error.name === 'AbortError' ? 'aborted' : 'tool_error';
  } catch {
    return 'tool_error'; // a proxy can throw at every look
  }
}
