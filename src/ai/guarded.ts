/**
 * Which `execute` functions are guarded, and by what. The mark is on the function, so that it survives
 * every copy that a host makes of the tool around it.
 *
 * @module
 */
import type { DecisionRecord } from '../evidence/kinds.ts';
import type { ActingAgent } from '../gateway/acting-agent.ts';
import type { CloseCall } from '../gateway/close-call.ts';
import type { CallRequest } from '../gateway/record-tool-call.ts';
import type { Scope } from '../gateway/scope.ts';

/** `execute` of a tool, in any version of the host. */
export type Execute = (args: unknown, options?: unknown) => unknown;

/** What a guarded `execute` does once it may. */
export interface Work {
  /** Whether it yields: an async generator stays one, and nothing else becomes one. */
  readonly streams: boolean;
  /** For a delegation: the agent, by its name in `issuer.agents`. */
  readonly delegateTo?: string;
  /** Gets token and intent. @throws {CrumbError} It must not run. */
  readonly open: (acting: ActingAgent, request: CallRequest) => Promise<Running>;
}

/** Work whose intent is durable. */
export interface Running {
  /** To run it in. */
  readonly scope: Scope;
  readonly run: (options: unknown) => unknown;
  readonly close: CloseCall;
}

/** A guard around some work. */
export interface Guarded {
  /** The key in the set of tools: what the model calls it. */
  readonly name: string;
  /** Undefined: whichever agent acts where it is called. */
  readonly acting: ActingAgent | undefined;
  readonly work: Work;
  /** What the application's policy said about a call, for the record. */
  readonly decisionOf?: ((id: string) => DecisionRecord | undefined) | undefined;
  /** Whether the application relies on `toolApproval`, which only version 7 of the host asks. */
  readonly hasPolicy?: boolean | undefined;
}

/** In the registry, so that two copies of this package know each other's guards. */
const BRAND = Symbol.for('crumb.guarded');

const guards = new WeakMap<object, Guarded>();

/** Marks a function as the guard that it is. */
export function markGuarded(execute: Execute, guarded: Guarded): Execute {
  guards.set(execute, guarded);
  return Object.defineProperty(execute, BRAND, { value: true });
}

/** The guard behind a function, if this copy of the package made it. */
export function guardedOf(execute: unknown): Guarded | undefined {
  return typeof execute === 'function' ? guards.get(execute) : undefined;
}

/** Whether a function is a guard, also of another copy of this package. */
export function isGuarded(execute: unknown): boolean {
  return typeof execute === 'function' && Reflect.get(execute, BRAND) === true;
}
