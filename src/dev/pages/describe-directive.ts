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

/** One argument and what it may be. */
export interface ArgumentWords {
  readonly name: string;
  /** Such as `is exactly 42`. */
  readonly rule: string;
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
  // A directive may name a second beyond what a calendar knows.
  const instant = Number.isNaN(expires.getTime())
    ? 'a date far ahead'
    : `${INSTANT.format(expires)} UTC`;
  return expires <= now
    ? `${instant}, which is already over`
    : `${instant}, or the end of this session`;
}

/** What an argument may be, as the end of a sentence that starts with its name. */
export function describeSchema(schema: ArgumentSchema): string {
  const rules = [
    ...(schema.const === undefined ? [] : [`is exactly ${literal(schema.const)}`]),
    ...(schema.enum === undefined ? [] : [`is ${anyOf(schema.enum.map(literal))}`]),
    ...(schema.type === undefined ? [] : [`is ${describeType(schema.type)}`]),
    ...describeNumbers(schema),
    ...describeSizes(schema),
    ...describeItems(schema),
    ...describeMembers(schema),
  ];
  return rules.length === 0 ? 'is anything' : rules.join(', and ');
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

function describeType(type: NonNullable<ArgumentSchema['type']>): string {
  const types = typeof type === 'string' ? [type] : type;
  return anyOf(types.map((one) => TYPE_WORDS[one]));
}

function describeNumbers(schema: ArgumentSchema): readonly string[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  return [
    ...(minimum === undefined ? [] : [`is at least ${minimum}`]),
    ...(exclusiveMinimum === undefined ? [] : [`is more than ${exclusiveMinimum}`]),
    ...(maximum === undefined ? [] : [`is at most ${maximum}`]),
    ...(exclusiveMaximum === undefined ? [] : [`is less than ${exclusiveMaximum}`]),
  ];
}

function describeSizes(schema: ArgumentSchema): readonly string[] {
  const { minLength, maxLength, minItems, maxItems } = schema;
  return [...sizes('character', minLength, maxLength), ...sizes('item', minItems, maxItems)];
}

function sizes(
  unit: string,
  least: number | undefined,
  most: number | undefined,
): readonly string[] {
  const counted = (n: number): string => `${n} ${unit}${n === 1 ? '' : 's'}`;
  return [
    ...(least === undefined ? [] : [`has at least ${counted(least)}`]),
    ...(most === undefined ? [] : [`has at most ${counted(most)}`]),
  ];
}

function describeItems({ items }: ArgumentSchema): readonly string[] {
  return items === undefined ? [] : [`each item (${describeSchema(items)})`];
}

function describeMembers(schema: ArgumentSchema): readonly string[] {
  const { properties = {}, required = [], additionalProperties } = schema;
  const named = Object.entries(properties).map(
    ([name, member]) => `its ${literal(name)} (${describeSchema(member)})`,
  );
  const must = required.map((name) => `has ${literal(name)}`);
  if (additionalProperties === undefined || additionalProperties === true)
    return [...named, ...must];
  const rest =
    additionalProperties === false
      ? 'has no other members'
      : `every other member (${describeSchema(additionalProperties)})`;
  return [...named, ...must, rest];
}

/** JSON as it is: `"42"` and `42` are different things, and look different. */
function literal(value: Json): string {
  return JSON.stringify(value);
}

function anyOf(words: readonly string[]): string {
  const last = words.at(-1);
  return words.length < 2 ? (last ?? 'nothing') : `${words.slice(0, -1).join(', ')} or ${last}`;
}
