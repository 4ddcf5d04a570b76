/** Claim: a receipt counts for the checkpoint that it was given for, and for no other. */
import { beforeAll, describe, expect, it } from 'vitest';
import { noteOf, submissionOf } from '../evidence/receipt-world.ts';
import { audit, logHead, type AnchoredScene, type Receipt } from '../verify/anchor-world.ts';
import { anchoredStory } from './anchored-story.ts';
import { expectOnly } from './weakened.ts';

let scene: AnchoredScene;
let first: Receipt;
let second: Receipt;
beforeAll(async () => {
  scene = await anchoredStory();
  const [one, two] = scene.receipts;
  if (one === undefined || two === undefined) throw new TypeError('no receipts');
  [first, second] = [one, two];
});

/** A receipt in the place of the last one, behind the last checkpoint. */
async function swapped(raw: string): ReturnType<typeof audit> {
  const receipts = [first, { ...second, line: { ...second.line, raw } }];
  return audit({ ...scene, receipts });
}

describe('a receipt in the place of another', () => {
  it('of an earlier checkpoint of the same ledger, does not fit', async () => {
    const attack = await swapped(first.line.raw);
    // The receipt that the ledger speaks of is missing as well, and that is said.
    expect(attack.findings).toContainEqual({ code: 'receipt_invalid', size: 8 });
    expect(attack).toMatchObject({ sound: false, anchored: null });
  });

  it('of a checkpoint that another ledger has under the same keys, does not fit', async () => {
    const other = await anchoredStory(scene.log);
    const raw = other.receipts[1]?.line.raw ?? '';
    const attack = await swapped(raw);
    expect(attack.findings).toEqual([{ code: 'receipt_invalid', size: 8 }]);
    expect(attack).toMatchObject({ anchored: { size: 5 } });
  });

  it('does not fit if it is put beside the right one: only the note is in its way', async () => {
    const other = await anchoredStory(scene.log);
    const receipts = [...scene.receipts, ...other.receipts.slice(1)];
    const attack = await audit({ ...scene, receipts });
    expectOnly('note of a receipt', attack, await audit(scene));
    expect(attack).toMatchObject({ anchored: { size: 8 } });
  });

  it('does not fit if the note names another ledger, whatever key signed it', async () => {
    const note = await noteOf({ origin: 'other.example/crumb', size: 8 });
    expect(submissionOf(note).digest).not.toEqual(submissionOf(await noteOf({ size: 8 })).digest);
    const { builder } = scene;
    const foreign = { size: 8, note };
    const checkpoints = [...builder.checkpoints.slice(0, 1), foreign];
    const attack = await audit({ ...scene, builder: { ...builder, checkpoints } });
    expect(attack.counts).toMatchObject({ checkpoint_invalid: 1 });
    expect(attack.findings).toContainEqual({ code: 'receipt_invalid', size: 8 });
  });
});

it('the same checkpoint may be logged twice: each receipt counts', async () => {
  const again = await anchoredStory();
  const last = again.builder.rows.length;
  const { log, builder } = again;
  again.receipts.push(await logHead(builder, log), await logHead(builder, log));
  expect(await audit(again)).toMatchObject({
    sound: true,
    level: 'anchored',
    anchored: { size: last },
  });
});
