import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readDocuments, tableBelow, type Document } from '../support/markdown.ts';

const documents = readDocuments();
const TEST = /test\/attacks\/[\w-]+\.test\.ts/g;

/** Rows of a table of claims that no test proves. */
function unproved(document: Document): string[] {
  const rows = tableBelow(document, /claims/i) ?? [];
  return rows
    .filter((cells) => {
      const tests = cells.join(' ').match(TEST) ?? [];
      return tests.length === 0 || !tests.every((path) => existsSync(path));
    })
    .map(([claim = '']) => claim);
}

describe('claims', () => {
  it('of the README name the tests that prove them', () => {
    const readme = documents.find(({ path }) => path === 'README.md');
    expect(readme && tableBelow(readme, /claims/i)?.length).toBeGreaterThan(3);
    expect(readme && unproved(readme)).toEqual([]);
  });

  it('anywhere name no test that is not there', () => {
    const missing = documents.flatMap(({ path, text }) =>
      (text.match(TEST) ?? [])
        .filter((test) => !existsSync(test))
        .map((test) => `${path}: ${test}`),
    );
    expect(missing).toEqual([]);
  });

  it('without a test are caught', () => {
    const text = [
      '## Claims',
      '| claim | proved by |',
      '|---|---|',
      '| a | [x](test/attacks/no-such.test.ts) |',
      '| b | trust us |',
    ].join('\n');
    expect(unproved({ path: 'README.md', text })).toEqual(['a', 'b']);
  });
});
