/**
 * Claim: whoever has the ledger cannot guess arguments out of it, however few there are to try: not even
 * with everything else that the ledger says.
 */
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/attribution/canonical.ts';
import type { Json } from '../../src/attribution/tool-call.ts';
import { fromBase64url } from '../../src/evidence/bytes.ts';
import {
  commitJson,
  commitMembers,
  openMember,
  opensJson,
  verifyMember,
} from '../../src/evidence/commitment.ts';
import { itemsOf } from '../verify/build-ledger.ts';
import { tellStory } from '../verify/story.ts';
import { entriesOf } from './forge.ts';

/** All the records that there are. */
const RECORDS = Array.from({ length: 5000 }, (_, id) => ({ id }));

/** Tries them all. */
function guess(fits: (value: Json) => boolean): Json | undefined {
  return RECORDS.find(fits);
}

describe('arguments out of few', () => {
  it('are guessed from a plain hash in a moment', () => {
    const hash = (value: Json): string =>
      createHash('sha256').update(canonicalJson(value)).digest('base64url');
    const stored = hash({ id: 4321 });
    expect(guess((value) => hash(value) === stored)).toEqual({ id: 4321 });
  });

  it('are guessed from a commitment by whoever knows its salt: nothing else keeps them', () => {
    const salt = Uint8Array.from(randomBytes(32));
    const stored = commitJson(salt, 'args', { id: 4321 });
    expect(guess((value) => opensJson(stored, { label: 'args', salt, value }))).toEqual({
      id: 4321,
    });
  });

  it('are not guessed from a commitment, by any hash or salt that the ledger itself shows', async () => {
    const { builder } = await tellStory();
    const entries = entriesOf(builder);
    const intent = entries.find(({ kind }) => kind === 'intent');
    if (intent?.kind !== 'intent') throw new TypeError('no intent');
    const stored = intent.body.call.args;
    const truth = builder.kept.get(stored);
    expect(
      opensJson(stored, {
        label: 'args',
        salt: truth?.salt ?? new Uint8Array(),
        value: { id: 42 },
      }),
    ).toBe(true);

    const known = everyHashIn(entries);
    expect(known.length).toBeGreaterThan(30);
    const salts = [new Uint8Array(32), ...known];
    const fewer = RECORDS.slice(0, 50); // the truth, 42, is among them
    for (const salt of salts) {
      expect(fewer.some((value) => opensJson(stored, { label: 'args', salt, value }))).toBe(false);
    }
    const digest = stored.slice(3);
    const hash = (value: Json): string =>
      createHash('sha256').update(canonicalJson(value)).digest('base64url');
    expect(guess((value) => hash(value) === digest)).toBeUndefined();
  });

  it('are not the same twice: equal calls leave nothing equal', () => {
    const salts = [randomBytes(32), randomBytes(32)].map((salt) => Uint8Array.from(salt));
    const [one, two] = salts.map((salt) => commitJson(salt, 'args', { id: 7 }));
    expect(one).not.toBe(two);
  });
});

it('a copy of the ledger without the vault opens nothing', async () => {
  const { builder } = await tellStory();
  const lines = await itemsOf(builder, { vault: false });
  expect(lines.filter(({ t }) => t === 'opening' || t === 'jwks')).toEqual([]);
});

describe('members that stay closed while another is shown', () => {
  const few = RECORDS.slice(0, 500);
  const salt = Uint8Array.from(randomBytes(32));
  const value = { id: 432, note: 'the patient moved' };
  const stored = commitMembers(salt, 'args', value);
  const shown = openMember({ label: 'args', salt, value }, 'note');

  it('are not guessed with the salt of the one that is shown', () => {
    if (shown === undefined) throw new TypeError('not shown');
    expect(verifyMember(stored, 'args', shown)).toBe(true);
    const guesses = few.map(({ id }) => ({ ...shown, index: 0, name: 'id', value: id }));
    expect(guesses.some((opening) => verifyMember(stored, 'args', opening))).toBe(false);
    const fits = (id: number): boolean =>
      opensJson(stored, { label: 'args', salt: shown.salt, value: { ...value, id } });
    expect(few.some(({ id }) => fits(id))).toBe(false);
  });

  it('are guessed with the salt of the whole, which is therefore never shown', () => {
    const fits = (id: number): boolean =>
      opensJson(stored, { label: 'args', salt, value: { ...value, id } });
    expect(few.find(({ id }) => fits(id))).toEqual({ id: 432 });
    const told = JSON.stringify(shown, (_, part: unknown) =>
      part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part,
    );
    expect(told).not.toContain(Buffer.from(salt).toString('hex'));
  });
});

/** Every 32 bytes that entries say in base64url. */
function everyHashIn(value: unknown): readonly Uint8Array[] {
  const words = JSON.stringify(value).match(/[\w-]{43}/g) ?? [];
  return [...new Set(words)]
    .flatMap((word) => fromBase64url(word) ?? [])
    .filter(({ length }) => length === 32);
}
