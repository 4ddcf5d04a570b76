/** Claim: a crumb that claims another time than the anchors around it allow is named. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { VerifyReport } from '../../src/verify/report.ts';
import { audit, logHead, type AnchoredScene } from '../verify/anchor-world.ts';
import { add, commit } from '../verify/build-ledger.ts';
import { anchoredStory, goOn } from './anchored-story.ts';

const DAY = 86_400_000;
const ALLOWED = { maxGap: 30 * 86_400 };

function outside({ warnings }: VerifyReport): readonly number[] {
  return warnings.flatMap((one) => (one.code === 'time_outside_bracket' ? [one.seq] : []));
}

describe('a recorder whose clock the operator stopped a day ago', () => {
  let scene: AnchoredScene;
  beforeAll(async () => {
    scene = await anchoredStory();
    const { builder, log, receipts } = scene;
    const receipt = await logHead(builder, log, { at: builder.now + DAY });
    receipts.push(receipt);
    add(builder, 'anchor', receipt.body);
    await commit(builder);
    await goOn(builder);
  });

  it('contradicts itself in nothing: without the receipts the attack succeeds', async () => {
    const report = await audit(scene, { ...ALLOWED, roots: [] });
    expect(report).toMatchObject({ sound: true, warnings: [] });
  });

  it('is contradicted by the anchor that is older than what comes after it', async () => {
    const report = await audit(scene, { ...ALLOWED, now: new Date(scene.builder.now + 2 * DAY) });
    expect(outside(report)).toEqual([12, 13, 14, 15]);
    expect(report).toMatchObject({ findings: [] });
  });

  it('is contradicted by nobody if the anchor entry lies as well, except by its receipt', async () => {
    const lying = await anchoredStory();
    const { builder, log, receipts } = lying;
    const receipt = await logHead(builder, log, { at: builder.now + DAY });
    receipts.push(receipt);
    add(builder, 'anchor', { ...receipt.body, at: new Date(builder.now).toISOString() });
    await commit(builder);
    await goOn(builder);
    const report = await audit(lying, { ...ALLOWED, now: new Date(builder.now + 2 * DAY) });
    expect(report.findings).toEqual([{ code: 'receipt_invalid', size: 12 }]);
  });
});

it('a crumb that claims a day after the anchor that covers it is named', async () => {
  const scene = await anchoredStory();
  const { builder, log, receipts } = scene;
  const before = builder.now;
  builder.now += DAY;
  await goOn(builder);
  receipts.push(await logHead(builder, log, { at: before }));
  expect(outside(await audit(scene, ALLOWED))).toEqual([14]);
});

it('a minute, as clocks differ, is allowed', async () => {
  const scene = await anchoredStory();
  const { builder, log, receipts } = scene;
  receipts.push(await logHead(builder, log, { at: builder.now - 55_000 }));
  expect(outside(await audit(scene, ALLOWED))).toEqual([]);
});
