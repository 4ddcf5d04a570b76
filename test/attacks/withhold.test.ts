/** Claim: an operator who stops anchoring, to keep his hands free, is found out by the time that passes. */
import { beforeAll, describe, expect, it } from 'vitest';
import { anchor, audit, POLICY, type AnchoredScene } from '../verify/anchor-world.ts';
import { anchoredStory, goOn } from './anchored-story.ts';
import { expectOnly } from './weakened.ts';

const MINUTE = 60_000;

let scene: AnchoredScene;
beforeAll(async () => {
  scene = await anchoredStory();
});

function later(minutes: number): Date {
  return new Date(scene.builder.now + minutes * MINUTE);
}

describe('crumbs without an anchor', () => {
  it('are fine for as long as genesis promises, and named meanwhile', async () => {
    const report = await audit(scene, { now: later(9) });
    expect(report).toMatchObject({ sound: true, level: 'signed' });
    const tail = { code: 'tail_uncovered', from: 8, size: 12 };
    expect(report.notEstablished).toContainEqual(tail);
  });

  it('are a failure after that, and nothing else shows it', async () => {
    const attack = await audit(scene, { now: later(11) });
    expectOnly('time without an anchor', attack, await audit(scene, { now: later(9) }));
    expect(attack.findings).toEqual([{ code: 'anchor_gap', from: 9, size: 12 }]);
  });

  it('are a failure for a reader who is stricter than genesis', async () => {
    const attack = await audit(scene, { now: later(9), maxGap: 60 });
    expectOnly('time without an anchor', attack, await audit(scene, { now: later(9) }));
  });

  it('are not judged for a reader who trusts nobody: he is told that nothing is anchored', async () => {
    const report = await audit(scene, { now: later(11), roots: [] });
    expect(report).toMatchObject({ sound: true, level: 'signed', anchored: null });
    const tail = { code: 'tail_uncovered', from: 0, size: 12 };
    expect(report.notEstablished).toContainEqual(tail);
  });
});

describe('an operator who anchors again later', () => {
  it('cannot close the gap', async () => {
    const resumed = await anchoredStory();
    resumed.builder.now += 30 * MINUTE;
    await anchor(resumed);
    const attack = await audit(resumed);
    expectOnly('time without an anchor', attack, await audit(await anchoredStory()));
    expect(attack.findings).toEqual([{ code: 'anchor_gap', from: 9, size: 12 }]);
    expect(attack).toMatchObject({ level: 'anchored' });
  });

  it('cannot say that nothing happened: an anchor is due all the same', async () => {
    const silent = await anchoredStory();
    await anchor(silent);
    silent.builder.now += (POLICY.heartbeat + POLICY.maxGap + 60) * 1000;
    await anchor(silent);
    const attack = await audit(silent);
    expect(attack.findings).toEqual([{ code: 'anchor_gap', from: 12, size: 13 }]);
  });

  it('is sound if he anchored in time', async () => {
    const steady = await anchoredStory();
    await anchor(steady);
    steady.builder.now += POLICY.heartbeat * 1000;
    await anchor(steady);
    await goOn(steady.builder);
    await anchor(steady);
    expect(await audit(steady)).toMatchObject({ sound: true, level: 'anchored' });
  });
});
