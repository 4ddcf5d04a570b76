/** Claim: a log that the operator runs himself, or says to be another one, raises no level. */
import { beforeAll, describe, expect, it } from 'vitest';
import { parseRekorReceipt, encodeRekorReceipt } from '../../src/evidence/rekor-receipt.ts';
import { parseTrustedRoot } from '../../src/evidence/trusted-root.ts';
import {
  audit,
  logHead,
  publicLog,
  type AnchoredScene,
  type PublicLog,
} from '../verify/anchor-world.ts';
import { anchoredStory, withAnotherCall } from './anchored-story.ts';

let real: PublicLog;
let own: PublicLog;
let rewritten: AnchoredScene;
beforeAll(async () => {
  [real, own] = [await publicLog(), await publicLog()];
  const scene = await anchoredStory(real);
  const builder = await withAnotherCall(scene);
  builder.now = scene.builder.now;
  rewritten = { ...scene, builder, receipts: [] };
  rewritten.receipts.push(await logHead(builder, own));
});

describe('a rewritten ledger with receipts of a log that its operator runs', () => {
  it('looks anchored to whoever trusts every log that is named: the attack is real', async () => {
    const fooled = await audit(rewritten, { roots: [real.root, own.root], maxGap: 86_400 });
    expect(fooled).toMatchObject({ level: 'anchored', anchored: { size: 12 } });
    expect(fooled.counts).not.toHaveProperty('receipt_invalid');
  });

  it('is signed, and nothing more, for a reader who pinned the real log', async () => {
    const report = await audit(rewritten);
    expect(report).toMatchObject({ level: 'signed', anchored: null });
    expect(report.notEstablished).toContainEqual({ code: 'receipt_unknown_log', size: 12 });
    expect(report.notEstablished).toContainEqual({ code: 'tail_uncovered', from: 0, size: 12 });
  });

  it('is found out if its receipts claim to be of the real log', async () => {
    const [receipt] = rewritten.receipts;
    const [log] = parseTrustedRoot(real.root).logs;
    const parsed = parseRekorReceipt(receipt?.line.raw ?? '');
    if (receipt === undefined || log === undefined || parsed === undefined) {
      throw new TypeError("no receipt of the operator's log");
    }
    const raw = encodeRekorReceipt({ ...parsed, entry: { ...parsed.entry, logId: log.id } });
    const claimed = { ...receipt, line: { ...receipt.line, raw } };
    const report = await audit({ ...rewritten, receipts: [claimed] });
    expect(report.findings).toContainEqual({ code: 'receipt_invalid', size: 12 });
    expect(report).toMatchObject({ sound: false, anchored: null });
  });
});
