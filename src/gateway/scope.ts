/**
 * What is going on here: which agent acts, and inside which tool call. It follows asynchronous work
 * and never passes through anything that a model, a message or a host's context can hold.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { CrumbError } from '../errors.ts';
import type { ActingAgent } from './acting-agent.ts';
import type { CurrentCall } from './current-call.ts';

export interface Scope {
  readonly acting: ActingAgent;
  /** Set inside the execution of a guarded call. */
  readonly call?: CurrentCall;
}

const ambient = new AsyncLocalStorage<Scope>();

/** Runs `fn`, and all that it starts, in a scope. */
export function within<T>(scope: Scope, fn: () => T): T {
  return ambient.run(scope, fn);
}

export function currentScope(): Scope | undefined {
  return ambient.getStore();
}

/** The guarded call that is running here. @throws {CrumbError} `call_missing` */
export function currentCall(): CurrentCall {
  const call = ambient.getStore()?.call;
  if (call === undefined) throw new CrumbError('call_missing');
  return call;
}

/** The agent that acts here. @throws {CrumbError} `session_missing` */
export function currentActing(): ActingAgent {
  const acting = ambient.getStore()?.acting;
  if (acting === undefined) throw new CrumbError('session_missing');
  return acting;
}
