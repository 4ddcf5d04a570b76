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
  return copy as T; // it has everything that the original has
}

const WRITABLE = { writable: true, configurable: true };

function prototypeOf(value: object): object | null {
  const prototype: unknown = Object.getPrototypeOf(value);
  return typeof prototype === 'object' ? prototype : null;
}
