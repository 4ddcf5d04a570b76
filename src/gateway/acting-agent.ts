/**
 * The agent that acts: made by a session (or, for jobs, without one), never by a model.
 *
 * @module
 */
import type { ActChain } from '../attribution/act-chain.ts';
import type { Json } from '../attribution/tool-call.ts';
import { CrumbError } from '../errors.ts';
import type { DecisionRecord } from '../evidence/kinds.ts';
import type { Grant } from '../exchange/exchange.ts';
import type { Gateway } from './gateway.ts';
import type { HopStanding } from './hop-standing.ts';
import type { Login } from './login.ts';

/** A call for {@link ActingAgent.invoke}. It has no field for who. */
export interface Invocation {
  /** The host's id of the call, if it has one. */
  readonly id?: string;
  readonly tool: string;
  /** Any JSON value; what the tool is given. */
  readonly args: unknown;
  /** A policy engine's answer to this call, for the record. */
  readonly decision?: DecisionRecord;
  readonly signal?: AbortSignal;
}

/** An agent acting for a human, or unattended. It knows no host and holds no token that prints. */
export interface ActingAgent {
  /** Its name in `issuer.agents`. */
  readonly name: string;
  /** From the agent that the human directed to this one. */
  readonly chain: ActChain;

  /** Runs `fn` with this agent as the one that acts: ambient tools inside belong to it. */
  run<T>(fn: () => T): T;

  /** A `fetch` that carries the token of this agent's running call. @throws {CrumbError} `call_missing` */
  readonly fetch: typeof globalThis.fetch;

  /**
   * Runs one tool call: judges it, gets its token, records the intent, runs `fn`, records the outcome.
   *
   * @param fn Gets exactly the arguments that were judged. `crumb.current()` works inside.
   * @throws {CrumbError} `fn` did not run; see the code. Errors of `fn` pass through unchanged.
   */
  invoke<T>(call: Invocation, fn: (args: Json) => T | Promise<T>): Promise<T>;

  /**
   * Delegates to another registered agent, one hop deeper, and runs `fn` as that agent. The delegation
   * is recorded as a call of action `delegate`, and its outcome when `fn` ends.
   *
   * @throws {CrumbError} `fn` did not run; see the code.
   */
  delegate<T>(
    child: string,
    call: Invocation,
    fn: (acting: ActingAgent, args: Json) => T | Promise<T>,
  ): Promise<T>;
}

/** What stands behind an acting agent. */
export interface ActingState {
  readonly gateway: Gateway;
  readonly name: string;
  readonly chain: ActChain;
  /** Undefined for unattended jobs. */
  readonly attended: { readonly login: Login; readonly grant: Grant } | undefined;
  /** The hop through which this agent came to act. */
  readonly hop: HopStanding | null;
}

const states = new WeakMap<ActingAgent, ActingState>();

/** Ties an agent to its state, which no host and no log can reach. */
export function registerActing(acting: ActingAgent, state: ActingState): ActingAgent {
  states.set(acting, state);
  return Object.freeze(acting);
}

/** @throws {CrumbError} `session_missing`: not made by a Crumb, so nobody is behind it. */
export function stateOf(acting: ActingAgent): ActingState {
  const state = states.get(acting);
  if (state === undefined) throw new CrumbError('session_missing');
  return state;
}
