import { describe, expect, it } from 'vitest';
import { parseDirective, type Directive } from '../../src/attribution/directive.ts';
import type { Json } from '../../src/attribution/tool-call.ts';
import { commitJson } from '../../src/evidence/commitment.ts';
import {
  directiveArgs,
  directiveOf,
  recordDirective,
} from '../../src/evidence/directive-record.ts';
import { encodeEntry } from '../../src/evidence/entry.ts';
import { BODIES, digest } from '../vectors/sample-bodies.ts';

const SALT = new Uint8Array(32).fill(5);

function directiveFrom(detail: object): Directive {
  const directive = parseDirective({
    type: 'crumb_tool_call',
    actions: ['read_record'],
    locations: ['https://records.example'],
    ...detail,
  });
  if (directive === undefined) throw new TypeError('malformed');
  return directive;
}

const limited = directiveFrom({
  arguments: { id: { const: 42 }, format: { enum: ['json'] } },
  optional: ['format'],
  expires: 1_795_390_000,
  max_uses: 1,
  agents: ['planner', 'researcher'],
});
const open = directiveFrom({});

function recordOf(directive: Directive) {
  const args = directiveArgs(directive);
  return recordDirective(directive, args === null ? null : commitJson(SALT, 'directive', args));
}

describe('a directive', () => {
  it.each([
    ['with every limit', limited],
    ['without limits', open],
    ['of one argument', directiveFrom({ arguments: { ['__proto__']: { const: 1 } } })],
    ['of no argument', directiveFrom({ arguments: {} })],
  ])('%s comes back from its record', (_what, directive) => {
    expect(directiveOf(recordOf(directive), directiveArgs(directive))).toEqual(directive);
  });

  it('fits an entry', () => {
    const directives = [recordOf(limited), recordOf(open)];
    const bytes = encodeEntry({
      v: 'crumb/1',
      seq: 2,
      prev: digest('prev'),
      time: '2026-11-22T10:15:30.123Z',
      kind: 'session',
      body: { ...BODIES.session, directives },
    });
    // Argument values may be personal: the entry holds none.
    expect(Buffer.from(bytes).toString()).not.toMatch(/42|json/);
  });

  it('needs a commitment exactly where arguments are limited', () => {
    expect(() => recordDirective(limited, null)).toThrow(TypeError);
    expect(() => recordDirective(open, recordOf(limited).args)).toThrow(TypeError);
  });
});

describe('what opened a record', () => {
  it.each<[string, Json]>([
    ['no object', 'any'],
    ['null', null],
    ['a list', []],
    ['no arguments', { optional: [] }],
    ['nothing optional named', { arguments: {} }],
    ['another member', { arguments: {}, optional: [], more: 1 }],
    ['an unknown keyword', { arguments: { id: { pattern: '^a+$' } }, optional: [] }],
    ['an optional argument that no schema describes', { arguments: {}, optional: ['id'] }],
  ])('limits nothing if it is %s', (_what, opened) => {
    expect(directiveOf(recordOf(limited), opened)).toBeUndefined();
  });

  it('must not stand where the record commits to none', () => {
    expect(directiveOf(recordOf(open), { arguments: {}, optional: [] })).toBeUndefined();
  });
});
