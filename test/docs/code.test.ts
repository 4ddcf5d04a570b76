/**
 * Code in documents compiles and says what the examples say.
 *
 * A `ts` block is a module of its own. A comment right above it may say otherwise:
 * `<!-- continues -->`: it goes on where the block before it ended.
 * `<!-- prelude: NAME -->`: test/docs/preludes/NAME.ts stands before it.
 * `<!-- snippet:FILE#NAME -->`: it is this region of that file, which is compiled there.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileTexts, repositoryOptions } from '../support/compile.ts';
import { codeBlocksOf, readDocuments, type CodeBlock } from '../support/markdown.ts';

const documents = readDocuments();
const blocks = documents.flatMap((document) => codeBlocksOf(document));
const typed = blocks.filter(({ language }) => language === 'ts');

/** Whole modules by the path at which they would stand: beside their document. */
function modulesOf(list: readonly CodeBlock[]): Map<string, string> {
  const modules = new Map<string, string>();
  let before = '';
  for (const { path, line, text, mark } of list) {
    const prelude = mark?.startsWith('prelude: ') === true ? preludeOf(mark.slice(9)) : '';
    before = mark === 'continues' ? before + text : prelude + text;
    // A region stands in a whole file, which the type check of the repository covers.
    if (mark?.startsWith('snippet:') !== true)
      modules.set(resolve(dirname(path), `block-${line}.ts`), before);
  }
  return modules;
}

function preludeOf(name: string): string {
  return readFileSync(`test/docs/preludes/${name}.ts`, 'utf8');
}

describe('code blocks', { timeout: 120_000 }, () => {
  const options = { ...repositoryOptions(), noUnusedLocals: false, noUnusedParameters: false };

  it('compile', () => {
    expect(typed.length).toBeGreaterThan(3);
    expect(compileTexts(modulesOf(typed), options)).toEqual([]);
  });

  it('are caught where they do not', () => {
    const text = "```ts\nimport { noSuchName } from 'crumb-ai';\n```\n";
    const planted = modulesOf(codeBlocksOf({ path: 'README.md', text }));
    expect(compileTexts(planted, options)).toEqual([expect.stringContaining('TS2305')]);
  });

  it('go on from one to the next where they say so', () => {
    const text =
      '```ts\nconst a: number = 1;\n```\n\n<!-- continues -->\n```ts\nexport const b: string = a;\n```\n';
    const planted = modulesOf(codeBlocksOf({ path: 'README.md', text }));
    expect(compileTexts(planted, options)).toEqual([expect.stringContaining('TS2322')]);
  });

  it('have a language', () => {
    const silent = blocks.filter(({ language }) => language === '');
    expect(silent.map(({ path, line }) => `${path}:${line}`)).toEqual([]);
  });
});

describe('code in the README', () => {
  it('is cut from examples', () => {
    const readme = typed.filter(({ path }) => path === 'README.md');
    expect(readme.length).toBeGreaterThan(0);
    const loose = readme.filter(({ mark }) => mark?.startsWith('snippet:examples/') !== true);
    expect(loose.map(({ line }) => `README.md:${line}`)).toEqual([]);
  });
});
