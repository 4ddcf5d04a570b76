/**
 * The values that certificates and timestamps are written with, in DER.
 *
 * @see https://www.itu.int/rec/T-REC-X.690
 * @module
 */
import { concatBytes, utf8 } from '../../evidence/bytes.ts';
import { contextTag, TAG, writeDer } from '../../evidence/der.ts';

const UTF8_STRING = 0x0c;

export function sequence(...members: readonly Uint8Array[]): Uint8Array {
  return writeDer(TAG.sequence, ...members);
}

/** A SET OF: its members stand in the order of their bytes (X.690 section 11.6). */
export function setOf(...members: readonly Uint8Array[]): Uint8Array {
  return writeDer(TAG.set, ...members.toSorted((a, b) => Buffer.compare(a, b)));
}

/** `[number]` around a value. */
export function explicit(number: number, value: Uint8Array): Uint8Array {
  return writeDer(contextTag(number), value);
}

/** An INTEGER: a small one, or the body of one. */
export function integer(value: number | Uint8Array): Uint8Array {
  if (typeof value !== 'number') return writeDer(TAG.integer, value);
  if (!Number.isInteger(value) || value < 0 || value > 127) throw new TypeError('no small integer');
  return writeDer(TAG.integer, Uint8Array.of(value));
}

export function boolean(value: boolean): Uint8Array {
  return writeDer(TAG.boolean, Uint8Array.of(value ? 0xff : 0));
}

export function octetString(bytes: Uint8Array): Uint8Array {
  return writeDer(TAG.octetString, bytes);
}

/** A BIT STRING. @param unused Bits at the end that do not count. */
export function bitString(bytes: Uint8Array, unused = 0): Uint8Array {
  return writeDer(TAG.bitString, concatBytes(Uint8Array.of(unused), bytes));
}

export function utf8String(text: string): Uint8Array {
  return writeDer(UTF8_STRING, utf8(text));
}

/** An OBJECT IDENTIFIER. @param dotted Such as `2.5.29.15`. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return writeDer(TAG.oid, ...[first * 40 + second, ...rest].map(base128));
}

/** An AlgorithmIdentifier without parameters. */
export function algorithm(dotted: string): Uint8Array {
  return sequence(oid(dotted));
}

/** A time as RFC 3161 has it: in UTC, here without fractions of a second. */
export function generalizedTime(time: Date): Uint8Array {
  return writeDer(TAG.generalizedTime, utf8(`${digitsOf(time)}Z`));
}

/** A time in a certificate: two digits of the year until 2049 (RFC 5280 section 4.1.2.5). */
export function certificateTime(time: Date): Uint8Array {
  if (time.getUTCFullYear() >= 2050) return generalizedTime(time);
  return writeDer(TAG.utcTime, utf8(`${digitsOf(time).slice(2)}Z`));
}

function digitsOf(time: Date): string {
  return time.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '');
}

function base128(arc: number): Uint8Array {
  const digits = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
    digits.unshift(0x80 | (rest % 128));
  }
  return Uint8Array.from(digits);
}
