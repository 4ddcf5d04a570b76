/**
 * Judges recorded calls again, with the recorder's own function, as far as arguments and directives can
 * be opened.
 *
 * @module
 */
import type { ActChain, Actor } from '../attribution/act-chain.ts';
import { judge, judgeDelegation, UNATTRIBUTED, type Judgement } from '../attribution/judge.ts';
import type { Json } from '../attribution/tool-call.ts';
import type { Entry } from '../evidence/kinds.ts';
import type { Facts, KnownDirective, KnownDirectives, KnownSession } from './facts.ts';
import type { Opened } from './openings.ts';
import { childOf, EXCHANGE_MS } from './references.ts';

/** An entry that records a verdict on a call. */
export type AttemptEntry = Extract<Entry, { readonly kind: 'intent' | 'refusal' }>;

/** What judging again came to; `unknown` where something that it rests on is not here. */
export type Rejudged = 'same' | 'unknown' | { readonly expected: Judgement['verdict'] };

/** What a call's verdict rests on. */
export interface Grounds {
  readonly facts: Facts;
  /** Undefined if the entry names none, or one that is not here. */
  readonly session: KnownSession | undefined;
  readonly args: Opened | undefined;
}

/** Judges an attempt again, and counts its use. */
export function judgeAgain(entry: AttemptEntry, grounds: Grounds): Rejudged {
  const { body } = entry;
  if (body.session === null) return compare(body, [UNATTRIBUTED]);
  if (body.approval !== null) return compare(body, [APPROVED]);
  if (isFailedApproval(entry)) return 'unknown';
  const { session } = grounds;
  const directives = session?.directives;
  const chain = chainOf(body.chain);
  if (session === undefined || directives === undefined || chain === undefined) return 'unknown';

  const args = argumentsOf(entry, grounds.args);
  const found = judgements(entry, { session, directives, chain, args });
  if (found === undefined) return 'unknown';
  if (body.reason?.code === 'uses') return rejudgeUses(body, found, { ...grounds, directives });
  const result = compare(body, found);
  if (result === 'same' && !takeUse(entry, { ...grounds, directives })) {
    return { expected: 'unauthorized' };
  }
  return result;
}

/** A yes stands for a directive of its own, which no login has. */
const APPROVED: Judgement = { verdict: 'authorized', directive: null, reason: null };

/**
 * An approved call that did not run after all: the approval was not used, so it is not on record, and
 * nobody can say any more that there was one.
 */
function isFailedApproval({ kind, body }: AttemptEntry): boolean {
  const { call, verdict, directive } = body;
  const approved = verdict === 'authorized' && directive === null;
  return kind === 'refusal' && call.origin === 'approval-replay' && approved;
}

interface Question {
  readonly session: KnownSession;
  readonly directives: KnownDirectives;
  readonly chain: ActChain;
  /** Undefined if they could not be opened. */
  readonly args: Json | undefined;
}

/**
 * What the recorder may have found: it judged a little before it wrote, and a directive may have expired
 * in between. Undefined if it depends on what could not be opened.
 */
function judgements(entry: AttemptEntry, question: Question): readonly Judgement[] | undefined {
  const { session, directives, chain, args } = question;
  const { call } = entry.body;
  const child = childOf(call);
  const moments = momentsBefore(entry.time, directives).map((now) => ({ iss: session.iss, now }));
  if (child !== undefined) {
    const actor = { iss: session.iss, sub: child };
    return moments.map((context) => judgeDelegation(directives.opened, chain, actor, context));
  }
  // Limits that cannot be looked at are left out: if such a directive then covers the call, it might not.
  const readable = args === undefined ? directives.bare : directives.opened;
  const found = moments.map((context) =>
    judge(readable, { ...call, args: args ?? null }, chain, context),
  );
  const inDoubt = found.some(({ verdict, directive }) => {
    const known = directives.each[directive ?? -1];
    const limited = known?.complete === false || known?.directive.args !== undefined;
    const dark = args === undefined ? limited : known?.complete === false;
    return verdict === 'authorized' && dark;
  });
  return inDoubt ? undefined : found;
}

/** The arguments as they were judged. What is no JSON was judged as null, and never ran. */
function argumentsOf({ kind, body }: AttemptEntry, opened: Opened | undefined): Json | undefined {
  if (kind === 'refusal' && body.code === 'arguments_not_json') return null;
  return opened === undefined || opened === 'closed' ? undefined : opened.value;
}

/** The time of writing, and the moments before it at which another directive still held. */
function momentsBefore(time: string, directives: KnownDirectives): readonly Date[] {
  if (!directives.expire) return ANY_TIME;
  const written = Date.parse(time);
  const ended = directives.opened.flatMap(({ expires }) => {
    const end = expires?.getTime() ?? Number.NaN;
    return end <= written && end > written - EXCHANGE_MS ? [new Date(end - 1)] : [];
  });
  return [new Date(written), ...ended];
}

/** Where no directive expires. */
const ANY_TIME: readonly Date[] = [new Date(0)];

function compare(
  body: AttemptEntry['body'],
  found: readonly Judgement[],
): 'same' | { readonly expected: Judgement['verdict'] } {
  // The name of an argument is not compared: names that no schema has are not recorded.
  const same = found.some(
    ({ verdict, directive, reason }) =>
      verdict === body.verdict &&
      directive === body.directive &&
      (reason?.code ?? null) === (body.reason?.code ?? null),
  );
  return same ? 'same' : { expected: found[0]?.verdict ?? 'unauthorized' };
}

interface UseGrounds {
  readonly facts: Facts;
  readonly session: KnownSession | undefined;
  readonly directives: KnownDirectives;
}

/** Takes the use of an authorized intent; false if its token had none left. Refusals take none. */
function takeUse(entry: AttemptEntry, { facts, session, directives }: UseGrounds): boolean {
  const { body, kind } = entry;
  const known = directives.each[body.directive ?? -1];
  const max = known?.directive.maxUses;
  if (kind !== 'intent' || body.verdict !== 'authorized') return true;
  if (known === undefined || max === undefined || childOf(body.call) !== undefined) return true;
  known.used++;
  const id = usesId(session, known);
  if (id !== undefined) facts.uses.set(id, (facts.uses.get(id) ?? 0) + 1);
  return known.used <= max;
}

/**
 * Whether "no use left" can be true. Uses are counted for a login, which several entries may open when
 * several processes record; so all uses of the same directive by the same human may have counted.
 */
function rejudgeUses(
  body: AttemptEntry['body'],
  found: readonly Judgement[],
  { facts, session, directives }: UseGrounds,
): Rejudged {
  const covered = found.find(
    ({ verdict, directive }) => verdict === 'authorized' && directive === body.directive,
  );
  const known = directives.each[body.directive ?? -1];
  const max = known?.directive.maxUses;
  const claimed = body.verdict === 'unauthorized' && covered !== undefined;
  if (!claimed || known === undefined || max === undefined) {
    return { expected: found[0]?.verdict ?? 'unauthorized' };
  }
  if (known.used >= max) return 'same';
  const id = usesId(session, known);
  if (id === undefined) return 'unknown';
  return (facts.uses.get(id) ?? 0) >= max ? 'same' : { expected: 'authorized' };
}

function usesId(session: KnownSession | undefined, { id }: KnownDirective): string | undefined {
  return id === undefined || session === undefined ? undefined : `${session.human} ${id}`;
}

function chainOf([first, ...rest]: readonly Actor[]): ActChain | undefined {
  return first === undefined ? undefined : [first, ...rest];
}
