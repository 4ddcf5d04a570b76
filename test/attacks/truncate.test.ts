/**
 * Claim: a ledger that is cut off below a tree head that somebody kept is not the ledger any more, whoever
 * cut it.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { VerifyReport } from '../../src/verify/report.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { itemsOf, linesOf, vkeyOfBuilder, type Builder } from '../verify/build-ledger.ts';
import { tellStory } from '../verify/story.ts';
import { expectOnly } from './weakened.ts';

let builder: Builder;
let kept: string;
beforeAll(async () => {
  ({ builder } = await tellStory());
  kept = builder.checkpoints.at(-1)?.note ?? '';
});

/** Ends with a commit, so that what is left has a signature, and no word of what came after. */
function cutTo(size: number): Builder {
  const checkpoints = builder.checkpoints.filter((one) => one.size <= size);
  return { ...builder, rows: builder.rows.slice(0, size), checkpoints };
}

async function audit(ledger: Builder, heads: readonly string[] = [kept]): Promise<VerifyReport> {
  return verifyBundle(await itemsOf(ledger), { key: vkeyOfBuilder(builder), heads });
}

describe('a ledger without its last crumbs', () => {
  /** Ends of commits: without the export that ran, without anything that nobody authorized (8). */
  it.each([11, 8])(
    'cut to %d is sound in itself, and too short for the head that was kept',
    async (size) => {
      expect(await audit(cutTo(size), [])).toMatchObject({ sound: true, level: 'signed', size });

      const attack = await audit(cutTo(size));
      expectOnly('size of a kept head', attack, await audit(builder));
      expect(attack.findings).toEqual([{ code: 'size_beyond_entries', size: 17, entries: size }]);
      expect(attack.level).toBe('none');
    },
  );

  it('is too short in a file as well', async () => {
    const trust = { key: vkeyOfBuilder(builder), heads: [kept] };
    const attack = await verifyBundle(await linesOf(cutTo(8)), trust);
    expectOnly('size of a kept head', attack, await verifyBundle(await linesOf(builder), trust));
  });

  it('is too short for its own checkpoint, if the one who cut forgot that', async () => {
    const forgotten = { ...cutTo(8), checkpoints: builder.checkpoints };
    expectOnly('size of a kept head', await audit(forgotten, []), await audit(builder, []));
  });
});

it('a ledger that was cut in the middle of a commit has no signature at its end', async () => {
  const report = await audit(cutTo(12), []);
  expect(report.findings).toEqual([{ code: 'head_invalid', size: 12, what: 'missing' }]);
});

it('a ledger that grew since still holds the head that was kept', async () => {
  const earlier = builder.checkpoints[0]?.note ?? '';
  expect(await audit(builder, [earlier, kept])).toMatchObject({ sound: true, level: 'signed' });
});
