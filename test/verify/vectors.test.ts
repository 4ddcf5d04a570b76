/** Bundles of every release must verify for ever, with the same answer. */
import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { linesOf } from '../../src/verify/lines-of.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';

const KEY = 'acme.example/crumb+af26471b+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c';
const files = globSync('test/vectors/bundle-*.ndjson');

it('has some', () => {
  expect(files.length).toBeGreaterThan(0);
});

it.each(files)('still verifies %s, on both paths', async (file) => {
  const bytes = readFileSync(file);
  for (const full of [false, true]) {
    const report = await verifyBundle(linesOf([bytes]), { key: KEY }, { full });
    expect(report).toMatchObject({ sound: true, level: 'signed', size: 17 });
    expect(report.stats).toMatchObject({ judged: 7, tokens: 7, opened: 14 });
  }
});
