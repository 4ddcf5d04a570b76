/**
 * One attempt to call a tool, from the host's words to what the ledger keeps of it.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { canonicalJson, toJson } from '../attribution/canonical.ts';
import type { Judgement } from '../attribution/judge.ts';
import type { CallOrigin, Json, ToolCall } from '../attribution/tool-call.ts';
import { CrumbError } from '../errors.ts';
import { commitBytes, commitJson } from '../evidence/commitment.ts';
import type { CallRecord, Commitment, DecisionRecord } from '../evidence/kinds.ts';
import type { Opening } from '../vault/vault.ts';
import type { ActingState } from './acting-agent.ts';

/** Larger arguments are committed to, and only their salt is kept: they can be shown by who has them. */
const MAX_KEPT_CHARACTERS = 262_144;

export interface Attempt {
  readonly state: ActingState;
  readonly call: ToolCall;
  /** Null for arguments that are no JSON: they cannot be judged, so such a call never runs. */
  readonly json: { readonly value: Json } | null;
  readonly commitment: Commitment;
  readonly opening: Opening | undefined;
  readonly decision: DecisionRecord | null;
}

export interface AttemptOptions {
  readonly id: string;
  readonly tool: string;
  readonly resource: string;
  readonly action: string;
  readonly args: unknown;
  readonly origin: CallOrigin;
  readonly decision?: DecisionRecord | undefined;
  /** Whether the vault keeps the value; its salt is always kept. */
  readonly store: boolean;
  /** The salt of an approval's request, whose commitment this attempt repeats. */
  readonly salt?: Uint8Array | undefined;
}

export function createAttempt(state: ActingState, options: AttemptOptions): Attempt {
  const { id, tool, resource, action, args, origin, store } = options;
  const salt = options.salt ?? randomBytes(32);
  const json = readJson(args);
  const call = { id, tool, resource, action, args: json?.value ?? null, origin };
  const decision = options.decision ?? null;
  if (json === null) {
    return {
      state,
      call,
      json,
      commitment: commitBytes(salt, 'args.bytes', new Uint8Array()),
      opening: undefined,
      decision,
    };
  }
  const commitment = commitJson(salt, 'args', json.value);
  const subject = state.attended?.login.subject.key;
  const keep = store && canonicalJson(json.value).length <= MAX_KEPT_CHARACTERS;
  const opening: Opening = {
    commitment,
    label: 'args',
    salt,
    ...(keep ? { value: json.value } : {}),
    ...(subject === undefined ? {} : { subject }),
  };
  return { state, call, json, commitment, opening, decision };
}

export function callRecordOf({ call, commitment }: Attempt): CallRecord {
  const { id, tool, resource, action, origin } = call;
  return { id, tool, resource, action, args: commitment, origin };
}

/** An attempt with what was decided about it. */
export interface JudgedAttempt extends Attempt {
  readonly judgement: Judgement;
}

/** What an intent and a refusal have in common. */
export function attemptBody(
  attempt: Attempt,
  judgement: Judgement,
): {
  readonly human: string | null;
  readonly chain: ActingState['chain'];
  readonly call: CallRecord;
  readonly mode: ActingState['gateway']['mode'];
  readonly verdict: Judgement['verdict'];
  readonly reason: Judgement['reason'];
  readonly directive: Judgement['directive'];
  readonly decision: DecisionRecord | null;
} {
  const { state, decision } = attempt;
  const { verdict, reason, directive } = judgement;
  return {
    human: state.attended?.login.human ?? null,
    chain: state.chain,
    call: callRecordOf(attempt),
    mode: state.gateway.mode,
    verdict,
    reason:
      reason === null ? null : { code: reason.code, argument: knownArgument(attempt, judgement) },
    directive,
    decision,
  };
}

/** An argument that no directive names was named by the model: such a name is not written down. */
function knownArgument({ state }: Attempt, { reason, directive }: Judgement): string | null {
  if (reason === null || directive === null) return null;
  const schemas = state.attended?.login.facts.directives[directive]?.args;
  if (reason.argument === null || schemas === undefined) return null;
  return Object.hasOwn(schemas, reason.argument) ? reason.argument : null;
}

function readJson(args: unknown): { value: Json } | null {
  try {
    return { value: toJson(args) };
  } catch (error) {
    if (error instanceof CrumbError) return null;
    throw error;
  }
}
