import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/attribution/tool-call.ts';
import {
  commit,
  commitBytes,
  commitJson,
  commitMembers,
  openMember,
  opensBytes,
  opensJson,
  verifyMember,
} from '../../src/evidence/commitment.ts';
import { pseudonymOf } from '../../src/evidence/pseudonym.ts';
import {
  slowCommitment,
  slowJson,
  slowMembersCommitment,
  slowSha256,
  slowPseudonym,
} from '../vectors/slow-model.ts';

const SALT = new Uint8Array(32).fill(0x11);
const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;
const salts = fc.uint8Array({ minLength: 32, maxLength: 32 });
const objects = fc.dictionary(fc.string({ unit: 'binary' }), json, { maxKeys: 9 });

describe('a commitment', () => {
  it('is what a second implementation computes, and opens with what it was made of', () => {
    fc.assert(
      fc.property(salts, json, (salt, value) => {
        const commitment = commitJson(salt, 'args', value);
        const bytes = Buffer.from(slowJson(value));
        expect(commitment).toBe(slowCommitment(Buffer.from(salt), 'args', bytes));
        expect(opensJson(commitment, { label: 'args', salt, value })).toBe(true);
        expect(opensJson(commitment, { label: 'result', salt, value })).toBe(false);
        expect(opensJson(commitment, { label: 'args', salt, value: [value] })).toBe(false);
        const other = salt.with(31, (salt[31] ?? 0) ^ 1);
        expect(opensJson(commitment, { label: 'args', salt: other, value })).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('does not depend on the order of members, but on every value in them', () => {
    const one = commitJson(SALT, 'args', { a: 1, b: { c: '42', d: [null] } });
    expect(commitJson(SALT, 'args', { b: { d: [null], c: '42' }, a: 1 })).toBe(one);
    expect(commitJson(SALT, 'args', { a: 1, b: { c: 42, d: [null] } })).not.toBe(one);
  });

  it('keeps __proto__ as a member like any other', () => {
    const value = JSON.parse('{"__proto__":{"admin":true}}') as Json;
    const commitment = commitJson(SALT, 'args', value);
    expect(commitment).not.toBe(commitJson(SALT, 'args', {}));
    expect(opensJson(commitment, { label: 'args', salt: SALT, value })).toBe(true);
  });

  it('to bytes opens with these bytes only', () => {
    const bytes = randomBytes(20);
    const commitment = commitBytes(SALT, 'token', bytes);
    expect(opensBytes(commitment, { label: 'token', salt: SALT, bytes })).toBe(true);
    const more = Buffer.concat([bytes, Buffer.of(0)]);
    expect(opensBytes(commitment, { label: 'token', salt: SALT, bytes: more })).toBe(false);
    expect(opensBytes(commitment, { label: 'args.bytes', salt: SALT, bytes })).toBe(false);
  });

  it.each([0, 31, 33, 64])('has no salt of %d bytes: HMAC would give it two', (length) => {
    const salt = new Uint8Array(length);
    expect(() => commit(salt, 'args', SALT)).toThrow(TypeError);
    expect(() => commitMembers(salt, 'args', {})).toThrow(TypeError);
    const commitment = commitJson(SALT, 'args', 1);
    expect(opensJson(commitment, { label: 'args', salt, value: 1 })).toBe(false);
    expect(opensBytes(commitment, { label: 'args', salt, bytes: SALT })).toBe(false);
  });

  it('to a small value is guessed by nobody without its salt; a plain hash is, by anybody', () => {
    const secret = { record_id: 7 };
    const guesses = Array.from({ length: 1000 }, (_, n) => ({ record_id: n }));
    const hash = (value: Json): string => slowSha256(slowJson(value)).toString('hex');
    expect(guesses.filter((guess) => hash(guess) === hash(secret))).toEqual([secret]);

    const commitment = commitJson(randomBytes(32), 'args', secret);
    const found = guesses.filter((value) => {
      return (
        commitment.includes(slowSha256(slowJson(value)).toString('base64url')) ||
        opensJson(commitment, { label: 'args', salt: new Uint8Array(32), value })
      );
    });
    expect(found).toEqual([]);
  });

  it('opens with nothing that is not JSON, however deep', () => {
    const commitment = commitJson(SALT, 'args', {});
    let deep: unknown = 1;
    for (let n = 0; n < 20_000; n++) deep = [deep];
    for (const value of [deep, undefined, Number.NaN, 1n, () => 1, new Date(), '\ud800']) {
      expect(opensJson(commitment, { label: 'args', salt: SALT, value: value as Json })).toBe(
        false,
      );
    }
  });

  it.each(['', 'h1.', 'h2.AAAA', 'f1.AAAA', 'h1', '__proto__'])('is not %j', (commitment) => {
    expect(opensJson(commitment, { label: 'args', salt: SALT, value: {} })).toBe(false);
    expect(opensBytes(commitment, { label: 'args', salt: SALT, bytes: SALT })).toBe(false);
  });
});

describe('a commitment to members', () => {
  it('is what a second implementation computes, and opens as a whole and member by member', () => {
    fc.assert(
      fc.property(salts, objects, (salt, value) => {
        const commitment = commitMembers(salt, 'args', value);
        const isEmpty = Object.keys(value).length === 0;
        expect(commitment).toBe(
          isEmpty
            ? slowCommitment(Buffer.from(salt), 'args', Buffer.from('{}'))
            : slowMembersCommitment(Buffer.from(salt), 'args', value),
        );
        expect(opensJson(commitment, { label: 'args', salt, value })).toBe(true);
        expect(opensJson(commitment, { label: 'result', salt, value })).toBe(false);
        for (const name of Object.keys(value)) {
          const opening = openMember({ salt, label: 'args', value }, name);
          if (opening === undefined) throw new TypeError('no opening');
          expect(verifyMember(commitment, 'args', opening)).toBe(true);
          expect(verifyMember(commitment, 'result', opening)).toBe(false);
          expect(verifyMember(commitment, 'args', { ...opening, name: `${name}x` })).toBe(false);
          expect(verifyMember(commitment, 'args', { ...opening, value: [opening.value] })).toBe(
            false,
          );
          expect(verifyMember(commitment, 'args', { ...opening, salt })).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('shows one member and of the others only how many there are', () => {
    const value = { amount: 3, iban: 'SECRET', to: 'Bob' };
    const opening = openMember({ salt: SALT, label: 'args', value }, 'amount');
    expect(opening).toMatchObject({ index: 0, size: 3, name: 'amount', value: 3 });
    expect(JSON.stringify(opening)).not.toContain('SECRET');
    // The salt of one member does not lead to that of the next.
    const iban = openMember({ salt: SALT, label: 'args', value }, 'iban');
    expect(iban?.salt).not.toEqual(opening?.salt);
    expect(iban?.salt).not.toEqual(SALT);
  });

  it('has no opening for a member that is not there', () => {
    const whole = { salt: SALT, label: 'args', value: { a: 1 } } as const;
    expect(openMember(whole, 'b')).toBeUndefined();
    expect(openMember(whole, 'toString')).toBeUndefined();
  });

  it('never throws on a bad opening', () => {
    const commitment = commitMembers(SALT, 'args', { a: 1 });
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.anything(), (a, b, c) => {
        const opening = { index: a, size: b, salt: SALT, name: c, value: a, proof: b } as never;
        expect(verifyMember(commitment, 'args', opening)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('without members is none: the root of nothing would open under every salt', () => {
    const nothing = `f1.${slowSha256('').toString('base64url')}`;
    expect(commitMembers(SALT, 'args', {})).toBe(commitJson(SALT, 'args', {}));
    expect(opensJson(nothing, { label: 'args', salt: SALT, value: {} })).toBe(false);
  });

  it('is no commitment to the whole, nor the other way round', () => {
    const value = { a: 1 };
    const whole = commitJson(SALT, 'args', value);
    const members = commitMembers(SALT, 'args', value);
    const swapped = (commitment: string, scheme: string): string => scheme + commitment.slice(3);
    expect(opensJson(swapped(whole, 'f1.'), { label: 'args', salt: SALT, value })).toBe(false);
    expect(opensJson(swapped(members, 'h1.'), { label: 'args', salt: SALT, value })).toBe(false);
  });
});

describe('a pseudonym', () => {
  it('is what a second implementation computes', () => {
    fc.assert(
      fc.property(salts, fc.string(), fc.string(), (key, origin, epoch) => {
        expect(pseudonymOf(key, origin, epoch)).toBe(
          slowPseudonym(Buffer.from(key), origin, epoch),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('differs by person, ledger and epoch', () => {
    const other = new Uint8Array(32).fill(2);
    const names = [
      pseudonymOf(SALT, 'acme.example/crumb'),
      pseudonymOf(other, 'acme.example/crumb'),
      pseudonymOf(SALT, 'acme.example/other'),
      pseudonymOf(SALT, 'acme.example/crumb', '2026-11'),
    ];
    expect(new Set(names).size).toBe(4);
  });

  it.each([0, 31, 33])('has no key of %d bytes', (length) => {
    expect(() => pseudonymOf(new Uint8Array(length), 'acme.example/crumb')).toThrow(TypeError);
  });
});
