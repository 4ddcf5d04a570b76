import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { placesIn, regionOf, tables, withRepeated } from '../../scripts/document-tables.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { SEVERITIES } from '../../src/verify/findings.ts';
import { readDocuments } from '../support/markdown.ts';

const documents = readDocuments();

describe('tables in docs', () => {
  it('say what the code says; `npm run tables` writes them', () => {
    const stale = documents.filter(({ text }) => withRepeated(text) !== text);
    expect(stale.map(({ path }) => path)).toEqual([]);
  });

  it('stand somewhere, each once', () => {
    const places = documents.flatMap(({ text }) => placesIn(text));
    expect(places.toSorted()).toEqual([...tables().keys()].toSorted());
  });

  it('are caught when they are incomplete', () => {
    const errors = readFileSync('docs/errors.md', 'utf8');
    const rows = [...errors.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
    expect(rows).toEqual(ERROR_CODES);
    const cut = errors.replace(/\| `chain_mismatch`.*\n/, '');
    expect(cut).not.toBe(errors);
    expect(withRepeated(cut)).not.toBe(cut);
  });

  it('hold what stands between the marks of a file, moved to the left', () => {
    const text = 'a\n  // #region x\n  one\n    two\n\n  // #endregion x\nb';
    expect(regionOf(text, 'x')).toBe('one\n  two\n\n');
    expect(regionOf(text, 'y')).toBeUndefined();
  });

  it('are caught when nobody knows them', () => {
    expect(() => withRepeated('<!-- table: no such -->\n\n<!-- /table -->')).toThrow(TypeError);
    const snippet = '<!-- snippet:package.json#none -->\n<!-- endsnippet -->';
    expect(() => withRepeated(snippet)).toThrow(TypeError);
  });
});

describe('the table of findings', () => {
  const weights = (text: string): Record<string, string> =>
    Object.fromEntries(
      [...text.matchAll(/^\| *`(\w+)` *\| *([\w ]+?) *\|/gm)].map(([, code = '', weight = '']) => [
        code,
        weight.replace(' ', '_'),
      ]),
    );

  it('has every code once, with its weight', () => {
    const text = readFileSync('docs/findings.md', 'utf8');
    expect(weights(text)).toEqual(SEVERITIES);
    for (const code of Object.keys(SEVERITIES)) {
      expect(text.match(new RegExp(`^\\| *\`${code}\` *\\|`, 'gm'))).toHaveLength(1);
    }
  });

  it('is caught with a code that is gone, new, or weighs differently', () => {
    expect(weights('| `a` | failing | x |\n| `b`   | not established | y |')).toEqual({
      a: 'failing',
      b: 'not_established',
    });
  });
});
