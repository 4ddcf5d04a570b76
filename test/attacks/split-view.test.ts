/**
 * Claim: two histories of one ledger, each anchored in the same log, are found out by a witness, by two
 * readers who compare notes, and by whoever lists what the log holds under the anchor key.
 *
 * This is not caught by the log, nor by a reader alone: a log takes whatever is signed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { witness } from '../../src/anchor/witness.ts';
import { startDevWitness } from '../../src/dev/witness.ts';
import { toBase64url } from '../../src/evidence/bytes.ts';
import { findEquivocation } from '../../src/verify/equivocation.ts';
import { sha256 } from '../evidence/receipt-world.ts';
import { anchor, audit, type AnchoredScene } from '../verify/anchor-world.ts';
import { ORIGIN, vkeyOfBuilder } from '../verify/build-ledger.ts';
import { anchoredStory, withAnotherCall } from './anchored-story.ts';

/** What one reader is shown, and what another is. */
let shown: AnchoredScene;
let hidden: AnchoredScene;
beforeAll(async () => {
  shown = await anchoredStory();
  const builder = await withAnotherCall(shown);
  builder.now = shown.builder.now;
  builder.checkpoints.push(...shown.builder.checkpoints.slice(0, 1));
  hidden = { ...shown, builder, receipts: shown.receipts.slice(0, 1) };
  await anchor(shown);
  await anchor(hidden);
});

const lastNote = ({ builder }: AnchoredScene): string => builder.checkpoints.at(-1)?.note ?? '';

/** The second history still has the anchor entry of size 8, whose receipt it cannot show. */
const THEIRS = { code: 'receipt_missing', seq: 8 } as const;

describe('two histories that one log holds', () => {
  it('are each anchored and sound to a reader alone: the log does not catch this', async () => {
    expect(await audit(shown)).toMatchObject({ sound: true, level: 'anchored' });
    const other = await audit(hidden);
    expect(other).toMatchObject({ sound: true, level: 'anchored', anchored: { size: 12 } });
    expect(other.notEstablished).toContainEqual(THEIRS);
  });

  it('prove to anyone that the key lied, once two readers compare their notes', async () => {
    const key = vkeyOfBuilder(shown.builder);
    const proof = await findEquivocation(lastNote(shown), lastNote(hidden), key);
    expect(proof).toMatchObject({ origin: ORIGIN, size: 12 });
    expect(await findEquivocation(lastNote(shown), lastNote(shown), key)).toBeUndefined();
  });

  it('contradict a note that a reader kept', async () => {
    const report = await audit(hidden, { heads: [lastNote(shown)] });
    expect(report).toMatchObject({ sound: false, level: 'none' });
    expect(report.findings).toContainEqual({ code: 'root_mismatch', size: 12 });
    expect(report.findings).toContainEqual({ code: 'checkpoints_inconsistent', size: 12 });
  });

  it('show in the log as a digest that is none of the notes of this ledger', () => {
    const digestsOf = ({ builder }: AnchoredScene): readonly string[] =>
      builder.checkpoints.map(({ note }) => toBase64url(sha256(note)));
    const logged = new Set([shown, hidden].flatMap(({ receipts }) => receipts.map(bodyNote)));
    expect([...logged].filter((digest) => !digestsOf(shown).includes(digest))).toHaveLength(1);
  });
});

function bodyNote({ body }: AnchoredScene['receipts'][number]): string {
  return body.note;
}

it('a witness that signed the one history does not sign the other', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crumb-split-view-'));
  const vkey = vkeyOfBuilder(shown.builder);
  const server = await startDevWitness({ folder: join(folder, 'witness'), logs: [vkey] });
  try {
    const client = witness({
      policy: { quorum: 1, witnesses: [{ vkey: server.vkey, url: server.url }] },
    });
    const submit = (scene: AnchoredScene): Promise<unknown> =>
      client.submit({
        note: lastNote(scene),
        origin: ORIGIN,
        vkey,
        size: 12,
        proofFrom: () => Promise.resolve([]),
        published: () => Promise.resolve(12),
      });
    await expect(submit(shown)).resolves.toMatchObject({ type: 'witness' });
    await expect(submit(hidden)).rejects.toMatchObject({ code: 'ledger_forked' });
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
});
