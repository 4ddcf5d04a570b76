/**
 * From the words of a command line to typed values.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { CrumbError } from '../errors.ts';
import { visible } from '../evidence/visible.ts';
import type { CommandDescription, Input, OptionSpec, OptionSpecs } from './command.ts';
import { nearest } from './nearest.ts';

/** Options that every command has. */
export const COMMON = {
  json: { kind: 'flag', help: 'print one JSON document instead of text' },
  help: { kind: 'flag', short: 'h', help: 'show this help' },
} as const satisfies OptionSpecs;

export interface ParsedArguments {
  readonly input: Input<OptionSpecs>;
  readonly json: boolean;
  readonly help: boolean;
}

type Value = boolean | string | number | Date | readonly string[] | undefined;

/**
 * Reads the words after a command's name.
 *
 * @throws {CrumbError} `usage_invalid`.
 */
export function parseArguments(
  command: CommandDescription,
  words: readonly string[],
): ParsedArguments {
  const specs: OptionSpecs = { ...command.options, ...COMMON };
  const { given, operands } = readWords(specs, words);
  const options: Record<string, Value> = {};
  for (const [name, spec] of Object.entries(specs)) {
    options[name] = valueOf(name, spec, given.get(name) ?? []);
  }
  const { json, help, ...own } = options;
  if (help !== true) checkOperands(command, operands);
  return {
    input: { options: own, operands },
    json: json === true,
    help: help === true,
  };
}

/** A usage error, with what the reader should look at. */
export function usage(text: string): CrumbError {
  return new CrumbError('usage_invalid', { names: [visible(text)] });
}

interface Words {
  /** Values by option; a flag has an empty one. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
}

function readWords(specs: OptionSpecs, words: readonly string[]): Words {
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, shape(spec)])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, readonly string[]>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (spec === undefined) throw unknownOption(token.rawName, Object.keys(specs));
    const earlier = given.get(token.name) ?? [];
    given.set(token.name, [...earlier, wordOf(token, spec)]);
  }
  return { given, operands };
}

function shape(spec: OptionSpec): { type: 'boolean' | 'string'; short?: string } {
  const type = spec.kind === 'flag' ? 'boolean' : 'string';
  return spec.short === undefined ? { type } : { type, short: spec.short };
}

function wordOf(
  token: {
    readonly rawName: string;
    readonly value: string | undefined;
    readonly inlineValue: boolean | undefined;
  },
  spec: OptionSpec,
): string {
  const { rawName, value, inlineValue } = token;
  if (spec.kind === 'flag') {
    if (value !== undefined) throw usage(`${rawName} takes no value`);
    return '';
  }
  // `--out --json` forgot the value; a value that starts with a dash is written `--out=-`.
  if (value === undefined || (inlineValue !== true && value.startsWith('-') && value !== '-')) {
    throw usage(`${rawName} needs a value`);
  }
  return value;
}

function unknownOption(rawName: string, names: readonly string[]): CrumbError {
  const meant = nearest(rawName.replace(/^--?/, ''), names);
  const hint = meant === undefined ? '' : `; did you mean --${meant}?`;
  return usage(`unknown option ${rawName}${hint}`);
}

function valueOf(name: string, spec: OptionSpec, words: readonly string[]): Value {
  if (spec.kind === 'flag') return words.length > 0;
  if (spec.kind === 'list') return words;
  if (words.length > 1) throw usage(`--${name} is given more than once`);
  const [word] = words;
  if (word === undefined) return 'default' in spec ? spec.default : undefined;
  switch (spec.kind) {
    case 'text':
      return word;
    case 'choice':
      if (!spec.of.includes(word)) throw usage(`--${name} is one of ${spec.of.join(', ')}`);
      return word;
    case 'count':
      if (!/^\d{1,9}$/.test(word)) throw usage(`--${name} is a whole number`);
      return Number(word);
    case 'instant':
      return instantOf(name, word);
    default:
      return spec satisfies never;
  }
}

const INSTANT =
  /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;
const AGO = /^(\d{1,6})([smhd])$/;
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A date, an RFC 3339 instant with its offset, or how long ago: `90m`, `24h`, `7d`. */
function instantOf(name: string, word: string): Date {
  const ago = AGO.exec(word);
  if (ago !== null) {
    const unit = ago[2] as keyof typeof UNIT_MS; // the expression allows these four letters
    return new Date(Date.now() - Number(ago[1]) * UNIT_MS[unit]);
  }
  const instant = INSTANT.test(word) ? new Date(word) : undefined;
  if (instant === undefined || Number.isNaN(instant.getTime())) {
    throw usage(
      `--${name} is a date (2026-11-22), an instant (2026-11-22T10:15:00Z) or an age (24h)`,
    );
  }
  return instant;
}

function checkOperands(command: CommandDescription, operands: readonly string[]): void {
  const missing = command.operands[operands.length];
  if (missing !== undefined && missing.optional !== true) {
    throw usage(`crumb ${command.name} needs ${missing.name}: ${missing.help}`);
  }
  const extra = operands[command.operands.length];
  if (extra !== undefined) throw usage(`${extra} is one word too many`);
}
