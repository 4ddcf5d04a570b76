/**
 * Reading what a host hands over. Its shapes differ from version to version, and messages come from a
 * browser: nothing is taken for granted.
 *
 * @module
 */

/** A member of whatever this is; undefined if it has none. */
export function member(value: unknown, name: string): unknown {
  if (typeof value === 'function') return Reflect.get(value, name);
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** A member that is text. */
export function textIn(value: unknown, name: string): string | undefined {
  const text = member(value, name);
  return typeof text === 'string' ? text : undefined;
}

/** A member that is a list; empty if it is anything else. */
export function listIn(value: unknown, name: string): readonly unknown[] {
  return listOf(member(value, name));
}

/** The value itself, if it is a list; else nothing. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
