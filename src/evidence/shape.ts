/**
 * A small closed schema language. A shape takes a value of unknown origin and gives back a copy of
 * exactly what the schema names, members in canonical order, or nothing.
 *
 * The copy is what is written: what was checked and what is recorded cannot differ.
 *
 * @module
 */
import { fromBase64url } from './bytes.ts';

/**
 * Takes a value or refuses it with undefined, which JSON cannot say. `trail` then gets the names of
 * the members it was in, innermost first; all of them are names of the schema.
 */
export type Shape<T> = (value: unknown, trail: string[]) => T | undefined;

/** Caps in bytes of UTF-8. */
export const CAPS = { code: 64, text: 256, uri: 512, chain: 8 } as const;

/** An object with exactly these own members. */
export function record<T extends object>(shapes: {
  readonly [K in keyof T]: Shape<T[K]>;
}): Shape<T> {
  const members = Object.entries<Shape<unknown>>(shapes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return (value, trail) => {
    if (!isObject(value) || Object.keys(value).length !== members.length) return undefined;
    const copy: Record<string, unknown> = {};
    for (const [name, shape] of members) {
      const taken = Object.hasOwn(value, name) ? shape(value[name], trail) : undefined;
      if (taken === undefined) {
        trail.push(name);
        return undefined;
      }
      copy[name] = taken;
    }
    return copy as T; // every member of T has been taken by its shape
  };
}

/** An array of at most `max` of these. */
export function list<T>(shape: Shape<T>, max = Infinity): Shape<readonly T[]> {
  return (value, trail) => {
    if (!Array.isArray(value) || value.length > max) return undefined;
    const items: T[] = [];
    for (const item of value) {
      const taken = shape(item, trail);
      if (taken === undefined) {
        trail.push(String(items.length));
        return undefined;
      }
      items.push(taken);
    }
    return items;
  };
}

/** This, or null for "empty". */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, trail) => (value === null ? null : shape(value, trail));
}

/** One of these words. */
export function word<const T extends string>(...words: readonly T[]): Shape<T> {
  return (value) => words.find((known) => known === value);
}

/** The first shape that fits. */
export function either<A, B>(a: Shape<A>, b: Shape<B>): Shape<A | B> {
  return (value, trail) => a(value, []) ?? b(value, trail);
}

/** A shape whose members must also fit together. */
export function where<T>(shape: Shape<T>, fits: (value: T) => boolean): Shape<T> {
  return (value, trail) => {
    const taken = shape(value, trail);
    return taken !== undefined && fits(taken) ? taken : undefined;
  };
}

/** Well-formed text of at most `cap` bytes. */
export function text(cap: number): Shape<string> {
  return (value) =>
    typeof value === 'string' && value.isWellFormed() && fitsIn(value, cap) ? value : undefined;
}

/** Text of this pattern, which must bound its length. */
export function pattern(expression: RegExp): Shape<string> {
  return (value) => (typeof value === 'string' && expression.test(value) ? value : undefined);
}

/** An integer from 0 to 2^53 - 1. Minus zero is none: it is written as zero. */
export const count: Shape<number> = (value) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)
    ? value
    : undefined;

/** At most `max` bytes, and at least one, in base64url. */
export function binary(max: number): Shape<string> {
  return (value) => {
    if (typeof value !== 'string' || value.length === 0 || value.length > max * 2) return undefined;
    const bytes = fromBase64url(value);
    return bytes !== undefined && bytes.length <= max ? value : undefined;
  };
}

const INSTANT =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** `YYYY-MM-DDTHH:mm:ss.sssZ`, a day that exists. */
export const instant: Shape<string> = (value) => {
  if (typeof value !== 'string' || !INSTANT.test(value)) return undefined;
  // Only the end of a month depends on the month.
  if (value.charCodeAt(8) < 0x32 || value.slice(8, 10) < '29') return value;
  const time = Date.parse(value);
  return Number.isFinite(time) && new Date(time).toISOString() === value ? value : undefined;
};

/** Whether a value has members. Arrays have none. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fitsIn(value: string, cap: number): boolean {
  if (value.length * 3 <= cap) return true; // no UTF-16 unit takes more than three bytes
  if (value.length > cap) return false;
  let bytes = 0;
  for (let n = 0; n < value.length; n++) {
    const unit = value.charCodeAt(n);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800 || (unit >= 0xd800 && unit < 0xe000))
      bytes += 2; // half of a pair: 2 of 4
    else bytes += 3;
  }
  return bytes <= cap;
}
