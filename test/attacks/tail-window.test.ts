/**
 * Claim: crumbs above the last tree head that is out of the operator's hands are named each time, since the
 * operator can still take them away unseen. A caller who keeps the head he was answered sees it.
 *
 * This is a limit, not a defence: without such a head, verification does *not* find that they are gone.
 */
import { copyFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeFinding } from '../../src/verify/describe-finding.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { openAt, temporaryPlace } from '../ledger/fixtures.ts';
import { itemsOf, noteOf, vkeyOfBuilder, type Builder } from '../verify/build-ledger.ts';
import { tellStory } from '../verify/story.ts';
import { forge } from './forge.ts';
import { auditFile, seen } from './real-file.ts';
import { expectOnly } from './weakened.ts';

let builder: Builder;
/** What an auditor holds of the ledger, and what a caller was answered later. */
let published: string;
let answered: string;
beforeAll(async () => {
  ({ builder } = await tellStory());
  published = builder.checkpoints[0]?.note ?? '';
  answered = noteOf(builder);
});

async function audit(ledger: Builder, heads: readonly string[]): Promise<VerifyReport> {
  return verifyBundle(await itemsOf(ledger), { key: vkeyOfBuilder(builder), heads });
}

/** All after the auditor's head is gone: the export that ran, the job without a human, the last call. */
function cut(): Builder {
  return {
    ...builder,
    rows: builder.rows.slice(0, 11),
    checkpoints: builder.checkpoints.slice(0, 1),
  };
}

describe('what the operator cuts off above the last head that is known outside', () => {
  it('is not missed by anybody: this is not caught', async () => {
    const honest = await audit(builder, [published]);
    expect(honest).toMatchObject({ sound: true, level: 'signed', size: 17 });
    expect(await audit(cut(), [published])).toMatchObject({
      sound: true,
      level: 'signed',
      size: 11,
    });
  });

  it('was among the crumbs that are named as uncovered, with and without the cut', async () => {
    for (const [ledger, size] of [
      [builder, 17],
      [cut(), 11],
    ] as const) {
      const { notEstablished } = await audit(ledger, [published]);
      const tail = notEstablished.find(({ code }) => code === 'tail_uncovered');
      expect(tail).toMatchObject({ size });
      if (tail !== undefined) expect(describeFinding(tail)).toContain(`${size - 1}`);
    }
  });

  it('is missed by a caller who kept the head that his call was answered with', async () => {
    const heads = [published, answered];
    expectOnly('size of a kept head', await audit(cut(), heads), await audit(builder, heads));
  });

  it('cannot be replaced by other crumbs either, once such a head was kept', async () => {
    const { signer } = builder;
    const rewritten = await forge(
      builder,
      (entries) =>
        entries.map((entry) =>
          entry.seq === 13 && entry.kind === 'outcome'
            ? { ...entry, body: { ...entry.body, status: 'error' } }
            : entry,
        ),
      { signer },
    );
    expect(await audit(rewritten, [published])).toMatchObject({ sound: true, level: 'signed' });
    const heads = [published, answered];
    expectOnly('root of a kept head', await audit(rewritten, heads), await audit(builder, heads));
  });
});

it('every append of a real ledger answers with a head that a caller can keep', async () => {
  const place = temporaryPlace();
  const earlier = `${place.path}.earlier`;
  const first = await openAt(place);
  await first.close();
  copyFileSync(place.path, earlier);
  const second = await openAt(place);
  const key = second.vkey;
  const { head } = await second.append([seen('one'), seen('two')]);
  await second.close();
  expect(await auditFile(place, { key, heads: [head] })).toMatchObject({ sound: true, size: 3 });

  const shorter = { url: `file:${earlier}` };
  expect(await auditFile(shorter, { key })).toMatchObject({ sound: true, size: 1 });
  const { findings } = await auditFile(shorter, { key, heads: [head] });
  expect(findings).toEqual([{ code: 'size_beyond_entries', size: 3, entries: 1 }]);
});
