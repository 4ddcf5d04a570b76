/**
 * Logins that were ended here, whoever holds a session of them: an application makes a new one for each
 * request, and all of them must stop.
 *
 * @module
 */

/** What of a login matters here. */
interface Endable {
  readonly reference: string;
  readonly facts: { readonly expires: Date };
}

export interface EndedLogins {
  /** From now on nothing runs under it. */
  end(login: Endable): void;
  has(login: Endable): boolean;
  /** Answers once whether its end must still be recorded. */
  claimRecord(login: Endable): boolean;
  /** Its end could not be recorded after all. */
  returnRecord(login: Endable): void;
}

export function createEndedLogins(clock: () => Date): EndedLogins {
  const ended = new Map<string, { expires: Date; recorded: boolean }>();
  return {
    end({ reference, facts }) {
      // A login that has expired is refused by its time: it need not be remembered.
      for (const [other, { expires }] of ended) if (expires <= clock()) ended.delete(other);
      const before = ended.get(reference);
      const expires = new Date(Math.max(facts.expires.getTime(), before?.expires.getTime() ?? 0));
      ended.set(reference, { expires, recorded: before?.recorded ?? false });
    },
    has: ({ reference }) => ended.has(reference),
    claimRecord({ reference }) {
      const entry = ended.get(reference);
      if (entry === undefined || entry.recorded) return false;
      entry.recorded = true;
      return true;
    },
    returnRecord({ reference }) {
      const entry = ended.get(reference);
      if (entry !== undefined) entry.recorded = false;
    },
  };
}
