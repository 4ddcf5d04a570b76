/**
 * Tokens in memory for as long as they are good: bounded, one load for many concurrent misses.
 *
 * Failures are not kept: the next caller asks again.
 *
 * @module
 */

/** Before its end a token is not handed out any more: it must still hold when it arrives. */
export const MARGIN_MS = 30_000;

/** Longest time for which the provider is not asked again whether the human is still welcome. */
const MAX_KEPT_MS = 300_000;

/** Until when a token that ends then may be handed out. */
export function keptUntil(endsMs: number, now: Date): Date {
  return new Date(Math.min(endsMs - MARGIN_MS, now.getTime() + MAX_KEPT_MS));
}

/** What a load gives. */
export interface Loaded<T> {
  readonly value: T;
  /** Until when it may be handed out. In the past: this once, and it is not kept. */
  readonly until: Date;
}

export interface CacheRequest<T> {
  /** All that decides whether two callers may share a value. */
  readonly key: string;
  /** What the value hangs on; {@link TokenCache.drop} names one. */
  readonly tags: readonly string[];
  readonly load: (signal: AbortSignal) => Promise<Loaded<T>>;
  /** Ends the waiting of this caller only. The load stops when nobody waits any more. */
  readonly signal?: AbortSignal | undefined;
}

export interface TokenCacheOptions {
  /** Most values kept; the one used longest ago goes first. Default 4096. */
  readonly max?: number;
  readonly clock?: () => Date;
}

export interface TokenCache<T> {
  /** @returns `fresh` for the caller whose miss started the load, `cached` for all others. */
  readonly get: (
    request: CacheRequest<T>,
  ) => Promise<{ readonly value: T; readonly from: 'fresh' | 'cached' }>;
  /** Forgets what hangs on this tag. A load under way ends for those who wait, and is not kept. */
  readonly drop: (tag: string) => void;
}

interface Kept<T> extends Loaded<T> {
  readonly tags: readonly string[];
}

interface Flight<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  readonly tags: readonly string[];
  waiting: number;
}

/** An empty cache. */
export function createTokenCache<T>(options: TokenCacheOptions = {}): TokenCache<T> {
  const kept = createShelf<T>(options);
  const flights = new Map<string, Flight<T>>();

  const land = async ({ key, tags, load }: CacheRequest<T>, flight: Flight<T>): Promise<T> => {
    try {
      const { value, until } = await load(flight.stop.signal);
      // A flight that was dropped meanwhile must not bring back what was forgotten.
      if (flights.get(key) === flight) kept.put(key, { value, until, tags });
      return value;
    } finally {
      if (flights.get(key) === flight) flights.delete(key);
    }
  };

  const depart = (request: CacheRequest<T>): Flight<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const flight = { result: promise, stop: new AbortController(), tags: request.tags, waiting: 0 };
    flights.set(request.key, flight);
    promise.catch(() => undefined); // everybody may have left
    land(request, flight).then(resolve, reject);
    return flight;
  };

  const leave = (key: string, flight: Flight<T>): void => {
    flight.waiting -= 1;
    if (flight.waiting > 0) return;
    if (flights.get(key) === flight) flights.delete(key);
    flight.stop.abort();
  };

  return {
    get: async (request) => {
      const { key, signal } = request;
      signal?.throwIfAborted();
      const hit = kept.take(key);
      if (hit !== undefined) return { value: hit.value, from: 'cached' };
      const joined = flights.get(key);
      const flight = joined ?? depart(request);
      flight.waiting += 1;
      const value = await orAbort(flight.result, signal, () => leave(key, flight));
      return { value, from: joined === undefined ? 'fresh' : 'cached' };
    },
    drop: (tag) => {
      kept.drop(tag);
      for (const [key, { tags }] of flights) if (tags.includes(tag)) flights.delete(key);
    },
  };
}

/** What is there, without what is under way. */
interface Shelf<T> {
  readonly take: (key: string) => Kept<T> | undefined;
  readonly put: (key: string, entry: Kept<T>) => void;
  readonly drop: (tag: string) => void;
}

function createShelf<T>({ max = 4096, clock = () => new Date() }: TokenCacheOptions): Shelf<T> {
  // A Map iterates in order of insertion; a hit is inserted anew, so the first is used longest ago.
  const entries = new Map<string, Kept<T>>();
  return {
    take: (key) => {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (entry.until <= clock()) return undefined;
      entries.set(key, entry);
      return entry;
    },
    put: (key, entry) => {
      if (entry.until <= clock()) return;
      entries.delete(key);
      entries.set(key, entry);
      const [oldest] = entries.keys();
      if (entries.size > max && oldest !== undefined) entries.delete(oldest);
    },
    drop: (tag) => {
      for (const [key, { tags }] of entries) if (tags.includes(tag)) entries.delete(key);
    },
  };
}

/** The result, unless the caller loses patience first; then `abandon` runs and the reason is thrown. */
async function orAbort<T>(
  result: Promise<T>,
  signal: AbortSignal | undefined,
  abandon: () => void,
): Promise<T> {
  if (signal === undefined) return result;
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    abandon();
    // The caller's own reason, as `fetch` does; it need not be an Error.
    reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([result, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
