/**
 * DER, as little of it as certificates and timestamps need. Strict: definite lengths, each in its
 * shortest form, low tag numbers, nothing behind the value. What reads otherwise is not DER, and two
 * readers could see two things in it.
 *
 * @see https://www.itu.int/rec/T-REC-X.690
 * @module
 */
import { concatBytes } from './bytes.ts';

/** Tag bytes: class, form and number in one. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  nothing: 0x05,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One value. */
export interface DerValue {
  readonly tag: number;
  /** Its content. */
  readonly body: Uint8Array;
  /** All of it, tag and length included. */
  readonly bytes: Uint8Array;
}

/** Tag byte of `[number]`; constructed unless it replaces the tag of a primitive value. */
export function contextTag(
  number: number,
  form: 'constructed' | 'primitive' = 'constructed',
): number {
  return (form === 'constructed' ? 0xa0 : 0x80) | number;
}

/** Exactly one value, and nothing after it; undefined for anything else. */
export function readDer(bytes: Uint8Array): DerValue | undefined {
  const value = valueAt(bytes, 0);
  return value?.bytes.length === bytes.length ? value : undefined;
}

/** The values inside one of this tag, in order; undefined for another tag or a body that is none. */
export function readInside(
  value: DerValue | undefined,
  tag: number,
): readonly DerValue[] | undefined {
  if (value?.tag !== tag) return undefined;
  const values: DerValue[] = [];
  for (let at = 0; at < value.body.length;) {
    const next = valueAt(value.body, at);
    if (next === undefined) return undefined;
    values.push(next);
    at += next.bytes.length;
  }
  return values;
}

/** The body of a primitive value of this tag. */
export function readBody(value: DerValue | undefined, tag: number): Uint8Array | undefined {
  return value?.tag === tag ? value.body : undefined;
}

/** An object identifier, dotted. Arcs of 2^53 and more are none that we know. */
export function readOid(value: DerValue | undefined): string | undefined {
  const body = readBody(value, TAG.oid);
  if (body === undefined || body.length === 0) return undefined;
  const arcs: number[] = [];
  let arc = 0;
  for (const [n, byte] of body.entries()) {
    if (arc === 0 && byte === 0x80) return undefined; // not the shortest form
    arc = arc * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(arc)) return undefined;
    if (byte >= 0x80) {
      if (n === body.length - 1) return undefined;
      continue;
    }
    if (arcs.length > 0) arcs.push(arc);
    else arcs.push(Math.min(Math.floor(arc / 40), 2), arc - 40 * Math.min(Math.floor(arc / 40), 2));
    arc = 0;
  }
  return arcs.join('.');
}

/** The body of an INTEGER in its shortest form. */
export function readInteger(value: DerValue | undefined): Uint8Array | undefined {
  const body = readBody(value, TAG.integer);
  const [first = 0, second = 0] = body ?? [];
  if (body === undefined || body.length === 0) return undefined;
  const isPadded =
    body.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  return isPadded ? undefined : body;
}

/** An INTEGER from 0 to 2^31 - 1. */
export function readSmallInteger(value: DerValue | undefined): number | undefined {
  const body = readInteger(value);
  if (body === undefined || body.length > 4 || (body[0] ?? 0) >= 0x80) return undefined;
  return body.reduce((number, byte) => number * 256 + byte, 0);
}

/** A BOOLEAN: DER has one spelling for true. */
export function readBoolean(value: DerValue | undefined): boolean | undefined {
  const body = readBody(value, TAG.boolean);
  if (body?.length !== 1) return undefined;
  if (body[0] === 0xff) return true;
  return body[0] === 0 ? false : undefined;
}

/** The bytes of a BIT STRING whose bits fill them. */
export function readBitString(value: DerValue | undefined): Uint8Array | undefined {
  const body = readBody(value, TAG.bitString);
  return body === undefined || body[0] !== 0 ? undefined : body.subarray(1);
}

const UTC_TIME = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d*[1-9]))?Z$/;

/** A UTCTime or GeneralizedTime as DER and RFC 3161 write them: UTC, with seconds, no idle zeros. */
export function readTime(value: DerValue | undefined): Date | undefined {
  if (value?.tag === TAG.utcTime) {
    const [, year = '', ...rest] = UTC_TIME.exec(textOf(value.body)) ?? [];
    // RFC 5280 section 4.1.2.5.1
    return year === '' ? undefined : timeOf([year < '50' ? `20${year}` : `19${year}`, ...rest]);
  }
  if (value?.tag !== TAG.generalizedTime) return undefined;
  const [, ...parts] = GENERALIZED_TIME.exec(textOf(value.body)) ?? [];
  return parts.length === 0 ? undefined : timeOf(parts);
}

/** A value around these bodies. */
export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...parts);
  return concatBytes(Uint8Array.of(tag, ...lengthBytes(body.length)), body);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

function valueAt(bytes: Uint8Array, start: number): DerValue | undefined {
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  let from = start + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first - 0x80;
    if (count === 0 || count > 4 || from + count > bytes.length) return undefined;
    length = 0;
    for (const byte of bytes.subarray(from, from + count)) length = length * 256 + byte;
    from += count;
    if (length < 0x80 || lengthBytes(length).length !== count + 1) return undefined;
  }
  if (from + length > bytes.length) return undefined;
  return {
    tag,
    body: bytes.subarray(from, from + length),
    bytes: bytes.subarray(start, from + length),
  };
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 64));
}

function timeOf(parts: readonly (string | undefined)[]): Date | undefined {
  const [year, month, day, hour, minute, second, fraction = ''] = parts;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
  const time = new Date(iso);
  // A 30th of February would roll over into March.
  return Number.isNaN(time.getTime()) || time.toISOString() !== iso ? undefined : time;
}
