import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, toJson } from '../../src/attribution/canonical.ts';
import { slowJson } from '../vectors/slow-model.ts';

it('writes what a second implementation of RFC 8785 writes', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      expect(canonicalJson(toJson(value))).toBe(slowJson(value));
    }),
    { numRuns: 300 },
  );
});

it.each<[string, unknown, string]>([
  ['numbers', [1e21, 1e-7, -0, 0.1, 1e2, 4.5], '[1e+21,1e-7,0,0.1,100,4.5]'],
  [
    'members by UTF-16 code units',
    { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 },
    '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
  ],
  ['escapes', '\u0000\b\t\n\u000b\f\r"\\/\u007f', '"\\u0000\\b\\t\\n\\u000b\\f\\r\\"\\\\/\u007f"'],
])('writes %s as RFC 8785 does', (_what, value, text) => {
  expect(canonicalJson(toJson(value))).toBe(text);
});

describe('what is taken as JSON', () => {
  it('is a copy, without absent members and with __proto__', () => {
    const value: unknown = { ...JSON.parse('{"a":[1,{"b":null}]}'), gone: undefined };
    const copy = toJson(value);
    expect(copy).toEqual({ a: [1, { b: null }] });
    expect(copy).not.toBe(value);
    const odd = toJson(JSON.parse('{"__proto__":{"admin":true},"constructor":1}'));
    expect(canonicalJson(odd)).toBe('{"__proto__":{"admin":true},"constructor":1}');
  });

  let deep: unknown = 1;
  for (let n = 0; n < 20_000; n++) deep = [deep];
  const cycle: unknown[] = [];
  cycle.push(cycle);

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a bigint', 1n],
    ['NaN', Number.NaN],
    ['infinity', [Infinity]],
    ['a date', new Date()],
    ['a map', new Map()],
    ['bytes', new Uint8Array(1)],
    ['a boxed text', Object('a')],
    [
      'an instance',
      new (class Point {
        x = 1;
      })(),
    ],
    ['an inherited member', Object.create({ a: 1 })],
    ['a hole in a list', Array.from({ length: 1 })],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a name', { '\udc00': 1 }],
    ['a method that writes itself', { toJSON: () => 'other' }],
    ['nesting without end', deep],
    ['a cycle', cycle],
  ])('is not %s', (_what, value) => {
    expect(() => toJson(value)).toThrow(expect.objectContaining({ code: 'arguments_not_json' }));
  });
});
