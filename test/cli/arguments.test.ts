import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.ts';
import type { CommandDescription } from '../../src/cli/command.ts';
import { nearest } from '../../src/cli/nearest.ts';

const COMMAND: CommandDescription = {
  name: 'try',
  summary: '',
  about: [],
  operands: [
    { name: 'FILE', help: 'what to read' },
    { name: 'MORE', help: 'what else', optional: true },
  ],
  options: {
    full: { kind: 'flag', short: 'f', help: '' },
    key: { kind: 'text', value: 'KEY', help: '' },
    name: { kind: 'text', value: 'NAME', help: '', default: 'crumb' },
    agent: { kind: 'list', value: 'AGENT', help: '' },
    as: { kind: 'choice', of: ['table', 'tree'], help: '', default: 'table' },
    limit: { kind: 'count', value: 'N', help: '', default: 20 },
    since: { kind: 'instant', value: 'TIME', help: '' },
  },
  examples: [],
};

const read = (...words: string[]): Record<string, unknown> =>
  parseArguments(COMMAND, words).input.options;

describe('options', () => {
  it('have their defaults', () => {
    expect(read('x')).toEqual({
      full: false,
      key: undefined,
      name: 'crumb',
      agent: [],
      as: 'table',
      limit: 20,
      since: undefined,
    });
  });

  it('are read in every spelling', () => {
    expect(
      read('-f', '--key=a', '--agent', 'p', 'x', '--agent', 'r', '--as', 'tree', '--limit', '3'),
    ).toMatchObject({ full: true, key: 'a', agent: ['p', 'r'], as: 'tree', limit: 3 });
  });

  it('take a value with a dash where it is attached', () => {
    expect(read('x', '--key=-----BEGIN')['key']).toBe('-----BEGIN');
  });

  it.each([
    ['2026-11-22', '2026-11-22T00:00:00.000Z'],
    ['2026-11-22T10:15:30Z', '2026-11-22T10:15:30.000Z'],
    ['2026-11-22T10:15+02:00', '2026-11-22T08:15:00.000Z'],
  ])('read the instant %s', (word, instant) => {
    expect(read('x', '--since', word)['since']).toEqual(new Date(instant));
  });

  it('read an age', () => {
    const since = read('x', '--since', '90m')['since'] as Date;
    expect(Math.abs(Date.now() - 90 * 60_000 - since.getTime())).toBeLessThan(5000);
  });

  it('know --json and --help everywhere', () => {
    expect(parseArguments(COMMAND, ['x', '--json'])).toMatchObject({ json: true, help: false });
    expect(parseArguments(COMMAND, ['-h'])).toMatchObject({ help: true });
  });
});

describe('a command line that is not understood', () => {
  it.each([
    ['an unknown option', ['x', '--fulll']],
    ['an option of the prototype', ['x', '--constructor']],
    ['a flag with a value', ['x', '--full=yes']],
    ['no value', ['x', '--key']],
    ['an option where a value should be', ['x', '--key', '--full']],
    ['an option given twice', ['x', '--key', 'a', '--key', 'b']],
    ['another choice', ['x', '--as', 'list']],
    ['no number', ['x', '--limit', '-1']],
    ['half a number', ['x', '--limit', '3x']],
    ['no instant', ['x', '--since', 'yesterday']],
    ['a day that is none', ['x', '--since', '2026-13-41']],
    ['an instant without offset', ['x', '--since', '2026-11-22T10:15']],
    ['a missing operand', []],
    ['an operand too many', ['x', 'y', 'z']],
  ])('%s', (_what, words) => {
    expect(() => parseArguments(COMMAND, words)).toThrow(
      expect.objectContaining({ code: 'usage_invalid' }),
    );
  });
});

describe('what somebody meant', () => {
  it.each([
    ['verfy', 'verify'],
    ['veirfy', 'verify'],
    ['dev ipd', 'dev idp'],
    ['lgo', 'log'],
    ['export', undefined],
    ['', undefined],
  ])('%s: %s', (word, meant) => {
    expect(nearest(word, ['init', 'keygen', 'demo', 'dev idp', 'verify', 'log'])).toBe(meant);
  });
});
