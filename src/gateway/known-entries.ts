/**
 * Entries that others refer to, appended once in a process together with the first that needs them:
 * an issuer's key set, a login.
 *
 * @module
 */
import type { Appended, Draft, DraftSeq, Ledger, Spend } from '../ledger/ledger.ts';

/** A place in the ledger: known, or that of a draft of the same append. */
export type Place = number | DraftSeq;

/** Something that must stand in the ledger before an attempt can refer to it. */
export interface Prerequisite {
  /** The same id is appended once. */
  readonly id: string;
  /** The draft; `at` gives the place of an earlier prerequisite of the same list. */
  draft(at: (id: string) => Place): Promise<Draft>;
}

/** What is appended after its prerequisites. */
export interface Dependent {
  readonly drafts: readonly Draft[];
  readonly spend?: Spend;
}

export interface KnownEntries {
  /**
   * Appends prerequisites that do not stand yet, and `build`'s drafts, in one commit.
   *
   * @param build Gets the places of the prerequisites, and of its own drafts by index.
   * @returns The entries of `build`'s drafts, or of what stood in for them when no use was left.
   */
  append(
    needs: readonly Prerequisite[],
    build: (at: (id: string) => Place, own: (index: number) => Place) => Dependent,
  ): Promise<{ readonly entries: readonly Appended[]; readonly spent: boolean }>;
}

/** A process that serves many logins must not remember them all for ever. */
const MAX_REMEMBERED = 10_000;

export function createKnownEntries(ledger: Ledger): KnownEntries {
  const standing = new Map<string, number>();
  const underway = new Map<string, Promise<void>>();

  /** Waits until no other call is appending one of these. */
  async function settled(ids: readonly string[]): Promise<void> {
    for (let other = firstOf(underway, ids); other !== undefined; other = firstOf(underway, ids)) {
      await other;
    }
  }

  /** Oldest forgotten first: what is needed again then stands twice, which harms nobody. */
  function remember(id: string, seq: number): void {
    if (standing.size >= MAX_REMEMBERED) {
      const [oldest = ''] = standing.keys();
      standing.delete(oldest);
    }
    standing.set(id, seq);
  }

  return {
    async append(needs, build) {
      await settled(needs.map((need) => need.id));
      // Read once: what is forgotten meanwhile keeps its place for this append.
      const places = new Map<string, Place>();
      const missing: Prerequisite[] = [];
      for (const need of needs) {
        const seq = standing.get(need.id);
        if (seq === undefined) places.set(need.id, { draft: missing.push(need) - 1 });
        else places.set(need.id, seq);
      }
      const done = Promise.withResolvers<void>();
      for (const { id } of missing) underway.set(id, done.promise);
      try {
        const at = (id: string): Place => {
          const place = places.get(id);
          if (place === undefined) throw new TypeError(`no prerequisite is called ${id}`);
          return place;
        };
        const before: Draft[] = [];
        for (const need of missing) before.push(await need.draft(at));
        const { drafts, spend } = build(at, (index) => ({ draft: before.length + index }));
        const result = await ledger.append(
          [...before, ...drafts],
          spend === undefined ? {} : { spend: withPrefix(spend, before) },
        );
        for (const [n, { id }] of missing.entries()) {
          const entry = result.entries[n];
          if (entry !== undefined) remember(id, entry.seq);
        }
        return { entries: result.entries.slice(before.length), spent: result.spent };
      } finally {
        for (const { id } of missing) underway.delete(id);
        done.resolve();
      }
    },
  };
}

function withPrefix(spend: Spend, before: readonly Draft[]): Spend {
  return { ...spend, otherwise: [...before, ...spend.otherwise] };
}

function firstOf<T>(map: ReadonlyMap<string, T>, ids: readonly string[]): T | undefined {
  return ids.map((id) => map.get(id)).find((value) => value !== undefined);
}
