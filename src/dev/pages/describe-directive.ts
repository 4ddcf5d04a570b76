/**
 * A directive in plain words, for the human who is asked to allow it.
 *
 * Nothing is left out or shortened: what she cannot read she has not allowed.
 *
 * @module
 */
import type { ArgumentSchema } from '../../attribution/argument-schema.ts';
import type { Directive } from '../../attribution/directive.ts';
import type { Json } from '../../attribution/tool-call.ts';

/** The answer to each question that the consent page asks of a directive. */
export interface DirectiveWords {
  readonly actions: readonly string[];
  readonly places: readonly string[];
  /** Undefined: any arguments. Empty: none at all. */
  readonly args: readonly ArgumentWords[] | undefined;
  readonly often: string;
  readonly until: string;
  /** Undefined: any agent. */
  readonly agents: readonly string[] | undefined;
}

/** Words of ours, and JSON of the directive's, which must not pass for words. */
export type Words = readonly (string | Quoted)[];

/** JSON as it is: `"42"` and `42` are different things, and look different. */
export interface Quoted {
  readonly json: string;
}

/** One argument and what it may be. */
export interface ArgumentWords {
  readonly name: string;
  /** Such as `is exactly` and a quoted `42`. */
  readonly rule: Words;
  readonly optional: boolean;
}

/** Says what a directive allows. @param now For telling that it has expired already. */
export function describeDirective(directive: Directive, now: Date): DirectiveWords {
  const { actions, resources, args, optional, maxUses, expires, agents } = directive;
  return {
    actions,
    places: resources,
    args:
      args === undefined
        ? undefined
        : Object.entries(args).map(([name, schema]) => ({
            name,
            rule: describeSchema(schema),
            optional: optional.includes(name),
          })),
    often: describeUses(maxUses),
    until: describeExpiry(expires, now),
    agents,
  };
}

function describeUses(maxUses: number | undefined): string {
  if (maxUses === undefined) return 'any number of times';
  if (maxUses === 1) return 'once';
  return maxUses === 2 ? 'at most twice' : `at most ${maxUses} times`;
}

const INSTANT = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'medium',
  timeZone: 'UTC',
});

function describeExpiry(expires: Date | undefined, now: Date): string {
  if (expires === undefined) return 'the end of this session';
  const instant = `${INSTANT.format(expires)} UTC`;
  return expires <= now
    ? `${instant}, which is already over`
    : `${instant}, or the end of this session`;
}

/** What an argument may be, as the end of a sentence that starts with its name. */
export function describeSchema(schema: ArgumentSchema): Words {
  const rules: readonly Words[] = [
    ...(schema.const === undefined ? [] : [['is exactly ', quote(schema.const)]]),
    ...(schema.enum === undefined
      ? []
      : [['is ', ...anyOf(schema.enum.map((one) => [quote(one)]))]]),
    ...(schema.type === undefined ? [] : [['is ', ...describeType(schema.type)]]),
    ...describeNumbers(schema),
    ...describeSizes(schema),
    ...describeItems(schema),
    ...describeMembers(schema),
  ];
  return rules.length === 0 ? ['is anything'] : join(rules, { by: ', ', last: ' and ' });
}

const TYPE_WORDS = {
  null: 'null',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  string: 'text',
  array: 'a list',
  object: 'an object',
} as const;

function describeType(type: NonNullable<ArgumentSchema['type']>): Words {
  const types = typeof type === 'string' ? [type] : type;
  return anyOf(types.map((one) => [TYPE_WORDS[one]]));
}

function describeNumbers(schema: ArgumentSchema): readonly Words[] {
  const bound = (words: string, value: number | undefined): readonly Words[] =>
    value === undefined ? [] : [[`is ${words} ${value}`]];
  return [
    ...bound('at least', schema.minimum),
    ...bound('more than', schema.exclusiveMinimum),
    ...bound('at most', schema.maximum),
    ...bound('less than', schema.exclusiveMaximum),
  ];
}

function describeSizes(schema: ArgumentSchema): readonly Words[] {
  const bound = (words: string, unit: string, n: number | undefined): readonly Words[] =>
    n === undefined ? [] : [[`has at ${words} ${n} ${unit}${n === 1 ? '' : 's'}`]];
  return [
    ...bound('least', 'character', schema.minLength),
    ...bound('most', 'character', schema.maxLength),
    ...bound('least', 'item', schema.minItems),
    ...bound('most', 'item', schema.maxItems),
  ];
}

function describeItems({ items }: ArgumentSchema): readonly Words[] {
  return items === undefined ? [] : [['each item ', ...describeSchema(items)]];
}

function describeMembers(schema: ArgumentSchema): readonly Words[] {
  const { properties = {}, required = [], additionalProperties: rest = true } = schema;
  const rules: Words[] = [
    ...required.map((name) => ['has ', quote(name)]),
    ...Object.entries(properties).map(([name, member]) => [
      'its ',
      quote(name),
      ' (',
      ...describeSchema(member),
      ')',
    ]),
  ];
  if (rest === false) rules.push(['has nothing else']);
  else if (rest !== true) rules.push(['anything else in it (', ...describeSchema(rest), ')']);
  return rules;
}

function quote(value: Json): Quoted {
  return { json: JSON.stringify(value) };
}

function anyOf(choices: readonly Words[]): Words {
  return join(choices, { by: ', ', last: ' or ' });
}

function join(parts: readonly Words[], { by, last = by }: { by: string; last?: string }): Words {
  return parts.flatMap((part, n) => {
    if (n === 0) return part;
    return [n === parts.length - 1 ? last : by, ...part];
  });
}
