/**
 * Finds calls in a ledger: by its search tables, or where those cannot be used by reading every crumb.
 *
 * @module
 */
import type { Verdict } from '../../attribution/judge.ts';
import type { Entry } from '../../evidence/kinds.ts';
import { isCrumbError } from '../../errors.ts';
import { knownEntry } from '../../ledger/opening.ts';
import { openLibsqlReader } from '../../store/libsql/libsql-reader.ts';
import { openLibsqlStore, type LibsqlStore } from '../../store/libsql/libsql-store.ts';
import type { DatabasePlace } from '../databases.ts';
import { callOf, type LoggedCall } from './logged-call.ts';

/** What to look for. Everything given must hold. */
export interface CallFilter {
  /** A pseudonym, or its beginning. */
  readonly human: string | undefined;
  /** Subject of the agent that made the call. */
  readonly agent: string | undefined;
  readonly tool: string | undefined;
  readonly verdict: Verdict | undefined;
  /** Not before. */
  readonly since: Date | undefined;
  /** Before. */
  readonly until: Date | undefined;
  /** At most so many, the newest. */
  readonly limit: number;
}

export interface FoundCalls {
  /** Oldest first. */
  readonly calls: readonly LoggedCall[];
  /** Whether there are older ones. */
  readonly more: boolean;
  /** Why every crumb was read; undefined if the search tables were used. */
  readonly scanned: string | undefined;
}

const PSEUDONYM_LENGTH = 43;
const PAGE = 1000;

/** @throws {CrumbError} `ledger_invalid`: this is no ledger. `ledger_busy`, `ledger_unwritable`. */
export async function findCalls(place: DatabasePlace, filter: CallFilter): Promise<FoundCalls> {
  try {
    return { ...(await search(place, filter)), scanned: undefined };
  } catch (error) {
    // An auditor's copy cannot be written, and somebody may have changed the schema: all the more reason
    // to look at it.
    if (!isCrumbError(error) || !READABLE.has(error.code)) throw error;
    return { ...(await scan(place, filter)), scanned: error.message };
  }
}

const READABLE: ReadonlySet<string> = new Set(['ledger_invalid', 'ledger_unwritable']);

type Found = Omit<FoundCalls, 'scanned'>;

async function search(place: DatabasePlace, filter: CallFilter): Promise<Found> {
  const store = await openLibsqlStore(place);
  try {
    const found: LoggedCall[] = [];
    for await (const call of backwards(store, filter)) {
      found.push(call);
      if (found.length > filter.limit) break;
    }
    return { calls: found.slice(0, filter.limit).toReversed(), more: found.length > filter.limit };
  } finally {
    await store.close();
  }
}

/** Calls that fit, the newest first. */
async function* backwards(store: LibsqlStore, filter: CallFilter): AsyncIterable<LoggedCall> {
  const { human, agent, tool, verdict, since: from, until: to, limit } = filter;
  // The database finds whole pseudonyms; the beginning of one is looked for here.
  const whole = human?.length === PSEUDONYM_LENGTH ? human : undefined;
  const wanted = { human: whole, agent, tool, verdict, from, to, newestFirst: true };
  let after: number | undefined;
  do {
    const page = await store.queryTrail({ ...wanted, after, limit: Math.min(PAGE, limit + 1) });
    yield* page
      .map(({ entry, outcome }) => (entry === undefined ? undefined : callOf(entry, outcome)))
      .filter((call) => call !== undefined)
      .filter((call) => fits(call, filter));
    after = page.at(-1)?.seq;
  } while (after !== undefined);
}

async function scan(place: DatabasePlace, filter: CallFilter): Promise<Found> {
  const reader = await openLibsqlReader(place);
  try {
    const attempts = new Map<number, Entry>();
    const outcomes = new Map<number, Entry>();
    let more = false;
    for await (const row of reader.readRows(0)) {
      const entry = knownEntry(row); // what is damaged is the verifier's to report
      if (entry?.kind === 'outcome' && attempts.has(entry.body.intent)) {
        outcomes.set(entry.body.intent, entry);
      }
      const call = entry === undefined ? undefined : callOf(entry);
      if (entry === undefined || call === undefined || !fits(call, filter)) continue;
      attempts.set(entry.seq, entry);
      const [oldest] = attempts.keys();
      if (attempts.size <= filter.limit || oldest === undefined) continue;
      more = true;
      attempts.delete(oldest);
      outcomes.delete(oldest);
    }
    const calls = [...attempts].map(([seq, entry]) => callOf(entry, outcomes.get(seq)));
    return { calls: calls.filter((call) => call !== undefined), more };
  } finally {
    await reader.close();
  }
}

function fits(call: LoggedCall, filter: CallFilter): boolean {
  const { human, agent, tool, verdict, since, until } = filter;
  const time = new Date(call.time);
  return (
    (human === undefined || call.human?.startsWith(human) === true) &&
    (agent === undefined || call.chain.at(-1) === agent) &&
    (tool === undefined || call.tool === tool) &&
    (verdict === undefined || call.verdict === verdict) &&
    (since === undefined || time >= since) &&
    (until === undefined || time < until)
  );
}
