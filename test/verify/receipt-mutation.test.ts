import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { VerifyReport } from '../../src/verify/report.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { anchoredStory } from '../attacks/anchored-story.ts';
import { textWithReceipts } from './anchor-world.ts';
import { ISS, sealLines, vkeyOfBuilder } from './build-ledger.ts';

const { builder, receipts, log, issuer } = await anchoredStory();
const lines = await textWithReceipts(builder, receipts);
const places = lines.flatMap((line, n) => (line.includes('"t":"receipt"') ? [n] : []));

async function audit(changed: readonly string[]): Promise<VerifyReport> {
  return verifyBundle(sealLines(changed), {
    key: vkeyOfBuilder(builder),
    issuerKeys: { [ISS]: issuer.jwks },
    roots: [log.root],
    now: new Date(builder.now + 60_000),
  });
}

it('finds any changed byte of a receipt: it fails, or is not the one that the ledger speaks of', async () => {
  const anything = fc.constantFrom('0', '1', 'A', 'a', '_', '"', ' ', '}', 'é');
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places), fc.nat(), anything, async (n, far, by) => {
      const line = lines[n] ?? '';
      const at = far % line.length;
      fc.pre(line[at] !== by);
      const report = await audit(lines.with(n, line.slice(0, at) + by + line.slice(at + 1)));
      const missing = report.counts.receipt_missing ?? 0;
      expect(report.sound && missing === 0).toBe(false);
    }),
    { numRuns: 150 },
  );
});

it('misses any receipt that is left out, and refuses one in another place', async () => {
  expect(await audit(lines)).toMatchObject({ sound: true, findings: [], anchored: { size: 8 } });
  for (const n of places) {
    const others = lines.toSpliced(n, 1);
    expect((await audit(others)).counts).toMatchObject({ receipt_missing: 1 });
    const moved = await audit(others.toSpliced(1, 0, lines[n] ?? ''));
    expect(moved.counts).toMatchObject({ bundle_damaged: 1 });
  }
});
