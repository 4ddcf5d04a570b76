/**
 * Claim: who was erased cannot be named again out of what the operator still has: not when the person comes
 * back, and not by trying everybody. The ledger stays sound.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Actor } from '../../src/attribution/act-chain.ts';
import type { Json } from '../../src/attribution/tool-call.ts';
import { opensJson } from '../../src/evidence/commitment.ts';
import { pseudonymOf } from '../../src/evidence/pseudonym.ts';
import type { Erasable, Vault } from '../../src/vault/vault.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { add, commit, itemsOf, ORIGIN, vkeyOfBuilder } from '../verify/build-ledger.ts';
import { ALICE as ALICES_PSEUDONYM, tellStory } from '../verify/story.ts';
import {
  ALICE,
  BOB,
  CLAIMS,
  KEY,
  newOpening,
  newVaultPath,
  readAll,
  vaultAt,
} from '../vault/vault-files.ts';

const ALL: readonly Erasable[] = ['identity', 'tokens', 'openings'];

/** Everybody who can have been it, as the operator's directory of people says. */
const PEOPLE: readonly Actor[] = [BOB, ALICE, { iss: ALICE.iss, sub: 'carol' }];

/** What the ledger keeps of a call by Alice, and what the vault keeps for it. */
async function record(vault: Vault): Promise<{ human: string; args: string; key: Uint8Array }> {
  const { key } = await vault.subject(ALICE, CLAIMS);
  const opening = newOpening({ id: 42 }, key);
  await vault.keep({ openings: [opening] });
  return { human: pseudonymOf(key, ORIGIN), args: opening.commitment, key };
}

/** All whom the vault can name in this ledger. */
async function namesIn(vault: Vault): Promise<ReadonlyMap<string, Actor>> {
  const names = new Map<string, Actor>();
  for await (const { key, person } of vault.subjects()) names.set(pseudonymOf(key, ORIGIN), person);
  return names;
}

describe('the pseudonym of a person who was erased', () => {
  it('is made again, and named, where the key of a person is derived from one for all', () => {
    const derived = ({ iss, sub }: Actor): Uint8Array =>
      Uint8Array.from(createHmac('sha256', KEY).update(`${iss}\n${sub}`).digest());
    const recorded = pseudonymOf(derived(ALICE), ORIGIN);
    // There is nothing to erase: the key comes back with the name.
    expect(PEOPLE.find((person) => pseudonymOf(derived(person), ORIGIN) === recorded)).toEqual(
      ALICE,
    );
  });

  it('is not made again: the key is random, and gone', async () => {
    const vault = await vaultAt(newVaultPath());
    const before = await record(vault);
    expect((await namesIn(vault)).get(before.human)).toEqual(ALICE);

    await vault.erase(before.key, ALL);

    expect((await namesIn(vault)).has(before.human)).toBe(false);
    expect(await vault.findPerson(before.key)).toBeUndefined();
    // Everybody comes back, Alice among them; none of them is who the ledger speaks of.
    for (const person of PEOPLE) {
      const { key } = await vault.subject(person, {});
      expect(pseudonymOf(key, ORIGIN)).not.toBe(before.human);
    }
    const derived = PEOPLE.map(({ iss, sub }) =>
      Uint8Array.from(createHmac('sha256', KEY).update(`${iss}\n${sub}`).digest()),
    );
    expect(derived.map((key) => pseudonymOf(key, ORIGIN))).not.toContain(before.human);
  });

  it('is named by a backup that was kept: this is not caught', async () => {
    const path = newVaultPath();
    const vault = await vaultAt(path);
    const before = await record(vault);
    await vault.close();
    const backup = newVaultPath();
    copyFileSync(path, backup);
    const again = await vaultAt(path);
    await again.erase(before.key, ALL);
    expect((await namesIn(again)).has(before.human)).toBe(false);
    expect((await namesIn(await vaultAt(backup))).get(before.human)).toEqual(ALICE);
  });
});

describe('what a person who was erased had called', () => {
  const CALLS = Array.from({ length: 100 }, (_, id) => ({ id }));
  const tryAll = (args: string, salt: Uint8Array): Json | undefined =>
    CALLS.find((value) => opensJson(args, { label: 'args', salt, value }));

  it('is opened again by whoever still has the salt', async () => {
    const vault = await vaultAt(newVaultPath());
    const { args } = await record(vault);
    const kept = await vault.findOpening(args);
    expect(tryAll(args, kept?.salt ?? new Uint8Array())).toEqual({ id: 42 });
  });

  it('is opened by nobody once the salt is gone, of which the file keeps no byte', async () => {
    const path = newVaultPath();
    const vault = await vaultAt(path);
    const before = await record(vault);
    const salt = (await vault.findOpening(before.args))?.salt ?? new Uint8Array();
    expect(readAll(path).includes(before.args)).toBe(true);

    await vault.erase(before.key, ALL);

    expect(await vault.findOpening(before.args)).toBeUndefined();
    expect(readAll(path).includes(before.args)).toBe(false);
    const other = Uint8Array.from(randomBytes(32));
    expect([tryAll(before.args, other), tryAll(before.args, KEY)]).toEqual([undefined, undefined]);
    expect(tryAll(before.args, salt)).toEqual({ id: 42 }); // only whoever copied it before
  });

  it('stays what others had called, and theirs alone', async () => {
    const vault = await vaultAt(newVaultPath());
    const alice = await record(vault);
    const bob = await vault.subject(BOB, {});
    const opening = newOpening({ id: 7 }, bob.key);
    await vault.keep({ openings: [opening] });
    await vault.erase(alice.key, ALL);
    expect((await vault.findOpening(opening.commitment))?.value).toEqual({ id: 7 });
  });
});

it('the ledger stays sound, and says what can no longer be shown', async () => {
  const { builder } = await tellStory();
  const trust = { key: vkeyOfBuilder(builder) };
  const honest = await verifyBundle(await itemsOf(builder), trust);
  expect(honest.notEstablished.map(({ code }) => code)).not.toContain('opening_erased');

  add(builder, 'erasure', { humans: [ALICES_PSEUDONYM], what: [...ALL], basis: 'art17', by: null });
  await commit(builder);
  builder.kept.clear();
  const report = await verifyBundle(await itemsOf(builder), trust);
  expect(report).toMatchObject({ sound: true, level: 'signed' });
  const codes = report.notEstablished.map(({ code }) => code);
  expect(codes).toEqual(expect.arrayContaining(['opening_erased', 'identity_erased']));
});
