import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toBase64url } from '../../src/evidence/bytes.ts';
import { checkpointText } from '../../src/evidence/checkpoint.ts';
import { appendLeaf, EMPTY_RANGE, rangeRoot } from '../../src/evidence/compact-range.ts';
import { ed25519Signer } from '../../src/evidence/ed25519.ts';
import { encodeEntry, parseEntry, ZERO_LEAF } from '../../src/evidence/entry.ts';
import type { Entry } from '../../src/evidence/kinds.ts';
import { leafHash, rootHash } from '../../src/evidence/merkle.ts';
import { openNote, signNote, vkeyOf } from '../../src/evidence/note.ts';
import { arbitraryEntry } from '../vectors/arbitrary-entry.ts';
import { slowLedger, type SlowLedger } from '../vectors/slow-model.ts';

const ORIGIN = 'acme.example/crumb';

/** The same ledger by the code in src/. */
async function ledgerOf(
  seed: Uint8Array,
  commits: readonly (readonly Entry[])[],
): Promise<SlowLedger> {
  const signer = ed25519Signer(seed);
  let range = EMPTY_RANGE;
  let prev = ZERO_LEAF;
  const entries: { bytes: Buffer; leaf: Buffer }[] = [];
  const heads: SlowLedger['heads'][number][] = [];
  for (const drafts of commits) {
    for (const draft of drafts) {
      const bytes = encodeEntry({ ...draft, seq: range.size, prev: toBase64url(prev) });
      prev = leafHash(bytes);
      range = appendLeaf(range, prev);
      entries.push({ bytes: Buffer.from(bytes), leaf: Buffer.from(prev) });
    }
    const text = checkpointText({ origin: ORIGIN, size: range.size, root: rangeRoot(range) });
    const signature = Buffer.from(await signer.sign(Buffer.from(text)));
    heads.push({ size: range.size, text, signature, note: await signNote(text, ORIGIN, signer) });
  }
  return { vkey: vkeyOf(ORIGIN, signer.publicKey), entries, heads };
}

it('a second implementation builds the same ledger, byte for byte', async () => {
  const commits = fc.array(fc.array(arbitraryEntry, { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 6,
  });
  const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
  await fc.assert(
    fc.asyncProperty(seeds, commits, async (seed, drafts) => {
      const slow = slowLedger(ORIGIN, Buffer.from(seed), drafts);
      const fast = await ledgerOf(seed, drafts);
      expect(fast).toEqual(slow);
      // And each reads what the other wrote.
      for (const [seq, { bytes }] of slow.entries.entries()) {
        expect(parseEntry(bytes)).toMatchObject({ seq });
      }
      const last = slow.heads.at(-1);
      expect((await openNote(last?.note ?? '', [slow.vkey])).text).toBe(last?.text);
      expect(last?.text).toContain(
        Buffer.from(rootHash(slow.entries.map((e) => e.leaf))).toString('base64'),
      );
    }),
    { numRuns: 25 },
  );
});
