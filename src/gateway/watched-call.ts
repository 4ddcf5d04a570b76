/**
 * Tells a host's observer whether a call that it sees went through the guard.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** One execution that an observer watches. */
export interface WatchedCall {
  readonly id: string;
  /** Set by the guard. */
  guarded: boolean;
}

const watched = new AsyncLocalStorage<WatchedCall>();

/** Runs `fn` while `call` is watched. */
export function watching<T>(call: WatchedCall, fn: () => T): T {
  return watched.run(call, fn);
}

/** Says that the guard has the call of this id. A call nested in a watched one has an id of its own. */
export function noteGuarded(id: string): void {
  const call = watched.getStore();
  if (call?.id === id) call.guarded = true;
}
