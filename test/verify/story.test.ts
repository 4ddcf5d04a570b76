import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../src/verify/report.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { ISS, itemsOf, linesOf, ORIGIN, vkeyOfBuilder } from './build-ledger.ts';
import { tellStory } from './story.ts';

describe('an honest ledger', () => {
  it('is sound and signed, with everything judged again, from a database and from a file', async () => {
    const { builder, issuer } = await tellStory();
    const trust = {
      key: vkeyOfBuilder(builder),
      origin: ORIGIN,
      issuerKeys: { [ISS]: issuer.jwks },
    };
    for (const full of [false, true]) {
      const fromItems = await verifyBundle(await itemsOf(builder), trust, { full });
      const fromLines = await verifyBundle(await linesOf(builder), trust, { full });
      expect(fromItems).toEqual(fromLines);
      expect(fromItems.findings).toEqual([]);
      expect(fromItems.warnings).toEqual([{ code: 'outcome_unknown', seq: 16 }]);
      expect(fromItems.notEstablished).toEqual([{ code: 'tail_uncovered', from: 0, size: 17 }]);
      expect(fromItems).toMatchObject({
        readable: true,
        sound: true,
        level: 'signed',
        origin: ORIGIN,
        size: 17,
        path: full ? 'full' : 'fast',
        stats: {
          verdicts: { authorized: 3, unauthorized: 3, unattributed: 1 },
          outcomes: { ok: 5, error: 0, aborted: 0, refused: 1, unknown: 1 },
          judged: 7,
          tokens: 7,
          checkpoints: 2,
          heads: { seen: 13, checked: full ? 13 : 1 },
        },
      });
      expect(exitCodeOf(fromItems)).toBe(0);
    }
  });
});
