/**
 * Copies that keep what a spread would drop: members that are not enumerable, and the prototype.
 *
 * @module
 */

/**
 * A copy with some members replaced, in the same order; new ones come last. Those that were there keep
 * their visibility.
 */
export function withMembers<T extends object>(
  original: T,
  members: Readonly<Record<string, unknown>>,
): T {
  const copy = Object.create(prototypeOf(original)) as object; // which `create` always gives
  for (const key of new Set([...Reflect.ownKeys(original), ...Object.keys(members)])) {
    const descriptor = Reflect.getOwnPropertyDescriptor(original, key);
    const replaced = typeof key === 'string' && Object.hasOwn(members, key);
    const enumerable = descriptor?.enumerable ?? true;
    const own = replaced ? { ...WRITABLE, enumerable, value: members[key] } : descriptor;
    if (own !== undefined) Reflect.defineProperty(copy, key, own);
  }
  inherit(copy, original);
  return copy as T; // it has everything that the original has
}

const WRITABLE = { writable: true, configurable: true };

/** What a class gives is asked of the original: only that has the private state of its constructor. */
function inherit(copy: object, original: object): void {
  let level = prototypeOf(original);
  for (; level !== null && level !== Object.prototype; level = prototypeOf(level)) {
    for (const key of Reflect.ownKeys(level)) {
      if (key === 'constructor' || Object.hasOwn(copy, key)) continue;
      Reflect.defineProperty(copy, key, {
        configurable: true,
        get: () => inherited(original, key),
      });
    }
  }
}

function inherited(original: object, key: PropertyKey): unknown {
  const value: unknown = Reflect.get(original, key);
  return typeof value === 'function' ? value.bind(original) : value;
}

function prototypeOf(value: object): object | null {
  const prototype: unknown = Object.getPrototypeOf(value);
  return typeof prototype === 'object' ? prototype : null;
}
