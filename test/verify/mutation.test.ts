import fc from 'fast-check';
import { expect, it } from 'vitest';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { linesOf, sealLines, vkeyOfBuilder } from './build-ledger.ts';
import { tellStory } from './story.ts';

const MADE = { made: new Date(0), maker: { name: 'test', version: '1' }, identities: true };

/** Parts of the header that say nothing about the ledger. */
const FREE = /"(?:made|maker|query)":(?:"[^"]*"|\{[^}]*\}|null)/g;

const { builder } = await tellStory();
const lines = await linesOf(builder, MADE);
const text = lines.join('\n');
const trust = { key: vkeyOfBuilder(builder) };

function isFree(at: number): boolean {
  return [...(lines[0] ?? '').matchAll(FREE)].some(
    ({ 0: { length }, index }) => at >= index && at < index + length,
  );
}

/** One character replaced, at a place of the file. */
function mutate(at: number, by: string): string[] {
  return (text.slice(0, at) + by + text.slice(at + 1)).split('\n');
}

const anywhere = fc.nat({ max: text.length - 1 });
const anything = fc.oneof(
  fc.constantFrom('0', '1', 'A', 'a', '_', '"', ',', '\n', ' ', '\u0000', '\uFFFD'),
  fc.string({ minLength: 1, maxLength: 1, unit: 'binary-ascii' }),
);

it('finds any changed byte of a bundle', async () => {
  await fc.assert(
    fc.asyncProperty(anywhere, anything, async (at, by) => {
      fc.pre(text[at] !== by);
      const report = await verifyBundle(mutate(at, by), trust, { full: true });
      expect(report.sound).toBe(false);
    }),
    { numRuns: 100 },
  );
});

it('finds it also when whoever changed it made the digest fit again', async () => {
  await fc.assert(
    fc.asyncProperty(anywhere, anything, async (at, by) => {
      fc.pre(text[at] !== by && !isFree(at) && at < text.lastIndexOf('\n'));
      const report = await verifyBundle(sealLines(mutate(at, by)), trust, { full: true });
      expect(report.sound).toBe(false);
    }),
    { numRuns: 150 },
  );
});

it('finds any crumb that is left out, doubled or moved', async () => {
  const before = lines.slice(0, -1);
  for (const [n, line] of before.entries()) {
    if (!line.startsWith('{"raw"')) continue;
    const others = before.toSpliced(n, 1);
    for (const changed of [others, before.toSpliced(n, 0, line), [...others, line]]) {
      const report = await verifyBundle(sealLines(changed), trust);
      expect([n, report.sound]).toEqual([n, false]);
    }
  }
});
