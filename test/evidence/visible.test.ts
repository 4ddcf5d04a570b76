import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mixesScripts, visible, visibleJson } from '../../src/evidence/visible.ts';

const HIDDEN: readonly (readonly [what: string, text: string, shown: string])[] = [
  ['a colour', '\u001b[31mred', '\\u{1b}[31mred'],
  ['a line end', 'a\nb\r', 'a\\u{a}b\\u{d}'],
  ['a C1 control', 'a\u009bb', 'a\\u{9b}b'],
  ['a right-to-left override', 'a\u202eb', 'a\\u{202e}b'],
  ['a bidi isolate', '\u2066a', '\\u{2066}a'],
  ['a zero-width space', 'read\u200b_record', 'read\\u{200b}_record'],
  ['a tag character', 'a\u{e0041}', 'a\\u{e0041}'],
  ['a variation selector that smuggles a byte', 'a\u{e0100}', 'a\\u{e0100}'],
  ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
  ['a lone surrogate', 'a\ud800b', 'a\\u{d800}b'],
  ['a blank that is no space', 'a\u2800b', 'a\\u{2800}b'],
  ['a text that pretends to have been escaped', '\\u{1b}', '\\u{5c}u{1b}'],
];

describe('text of others', () => {
  it.each(HIDDEN)('shows %s', (_what, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('leaves what can be seen as it is', () => {
    for (const text of ['readRecord', 'Zoë Łukasiewicz', '東京', '👍', 'C:\\users', 'a b']) {
      expect(visible(text)).toBe(text);
    }
  });

  it('comes out different for every text, and safe', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(visible(visible(a))).toBe(visible(a).replaceAll('\\u{', '\\u{5c}u{'));
        if (a !== b) expect(visible(a)).not.toBe(visible(b));
      }),
    );
  });
});

describe('JSON for a terminal', () => {
  it.each(HIDDEN)('spells out %s and stays the same value', (_what, text) => {
    const json = visibleJson({ text, 'a\u202e': [text] }, 2);
    expect(json).not.toMatch(/[\u009b\u202e\u200b\u2028\u001b]/);
    expect(JSON.parse(json)).toEqual({ text, 'a\u202e': [text] });
  });

  it('keeps its own line ends', () => {
    expect(visibleJson({ a: 1 }, 2)).toBe('{\n  "a": 1\n}');
  });
});

describe('a name of several scripts', () => {
  it.each([
    ['read_record', false],
    ['read_re\u0441ord', true], // a Cyrillic letter
    ['читать', false],
    ['東京_read', false],
  ])('%s: %s', (name, mixed) => {
    expect(mixesScripts(name)).toBe(mixed);
  });
});
