/**
 * The subset of JSON Schema that a directive may put on an argument. Unknown keywords are refused, so
 * that a constraint nobody evaluates never looks like one. No `$ref`, and no `pattern`: a regular
 * expression out of a token could take for ever.
 *
 * @see https://json-schema.org/draft/2020-12/json-schema-validation
 * @module
 */
import { canonicalJson, toJson } from './canonical.ts';
import type { Json } from './tool-call.ts';

const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const;

export type ArgumentType = (typeof TYPES)[number];

export interface ArgumentSchema {
  readonly type?: ArgumentType | readonly ArgumentType[];
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  /** In Unicode code points, as JSON Schema counts. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly items?: ArgumentSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, ArgumentSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | ArgumentSchema;
}

const MAX_DEPTH = 16;

const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

/** Whether each keyword's own value has the right shape. What is missing here is an unknown keyword. */
const KEYWORDS: Readonly<Record<keyof ArgumentSchema, (value: unknown, depth: number) => boolean>> =
  {
    type: (value) =>
      Array.isArray(value) ? value.length > 0 && value.every(isType) : isType(value),
    const: isJson,
    enum: (value) => Array.isArray(value) && value.length > 0 && value.every(isJson),
    minimum: isNumber,
    maximum: isNumber,
    exclusiveMinimum: isNumber,
    exclusiveMaximum: isNumber,
    minLength: isCount,
    maxLength: isCount,
    items: isSchema,
    minItems: isCount,
    maxItems: isCount,
    properties: (value, depth) =>
      isObject(value) && Object.values(value).every((member) => isSchema(member, depth)),
    required: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
    additionalProperties: (value, depth) => typeof value === 'boolean' || isSchema(value, depth),
  };

/** Takes a schema of the subset; undefined for anything else, which then authorises nothing. */
export function parseArgumentSchema(value: unknown): ArgumentSchema | undefined {
  return isSchema(value, 0) ? value : undefined;
}

/**
 * Whether a value satisfies a schema. `const` and `enum` compare RFC 8785 bytes. A value that holds an
 * integer beyond 2^53 satisfies none: several spellings share one number there, and nobody can say
 * which was meant.
 */
export function satisfies(value: Json, schema: ArgumentSchema): boolean {
  return !holdsUnsafeInteger(value) && fits(value, schema);
}

function fits(value: Json, schema: ArgumentSchema): boolean {
  return (
    matchesType(value, schema) &&
    (schema.const === undefined || sameJson(value, schema.const)) &&
    (schema.enum === undefined || schema.enum.some((choice) => sameJson(value, choice))) &&
    (typeof value !== 'number' || inRange(value, schema)) &&
    (typeof value !== 'string' || within([...value].length, schema.minLength, schema.maxLength)) &&
    (!isList(value) || matchesItems(value, schema)) &&
    (!isObject(value) || matchesMembers(value, schema))
  );
}

function holdsUnsafeInteger(value: Json): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  return (
    typeof value === 'object' && value !== null && Object.values(value).some(holdsUnsafeInteger)
  );
}

function isSchema(value: unknown, depth: number): value is ArgumentSchema {
  if (!isObject(value) || depth > MAX_DEPTH) return false;
  return Object.entries(value).every(
    ([name, member]) =>
      Object.hasOwn(KEYWORDS, name) && KEYWORDS[name as keyof ArgumentSchema](member, depth + 1), // hasOwn
  );
}

function isType(value: unknown): value is ArgumentType {
  return TYPES.some((type) => type === value);
}

function isJson(value: unknown): boolean {
  try {
    toJson(value);
    return true;
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function sameJson(a: Json, b: Json): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function typesOf(value: Json): readonly ArgumentType[] {
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  switch (typeof value) {
    case 'boolean':
      return ['boolean'];
    case 'string':
      return ['string'];
    case 'number':
      return Number.isInteger(value) ? ['integer', 'number'] : ['number'];
    default:
      return ['object'];
  }
}

function matchesType(value: Json, { type }: ArgumentSchema): boolean {
  if (type === undefined) return true;
  const wanted: readonly ArgumentType[] = typeof type === 'string' ? [type] : type;
  return typesOf(value).some((own) => wanted.includes(own));
}

function inRange(value: number, schema: ArgumentSchema): boolean {
  return (
    within(value, schema.minimum, schema.maximum) &&
    (schema.exclusiveMinimum === undefined || value > schema.exclusiveMinimum) &&
    (schema.exclusiveMaximum === undefined || value < schema.exclusiveMaximum)
  );
}

function within(size: number, least = -Infinity, most = Infinity): boolean {
  return size >= least && size <= most;
}

function matchesItems(value: readonly Json[], schema: ArgumentSchema): boolean {
  const { items } = schema;
  return (
    within(value.length, schema.minItems, schema.maxItems) &&
    (items === undefined || value.every((item) => fits(item, items)))
  );
}

function matchesMembers(value: Readonly<Record<string, Json>>, schema: ArgumentSchema): boolean {
  const { properties = {}, required = [], additionalProperties: rest = true } = schema;
  if (!required.every((name) => Object.hasOwn(value, name))) return false;
  return Object.entries(value).every(([name, member]) => {
    const named = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (named !== undefined) return fits(member, named);
    return typeof rest === 'boolean' ? rest : fits(member, rest);
  });
}
