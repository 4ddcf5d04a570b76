/**
 * The trail of a ledger by login: what each human's agents did, call by call.
 *
 * @module
 */
import type { Entry, SessionBody } from '../../evidence/kinds.ts';
import { callOf, type LoggedCall } from '../trail/logged-call.ts';

export interface TrailSession {
  readonly seq: number;
  readonly human: string;
  readonly issuer: string;
  readonly loginAt: string | null;
  readonly directives: SessionBody['directives'];
  readonly calls: readonly LoggedCall[];
}

/** Every login with its calls, in order. */
export function sessionsOf(entries: readonly Entry[]): readonly TrailSession[] {
  const outcomes = new Map<number, Entry>();
  for (const entry of entries) if (entry.kind === 'outcome') outcomes.set(entry.body.intent, entry);
  const calls = entries.map((entry) => callOf(entry, outcomes.get(entry.seq)));
  return entries.flatMap((entry) => {
    if (entry.kind !== 'session' || entry.body.op !== 'open') return [];
    const { seq, body } = entry;
    return [
      {
        seq,
        human: body.human,
        issuer: body.iss,
        loginAt: body.loginAt,
        directives: body.directives,
        calls: calls.filter((call) => call?.session === seq).filter((call) => call !== undefined),
      },
    ];
  });
}
