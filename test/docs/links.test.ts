import { describe, expect, it } from 'vitest';
import { anchorsOf, brokenLinksOf, readDocuments } from '../support/markdown.ts';

const documents = readDocuments();

describe('links', () => {
  it('are looked for in all documents', () => {
    const paths = documents.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/errors.md']),
    );
  });

  it('lead somewhere', () => {
    expect(documents.flatMap((document) => brokenLinksOf(document))).toEqual([]);
  });

  it.each([
    ['a file that is not there', '[x](docs/no-such-file.md)', 1],
    ['a heading that is not there', '[x](README.md#no-such-heading)', 1],
    ['plain HTTP', '[x](http://example.com)', 1],
    ['a reference to nothing', '[x]: docs/no-such-file.md', 1],
    ['a heading of the same file', '# A b, c!\n[x](#a-b-c)', 0],
    ['a web page', '[x](https://www.rfc-editor.org/rfc/rfc8693#section-4.1)', 0],
    ['a link that is code', '`[x](nowhere.md)`', 0],
  ])('to %s are judged', (_what, text, broken) => {
    const document = { path: 'README.md', text };
    const anchors = (path: string): readonly string[] | undefined =>
      path === 'README.md' ? anchorsOf(text) : undefined;
    expect(brokenLinksOf(document, anchors)).toHaveLength(broken);
  });
});
