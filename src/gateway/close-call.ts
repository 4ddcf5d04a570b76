/**
 * The end of a call.
 *
 * @module
 */
import type { Attempt } from './attempt.ts';
import type { Denial } from './call-fetch.ts';
import { codeOf } from './refusal.ts';
import { commitResult } from './result.ts';

export type OutcomeStatus = 'ok' | 'error' | 'aborted';

/** Records the outcome, once. Never throws: what a tool did must not look undone. */
export type CloseCall = (
  status: OutcomeStatus,
  ending?: { readonly result?: unknown; readonly error?: unknown },
) => Promise<void>;

export function closeCall(
  attempt: Attempt,
  intent: number,
  options: { readonly storeResult: boolean; readonly denial: Denial },
): CloseCall {
  const { attended, gateway } = attempt.state;
  const begun = gateway.clock().getTime();
  let closed: Promise<void> | undefined;

  async function append(
    status: OutcomeStatus,
    ending: { readonly result?: unknown; readonly error?: unknown },
  ): Promise<void> {
    const ms = Math.max(0, gateway.clock().getTime() - begun);
    const denied = options.denial.denied && status !== 'aborted';
    const subject = attended?.login.subject.key;
    const opening =
      status === 'error'
        ? undefined
        : commitResult(ending.result, { store: options.storeResult, subject });
    // Without its salt in the vault a commitment opens nothing: then none is made.
    const kept =
      opening !== undefined &&
      (await gateway.vault.keep({ openings: [opening] }).then(
        () => true,
        () => false,
      ));
    await gateway.outcomes.append({
      intent,
      status: denied ? 'error' : status,
      result: kept ? opening.commitment : null,
      error: denied ? 'resource_denied' : status === 'error' ? codeOf(ending.error) : null,
      ms,
    });
  }

  return (status, ending = {}) => (closed ??= append(status, ending));
}
