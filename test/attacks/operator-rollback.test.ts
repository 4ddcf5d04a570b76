/**
 * Claim: an operator who takes a call out of an anchored ledger, rebuilds the chain and signs every tree
 * head anew with the real key is found out by the checkpoint that the log holds.
 *
 * This is not caught: what is above the last anchor, and a second history that is anchored as well, of which
 * this reader never hears. See `tail-window` and `split-view`.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { appendLeaf, EMPTY_RANGE } from '../../src/evidence/compact-range.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import { audit, type AnchoredScene } from '../verify/anchor-world.ts';
import { checkpoint, commit, type Builder } from '../verify/build-ledger.ts';
import {
  ANCHORED_SIZE,
  anchoredStory,
  CALL,
  withAnotherCall,
  withoutCall,
} from './anchored-story.ts';
import { expectOnly } from './weakened.ts';

let scene: AnchoredScene;
let honest: VerifyReport;
beforeAll(async () => {
  scene = await anchoredStory();
  honest = await audit(scene, {}, { full: true });
});

/** What the log holds stays in the bundle: checkpoints and receipts as they were. */
function keepingReceipts(forged: Builder): AnchoredScene {
  return { ...scene, builder: { ...forged, checkpoints: scene.builder.checkpoints } };
}

it('the honest ledger shows the call, and is anchored above it', () => {
  expect(honest).toMatchObject({
    sound: true,
    level: 'signed', // the last three crumbs are not anchored yet, and said to be so
    anchored: { size: ANCHORED_SIZE },
    stats: { verdicts: { authorized: 1, unauthorized: 1 } },
  });
  const tail = { code: 'tail_uncovered', from: ANCHORED_SIZE, size: 12 };
  expect(honest.notEstablished).toContainEqual(tail);
});

describe.each([
  ['drops the call', withoutCall, 9],
  ['puts something harmless in its place', withAnotherCall, 12],
] as const)('an operator who %s and signs everything anew', (_what, rewrite, size) => {
  let forged: Builder;
  beforeAll(async () => {
    forged = await rewrite(scene);
  });

  it('passes by chain and signatures alone, each of them checked: the attack is real', async () => {
    const report = await audit({ ...scene, builder: forged, receipts: [] }, {}, { full: true });
    expect(report).toMatchObject({
      level: 'signed',
      size,
      stats: { verdicts: { unauthorized: 0 } },
    });
    expect(report.findings).toEqual([]);
    expect(report.stats.heads.checked).toBe(report.stats.heads.seen);
  });

  it('fails at the checkpoint that is anchored, and there alone', async () => {
    const attack = await audit(keepingReceipts(forged), {}, { full: true });
    expectOnly('root of a kept head', attack, honest);
    expect(attack.findings).toEqual([{ code: 'root_mismatch', size: ANCHORED_SIZE }]);
    expect(attack).toMatchObject({ level: 'none', anchored: { size: CALL.from - 1 } });
  });

  it('fails at the checkpoint even for a reader who trusts no log, if it is in the bundle', async () => {
    const attack = await audit(keepingReceipts(forged), { roots: [] });
    expect(attack.findings).toEqual([{ code: 'root_mismatch', size: ANCHORED_SIZE }]);
  });

  it('fails if the bundle is silent, for whoever has the note that the log holds', async () => {
    const checkpoints = scene.builder.checkpoints.slice(0, 1);
    const silent = { ...scene, builder: { ...forged, checkpoints } };
    const heads = scene.builder.checkpoints.slice(1).map(({ note }) => note);
    const attack = await audit(silent, { heads });
    expect(attack.findings).toEqual([{ code: 'root_mismatch', size: ANCHORED_SIZE }]);
  });

  it('fails if the receipt is put under the new checkpoint of that size', async () => {
    const { checkpointed, receipts } = await underNewNotes(forged);
    const attack = await audit({ ...scene, builder: checkpointed, receipts });
    expectOnly('note of a receipt', attack, honest);
    expect(attack).toMatchObject({ anchored: { size: CALL.from - 1 } });
  });

  it('runs out of time if the receipt is left out', async () => {
    const checkpoints = scene.builder.checkpoints.slice(0, 1);
    const silent = { ...scene, builder: { ...forged, checkpoints } };
    const now = new Date(scene.builder.now + 3600_000);
    const attack = await audit(silent, { now });
    expect(attack.findings).toEqual([{ code: 'anchor_gap', from: CALL.from, size }]);
  });
});

/** The new history's own head of the anchored size, with the old receipt behind it. */
async function underNewNotes(
  forged: Builder,
): Promise<{ checkpointed: Builder; receipts: AnchoredScene['receipts'] }> {
  const rows = forged.rows.slice(0, ANCHORED_SIZE);
  const tree = rows.reduce((range, { leaf }) => appendLeaf(range, leaf), EMPTY_RANGE);
  const first: Builder = { ...forged, rows, tree, checkpoints: [] };
  await commit(first);
  checkpoint(first);
  const checkpoints = [...scene.builder.checkpoints.slice(0, 1), ...first.checkpoints];
  return { checkpointed: { ...forged, checkpoints }, receipts: scene.receipts };
}
