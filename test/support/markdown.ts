/**
 * Reads Markdown as far as tests of documents need it: links, headings, code blocks with their marks.
 *
 * @module
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Document {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface CodeBlock {
  readonly path: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** What a comment right above the block says: `<!-- snippet:examples/x.ts#name -->`. */
  readonly mark: string | undefined;
}

/** Everything that is written for people to read. */
export function readDocuments(): Document[] {
  return globSync(['*.md', 'docs/**/*.md', 'bench/**/*.md', 'examples/**/*.md'], {
    exclude: (path) => path === 'node_modules',
  })
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

const FENCE =
  /^(?:<!-- (?<mark>[^\n]*) -->\n\s*)?(?<fence>```+)(?<language>\w*)[^\n]*\n(?<text>[^]*?)^\k<fence>[ ]*$/gm;

export function codeBlocksOf({ path, text }: Document): CodeBlock[] {
  return [...text.matchAll(FENCE)].map((match) => {
    const { mark, language = '', text: code = '' } = match.groups ?? {};
    const line = text.slice(0, match.index).split('\n').length;
    return { path, line, language, text: code, mark };
  });
}

/** The text without code, in which a link would not be one. */
export function proseOf({ text }: Document): string {
  return text.replaceAll(FENCE, '').replaceAll(/`[^`\n]*`/g, '');
}

/** Links inside the repository that lead nowhere, as `file: target`. */
export function brokenLinksOf(document: Document, anchorsIn = anchorsOfFile): string[] {
  return linksOf(document)
    .filter((target) => !isSound(document, target, anchorsIn))
    .map((target) => `${document.path}: ${target}`);
}

export function linksOf(document: Document): string[] {
  const inline = [...proseOf(document).matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)];
  const named = [...proseOf(document).matchAll(/^\[[^\]]+\]:\s+(\S+)/gm)];
  return [...inline, ...named].map(([, target = '']) => target);
}

function isSound(
  document: Document,
  target: string,
  anchorsIn: (path: string) => readonly string[] | undefined,
): boolean {
  if (/^(?:https:|mailto:)/.test(target)) return URL.canParse(target);
  if (/^\w+:/.test(target)) return false; // http and the rest: nothing here should lead there
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? document.path : join(dirname(document.path), decodeURIComponent(file));
  const anchors = anchorsIn(path);
  return anchors !== undefined && (anchor === undefined || anchors.includes(anchor));
}

/** Anchors of a file; none for what is no Markdown; undefined where there is nothing. */
function anchorsOfFile(path: string): readonly string[] | undefined {
  if (!existsSync(path)) return undefined;
  return path.endsWith('.md') ? anchorsOf(readFileSync(path, 'utf8')) : [];
}

/** As GitHub makes them of headings. */
export function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>();
  const prose = text.replaceAll(FENCE, '');
  return [...prose.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading = '']) => {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** Rows of the first table below a heading, cell by cell; undefined if there is none. */
export function tableBelow({ text }: Document, heading: RegExp): string[][] | undefined {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith('#') && heading.test(line));
  if (start < 0) return undefined;
  const next = lines.findIndex((line, n) => n > start && /^#{1,6}\s/.test(line));
  const rows = lines
    .slice(start + 1, next < 0 ? undefined : next)
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return rows.length < 2 ? undefined : rows.slice(2);
}
