import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

function dependenciesOf(path: string): Readonly<Record<string, string>> {
  const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  return dependencies;
}

it('takes the parts of sigstore at the versions that sigstore has', () => {
  const ours = dependenciesOf('package.json');
  const theirs = dependenciesOf('node_modules/sigstore/package.json');
  expect(Object.keys(ours)).toContain('sigstore');
  const parts = Object.keys(ours).filter((name) => name.startsWith('@sigstore/'));
  expect(parts.length).toBeGreaterThan(2);
  for (const part of parts) expect([part, ours[part]]).toEqual([part, theirs[part]]);
});
