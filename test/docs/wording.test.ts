/** What we may not say of Crumb, because it is not so or nobody knows. */
import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { commandHelp, overview } from '../../src/cli/help.ts';
import { COMMANDS } from '../../src/cli/registry.ts';
import { PLAIN } from '../../src/cli/terminal/style.ts';
import { readDocuments, type Document } from '../support/markdown.ts';

const FORBIDDEN = [
  /exonerat/i,
  /tamper-?proof/i,
  /\bcompliant\b/i,
  /(ensures|guarantees)\s+compliance/i,
  /certified/i,
  /immutable/i,
  /non-?repudia/i,
  /court-?(ready|proof)|admissible/i,
  /legally\s+binding/i,
  /proof\s+of\s+innocence/i,
  /(not|no\s+longer)\s+(liable|accountable)/i,
  /AI\s+Act\s+(requires|mandates|demands|regulates\s+agents)/i,
  /August\s+2,?\s+2026|2\s+August\s+2026|2026-08-02/i,
  /anonym(ous|ised|ized)/i,
  /(every|all)\s+(agent\s+)?(tool\s+)?(action|call)s?\s+(is|are)\s+(recorded|logged|captured)/i,
  /unforgeable|military-grade/i,
];

/** Where such words must stand. One that is not needed any more fails. */
const EXCEPTIONS: readonly {
  readonly file: string;
  readonly phrase: RegExp;
  readonly reason: string;
}[] = [];

interface Finding {
  readonly file: string;
  readonly phrase: string;
  readonly found: string;
}

function findingsIn({ path, text }: Document): Finding[] {
  const plain = text.replaceAll(/\s+/g, ' ');
  return FORBIDDEN.flatMap((phrase) => {
    const found = phrase.exec(plain)?.[0];
    return found === undefined ? [] : [{ file: path, phrase: phrase.source, found }];
  });
}

/** Strings alone: a comment for a developer is no promise to a reader. */
function stringsOf(path: string): Document {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const strings: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) strings.push(node.text);
    if (ts.isTemplateExpression(node)) strings.push(node.getText());
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { path, text: strings.join('\n') };
}

const help: Document[] = [
  { path: 'crumb --help', text: overview(COMMANDS, PLAIN).join('\n') },
  ...COMMANDS.map((command) => ({
    path: `crumb help ${command.name}`,
    text: commandHelp(command, PLAIN).join('\n'),
  })),
];
const documents = readDocuments();
const spoken = globSync([
  'src/report/**/*.ts',
  'src/console/**/*.ts',
  'src/cli/**/*.ts',
  'src/dev/pages/**/*.ts',
]);
const all = [...documents, ...help, ...spoken.map(stringsOf)];

describe('wording', () => {
  it('promises nothing that we may not promise', () => {
    expect(all.length).toBeGreaterThan(20);
    const findings = all.flatMap(findingsIn).filter(({ file, found }) => {
      return !EXCEPTIONS.some((one) => one.file === file && one.phrase.test(found));
    });
    expect(findings).toEqual([]);
  });

  it('has no exception that is not needed', () => {
    const unused = EXCEPTIONS.filter(({ file, phrase }) => {
      const text = all.find(({ path }) => path === file)?.text ?? '';
      return !phrase.test(text);
    });
    expect(unused).toEqual([]);
  });

  it.each([
    'Crumb is tamper-proof.',
    'a TAMPERPROOF log',
    'GDPR compliant',
    'It guarantees\ncompliance.',
    'All agent tool calls are\n  recorded.',
    'the AI Act requires it',
    'from August 2, 2026',
    'anonymised humans',
    'an immutable ledger',
    'non-repudiation',
  ])('is caught: %s', (text) => {
    expect(findingsIn({ path: 'planted', text })).not.toEqual([]);
  });

  it.each(['tamper-evident', 'It supports logging.', 'noncompliance', 'calls are guarded'])(
    'may say: %s',
    (text) => {
      expect(findingsIn({ path: 'planted', text })).toEqual([]);
    },
  );
});

describe('the law', () => {
  const paragraphs = documents.flatMap(({ path, text }) =>
    text.split(/\n\s*\n/).map((paragraph) => ({ path, paragraph })),
  );

  it('is named with the dates from which it applies', () => {
    const undated = documents.filter(
      ({ text }) =>
        /\bAI Act\b/.test(text) &&
        !(text.includes('2 December 2027') && text.includes('2 August 2028')) &&
        !/\]\([^)]*legal[^)]*\)/.test(text),
    );
    expect(undated.map(({ path }) => path)).toEqual([]);
  });

  it('is not made to say more than it does: Article 12(3) is about biometric identification', () => {
    const bare = paragraphs.filter(
      ({ paragraph }) => paragraph.includes('12(3)') && !/biometric/i.test(paragraph),
    );
    expect(bare).toEqual([]);
  });
});
