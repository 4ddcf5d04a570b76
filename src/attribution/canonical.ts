/**
 * RFC 8785 canonical JSON of plain data.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8785
 * @module
 */
import canonicalize from 'canonicalize';
import { CrumbError } from '../errors.ts';
import type { Json } from './tool-call.ts';

/** Deepest JSON accepted: deeper values exhaust the stack of what reads them. */
const MAX_DEPTH = 64;

/** The one way to write this value. @throws {CrumbError} `arguments_not_json` for lone surrogates. */
export function canonicalJson(value: Json): string {
  try {
    return canonicalize(value) ?? 'null';
  } catch (cause) {
    throw new CrumbError('arguments_not_json', { cause });
  }
}

/**
 * Takes a value as plain JSON, or refuses it: what is judged and committed to must be exactly what a
 * reader of the record can rebuild. Members whose value is `undefined` count as absent, as in
 * `JSON.stringify`.
 *
 * @throws {CrumbError} `arguments_not_json`: functions, dates, class instances, cycles, NaN, lone
 *   surrogates, nesting beyond 64.
 */
export function toJson(value: unknown): Json {
  return plain(value, 0);
}

function plain(value: unknown, depth: number): Json {
  if (depth > MAX_DEPTH) throw new CrumbError('arguments_not_json');
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      if (!value.isWellFormed()) throw new CrumbError('arguments_not_json');
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new CrumbError('arguments_not_json');
      return value;
    case 'object':
      if (value === null) return null;
      if (Array.isArray(value)) return Array.from(value, (item: unknown) => plain(item, depth + 1));
      return plainObject(value, depth);
    default:
      throw new CrumbError('arguments_not_json');
  }
}

function plainObject(value: object, depth: number): Json {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new CrumbError('arguments_not_json');
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  if (!members.every(([name]) => name.isWellFormed())) throw new CrumbError('arguments_not_json');
  // `fromEntries` keeps an own `__proto__` as a member: assignment would drop it from the record, and
  // the tool would see what the record does not.
  return Object.fromEntries(members.map(([name, member]) => [name, plain(member, depth + 1)]));
}
