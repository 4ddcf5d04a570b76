/** Entries of every kind for property tests, made from the words of the format, not from its schema. */
import fc, { type Arbitrary } from 'fast-check';
import type { Bodies, Entry, Kind } from '../../src/evidence/kinds.ts';
import { BODIES } from './sample-bodies.ts';

const text = (cap: number): Arbitrary<string> =>
  fc
    .string({ unit: 'binary', maxLength: cap })
    .filter((value) => value.isWellFormed() && Buffer.byteLength(value) <= cap);

const count = fc.oneof(
  fc.nat(),
  fc.constantFrom(0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
  fc.maxSafeNat(),
);

const instant = fc
  .date({
    min: new Date('0000-01-01T00:00:00.000Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString());

const digest = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'));

/** Other values of the same shape as a sample's, by what the sample looks like. */
function like(sample: unknown, name: string): Arbitrary<unknown> {
  if (typeof sample === 'number') return count;
  if (Array.isArray(sample)) return fc.array(likeAny(sample, name), { maxLength: 8 });
  if (typeof sample === 'object' && sample !== null) return likeMembers(sample);
  if (typeof sample !== 'string') throw new TypeError('no sample');
  if (/^[hf]1\./.test(sample)) {
    return fc.tuple(fc.constantFrom('h1.', 'f1.'), digest).map((parts) => parts.join(''));
  }
  if (/^\d{4}-/.test(sample)) return instant;
  if (/^[\w-]{43}$/.test(sample)) return digest;
  return FREE.has(name) ? text(256) : fc.constant(sample);
}

/** Members that hold free text; the others have words of their own. */
const FREE = new Set([
  'id',
  'tool',
  'action',
  'resource',
  'sub',
  'iss',
  'txn',
  'purpose',
  'basis',
  'reason',
  'argument',
  'aud',
  'amr',
  'by',
  'effect',
]);

function likeAny(samples: readonly unknown[], name: string): Arbitrary<unknown> {
  return fc.oneof(...samples.map((sample) => like(sample, name)));
}

function likeMembers(sample: object): Arbitrary<unknown> {
  const members = Object.entries(sample).map(([name, value]) => [name, like(value, name)]);
  return fc.record(Object.fromEntries(members) as Record<string, Arbitrary<unknown>>);
}

/** Any sound entry. Nothing about it fits other entries. */
export const arbitraryEntry: Arbitrary<Entry> = fc
  .constantFrom(...(Object.keys(BODIES) as Kind[]))
  .chain((kind) =>
    fc.record({
      v: fc.constant('crumb/1'),
      seq: count,
      prev: digest,
      time: instant,
      kind: fc.constant(kind),
      body: likeMembers(BODIES[kind]) as Arbitrary<Bodies[Kind]>,
    }),
  )
  .map((entry) => entry as Entry); // the body is of the entry's kind
