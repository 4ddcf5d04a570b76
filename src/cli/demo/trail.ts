/**
 * The trail of a ledger: who directed whom to do what, call by call. Made from entries alone, so that it
 * says what the record says and nothing more.
 *
 * @module
 */
import type { Actor } from '../../attribution/act-chain.ts';
import type {
  Entry,
  IntentBody,
  OutcomeBody,
  RefusalBody,
  SessionBody,
} from '../../evidence/kinds.ts';

/** One call, with its two sides kept apart: whether it was authorised, and what became of it. */
export interface TrailCall {
  readonly seq: number;
  readonly time: string;
  readonly tool: string;
  readonly resource: string;
  readonly action: string;
  /** Agents in order of delegation; the last one made the call. */
  readonly chain: readonly string[];
  readonly verdict: IntentBody['verdict'];
  readonly reason: string | null;
  /** `refused`: it did not run. `unknown`: an intent without an outcome. */
  readonly outcome: OutcomeBody['status'] | 'refused' | 'unknown';
  /** Why it was refused or failed. */
  readonly code: string | null;
  readonly ms: number | null;
}

export interface TrailSession {
  readonly seq: number;
  readonly human: string;
  readonly issuer: string;
  readonly loginAt: string | null;
  readonly directives: SessionBody['directives'];
  readonly calls: readonly TrailCall[];
}

type EntryOf<K extends Entry['kind']> = Extract<Entry, { kind: K }>;

/** Every session with its calls, in order; calls without a human come apart. */
export function trailOf(entries: readonly Entry[]): {
  readonly sessions: readonly TrailSession[];
  readonly unattributed: readonly TrailCall[];
} {
  const outcomes = new Map(ofKind(entries, 'outcome').map(({ body }) => [body.intent, body]));
  const calls = entries.flatMap((entry) => {
    if (entry.kind === 'intent')
      return [{ session: entry.body.session, call: ranCall(entry, outcomes) }];
    if (entry.kind === 'refusal')
      return [{ session: entry.body.session, call: refusedCall(entry) }];
    return [];
  });
  const opened = ofKind(entries, 'session').filter(({ body }) => body.op === 'open');
  return {
    sessions: opened.map(({ seq, body }) => ({
      seq,
      human: body.human,
      issuer: body.iss,
      loginAt: body.loginAt,
      directives: body.directives,
      calls: calls.filter(({ session }) => session === seq).map(({ call }) => call),
    })),
    unattributed: calls.filter(({ session }) => session === null).map(({ call }) => call),
  };
}

function ranCall(entry: EntryOf<'intent'>, outcomes: ReadonlyMap<number, OutcomeBody>): TrailCall {
  const outcome = outcomes.get(entry.seq);
  return {
    ...described(entry.seq, entry.time, entry.body),
    outcome: outcome?.status ?? 'unknown',
    code: outcome?.error ?? null,
    ms: outcome?.ms ?? null,
  };
}

function refusedCall(entry: EntryOf<'refusal'>): TrailCall {
  const { seq, time, body } = entry;
  return { ...described(seq, time, body), outcome: 'refused', code: body.code, ms: null };
}

function described(
  seq: number,
  time: string,
  { call, chain, verdict, reason }: IntentBody | RefusalBody,
): Omit<TrailCall, 'outcome' | 'code' | 'ms'> {
  const { tool, resource, action } = call;
  return {
    seq,
    time,
    tool,
    resource,
    action,
    chain: chain.map((actor: Actor) => actor.sub),
    verdict,
    reason:
      reason === null
        ? null
        : [reason.code, reason.argument].filter((word) => word !== null).join(' '),
  };
}

function ofKind<K extends Entry['kind']>(entries: readonly Entry[], kind: K): EntryOf<K>[] {
  return entries.filter((entry): entry is EntryOf<K> => entry.kind === kind);
}
