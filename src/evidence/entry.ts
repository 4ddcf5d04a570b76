/**
 * Entries of format `crumb/1`: the object `{body, kind, prev, seq, time, v}` as RFC 8785 JSON. The
 * bytes are made once and then stored, hashed, exported and checked as they are.
 *
 * docs/formats/entry-v1.md is the specification.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8785
 * @module
 */
import { canonicalJson } from '../attribution/canonical.ts';
import type { Json } from '../attribution/tool-call.ts';
import { CrumbError } from '../errors.ts';
import { fromUtf8, toHex, utf8 } from './bytes.ts';
import type { Entry } from './kinds.ts';
import { BODIES, digest } from './schema.ts';
import { count, instant, isObject, pattern, record, word, type Shape } from './shape.ts';

/** Name of the format. Another layout gets another name. */
export const FORMAT = 'crumb/1';

/** What a C2SP entry bundle can hold. Nothing is cut to fit. */
export const MAX_ENTRY_BYTES = 65_535;

/** Deepest nesting of objects and arrays, the entry itself being the first. */
const MAX_DEPTH = 8;

/** `prev` of genesis: 32 zero bytes. */
export const ZERO_LEAF: Uint8Array = new Uint8Array(32);

/** A sound entry of a kind that this version does not know. The chain goes on through it. */
export interface UnknownKindEntry {
  readonly v: typeof FORMAT;
  readonly seq: number;
  readonly prev: string;
  readonly time: string;
  readonly kind: string;
  readonly body: Readonly<Record<string, Json>>;
}

/**
 * The canonical bytes of an entry. Members may be given in any order; what is not in the format is
 * refused, not dropped.
 *
 * @throws {CrumbError} `entry_malformed`, naming the member; `entry_too_large`.
 */
export function encodeEntry(entry: Entry): Uint8Array {
  const checked = take(entry);
  if (!isKnownKind(checked)) throw new CrumbError('entry_malformed', { names: ['kind'] });
  const bytes = utf8(canonicalText(checked));
  if (bytes.length > MAX_ENTRY_BYTES) throw new CrumbError('entry_too_large');
  return bytes;
}

/**
 * Reads the bytes of an entry, strictly: only what {@link encodeEntry} writes is accepted, so that
 * nobody can spell an entry in a second way. An entry of unknown kind is returned as such.
 *
 * It says nothing about whether `seq`, `prev` and references fit the entries around it.
 *
 * @throws {CrumbError} `entry_malformed`.
 */
export function parseEntry(bytes: Uint8Array): Entry | UnknownKindEntry {
  if (bytes.length > MAX_ENTRY_BYTES) throw new CrumbError('entry_malformed');
  const text = fromUtf8(bytes);
  if (text === undefined) throw new CrumbError('entry_malformed');
  const entry = take(parseJson(text));
  if (canonicalText(entry) !== text) throw new CrumbError('entry_malformed');
  return entry;
}

/** Whether the entry's kind is one of kinds.ts. */
export function isKnownKind(entry: Entry | UnknownKindEntry): entry is Entry {
  return ENTRIES.has(entry.kind);
}

/** Name of an entry for people: its number and the first 40 bits of its leaf hash. */
export function crumbId(seq: number, leaf: Uint8Array): string {
  return `${seq}-${toHex(leaf.subarray(0, 5))}`;
}

/** @param entry What {@link take} gave. */
function canonicalText(entry: Entry | UnknownKindEntry): string {
  // The schema leaves nothing in which JSON.stringify, which is faster, differs from RFC 8785:
  // members were copied in order, their names are ASCII and no numbers, strings are well-formed,
  // numbers are integers.
  if (isKnownKind(entry)) return JSON.stringify(entry);
  try {
    return canonicalJson({ ...entry });
  } catch (cause) {
    throw new CrumbError('entry_malformed', { cause });
  }
}

/** The entry with its members in canonical order, and nothing that the format does not have. */
function take(value: unknown): Entry | UnknownKindEntry {
  const kind = isObject(value) && Object.hasOwn(value, 'kind') ? value['kind'] : undefined;
  const shape = typeof kind === 'string' ? ENTRIES.get(kind) : undefined;
  const trail: string[] = [];
  const entry = (shape ?? UNKNOWN_KIND)(value, trail);
  if (entry === undefined) {
    throw new CrumbError('entry_malformed', { names: [trail.toReversed().join('.')] });
  }
  return entry;
}

/** The body of a kind that we do not know: any JSON of integers, as deep as an entry may be. */
function anyBody(value: unknown): UnknownKindEntry['body'] | undefined {
  if (!isObject(value) || !isShallow(value, MAX_DEPTH - 1)) return undefined;
  return value as UnknownKindEntry['body']; // it came out of JSON.parse
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value === 'number') return count(value, []) !== undefined;
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => isShallow(member, levels - 1));
}

function entryShape(
  kind: Shape<string>,
  body: Shape<UnknownKindEntry['body']>,
): Shape<UnknownKindEntry> {
  return record({ body, kind, prev: digest, seq: count, time: instant, v: word(FORMAT) });
}

const ENTRIES: ReadonlyMap<string, Shape<Entry>> = new Map(
  Object.entries(BODIES).map(([kind, body]) => [
    kind,
    entryShape(word(kind), body as Shape<never>) as Shape<never>, // the body is that of the kind
  ]),
);

const UNKNOWN_KIND = entryShape(pattern(/^[a-z][a-z0-9_]{0,63}$/), anyBody);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CrumbError('entry_malformed');
  }
}
