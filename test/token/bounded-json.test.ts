import { assert, constantFrom, json, property } from 'fast-check';
import { expect, it } from 'vitest';
import { parseBoundedJson } from '../../src/token/bounded-json.ts';

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

it('reads what JSON.parse reads', () => {
  assert(
    property(json({ maxDepth: 6 }), constantFrom(undefined, 1, '\t'), (given, space) => {
      const text = JSON.stringify(JSON.parse(given), null, space);
      expect(parseBoundedJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

it.each([
  ['a name twice', '{"a":1,"a":2}'],
  ['a name twice, once escaped', String.raw`{"a":1,"\u0061":2}`],
  ['a name twice, far inside', '[{"x":[{"a":{},"b":[1,"}"],"a":{}}]}]'],
  ['a name twice, around strings that look like structure', String.raw`{"a":"\"{[","b":"}","a":1}`],
  ['__proto__ twice', '{"__proto__":1,"__proto__":2}'],
  ['65 levels', nested(65)],
  ['5000 levels', nested(5000)],
  ['200000 levels that never close', '{"act":'.repeat(200_000)],
  ['a megabyte of string that does not close', `"${'a'.repeat(1_000_000)}`],
  ['no JSON', '<html>'],
  ['an open string', '{"a'],
  ['a bad escape', String.raw`{"a\x":1}`],
  ['two values', '{} {}'],
  ['nothing', ''],
])('refuses %s', (_what, text) => {
  expect(() => parseBoundedJson(text)).toThrow(
    expect.objectContaining({ code: 'token_malformed' }),
  );
});

it('accepts the same name in different objects, and 64 levels', () => {
  expect(parseBoundedJson('{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}')).toBeTypeOf('object');
  expect(parseBoundedJson(nested(64))).toBeInstanceOf(Array);
  expect(parseBoundedJson(`"${String.raw`\n`.repeat(400_000)}"`)).toHaveLength(400_000);
});
