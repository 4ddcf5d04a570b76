import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  contextTag,
  readBitString,
  readBoolean,
  readDer,
  readInside,
  readInteger,
  readOid,
  readSmallInteger,
  readTime,
  TAG,
  writeDer,
} from '../../src/evidence/der.ts';

const hex = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('DER', () => {
  it('reads what it writes, at every length', () => {
    const lengths = [0, 1, 127, 128, 255, 256, 65_535, 65_536];
    for (const length of lengths) {
      const bytes = writeDer(TAG.octetString, new Uint8Array(length));
      expect(readDer(bytes)).toMatchObject({ tag: TAG.octetString, bytes });
      expect(readDer(bytes)?.body).toHaveLength(length);
    }
  });

  it('reads what it writes inside of each other', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (bodies) => {
        const parts = bodies.map((body) => writeDer(TAG.octetString, body));
        const inside = readInside(readDer(writeDer(TAG.sequence, ...parts)), TAG.sequence);
        expect(inside?.map(({ body }) => [...body])).toEqual(bodies.map((body) => [...body]));
      }),
    );
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const value = readDer(bytes);
        for (const tag of Object.values(TAG)) readInside(value, tag);
        for (const read of [readOid, readTime, readInteger, readSmallInteger, readBoolean])
          read(value);
        readBitString(value);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['a body that is cut off', '04 02 00'],
    ['something after it', '05 00 00'],
    ['an indefinite length', '30 80 00 00'],
    ['a length in more bytes than needed', '04 81 01 00'],
    ['a length with a leading zero', `04 82 00 80 ${'00'.repeat(128)}`],
    ['a length of five bytes', '04 85 00 00 00 00 01 00'],
    ['a tag number of more than 30', '1f 1f 00'],
  ])('refuses %s', (_what, text) => {
    expect(readDer(hex(text))).toBeUndefined();
  });

  it('refuses a sequence whose last member is cut off', () => {
    expect(readInside(readDer(hex('30 03 02 02 01')), TAG.sequence)).toBeUndefined();
  });

  it('tells tags apart', () => {
    expect(contextTag(0)).toBe(0xa0);
    expect(contextTag(1, 'primitive')).toBe(0x81);
    expect(readInside(readDer(hex('31 00')), TAG.sequence)).toBeUndefined();
    expect(readInside(undefined, TAG.sequence)).toBeUndefined();
  });

  it.each([
    ['06 09 2a 86 48 86 f7 0d 01 07 02', '1.2.840.113549.1.7.2'],
    ['06 03 55 1d 13', '2.5.29.19'],
    ['06 02 88 37', '2.999'],
    ['06 00', undefined],
    ['06 02 80 01', undefined],
    ['06 02 2a 86', undefined],
    ['06 0a 2a ff ff ff ff ff ff ff ff 7f', undefined],
  ])('reads the identifier %s as %s', (text, oid) => {
    expect(readOid(readDer(hex(text)))).toBe(oid);
  });

  it.each([
    ['02 01 00', 0],
    ['02 01 7f', 127],
    ['02 02 00 80', 128],
    ['02 04 7f ff ff ff', 2 ** 31 - 1],
    ['02 01 ff', undefined],
    ['02 05 00 ff ff ff ff', undefined],
    ['02 02 00 7f', undefined],
    ['02 02 ff 80', undefined],
    ['02 00', undefined],
  ])('reads the number %s as %s', (text, number) => {
    expect(readSmallInteger(readDer(hex(text)))).toBe(number);
  });

  it.each([
    ['01 01 ff', true],
    ['01 01 00', false],
    ['01 01 01', undefined],
    ['01 00', undefined],
  ])('reads the truth value %s as %s', (text, truth) => {
    expect(readBoolean(readDer(hex(text)))).toBe(truth);
  });

  it.each([
    ['generalizedTime', '20261124101530Z', '2026-11-24T10:15:30.000Z'],
    ['generalizedTime', '20261124101530.1Z', '2026-11-24T10:15:30.100Z'],
    ['generalizedTime', '20261124101530.123456Z', '2026-11-24T10:15:30.123Z'],
    ['generalizedTime', '20261124101530.10Z', undefined],
    ['generalizedTime', '20261124101530.Z', undefined],
    ['generalizedTime', '20260230101530Z', undefined],
    ['generalizedTime', '202611241015Z', undefined],
    ['generalizedTime', '20261124101530', undefined],
    ['generalizedTime', '20261124101530+0100', undefined],
    ['utcTime', '261124101530Z', '2026-11-24T10:15:30.000Z'],
    ['utcTime', '491231235959Z', '2049-12-31T23:59:59.000Z'],
    ['utcTime', '500101000000Z', '1950-01-01T00:00:00.000Z'],
    ['utcTime', '2611241015Z', undefined],
    ['octetString', '20261124101530Z', undefined],
  ] as const)('reads %s %s as %s', (tag, text, time) => {
    expect(readTime(readDer(writeDer(TAG[tag], ascii(text))))?.toISOString()).toBe(time);
  });

  it('reads bits that fill their bytes, and no others', () => {
    expect(readBitString(readDer(hex('03 03 00 01 02')))).toEqual(hex('01 02'));
    expect(readBitString(readDer(hex('03 02 01 02')))).toBeUndefined();
    expect(readBitString(readDer(hex('03 00')))).toBeUndefined();
  });
});
