import { describe, expect, it } from 'vitest';
import { rootHash } from '../../src/evidence/merkle.ts';
import {
  consistencyProof,
  inclusionProof,
  leavesReader,
  planPeaks,
} from '../../src/evidence/proof.ts';
import type { BundleLine, EntryLine, HeaderLine } from '../../src/verify/bundle-lines.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { itemsOf, ORIGIN, vkeyOfBuilder, type Builder } from './build-ledger.ts';
import { tellStory } from './story.ts';

/** The whole ledger, and how to prove parts of it. */
async function partsOf(builder: Builder) {
  const leaves = builder.rows.map(({ leaf }) => leaf);
  const read = leavesReader(leaves);
  const size = leaves.length;
  const items = await itemsOf(builder, { vault: false });
  const header = (change: Partial<HeaderLine>): HeaderLine => ({
    t: 'bundle',
    v: 'crumb-bundle/1',
    origin: ORIGIN,
    mode: 'range',
    start: 0,
    size,
    root: rootHash(leaves),
    vault: false,
    made: null,
    maker: null,
    query: null,
    ...change,
  });
  const proven = (seq: number): EntryLine => ({
    t: 'entry',
    bytes: builder.rows[seq]?.bytes ?? new Uint8Array(),
    proof: inclusionProof({ index: seq, size }, read),
  });
  const trust = { key: vkeyOfBuilder(builder) };
  return { leaves, read, size, items, header, proven, trust };
}

describe('a range that begins later', () => {
  async function rangeFrom(start: number) {
    const { builder } = await tellStory();
    const parts = await partsOf(builder);
    const { items, header, proven, read, trust } = parts;
    let seq = 0;
    const rest = items.slice(1).filter((item) => {
      if (item.t === 'entry') seq++;
      if (item.t === 'checkpoint') return seq > 9 && start < 9;
      return seq > start;
    });
    const peaks: BundleLine = {
      t: 'peaks',
      hashes: planPeaks(start).map(({ level, index }) => read(level, index)),
    };
    // Genesis and key entries are always there.
    const lines: BundleLine[] = [header({ start }), proven(0), proven(1), peaks, ...rest];
    return { lines, trust, parts };
  }

  it('is sound and signed, and says what it did not see', async () => {
    const { lines, trust } = await rangeFrom(10);
    const report = await verifyBundle(lines, trust);
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ sound: true, level: 'signed', start: 10, size: 17 });
    expect(report.notEstablished).toContainEqual({ code: 'selection_only', from: 10 });
    expect(report.counts).toHaveProperty('verdict_not_recomputed');
  });

  it('does not fit other peaks', async () => {
    const { lines, trust } = await rangeFrom(10);
    const changed = lines.map((line) =>
      line.t === 'peaks' ? { ...line, hashes: line.hashes.toReversed() } : line,
    );
    const report = await verifyBundle(changed, trust);
    expect(report.findings).toContainEqual({ code: 'head_invalid', size: 17, what: 'signature' });
    expect(report.level).toBe('none');
  });

  it('does not take peaks of another number, nor entries before them', async () => {
    const { lines, trust } = await rangeFrom(10);
    const fewer = lines.map((line) => (line.t === 'peaks' ? { ...line, hashes: [] } : line));
    expect((await verifyBundle(fewer, trust)).counts).toHaveProperty('bundle_damaged');
  });

  it('proves what lies below the start', async () => {
    const { lines, trust, parts } = await rangeFrom(10);
    const changed = lines.map((line, n) => (n === 2 ? { ...parts.proven(1), proof: [] } : line));
    const report = await verifyBundle(changed, trust);
    expect(report.findings).toContainEqual({ code: 'chain_broken', seq: 1, what: 'proof' });
  });
});

describe('a selection', () => {
  async function selection() {
    const { builder } = await tellStory();
    const parts = await partsOf(builder);
    const { header, proven, items, read, size, trust } = parts;
    const head = items.findLast((item) => item.t === 'head');
    const [first] = builder.checkpoints;
    if (head === undefined || first === undefined) throw new TypeError('no head');
    const checkpoint: BundleLine = {
      t: 'checkpoint',
      note: first.note,
      proof: consistencyProof({ oldSize: first.size, newSize: size }, read),
    };
    const entries = [0, 1, 2, 3, 4, 8].map(proven);
    const lines: BundleLine[] = [header({ mode: 'selection' }), ...entries, checkpoint, head];
    return { lines, trust, checkpoint };
  }

  it('is sound and signed, and says that more may exist', async () => {
    const { lines, trust } = await selection();
    const report = await verifyBundle(lines, trust);
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ sound: true, level: 'signed', mode: 'selection', size: 17 });
    expect(report.notEstablished).toContainEqual({ code: 'selection_only', from: 0 });
    expect(report.counts).not.toHaveProperty('outcome_unknown'); // it may just not be shown
  });

  it('is not covered without the head', async () => {
    const { lines, trust } = await selection();
    const report = await verifyBundle(lines.slice(0, -1), trust);
    expect(report.findings).toEqual([{ code: 'head_invalid', size: 17, what: 'missing' }]);
    expect(report.level).toBe('none');
  });

  it('finds an entry that the head does not cover, and one out of order', async () => {
    const { lines, trust } = await selection();
    const [head, ...rest] = lines;
    if (head?.t !== 'bundle') throw new TypeError('no header');
    const other = await verifyBundle([{ ...head, root: new Uint8Array(32) }, ...rest], trust);
    expect(other.counts).toMatchObject({ chain_broken: 6, head_invalid: 1 });
    const swapped = await verifyBundle(
      lines.with(1, lines[2] ?? head).with(2, lines[1] ?? head),
      trust,
    );
    expect(swapped.counts).toHaveProperty('bundle_damaged');
  });

  it('finds a checkpoint of another history', async () => {
    const { lines, trust, checkpoint } = await selection();
    const changed = lines.map((line) => (line === checkpoint ? { ...line, proof: [] } : line));
    const report = await verifyBundle(changed, trust);
    expect(report.findings).toEqual([{ code: 'checkpoints_inconsistent', size: 9 }]);
  });
});
