/**
 * Turns for who writes to one file in this process. A second `transaction('write')` would block the very
 * event loop in which the first one waits to commit.
 *
 * @module
 */

/** Runs work when all earlier work has ended, however it ended. */
export type Mutex = <T>(work: () => Promise<T>) => Promise<T>;

export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => {});
    return turn;
  };
}

const mutexes = new Map<string, WeakRef<Mutex>>();

/** The one mutex of a file. */
export function mutexOf(path: string): Mutex {
  const known = mutexes.get(path)?.deref();
  if (known !== undefined) return known;
  const mutex = createMutex();
  mutexes.set(path, new WeakRef(mutex));
  return mutex;
}
