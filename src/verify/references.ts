/**
 * References: every `#` of an entry must point to an earlier entry of the right kind, of the same login,
 * and say what that one says.
 *
 * @module
 */
import { sameActor, sameChain, type Actor } from '../attribution/act-chain.ts';
import type { CallRecord, Entry, Kind, TokenRecord } from '../evidence/kinds.ts';
import {
  closeIntent,
  internChain,
  kindAt,
  type Facts,
  type KnownApproval,
  type KnownDelegation,
  type KnownHop,
  type KnownSession,
  type PlaceKind,
} from './facts.ts';
import type { FindingLog } from './finding-log.ts';

/** Where references are checked. */
export interface ReferenceContext {
  readonly facts: Facts;
  readonly log: FindingLog;
  /** Entries below are not all here: what points there is not checked. */
  readonly from: number;
  /** Whether every entry from there on is here. */
  readonly whole: boolean;
}

/** Action and resource of a call that hands over to another agent. */
const DELEGATE = 'delegate';
const AGENT = 'urn:agent:';

/** What an exchange may take, between judging a call and recording it. */
export const EXCHANGE_MS = 120_000;

/** The agent that a call delegates to; undefined for any other call. */
export function childOf({ action, resource }: CallRecord): string | undefined {
  return action === DELEGATE && resource.startsWith(AGENT)
    ? resource.slice(AGENT.length)
    : undefined;
}

type EntryOf<K extends Kind> = Extract<Entry, { readonly kind: K }>;

/** Checks one entry, and remembers of it what later ones may point to. Sessions are remembered apart. */
export function checkReferences(context: ReferenceContext, entry: Entry): void {
  switch (entry.kind) {
    case 'session':
      return checkSession(context, entry);
    case 'approval':
      return checkApproval(context, entry);
    case 'hop':
      return checkHop(context, entry);
    case 'intent':
      return checkIntent(context, entry);
    case 'refusal':
      return void checkAttempt(context, entry);
    case 'outcome':
      return checkOutcome(context, entry);
    case 'observed':
      return checkObserved(context, entry);
    case 'anchor':
      return checkAnchor(context, entry);
    case 'key':
      return rememberKeySet(context, entry);
    case 'prune':
      return checkPrune(context, entry);
    case 'correction':
      return void pointsTo(context, { seq: entry.seq, member: 'of', to: entry.body.of });
    default:
      break; // the others point nowhere
  }
}

interface Reference {
  readonly seq: number;
  readonly member: string;
  readonly to: number;
}

/**
 * Whether a reference can be followed: `false` was logged, undefined means that what it points to is
 * not here.
 */
function pointsTo(
  context: ReferenceContext,
  reference: Reference,
  kind?: PlaceKind,
): boolean | undefined {
  const { seq, member, to } = reference;
  const found = kindAt(context.facts, to);
  if (to < seq && (found === kind || (found !== undefined && kind === undefined))) return true;
  const absent = found === undefined && (to < context.from || !context.whole);
  if (to < seq && (absent || found === 'pruned' || found === 'malformed')) return undefined;
  return broken(context, seq, member, to);
}

// oxlint-disable-next-line max-params -- one line in each of its many callers
function broken({ log }: ReferenceContext, seq: number, member: string, to: number | null): false {
  log.add({ code: 'reference_broken', seq, member, to });
  return false;
}

/** The login that an entry names; undefined if it names none or that cannot be followed. */
function sessionAt(
  context: ReferenceContext,
  seq: number,
  to: number | null,
): KnownSession | undefined {
  if (to === null || pointsTo(context, { seq, member: 'session', to }, 'session') !== true) {
    return undefined;
  }
  const session = context.facts.sessions.get(to);
  if (session === undefined) broken(context, seq, 'session', to); // one that ends or denies a login
  return session;
}

function checkSession(context: ReferenceContext, { seq, body }: EntryOf<'session'>): void {
  if ((body.op === 'open') !== (body.session === null)) {
    broken(context, seq, 'session', body.session);
  } else if (body.session !== null) {
    const first = sessionAt(context, seq, body.session);
    const same =
      first === undefined ||
      (first.seq === first.root && first.human === body.human && first.iss === body.iss);
    if (!same) broken(context, seq, 'session', body.session);
  }
  if (body.jwks !== null) checkKeySet(context, seq, { iss: body.iss, jwks: body.jwks });
}

function checkKeySet(
  context: ReferenceContext,
  seq: number,
  token: Pick<TokenRecord, 'iss' | 'jwks'>,
): void {
  const to = token.jwks;
  if (pointsTo(context, { seq, member: 'jwks', to }, 'key') !== true) return;
  if (context.facts.keySets.get(to)?.iss !== token.iss) broken(context, seq, 'jwks', to);
}

function checkApproval(context: ReferenceContext, { seq, body }: EntryOf<'approval'>): void {
  const session = sessionAt(context, seq, body.session);
  if (session === undefined) return;
  if (session.human !== body.human) broken(context, seq, 'human', body.session);
  const { call, expires } = body;
  context.facts.approvals.set(seq, { root: session.root, call, expires });
}

function checkHop(context: ReferenceContext, { seq, body }: EntryOf<'hop'>): void {
  const { facts } = context;
  const session = sessionAt(context, seq, body.session);
  const { intent, token, parent } = body;
  checkKeySet(context, seq, token);
  if (parent !== null) pointsTo(context, { seq, member: 'parent', to: parent }, 'hop');
  if (pointsTo(context, { seq, member: 'intent', to: intent }, 'intent') !== true) return;
  const delegation = facts.delegations.get(intent);
  const fits =
    delegation !== undefined &&
    (session === undefined || delegation.root === session.root) &&
    (delegation.seen ? renews(context, delegation, body) : opens(context, delegation, body));
  if (!fits) broken(context, seq, 'intent', intent);
  if (delegation === undefined) return;
  delegation.seen = true;
  if (!sameChain(delegation.chain, body.chain)) grown(context, seq);
  const { root, child } = delegation;
  facts.hops.set(seq, { root, intent, chain: internChain(facts, body.chain), child });
}

type HopBody = EntryOf<'hop'>['body'];

/** The first hop of a delegation has its token, and grew from the same hop. */
function opens(context: ReferenceContext, delegation: KnownDelegation, body: HopBody): boolean {
  const first = delegation.hop === body.parent && delegation.token === body.token.c;
  // where entries are left out, it may be a renewal whose first hop is not here
  return first || (!context.whole && renews(context, delegation, body));
}

/**
 * An agent that outlives the token of its hop gets another: a hop once more, of the same agents. Its
 * parent may have been renewed meanwhile.
 */
function renews({ facts }: ReferenceContext, delegation: KnownDelegation, body: HopBody): boolean {
  return (
    delegation.token !== body.token.c &&
    sameChain(delegation.chain, body.chain) &&
    sameHop(facts, delegation.hop, body.parent)
  );
}

/** Whether two hops are of one delegation, as far as that can be said. */
function sameHop({ hops }: Facts, a: number | null, b: number | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  const [one, other] = [hops.get(a), hops.get(b)];
  return one === undefined || other === undefined || one.intent === other.intent;
}

function checkIntent(context: ReferenceContext, entry: EntryOf<'intent'>): void {
  const { seq, body } = entry;
  if (body.token !== null) checkKeySet(context, seq, body.token);
  const session = checkAttempt(context, entry);
  const child = childOf(body.call);
  if (session === undefined || child === undefined) return;
  const chain = internChain(context.facts, body.chain);
  const { hop, token } = body;
  const delegation = { root: session.root, hop, chain, child, token: token?.c, seen: false };
  context.facts.delegations.set(seq, delegation);
}

/** What an intent and a refusal have in common. Gives the login, if there is one that can be followed. */
function checkAttempt(
  context: ReferenceContext,
  entry: EntryOf<'intent' | 'refusal'>,
): KnownSession | undefined {
  const { seq, body } = entry;
  if (body.session === null) {
    if (body.human !== null) broken(context, seq, 'human', null);
    if (body.hop !== null) broken(context, seq, 'hop', body.hop);
    if (body.approval !== null) broken(context, seq, 'approval', body.approval);
    return undefined;
  }
  const session = sessionAt(context, seq, body.session);
  if (session === undefined) return undefined;
  if (session.human !== body.human) broken(context, seq, 'human', body.session);
  const { directives } = session;
  if (
    body.directive !== null &&
    directives !== undefined &&
    body.directive >= directives.each.length
  ) {
    broken(context, seq, 'directive', null);
  }
  checkChain(context, seq, { session, hop: body.hop, chain: body.chain });
  if (body.approval !== null) checkUse(context, entry, { session, to: body.approval });
  return session;
}

/** A chain is one agent longer than that of its hop, or than that of the login. */
function checkChain(
  context: ReferenceContext,
  seq: number,
  at: {
    readonly session: KnownSession;
    readonly hop: number | null;
    readonly chain: readonly Actor[];
  },
): void {
  const { session, chain } = at;
  let before: KnownHop | undefined;
  if (at.hop !== null) {
    if (pointsTo(context, { seq, member: 'hop', to: at.hop }, 'hop') !== true) return;
    before = context.facts.hops.get(at.hop);
    if (before?.root !== session.root) {
      if (before !== undefined) broken(context, seq, 'hop', at.hop);
      return;
    }
  }
  const last = chain.at(-1);
  const child = before === undefined ? undefined : { iss: session.iss, sub: before.child };
  const fits =
    last !== undefined &&
    sameChain(chain.slice(0, -1), before?.chain ?? session.chain) &&
    (child === undefined || sameActor(last, child));
  if (!fits) grown(context, seq);
}

function grown({ log }: ReferenceContext, seq: number): void {
  log.add({ code: 'chain_mismatch', seq, what: 'growth' });
}

/** An approval holds once, for the same login and exactly this call, while it lasts. */
function checkUse(
  context: ReferenceContext,
  entry: EntryOf<'intent' | 'refusal'>,
  { session, to }: { readonly session: KnownSession; readonly to: number },
): void {
  const { seq } = entry;
  if (pointsTo(context, { seq, member: 'approval', to }, 'approval') !== true) return;
  const approval = context.facts.approvals.get(to);
  context.facts.approvals.delete(to);
  const fits = approval?.root === session.root && approves(approval, entry);
  if (!fits) broken(context, seq, 'approval', to);
}

function approves(approval: KnownApproval, { body, time }: EntryOf<'intent' | 'refusal'>): boolean {
  const [approved, { call }] = [approval.call, body];
  return (
    Date.parse(time) <= Date.parse(approval.expires) + EXCHANGE_MS &&
    approved.args === call.args &&
    approved.id === call.id &&
    approved.tool === call.tool &&
    approved.resource === call.resource &&
    approved.action === call.action
  );
}

function checkOutcome(context: ReferenceContext, { seq, body }: EntryOf<'outcome'>): void {
  const to = body.intent;
  if (pointsTo(context, { seq, member: 'intent', to }, 'intent') !== true) return;
  if (!closeIntent(context.facts, to)) broken(context, seq, 'intent', to);
}

function checkObserved(context: ReferenceContext, { seq, body }: EntryOf<'observed'>): void {
  const session = sessionAt(context, seq, body.session);
  if (session !== undefined && session.human !== body.human) {
    broken(context, seq, 'human', body.session);
  }
}

/** Anchored sizes grow, and none is larger than the ledger was. */
function checkAnchor({ facts, log }: ReferenceContext, { seq, body }: EntryOf<'anchor'>): void {
  const by = JSON.stringify([body.type, body.log]);
  const before = facts.anchors.get(by) ?? 0;
  if (body.size < before || body.size > seq) log.add({ code: 'anchor_not_monotone', seq });
  facts.anchors.set(by, Math.max(before, body.size));
}

function rememberKeySet({ facts }: ReferenceContext, { seq, body }: EntryOf<'key'>): void {
  if (typeof body.key === 'string') return;
  facts.keySets.set(seq, { iss: body.key.iss, digest: body.key.jwks });
}

function checkPrune(context: ReferenceContext, { seq, body }: EntryOf<'prune'>): void {
  if (body.start >= body.end || body.end > seq) broken(context, seq, 'end', body.end);
}
