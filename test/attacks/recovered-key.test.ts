/**
 * Claim: a fork that is logged under another key than the anchor key is not taken for anchored, even if its
 * signature is one that the anchor key made: so a watcher of the anchor key sees everything that counts.
 *
 * For any ECDSA signature a second key can be computed that verifies it as well. A log checks that key and
 * signature fit, and files the entry under that key, where nobody looks.
 */
import { createPublicKey, verify } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeRekorReceipt } from '../../src/evidence/rekor-receipt.ts';
import {
  anchorKey,
  mockLog,
  receiptOf,
  recoveredKey,
  sha256,
  submissionOf,
} from '../evidence/receipt-world.ts';
import { audit, receiptFor, type AnchoredScene, type Receipt } from '../verify/anchor-world.ts';
import { checkpoint } from '../verify/build-ledger.ts';
import { anchoredStory, withoutCall } from './anchored-story.ts';
import { expectOnly } from './weakened.ts';

let scene: AnchoredScene;
let fork: AnchoredScene;
let note: string;
beforeAll(async () => {
  scene = await anchoredStory();
  const builder = await withoutCall(scene);
  builder.checkpoints.push(...scene.builder.checkpoints.slice(0, 1));
  checkpoint(builder);
  note = builder.checkpoints.at(-1)?.note ?? '';
  fork = { ...scene, builder, receipts: scene.receipts.slice(0, 1) };
});

/** The fork's last head, signed by the anchor key, logged under the recovered one. */
async function logged(hint: 'theirs' | 'ours'): Promise<Receipt> {
  const ours = submissionOf(note);
  const [spki = new Uint8Array()] = recoveredKey(ours.signature, note);
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  expect(verify('sha256', Buffer.from(note), key, ours.signature)).toBe(true);

  const clock = new Date(Math.ceil(fork.builder.now / 1000) * 1000);
  const entry = await (await mockLog({ clock }, fork.log.key)).add({ ...ours, spki });
  const receipt = receiptOf({ ...ours, spki }, entry);
  const keyHint = hint === 'theirs' ? receipt.keyHint : sha256(anchorKey.spki);
  const raw = encodeRekorReceipt({ ...receipt, keyHint });
  const size = fork.builder.rows.length;
  return receiptFor(note, { type: 'rekor', size, raw }, entry.index, clock);
}

describe.each(['theirs', 'ours'] as const)('a receipt that hints at %s', (hint) => {
  it('is of a log that the reader trusts, under a key that is not the anchor key', async () => {
    const receipts = [...fork.receipts, await logged(hint)];
    const attack = await audit({ ...fork, receipts });
    expectOnly('logged key', attack, await audit(scene));
    expect(attack.findings).toEqual([{ code: 'receipt_key_mismatch', size: 9 }]);
    expect(attack).toMatchObject({ level: 'signed', anchored: { size: 5 } });
  });
});
