/**
 * Asynchronous checks, so many at a time: signatures are verified in parallel, in bounded memory.
 *
 * @module
 */

const MOST = 64;

export interface InFlight {
  /** Starts a check. If it answers a promise, wait for it before starting another. */
  start(check: () => Promise<void>): Promise<void> | undefined;
  /** Resolves when all are done; rejects if one failed to run. */
  settled(): Promise<void>;
}

export function createInFlight(): InFlight {
  const running = new Set<Promise<void>>();
  let failure: { readonly reason: unknown } | undefined;
  return {
    start(check) {
      const one = check()
        .catch((reason: unknown) => {
          failure ??= { reason };
        })
        .finally(() => running.delete(one));
      running.add(one);
      return running.size < MOST ? undefined : Promise.race(running);
    },
    async settled() {
      await Promise.all(running);
      if (failure !== undefined) throw failure.reason;
    },
  };
}
