/**
 * Decides whether what a human authorised covers a tool call. Pure: the recorder and the offline
 * verifier call the same function and must come to the same answer.
 *
 * @module
 */
import type { ActChain, Actor } from './act-chain.ts';
import { satisfies, type ArgumentSchema } from './argument-schema.ts';
import type { Directive } from './directive.ts';
import type { Json, ToolCall } from './tool-call.ts';

export type Verdict = 'authorized' | 'unauthorized' | 'unattributed';

/** Why no directive covers a call, in the order in which a directive is checked. */
export const REASON_CODES = [
  'no_directive',
  'action',
  'resource',
  'agent',
  'expired',
  'argument_missing',
  'argument_extra',
  'argument',
  'uses',
] as const;

export type ReasonCode = (typeof REASON_CODES)[number];

/** `argument` is the argument's name, never its value; null when no single one is to blame. */
export interface Reason {
  readonly code: ReasonCode;
  readonly argument: string | null;
}

/** The verdict on a call and what it rests on. */
export interface Judgement {
  readonly verdict: Verdict;
  /** The directive that covers the call or, if none does, the one that came closest. */
  readonly directive: number | null;
  /** Null exactly when the verdict is `authorized` or `unattributed`. */
  readonly reason: Reason | null;
}

/** No human session was behind the call. */
export const UNATTRIBUTED: Judgement = { verdict: 'unattributed', directive: null, reason: null };

/** Where and when a call is judged. */
export interface JudgingContext {
  /** The session's issuer: `agents` of a directive are subjects there. */
  readonly iss: string;
  readonly now: Date;
}

/**
 * Judges a call of a resource. Uses are counted where calls are recorded: see {@link spentUses}.
 */
// oxlint-disable-next-line max-params -- what was allowed, what is done, by whom, when and where
export function judge(
  directives: readonly Directive[],
  call: ToolCall,
  chain: ActChain,
  context: JudgingContext,
): Judgement {
  return closest(directives, (directive) => {
    if (directive.callId !== undefined && directive.callId !== call.id) return undefined;
    return missOf(directive, call, { chain, ...context });
  });
}

/**
 * Judges the delegation to another agent. It spends no use and is matched on agents and expiry only:
 * what the child may do is judged when it does it.
 */
// oxlint-disable-next-line max-params -- as for `judge`
export function judgeDelegation(
  directives: readonly Directive[],
  chain: ActChain,
  child: Actor,
  context: JudgingContext,
): Judgement {
  return closest(directives, (directive) => {
    if (directive.source === 'approval') return undefined;
    const admitted = admits(directive, [...chain, child], context.iss);
    if (!admitted) return { code: 'agent', argument: null };
    return isExpired(directive, context.now) ? { code: 'expired', argument: null } : null;
  });
}

/** The judgement of a call whose directive has no use left. */
export function spentUses(judgement: Judgement): Judgement {
  return { ...judgement, verdict: 'unauthorized', reason: { code: 'uses', argument: null } };
}

/** Whether every actor is one that the directive allows. A foreign actor never is. */
export function admits(directive: Directive, actors: readonly Actor[], iss: string): boolean {
  const { agents } = directive;
  return (
    agents === undefined || actors.every((actor) => actor.iss === iss && agents.includes(actor.sub))
  );
}

export function isExpired(directive: Directive, now: Date): boolean {
  return directive.expires !== undefined && directive.expires <= now;
}

/** The first directive without a miss, or else the one whose miss comes last; ties: lowest index. */
function closest(
  directives: readonly Directive[],
  missOfOne: (directive: Directive) => Reason | null | undefined,
): Judgement {
  let best: { index: number; reason: Reason } | undefined;
  for (const [index, directive] of directives.entries()) {
    const reason = missOfOne(directive);
    if (reason === null) return { verdict: 'authorized', directive: index, reason: null };
    if (reason === undefined) continue; // not about this call at all
    if (best === undefined || rank(reason) > rank(best.reason)) best = { index, reason };
  }
  return {
    verdict: 'unauthorized',
    directive: best?.index ?? null,
    reason: best?.reason ?? { code: 'no_directive', argument: null },
  };
}

function rank(reason: Reason): number {
  return REASON_CODES.indexOf(reason.code);
}

function missOf(
  directive: Directive,
  call: ToolCall,
  { chain, iss, now }: JudgingContext & { readonly chain: ActChain },
): Reason | null {
  const miss = (code: ReasonCode, argument: string | null = null): Reason => ({ code, argument });
  if (!directive.actions.includes(call.action)) return miss('action');
  if (!directive.resources.includes(call.resource)) return miss('resource');
  if (!admits(directive, chain, iss)) return miss('agent');
  if (isExpired(directive, now)) return miss('expired');
  return directive.args === undefined
    ? null
    : missOfArguments(directive, directive.args, call.args);
}

function missOfArguments(
  directive: Directive,
  schemas: NonNullable<Directive['args']>,
  args: Json,
): Reason | null {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    return { code: 'argument', argument: null };
  }
  // Names in RFC 8785 order (UTF-16 code units), so that every implementation reports the same one.
  const given = new Map(Object.entries(args));
  const named = Object.keys(schemas).toSorted();
  const absent = named.find((name) => !given.has(name) && !directive.optional.includes(name));
  if (absent !== undefined) return { code: 'argument_missing', argument: absent };
  const extra = [...given.keys()].toSorted().find((name) => !Object.hasOwn(schemas, name));
  if (extra !== undefined) return { code: 'argument_extra', argument: extra };
  const wrong = named.find((name) => !allows(schemas[name], given.get(name)));
  return wrong === undefined ? null : { code: 'argument', argument: wrong };
}

/** An absent argument is fine here: it was looked at before. */
function allows(schema: ArgumentSchema | undefined, value: Json | undefined): boolean {
  return schema === undefined || value === undefined || satisfies(value, schema);
}
