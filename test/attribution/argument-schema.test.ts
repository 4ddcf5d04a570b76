import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseArgumentSchema, satisfies } from '../../src/attribution/argument-schema.ts';
import type { Json } from '../../src/attribution/tool-call.ts';

function fits(value: unknown, schema: unknown): boolean {
  const parsed = parseArgumentSchema(schema);
  if (parsed === undefined) throw new TypeError('no schema');
  return satisfies(value as Json, parsed);
}

it.each<[string, unknown, readonly unknown[], readonly unknown[]]>([
  ['anything', {}, [null, 1, 'a', [], {}], []],
  ['const', { const: 42 }, [42, 42.0], ['42', 43, [42], null]],
  [
    'a const object',
    { const: { a: [1], b: null } },
    [{ b: null, a: [1] }],
    [{ a: [1] }, { a: [1], b: null, c: 1 }],
  ],
  ['const null', { const: null }, [null], [0, '', false, {}]],
  ['enum', { enum: ['json', { a: 1 }] }, ['json', { a: 1 }], ['JSON', { a: 2 }, '']],
  ['a type', { type: 'integer' }, [1, 1.0, -5], [1.5, '1', null]],
  ['types', { type: ['string', 'null'] }, ['', null], [1, false]],
  ['number', { type: 'number' }, [1, 1.5], ['1', true]],
  ['boolean', { type: 'boolean' }, [true, false], [0, 'true']],
  ['array', { type: 'array' }, [[]], [{}]],
  ['object', { type: 'object' }, [{}], [[], null]],
  ['minimum', { minimum: 3 }, [3, 4, 'text'], [2.9, -3]],
  ['maximum', { maximum: 3 }, [3, -1], [3.1]],
  ['exclusive bounds', { exclusiveMinimum: 1, exclusiveMaximum: 3 }, [2, 1.1], [1, 3]],
  [
    'length in code points',
    { minLength: 2, maxLength: 3 },
    ['ab', '😀😀😀', 5],
    ['a', '😀', 'abcd'],
  ],
  [
    'items',
    { items: { type: 'string' }, minItems: 1, maxItems: 2 },
    [['a'], ['a', 'b'], 'x'],
    [[], ['a', 1], ['a', 'b', 'c']],
  ],
  ['properties', { properties: { a: { const: 1 } } }, [{ a: 1 }, { b: 2 }, {}], [{ a: 2 }]],
  ['required', { required: ['a'] }, [{ a: null }], [{}, { b: 1 }]],
  ['required, which nothing inherits', { required: ['toString', '__proto__'] }, [], [{}]],
  [
    'no other properties',
    { properties: { a: {} }, additionalProperties: false },
    [{ a: 1 }, {}],
    [{ b: 1 }],
  ],
  ['other properties', { additionalProperties: { type: 'string' } }, [{ a: 'x' }, {}], [{ a: 1 }]],
  [
    'all keywords together',
    { type: 'string', enum: ['a', 'bb'], minLength: 2 },
    ['bb'],
    ['a', 'cc'],
  ],
])('%s', (_what, schema, good, bad) => {
  for (const value of good) expect(fits(value, schema), JSON.stringify(value)).toBe(true);
  for (const value of bad) expect(fits(value, schema), JSON.stringify(value)).toBe(false);
});

it('takes __proto__ for a name like any other', () => {
  const schema: unknown = JSON.parse(
    '{"properties":{"__proto__":{"const":1}},"additionalProperties":false}',
  );
  expect(fits(JSON.parse('{"__proto__":1}'), schema)).toBe(true);
  expect(fits(JSON.parse('{"__proto__":2}'), schema)).toBe(false);
  expect(fits({ constructor: 1 }, schema)).toBe(false);
});

describe('integers beyond 2^53', () => {
  const beyond = 2 ** 53;

  it('match nothing, not even themselves, since several spellings share them', () => {
    expect(JSON.parse('9007199254740993')).toBe(beyond);
    for (const schema of [{ const: beyond }, { enum: [beyond] }, {}, { type: 'number' }]) {
      expect(fits(beyond, schema)).toBe(false);
      expect(fits(-beyond, schema)).toBe(false);
      expect(fits(1e300, schema)).toBe(false);
    }
    expect(fits(beyond - 1, { const: beyond - 1 })).toBe(true);
  });

  it('match nothing inside another value either', () => {
    expect(fits({ a: [beyond] }, { const: { a: [beyond] } })).toBe(false);
    expect(fits([{ a: beyond }], {})).toBe(false);
    expect(fits({ a: [1.5] }, {})).toBe(true);
  });
});

describe('what is no schema', () => {
  let deep: object = {};
  for (let n = 0; n < 10_000; n++) deep = { items: deep };

  it.each<[string, unknown]>([
    ['a boolean', true],
    ['null', null],
    ['a list', []],
    ['an unknown keyword', { pattern: 'a' }],
    ['a reference', { $ref: '#' }],
    ['an inherited keyword name', JSON.parse('{"__proto__":{"type":"string"}}')],
    ['a keyword of Object.prototype', { toString: {} }],
    ['an unknown type', { type: 'text' }],
    ['no type', { type: [] }],
    ['an empty enum', { enum: [] }],
    ['an enum that is no list', { enum: 'a' }],
    ['a const that is no JSON', { const: Number.NaN }],
    ['a bound that is a text', { minimum: '1' }],
    ['an infinite bound', { maximum: Infinity }],
    ['a negative length', { minLength: -1 }],
    ['half an item', { maxItems: 0.5 }],
    ['items that are a list', { items: [{}] }],
    ['properties that are a list', { properties: [] }],
    ['a property without schema', { properties: { a: 1 } }],
    ['required that is a text', { required: 'a' }],
    ['additionalProperties that is null', { additionalProperties: null }],
    ['an unknown keyword, deep inside', { properties: { a: { items: { if: {} } } } }],
    ['nesting without end', deep],
  ])('is refused: %s', (_what, schema) => {
    expect(parseArgumentSchema(schema)).toBeUndefined();
  });
});

it('finds every value equal to itself, and to no value that is written otherwise', () => {
  const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => fits(value, {}));
  fc.assert(
    fc.property(json, json, (a, b) => {
      expect(fits(a, { const: a })).toBe(true);
      const same = JSON.stringify(a) === JSON.stringify(b);
      if (same) expect(fits(a, { const: b })).toBe(true);
      expect(fits(a, { const: b })).toBe(fits(b, { const: a }));
      expect(fits(a, { enum: [b, a] })).toBe(true);
    }),
  );
});
