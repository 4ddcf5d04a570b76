/**
 * What entries say, one after the other: references, verdicts, chains and tokens.
 *
 * @module
 */
import { isKnownKind } from '../evidence/entry.ts';
import type { Entry } from '../evidence/kinds.ts';
import {
  noteAbsent,
  noteErasure,
  noteUnjudged,
  reportAbsences,
  startAbsences,
  type Absences,
} from './absences.ts';
import type { HeaderLine } from './bundle-lines.ts';
import type { PlacedEntry } from './chain-check.ts';
import { openIntents, setKind, startFacts, type Facts, type KnownSession } from './facts.ts';
import type { FindingLog } from './finding-log.ts';
import type { InFlight } from './in-flight.ts';
import { judgeAgain, type AttemptEntry } from './judge-again.ts';
import type { KeyRing } from './key-ring.ts';
import { checkLogin } from './login-check.ts';
import { commitmentsOf, dropStale, openFor, startOpenings, type Openings } from './openings.ts';
import { checkReferences, type ReferenceContext } from './references.ts';
import { countEntry, countKind, firstSince, noteTime, startTally, type Tally } from './tally.ts';
import { checkDelegation, keepKeySets, startTokens, type Tokens } from './token-check.ts';
import type { Trust } from './trust.ts';

/** What contents are held against. */
export interface ContentContext {
  readonly header: HeaderLine;
  readonly log: FindingLog;
  readonly keys: KeyRing;
  readonly inFlight: InFlight;
  readonly trust: Trust;
  /** Says that the line at hand does not belong where it stands. */
  readonly misplaced: () => void;
}

export interface Contents extends ContentContext {
  readonly facts: Facts;
  readonly openings: Openings;
  readonly tokens: Tokens;
  readonly absences: Absences;
  readonly tally: Tally;
  readonly references: ReferenceContext;
  /** Ranges that `prune` entries allow to be empty, and ranges that are. */
  readonly prunes: { readonly start: number; readonly end: number }[];
  readonly gone: { start: number; end: number }[];
}

export function startContents(context: ContentContext): Contents {
  const { header, log, inFlight, trust } = context;
  const facts = startFacts();
  const openings = startOpenings(log);
  const whole = header.mode === 'range';
  return {
    ...context,
    facts,
    openings,
    tokens: startTokens({ log, facts, openings, inFlight, trust }),
    absences: startAbsences(),
    tally: startTally(),
    references: { facts, log, whole, from: whole ? header.start : 0 },
    prunes: [],
    gone: [],
  };
}

/** Takes an entry. If it answers a promise, wait for it. */
export function takeContent(contents: Contents, placed: PlacedEntry): Promise<void> | undefined {
  const { seq, entry } = placed;
  const { facts, openings, tally, log } = contents;
  const known = entry !== undefined && isKnownKind(entry) ? entry : undefined;
  if (!keepKeySets(contents.tokens, known)) contents.misplaced();
  const kind = known?.kind ?? (entry === undefined ? 'malformed' : 'unknown');
  countKind(tally, kind);
  if (entry !== undefined && !noteTime(tally, entry)) log.add({ code: 'time_backwards', seq });
  if (entry !== undefined && known === undefined) {
    log.add({ code: 'entry_unknown_kind', seq, kind: entry.kind });
  }
  const wait = known === undefined ? undefined : takeKnown(contents, placed, known);
  dropStale(openings);
  setKind(facts, seq, kind);
  return wait;
}

/** Takes a place whose entry is gone. */
export function takeGone({ facts, tally, gone }: Contents, seq: number): void {
  countKind(tally, 'pruned');
  setKind(facts, seq, 'pruned');
  const last = gone.at(-1);
  if (last?.end === seq) last.end = seq + 1;
  else gone.push({ start: seq, end: seq + 1 });
}

/** Says what is left open when all entries were given. */
export function finishContents(contents: Contents): void {
  const { log, facts, openings, absences, tokens, tally, header } = contents;
  dropStale(openings);
  if (!keepKeySets(tokens, undefined)) contents.misplaced();
  for (const seq of openIntents(facts)) {
    tally.outcomes.unknown++;
    if (header.mode === 'range') log.add({ code: 'outcome_unknown', seq });
  }
  reportAbsences(absences, log);
  const { absent } = tokens;
  if (absent.count > 0) log.add({ code: 'token_unavailable', ...absent });
  for (const { start, end } of contents.gone) {
    const allowed = contents.prunes.some((prune) => prune.start <= start && end <= prune.end);
    log.add(
      allowed
        ? { code: 'pruned_by_policy', from: start, size: end }
        : { code: 'entry_malformed', seq: start },
    );
  }
}

function takeKnown(
  contents: Contents,
  { seq, leaf }: PlacedEntry,
  entry: Entry,
): Promise<void> | undefined {
  const { openings, facts, absences, header, references, tokens } = contents;
  if (openings.fresh.length > 0 || header.vault) {
    const places = commitmentsOf(entry);
    openFor(openings, seq, places);
    if (header.vault) noteAbsent(absences, { entry, facts, openings }, places);
  }
  // Genesis stands first and nowhere else: it says whose ledger this is.
  if ((entry.kind === 'genesis') !== (seq === 0))
    contents.log.add({ code: 'entry_malformed', seq });
  checkReferences(references, entry);
  countEntry(contents.tally, entry);
  switch (entry.kind) {
    case 'genesis':
      if (seq === 0) contents.keys.genesis(entry.body, leaf);
      return undefined;
    case 'session':
      return checkLogin({ facts, openings, tokens }, entry);
    case 'intent':
    case 'refusal':
      return takeAttempt(contents, entry);
    case 'hop':
      return checkDelegation(tokens, entry, facts.sessions.get(entry.body.session));
    case 'outcome':
      facts.openFor.delete(entry.body.intent);
      return undefined;
    default:
      return takeAdministration(contents, entry);
  }
}

function takeAttempt(contents: Contents, entry: AttemptEntry): Promise<void> | undefined {
  const { facts, openings, log, absences, tally, tokens, header } = contents;
  const { seq, body } = entry;
  const session = body.session === null ? undefined : facts.sessions.get(body.session);
  const result = judgeAgain(entry, { facts, session, args: openings.known.get(body.call.args) });
  if (result === 'unknown') noteUnjudged(absences, seq);
  else {
    tally.judged++;
    if (result !== 'same') log.add({ code: 'verdict_mismatch', seq, expected: result.expected });
  }
  if (entry.kind === 'refusal') return undefined;
  if (header.vault && body.human !== null)
    rememberHuman(facts, seq, { human: body.human, session });
  return checkDelegation(tokens, entry, session);
}

/** The login's string if it is the same, so that a million crumbs do not keep a million of them. */
function rememberHuman(
  { openFor: humans }: Facts,
  seq: number,
  { human, session }: { readonly human: string; readonly session: KnownSession | undefined },
): void {
  humans.set(seq, session?.human === human ? session.human : human);
}

/** Entries about the ledger itself. */
function takeAdministration(contents: Contents, entry: Entry): Promise<void> | undefined {
  const { log, keys, tally, absences, prunes } = contents;
  const { seq } = entry;
  switch (entry.kind) {
    case 'erasure':
      noteErasure(absences, seq, entry.body);
      return undefined;
    case 'prune':
      prunes.push(entry.body);
      return undefined;
    case 'key': {
      const { role, op, since } = entry.body;
      if (role !== 'ledger') return undefined;
      if (op === 'revoke' && since !== null) {
        log.add({ code: 'key_compromised_window', from: firstSince(tally, since), size: seq + 1 });
      }
      return keys.change(seq, entry.body);
    }
    default:
      return undefined;
  }
}
