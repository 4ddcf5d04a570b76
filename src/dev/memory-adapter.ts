/**
 * Where `oidc-provider` keeps sessions, codes, grants and replay records: a map for each provider.
 *
 * Its own memory adapter holds 1,000 entries for the whole process and evicts the oldest, replay
 * records among them. This one forgets only what has expired.
 *
 * @module
 */
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

interface Stored {
  readonly payload: AdapterPayload;
  /** Milliseconds since the epoch; Infinity for what never expires. */
  readonly until: number;
}

/** Expired entries are looked for once in so many writes. */
const SWEEP_EVERY = 512;

/** What all models of one identity provider share. It outlives the `Provider` that a rotation replaces. */
export class MemoryStore {
  readonly #entries = new Map<string, Stored>();
  #writes = 0;

  /** How many entries are held, expired ones included until they are swept. */
  get size(): number {
    return this.#entries.size;
  }

  get(key: string): AdapterPayload | undefined {
    const stored = this.#entries.get(key);
    if (stored === undefined) return undefined;
    if (stored.until > Date.now()) return stored.payload;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, payload: AdapterPayload, expiresInSeconds: number | undefined): void {
    const until = expiresInSeconds === undefined ? Infinity : Date.now() + expiresInSeconds * 1000;
    this.#entries.set(key, { payload, until });
    this.#writes += 1;
    if (this.#writes % SWEEP_EVERY === 0) this.#sweep();
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Live payloads of one model. */
  *of(model: string): Iterable<{ readonly key: string; readonly payload: AdapterPayload }> {
    const now = Date.now();
    for (const [key, { payload, until }] of this.#entries) {
      if (until > now && key.startsWith(`${model}:`)) yield { key, payload };
    }
  }

  #sweep(): void {
    const now = Date.now();
    for (const [key, { until }] of this.#entries) if (until <= now) this.#entries.delete(key);
  }
}

/** The adapter that `oidc-provider` asks for, one for each model name. */
export function memoryAdapter(store: MemoryStore): AdapterFactory {
  return (model) => adapterOf(store, model);
}

function adapterOf(store: MemoryStore, model: string): Adapter {
  const keyOf = (id: string): string => `${model}:${id}`;
  return {
    async upsert(id, payload, expiresIn) {
      store.set(keyOf(id), payload, expiresIn);
      // A session changes its id at every step and keeps its uid.
      if (payload.uid !== undefined) store.set(uidKey(model, payload.uid), { jti: id }, expiresIn);
    },
    async find(id) {
      return store.get(keyOf(id));
    },
    async findByUid(uid) {
      const id = store.get(uidKey(model, uid))?.jti;
      return id === undefined ? undefined : store.get(keyOf(id));
    },
    async findByUserCode() {
      return undefined; // the device flow is off
    },
    async consume(id) {
      const payload = store.get(keyOf(id));
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      store.delete(keyOf(id));
    },
    async revokeByGrantId(grantId) {
      for (const { key, payload } of store.of(model)) {
        if (payload.grantId === grantId) store.delete(key);
      }
    },
  };
}

function uidKey(model: string, uid: string): string {
  return `uid/${model}:${uid}`;
}
