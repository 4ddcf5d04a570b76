/**
 * What can be searched, taken from the entries after they were committed. A cache: nothing is proved by
 * it, and it can be made again at any time.
 *
 * @module
 */
import type { Entry } from '../../evidence/kinds.ts';
import { knownEntry } from '../../ledger/opening.ts';
import type { Connection, Run, SqlValue } from './connection.ts';
import { END, PAGE, readsOver } from './ledger-rows.ts';
import { endOf, numberOf, textOf } from './rows.ts';

const NEXT = 'SELECT next FROM lookup_progress';

/** Takes in all entries appended so far, 1,000 in a transaction. */
export async function catchUpLookup(connection: Connection): Promise<void> {
  for (;;) {
    const [row] = (await connection.read(NEXT)).rows;
    const { size } = endOf(await connection.read(END));
    if (row !== undefined && numberOf(row, 'next') >= size) return;
    await connection.repeatably(takeInPage);
  }
}

/** Forgets everything and takes it in again. */
export async function rebuildLookup(connection: Connection): Promise<void> {
  await connection.repeatably(async (run) => {
    await run('DELETE FROM lookup');
    await run('DELETE FROM lookup_name');
    await run('INSERT OR REPLACE INTO lookup_progress (id, next) VALUES (1, 0)');
  });
  await catchUpLookup(connection);
}

async function takeInPage(run: Run): Promise<void> {
  const [progress] = (await run(NEXT)).rows;
  const next = progress === undefined ? 0 : numberOf(progress, 'next');
  const page = await readsOver(run).page(next, next + PAGE);
  const last = page.at(-1);
  if (last === undefined) return;

  const attempts = new Map<number, Attempt>();
  const earlier: Outcome[] = [];
  for (const row of page) {
    const entry = knownEntry(row); // what is damaged is the verifier's to report
    if (entry === undefined) continue;
    if (entry.kind === 'outcome') noteOutcome(entry, attempts, earlier);
    else if (isAttempt(entry)) attempts.set(entry.seq, attemptOf(entry));
  }
  await insertAttempts(run, [...attempts.values()]);
  await updateOutcomes(run, earlier);
  await run('INSERT OR REPLACE INTO lookup_progress (id, next) VALUES (1, ?)', [last.seq + 1]);
}

/** Kinds that a search finds; an outcome is found with its intent. */
type AttemptEntry = Extract<Entry, { readonly kind: 'intent' | 'refusal' | 'observed' }>;
type OutcomeEntry = Extract<Entry, { readonly kind: 'outcome' }>;

interface Attempt {
  readonly seq: number;
  readonly timeMs: number;
  readonly human: string | null;
  readonly agent: string | null;
  readonly tool: string | null;
  readonly session: number | null;
  readonly verdict: string | null;
  readonly callId: string | null;
  readonly outcome: Outcome | null;
}

interface Outcome {
  readonly intent: number;
  readonly seq: number;
}

function isAttempt(entry: Entry): entry is AttemptEntry {
  return entry.kind === 'intent' || entry.kind === 'refusal' || entry.kind === 'observed';
}

function attemptOf({ seq, time, body }: AttemptEntry): Attempt {
  return {
    seq,
    timeMs: Date.parse(time),
    human: body.human,
    agent: body.chain.at(-1)?.sub ?? null,
    tool: body.call?.tool ?? null,
    session: body.session,
    verdict: body.verdict,
    callId: body.call?.id ?? null,
    outcome: null,
  };
}

function noteOutcome(
  entry: OutcomeEntry,
  attempts: Map<number, Attempt>,
  earlier: Outcome[],
): void {
  const outcome = { intent: entry.body.intent, seq: entry.seq };
  const attempt = attempts.get(outcome.intent);
  if (attempt === undefined) earlier.push(outcome);
  else attempts.set(outcome.intent, { ...attempt, outcome });
}

async function insertAttempts(run: Run, attempts: readonly Attempt[]): Promise<void> {
  if (attempts.length === 0) return;
  const ids = await namesOf(run, attempts);
  const idOf = (name: string | null): SqlValue => (name === null ? null : (ids.get(name) ?? null));
  const args = attempts.flatMap((attempt) => valuesOf(attempt, idOf));
  const values = listOf(attempts.length, '(?, ?, ?, ?, ?, ?, ?, ?, ?)');
  await run(
    `INSERT OR REPLACE INTO lookup (seq, time, human, agent, tool, session, verdict, call_id, outcome)
     VALUES ${values}`,
    args,
  );
}

function valuesOf(attempt: Attempt, idOf: (name: string | null) => SqlValue): SqlValue[] {
  const { seq, timeMs, human, agent, tool, session, verdict, callId, outcome } = attempt;
  const names = [idOf(human), idOf(agent), idOf(tool)];
  return [seq, timeMs, ...names, session, verdict, callId, outcome?.seq ?? null];
}

async function updateOutcomes(run: Run, outcomes: readonly Outcome[]): Promise<void> {
  if (outcomes.length === 0) return;
  await run(
    `UPDATE lookup SET outcome = o.column2
     FROM (VALUES ${listOf(outcomes.length, '(?, ?)')}) AS o WHERE lookup.seq = o.column1`,
    outcomes.flatMap(({ intent, seq }) => [intent, seq]),
  );
}

/** Numbers for names: an index over numbers is a third of one over pseudonyms. */
async function namesOf(
  run: Run,
  attempts: readonly Attempt[],
): Promise<ReadonlyMap<string, number>> {
  const all = attempts.flatMap(({ human, agent, tool }) => [human, agent, tool]);
  const names = [...new Set(all.filter((name) => name !== null))];
  if (names.length === 0) return new Map();
  await run(
    `INSERT OR IGNORE INTO lookup_name (value) VALUES ${listOf(names.length, '(?)')}`,
    names,
  );
  const { rows } = await run(
    `SELECT id, value FROM lookup_name WHERE value IN (${listOf(names.length, '?')})`,
    names,
  );
  return new Map(rows.map((row) => [textOf(row, 'value'), numberOf(row, 'id')]));
}

function listOf(count: number, item: string): string {
  return Array<string>(count).fill(item).join(', ');
}
