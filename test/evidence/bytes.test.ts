import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  concatBytes,
  equalBytes,
  fromBase64,
  fromBase64url,
  fromUtf8,
  toBase64,
  toBase64url,
  toHex,
  utf8,
} from '../../src/evidence/bytes.ts';

it('writes and reads what Node writes and reads', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const node = Buffer.from(bytes);
      expect(toBase64url(bytes)).toBe(node.toString('base64url'));
      expect(toBase64(bytes)).toBe(node.toString('base64'));
      expect(toHex(bytes)).toBe(node.toString('hex'));
      expect(fromBase64url(toBase64url(bytes))).toEqual(bytes);
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    }),
  );
});

it('reads only what encodes to itself', () => {
  const characters = fc.constantFrom(...'ABab01+/-_=. \n\u00e9');
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 9 }), (text) => {
      const standard = fromBase64(text);
      if (standard !== undefined) expect(toBase64(standard)).toBe(text);
      const urlSafe = fromBase64url(text);
      if (urlSafe !== undefined) expect(toBase64url(urlSafe)).toBe(text);
    }),
    { numRuns: 2000 },
  );
});

it.each(['A', 'AB', 'AB=', 'A===', '====', 'AAA', 'AAAA=', 'AAAAA', 'AA==AA==', 'AA-_'])(
  'does not read %j as base64',
  (text) => {
    expect(fromBase64(text)).toBeUndefined();
  },
);

it.each(['A', 'AB', 'AA==', 'AAB', 'AA+/', ' AAAA', 'AAAA\n'])(
  'does not read %j as base64url',
  (text) => {
    expect(fromBase64url(text)).toBeUndefined();
  },
);

it('reads UTF-8 strictly, and keeps a byte order mark', () => {
  expect(fromUtf8(utf8('ü😀'))).toBe('ü😀');
  expect(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toBe('\ufeffA');
  expect(fromUtf8(Uint8Array.of(0xff))).toBeUndefined();
  expect(fromUtf8(Uint8Array.of(0xed, 0xa0, 0x80))).toBeUndefined();
});

it('joins and compares', () => {
  const joined = concatBytes(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3));
  expect(equalBytes(joined, Uint8Array.of(1, 2, 3))).toBe(true);
  expect(equalBytes(joined, Uint8Array.of(1, 2))).toBe(false);
  expect(equalBytes(joined, Uint8Array.of(1, 2, 4))).toBe(false);
});
