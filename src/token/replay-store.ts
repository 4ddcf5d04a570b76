/**
 * Tokens and proofs that may be used once.
 *
 * @module
 */

/**
 * Remembers what was used.
 *
 * `take` is one atomic step, across all processes that share the storage: of two callers with the
 * same id at most one gets `true`. A store that is full of live entries answers `false`; it never
 * forgets one early, or a flood of fresh ids would make an old token good again.
 */
export interface ReplayStore {
  /**
   * Takes an id.
   *
   * @param iss Whose id it is: an issuer, or for DPoP proofs the key's thumbprint.
   * @param jti Unique there.
   * @param until After this instant the id may be forgotten: whatever bears it has expired.
   * @returns Whether this is the first use. `false` also when the store has no room.
   */
  take(iss: string, jti: string, until: Date): Promise<boolean>;
}

/** Limits of {@link memoryReplayStore}. */
export interface MemoryReplayStoreOptions {
  /** Most live ids kept. Default 100000. */
  readonly max?: number;
  /** Replaces the wall clock in tests. */
  readonly clock?: () => Date;
}

/**
 * A replay store in memory: for one process, and empty again after a restart.
 *
 * Ids that expired are swept when room is needed, at most once a second.
 */
export function memoryReplayStore(options: MemoryReplayStoreOptions = {}): ReplayStore {
  const { max = 100_000, clock = () => new Date() } = options;
  if (!Number.isSafeInteger(max) || max < 1) throw new TypeError('max is not a positive integer');
  const used = new Map<string, number>();
  let nextSweep = 0;

  const sweep = (now: number): void => {
    if (now < nextSweep) return;
    nextSweep = now + 1000;
    for (const [key, until] of used) if (until <= now) used.delete(key);
  };

  return {
    // Nothing is awaited between looking and taking: that is what makes it atomic here.
    async take(iss, jti, until) {
      const now = clock().getTime();
      const key = JSON.stringify([iss, jti]); // a plain join would make two pairs one
      const known = used.get(key);
      if (known !== undefined && known > now) return false;
      if (known === undefined && used.size >= max) sweep(now);
      if (known === undefined && used.size >= max) return false;
      used.set(key, until.getTime());
      return true;
    },
  };
}
