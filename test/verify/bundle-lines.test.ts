import { describe, expect, it } from 'vitest';
import type { BundleItem } from '../../src/ledger/export-bundle.ts';
import { MAX_LINE_BYTES, parseBundleLine, type BundleLine } from '../../src/verify/bundle-lines.ts';
import { linesOf as split } from '../../src/verify/lines-of.ts';
import { itemsOf, linesOf } from './build-ledger.ts';
import { tellStory } from './story.ts';

/** What the exporter makes is what the verifier takes: the two parts share no type. */
const compatible = (item: BundleItem): BundleLine => item;

describe('a line', () => {
  it('is read as what was written, for every line of a ledger', async () => {
    const { builder } = await tellStory();
    const items = (await itemsOf(builder, { identities: true })).map((item) => ({
      ...item,
      stored: undefined,
    }));
    const lines = (await linesOf(builder, { identities: true })).slice(0, -1);
    const read = lines.map((line) => ({ ...parseBundleLine(line), stored: undefined }));
    expect(read).toEqual(items);
    expect(new Set(items.map(({ t }) => t))).toEqual(
      new Set(['bundle', 'entry', 'head', 'checkpoint', 'jwks', 'opening', 'closed']),
    );
    expect(compatible).toBeTypeOf('function');
  });

  const H = 'A'.repeat(43);
  it.each([
    ['peaks', `{"hashes":["${H}"],"t":"peaks"}`],
    ['an entry with its proof', `{"proof":["${H}"],"raw":"{}","t":"entry"}`],
    ['a pruned entry', `{"leaf":"${H}","seq":3,"t":"pruned"}`],
    ['a checkpoint with its proof', `{"note":"x","proof":[],"t":"checkpoint"}`],
    ['a receipt', '{"raw":"{}","size":3,"t":"receipt","type":"rekor"}'],
    [
      'an opening with odd members',
      `{"c":"h1.${H}","label":"args","r":"${H}","seq":3,"t":"opening","value":{"__proto__":1}}`,
    ],
    ['the end', `{"digest":"${H}","lines":3,"t":"end"}`],
  ])('can be %s', (_what, line) => {
    expect(parseBundleLine(line)).toBeDefined();
  });

  it.each([
    ['nothing', ''],
    ['no object', '[]'],
    ['no type', '{}'],
    ['an inherited type', '{"t":"constructor"}'],
    ['a member more', `{"leaf":"${H}","seq":3,"t":"pruned","x":1}`],
    ['a member less', '{"seq":3,"t":"pruned"}'],
    ['members in another order', `{"seq":3,"leaf":"${H}","t":"pruned"}`],
    ['a number in another spelling', `{"leaf":"${H}","seq":3.0,"t":"pruned"}`],
    ['a negative number', `{"leaf":"${H}","seq":-3,"t":"pruned"}`],
    ['a member twice', `{"leaf":"${H}","seq":3,"seq":3,"t":"pruned"}`],
    ['a hash with bits to spare', `{"leaf":"${'A'.repeat(42)}B","seq":3,"t":"pruned"}`],
    ['a needless escape', '{"raw":"\\u0041","t":"entry"}'],
    ['an escape in capitals', '{"raw":"\\u001F","t":"entry"}'],
    ['a lone surrogate', '{"raw":"\\ud800","t":"entry"}'],
    ['a carriage return behind it', `{"leaf":"${H}","seq":3,"t":"pruned"}\r`],
    [
      'a value that is too deep',
      `{"c":"h1.${H}","label":"args","r":"${H}","seq":3,"t":"opening","value":${'['.repeat(99)}${']'.repeat(99)}}`,
    ],
    ['nothing but brackets', '['.repeat(200_000)],
  ])('is none with %s', (_what, line) => {
    expect(parseBundleLine(line)).toBeUndefined();
  });
});

describe('a file', () => {
  async function pieces(bytes: Uint8Array, size: number): Promise<string[]> {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
      bytes.slice(n * size, (n + 1) * size),
    );
    const lines: string[] = [];
    for await (const some of split(chunks)) lines.push(...some);
    return lines;
  }

  it('is split into the same lines however it arrives', async () => {
    const bytes = new TextEncoder().encode('first\nzweite Zeile ü\n\n\u{1F511}last');
    for (let size = 1; size < 9; size++) {
      expect(await pieces(bytes, size)).toEqual(['first', 'zweite Zeile ü', '', '\u{1F511}last']);
    }
    expect(await pieces(new TextEncoder().encode('a\n'), 5)).toEqual(['a']);
    expect(await pieces(new Uint8Array(0), 5)).toEqual([]);
  });

  it('keeps what makes it no bundle: a byte order mark, and bytes that are no text', async () => {
    expect(await pieces(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b), 4)).toEqual(['\uFEFF{']);
    expect(await pieces(Uint8Array.of(0xff, 0x7b), 4)).toEqual(['\uFFFD{']);
  });

  it('is not kept in memory where a line never ends', async () => {
    const chunk = new Uint8Array(1 << 20).fill(0x61);
    async function* endless(): AsyncIterable<Uint8Array> {
      for (let n = 0; n < 40; n++) yield chunk;
    }
    const lines: string[] = [];
    for await (const some of split(endless())) lines.push(...some);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.length).toBeGreaterThan(MAX_LINE_BYTES);
    expect(lines[0]?.length).toBeLessThan(MAX_LINE_BYTES * 4);
  });
});
