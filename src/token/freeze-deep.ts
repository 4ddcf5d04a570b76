/**
 * Values that nothing can change after they were checked.
 *
 * @module
 */

/**
 * Freezes a value down to its last member: what a directive says must not change between judging and
 * recording. Bytes stay as they are, because a typed array cannot be frozen.
 */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  Object.values(value).forEach(freezeDeep);
  return Object.freeze(value);
}
