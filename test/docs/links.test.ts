import { describe, expect, it } from 'vitest';
import { anchorsOf, brokenLinksOf, linksOf, readDocuments } from '../support/markdown.ts';

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

describe('the list of decisions', () => {
  it('has every one, each under a number of its own', () => {
    const pages = documents
      .map(({ path }) => /^docs\/adr\/((\d{4})-.+\.md)$/.exec(path))
      .filter((match) => match !== null);
    const index = documents.find(({ path }) => path === 'docs/adr/README.md');
    const listed = index === undefined ? [] : linksOf(index).filter((link) => /^\d{4}-/.test(link));
    expect(pages.length).toBeGreaterThan(1);
    expect(listed).toEqual(pages.map(([, name]) => name));
    expect(new Set(pages.map(([, , number]) => number)).size).toBe(pages.length);
  });
});
