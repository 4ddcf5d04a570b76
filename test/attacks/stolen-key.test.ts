/**
 * Claim: a signing key that was stolen signs nothing any more once it was replaced or revoked, its thief
 * cannot hand the ledger over to a key of his own, and what was signed in doubt is named.
 *
 * This is not caught: as long as nobody knows of the theft, and for whoever holds no head or anchor from
 * before it, what the thief signs is as good as what the operator signs.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { toBase64url, utf8 } from '../../src/evidence/bytes.ts';
import { ed25519Signer, type Ed25519Signer } from '../../src/evidence/ed25519.ts';
import type { KeyBody } from '../../src/evidence/kinds.ts';
import { vkeyOf } from '../../src/evidence/note.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import type { Trust } from '../../src/verify/trust.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import {
  add,
  commit,
  itemsOf,
  noteOf,
  ORIGIN,
  vkeyOfBuilder,
  type Builder,
} from '../verify/build-ledger.ts';
import { attempt, logIn, outcome, type Scene } from '../verify/story.ts';
import { forge, replaced } from './forge.ts';
import { expectOnly } from './weakened.ts';

const keyOf = (seed: number): Ed25519Signer => ed25519Signer(new Uint8Array(32).fill(seed));
const vkeyFor = ({ publicKey }: Ed25519Signer): string => vkeyOf(ORIGIN, publicKey);

const NEXT = keyOf(2);
const RECOVERY = keyOf(3);
const THIEFS_OWN = keyOf(66);

let pinned: string;
beforeAll(async () => {
  pinned = vkeyOfBuilder((await begin()).builder);
});

/** A ledger with a recovery key, a login and a call. Its key is stolen. */
async function begin(): Promise<Scene> {
  const scene = await logIn({ genesis: { recoveryKey: vkeyFor(RECOVERY) } });
  await outcome(scene.builder, add(scene.builder, 'intent', await attempt(scene)));
  return scene;
}

/** A `key` entry that brings a key, proved by another or the same. */
async function bring(builder: Builder, key: Ed25519Signer, by = key): Promise<void> {
  const [seq, vkey] = [builder.rows.length, vkeyFor(key)];
  const proof = await by.sign(utf8(`crumb/1 key\n${ORIGIN}\n${seq}\n${vkey}`));
  add(builder, 'key', keyBody({ op: 'add', key: vkey, proof: toBase64url(proof) }));
}

function revoke(builder: Builder, since: string | null = null): void {
  add(builder, 'key', keyBody({ op: 'revoke', key: vkeyOfBuilder(builder), since }));
}

function keyBody(change: Partial<KeyBody> & Pick<KeyBody, 'op' | 'key'>): KeyBody {
  return { role: 'ledger', proof: null, since: null, reason: null, ...change };
}

/** A crumb that somebody wants to be believed. */
async function goOn(builder: Builder, signer: Ed25519Signer): Promise<Builder> {
  add(builder, 'erasure', { humans: [], what: ['openings'], basis: 'none', by: null });
  await commit(builder, signer);
  return builder;
}

async function audit(ledger: Builder, trust: Trust = {}, full = false): Promise<VerifyReport> {
  return verifyBundle(await itemsOf(ledger), { key: pinned, ...trust }, { full });
}

describe('after the key was replaced', () => {
  async function replacedKey(): Promise<Builder> {
    const { builder } = await begin();
    await bring(builder, NEXT);
    await commit(builder); // the old key hands over
    return builder;
  }

  it.each([false, true])('the old one signs no further crumb (full path: %s)', async (full) => {
    const honest = await goOn(await replacedKey(), NEXT);
    expect(await audit(honest, {}, full)).toMatchObject({ sound: true, level: 'signed' });

    const builder = await replacedKey();
    const attack = await audit(await goOn(builder, builder.signer), {}, full);
    expectOnly('head signature', attack, await audit(honest, {}, full));
    expect(attack.level).toBe('none');
  });

  it('nobody can be handed the ledger who does not hold the new key', async () => {
    const { builder } = await begin();
    await bring(builder, NEXT, THIEFS_OWN);
    await commit(builder);
    expectOnly('proof of a new key', await audit(builder), await audit(await replacedKey()));
  });
});

describe('after the key was revoked', () => {
  /** The operator revokes, and the recovery key, which was never online, brings the next. */
  async function recovered(by: Ed25519Signer, next: Ed25519Signer): Promise<Builder> {
    const { builder } = await begin();
    revoke(builder);
    await commit(builder);
    await bring(builder, next, by);
    await commit(builder, next);
    return goOn(builder, next);
  }

  it('the thief cannot bring a key of his own, although it proves itself', async () => {
    const honest = await audit(await recovered(RECOVERY, NEXT));
    expect(honest).toMatchObject({ sound: true, level: 'signed' });
    const attack = await audit(await recovered(THIEFS_OWN, THIEFS_OWN));
    expectOnly('proof of a new key', attack, honest);
    expect(attack.level).toBe('none');
  });

  it('the thief cannot bring a key of his own with the stolen one either', async () => {
    const { builder } = await begin();
    const honest = await audit(await recovered(RECOVERY, NEXT));
    expectOnly(
      'proof of a new key',
      await audit(await recovered(builder.signer, THIEFS_OWN)),
      honest,
    );
  });

  it('the thief cannot go on with the stolen one', async () => {
    const { builder } = await begin();
    revoke(builder);
    await commit(builder);
    const honest = await audit(builder);
    expect(honest).toMatchObject({ sound: true, level: 'signed' });

    const attack = await audit(await goOn(builder, builder.signer));
    expectOnly('revocation', attack, honest);
    expect(attack.level).toBe('none');
  });
});

describe('what was signed between the theft and the day it was noticed', () => {
  async function noticed(saySince: boolean): Promise<Builder> {
    const { builder } = await begin();
    const since = new Date(builder.now).toISOString();
    await goOn(builder, builder.signer); // by whom?
    revoke(builder, saySince ? since : null);
    await commit(builder);
    return builder;
  }

  it('passes for the operator’s, where a revocation does not say since when', async () => {
    const report = await audit(await noticed(false));
    expect(report).toMatchObject({ sound: true, level: 'signed' });
    expect(report.warnings.map(({ code }) => code)).not.toContain('key_compromised_window');
  });

  it('is named, where it does', async () => {
    const report = await audit(await noticed(true));
    const named = report.warnings.find(({ code }) => code === 'key_compromised_window');
    expect(named).toMatchObject({ size: 7 });
    // Times are remembered for one crumb in 64, so the window begins a little too early, never too late.
    expect(named && 'from' in named && named.from).toBeLessThanOrEqual(5);
  });
});

describe('a thief who writes the whole ledger anew', () => {
  /** The call that was made has another outcome, and the revocation never came. */
  async function rewritten(builder: Builder): Promise<Builder> {
    const { signer } = builder;
    const change = (entries: Parameters<typeof replaced>[0]) =>
      replaced(entries, [4, 'outcome'], (body) => ({ ...body, status: 'error' }));
    return forge(builder, (entries) => change(entries.slice(0, 5)), { signer });
  }

  it('is not found by anybody who has only the key: this is not caught', async () => {
    const { builder } = await begin();
    revoke(builder);
    await commit(builder);
    expect(await audit(await rewritten(builder))).toMatchObject({ sound: true, level: 'signed' });
  });

  it('is found by whoever kept a head from before the theft', async () => {
    const { builder } = await begin();
    const heads = [noteOf(builder)];
    const attack = await audit(await rewritten(builder), { heads });
    expectOnly('root of a kept head', attack, await audit(builder, { heads }));
  });
});
