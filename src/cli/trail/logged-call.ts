/**
 * One attempt as the ledger tells it: what was to be done, by whom, whether it was authorized, and what
 * became of it. Made from entries alone.
 *
 * @module
 */
import type { Reason, Verdict } from '../../attribution/judge.ts';
import type { Entry, OutcomeBody } from '../../evidence/kinds.ts';

/** What became of an attempt. `refused`: it did not run. `unknown`: an intent without an outcome. */
export type CallOutcome = OutcomeBody['status'] | 'refused' | 'unknown' | 'observed';

export interface LoggedCall {
  readonly seq: number;
  readonly time: string;
  readonly session: number | null;
  readonly human: string | null;
  /** Agents in order of delegation; the last one made the call. */
  readonly chain: readonly string[];
  readonly tool: string;
  readonly resource: string;
  readonly action: string;
  readonly verdict: Verdict | null;
  /** Code of the reason, and the argument's name if one is to blame. */
  readonly reason: string | null;
  readonly outcome: CallOutcome;
  /** Why it was refused or failed. */
  readonly code: string | null;
  readonly ms: number | null;
}

/** Undefined for entries that are no attempts, and for observations of anything but a call. */
export function callOf(entry: Entry, outcome?: Entry): LoggedCall | undefined {
  if (entry.kind !== 'intent' && entry.kind !== 'refusal' && entry.kind !== 'observed') {
    return undefined;
  }
  const { seq, time, body } = entry;
  if (body.call === null) return undefined;
  const { tool, resource, action } = body.call;
  return {
    seq,
    time,
    session: body.session,
    human: body.human,
    chain: body.chain.map(({ sub }) => sub),
    tool,
    resource,
    action,
    verdict: body.verdict,
    reason: 'reason' in body ? reasonText(body.reason) : null,
    ...resultOf(entry, outcome?.kind === 'outcome' ? outcome.body : undefined),
  };
}

function resultOf(
  entry: Entry,
  outcome: OutcomeBody | undefined,
): Pick<LoggedCall, 'outcome' | 'code' | 'ms'> {
  if (entry.kind === 'refusal') return { outcome: 'refused', code: entry.body.code, ms: null };
  if (entry.kind === 'observed') return { outcome: 'observed', code: entry.body.source, ms: null };
  if (outcome === undefined) return { outcome: 'unknown', code: null, ms: null };
  return { outcome: outcome.status, code: outcome.error, ms: outcome.ms };
}

function reasonText(reason: Reason | null): string | null {
  if (reason === null) return null;
  return reason.argument === null ? reason.code : `${reason.code} ${reason.argument}`;
}
