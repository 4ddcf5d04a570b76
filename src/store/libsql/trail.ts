/**
 * Searching the ledger: attempts with their outcomes.
 *
 * @module
 */
import { and, asc, desc, eq, gt, gte, lt, type SQL } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/libsql';
import { alias } from 'drizzle-orm/sqlite-core';
import type { Verdict } from '../../attribution/judge.ts';
import type { Entry, Pseudonym, Seq } from '../../evidence/kinds.ts';
import { knownEntry } from '../../ledger/opening.ts';
import type { Connection } from './connection.ts';
import { translate } from './driver-errors.ts';
import { catchUpLookup } from './lookup.ts';
import { numberOf } from './rows.ts';
import { entry, lookup, lookupName } from './schema.ts';

/** What to look for. Everything given must hold. */
export interface TrailQuery {
  readonly human?: Pseudonym | undefined;
  /** Subject of the agent that acted: the last of the chain. */
  readonly agent?: string | undefined;
  readonly tool?: string | undefined;
  /** The session's `open` or `renew` entry, as the attempt names it. */
  readonly session?: Seq | undefined;
  readonly verdict?: Verdict | undefined;
  /** Not before. */
  readonly from?: Date | undefined;
  /** Before. */
  readonly to?: Date | undefined;
  /** Where the last page ended: `seq` of its last item. */
  readonly after?: Seq | undefined;
  /** 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
  /** Default: oldest first. */
  readonly newestFirst?: boolean | undefined;
}

/** One attempt. Entries are read from their bytes, but not verified: that is what the verifier does. */
export interface TrailItem {
  readonly seq: Seq;
  /** As stored. */
  readonly leaf: Uint8Array;
  /** An `intent`, `refusal` or `observed` entry; undefined once pruned. */
  readonly entry: Entry | undefined;
  /** The `outcome` of an intent; undefined while it is unknown. */
  readonly outcome: Entry | undefined;
}

const MAX_ITEMS = 1_000;

/** @throws {CrumbError} See `LibsqlStore.queryTrail`. */
export async function queryTrail(
  connection: Connection,
  query: TrailQuery,
): Promise<readonly TrailItem[]> {
  await catchUpLookup(connection);
  const first = query.from === undefined ? 0 : await firstNotBefore(connection, query.from);
  const end = query.to === undefined ? Infinity : await firstNotBefore(connection, query.to);
  const rows = await select(connection, query, { first, end }).catch((error: unknown) => {
    throw translate(error instanceof Error ? (error.cause ?? error) : error);
  });
  return rows.map(({ seq, attempt, outcome }) => ({
    seq,
    leaf: new Uint8Array(attempt.leaf),
    entry: knownEntry(attempt),
    outcome: outcome === null ? undefined : knownEntry(outcome),
  }));
}

/** Where a time is: the first attempt that is not before it. Attempts are in order of time. */
async function firstNotBefore({ read }: Connection, time: Date): Promise<number> {
  const next = 'SELECT seq, time FROM lookup WHERE seq >= ? ORDER BY seq LIMIT 1';
  const [last] = (await read('SELECT max(seq) + 1 AS "end" FROM lookup')).rows;
  let from = 0;
  let to = last === undefined || last['end'] === null ? 0 : numberOf(last, 'end');
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    const [row] = (await read(next, [middle])).rows;
    if (row !== undefined && numberOf(row, 'time') < time.getTime())
      from = numberOf(row, 'seq') + 1;
    else to = middle;
  }
  return from;
}

function select(
  connection: Connection,
  query: TrailQuery,
  { first, end }: { readonly first: number; readonly end: number },
) {
  const { limit = 100, newestFirst = false } = query;
  const human = alias(lookupName, 'human');
  const agent = alias(lookupName, 'agent');
  const tool = alias(lookupName, 'tool');
  const outcome = alias(entry, 'outcome');
  const after = newestFirst ? lt : gt;
  const wanted: (SQL | undefined)[] = [
    query.human === undefined ? undefined : eq(human.value, query.human),
    query.agent === undefined ? undefined : eq(agent.value, query.agent),
    query.tool === undefined ? undefined : eq(tool.value, query.tool),
    query.session === undefined ? undefined : eq(lookup.session, query.session),
    query.verdict === undefined ? undefined : eq(lookup.verdict, query.verdict),
    first === 0 ? undefined : gte(lookup.seq, first),
    end === Infinity ? undefined : lt(lookup.seq, end),
    query.after === undefined ? undefined : after(lookup.seq, query.after),
  ];
  return drizzle(connection.reader)
    .select({ seq: lookup.seq, attempt: entry, outcome })
    .from(lookup)
    .innerJoin(entry, eq(entry.seq, lookup.seq))
    .leftJoin(outcome, eq(outcome.seq, lookup.outcome))
    .leftJoin(human, eq(human.id, lookup.human))
    .leftJoin(agent, eq(agent.id, lookup.agent))
    .leftJoin(tool, eq(tool.id, lookup.tool))
    .where(and(...wanted))
    .orderBy(newestFirst ? desc(lookup.seq) : asc(lookup.seq))
    .limit(Math.min(Math.max(1, limit), MAX_ITEMS));
}
