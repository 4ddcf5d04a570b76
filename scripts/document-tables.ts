/**
 * What documents repeat of the code. Tables stand between `<!-- table: NAME -->` and `<!-- /table -->`,
 * parts of examples between `<!-- snippet:FILE#REGION -->` and `<!-- endsnippet -->`. `npm run tables`
 * writes both, and a test compares.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { REASON_CODES, type ReasonCode } from '../src/attribution/judge.ts';
import { commandHelp } from '../src/cli/help.ts';
import { COMMANDS } from '../src/cli/registry.ts';
import { PLAIN } from '../src/cli/terminal/style.ts';
import { CrumbError, ERROR_CODES } from '../src/errors.ts';

const REASONS: Readonly<Record<ReasonCode, string>> = {
  no_directive: 'The session has no directive at all that could be about this call.',
  action: 'No directive names the action of the tool.',
  resource: 'A directive names the action, but not at this resource.',
  agent: 'An agent of the chain is not among those that the directive names.',
  expired: 'The directive had ended when the call was made.',
  argument_missing: 'An argument that the directive names was not given.',
  argument_extra: 'An argument was given that the directive does not name.',
  argument: 'An argument has another value than the directive allows.',
  uses: 'The directive covers the call, but all its uses were spent.',
};

/** Every table, by its name. */
export function tables(): ReadonlyMap<string, string> {
  return new Map([
    ['errors', errorTable()],
    ['reasons', reasonTable()],
    ...COMMANDS.map((command): [string, string] => [
      `help ${command.name}`,
      `\`\`\`text\n${commandHelp(command, PLAIN).join('\n')}\n\`\`\``,
    ]),
  ]);
}

const PLACE = /(<!-- table: (?<name>[^\n]+?) -->\n)[^]*?(\n<!-- \/table -->)/g;

const SNIPPET =
  /(<!-- snippet:(?<file>[^\n#]+)#(?<region>[\w-]+) -->\n)[^]*?(<!-- endsnippet -->)/g;

/**
 * A document with its tables and snippets as they should be.
 *
 * @throws {TypeError} It has a place for a table or region that there is not.
 */
export function withRepeated(text: string): string {
  return withSnippets(withTables(text));
}

function withSnippets(text: string): string {
  return text.replaceAll(SNIPPET, (...match: readonly string[]) => {
    const [, before = '', file = '', name = '', after = ''] = match;
    const region = regionOf(readFileSync(file, 'utf8'), name);
    if (region === undefined) throw new TypeError(`${file} has no region ${name}`);
    return `${before}\n\`\`\`${file.split('.').at(-1) ?? ''}\n${region.trimEnd()}\n\`\`\`\n\n${after}`;
  });
}

function withTables(text: string): string {
  const all = tables();
  return text.replaceAll(PLACE, (...match: readonly string[]) => {
    const [, before = '', name = '', after = ''] = match;
    const table = all.get(name);
    if (table === undefined) throw new TypeError(`no table is called ${name}`);
    return `${before}\n${table}\n${after}`;
  });
}

/** Names of the places for tables in a document. */
export function placesIn(text: string): string[] {
  return [...text.matchAll(PLACE)].map(({ groups }) => groups?.['name'] ?? '');
}

function errorTable(): string {
  return rows(
    ['code', 'what happened', 'what to do'],
    ERROR_CODES.map((code) => {
      const { message, hint } = new CrumbError(code);
      return [`\`${code}\``, message, hint];
    }),
  );
}

function reasonTable(): string {
  return rows(
    ['code', 'what it says'],
    REASON_CODES.map((code) => [`\`${code}\``, REASONS[code]]),
  );
}

function rows(heading: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const table = [line(heading), line(heading.map(() => '---')), ...body.map(line)];
  return `<!-- prettier-ignore -->\n${table.join('\n')}`;
}

/** The lines of a file between `// #region NAME` and `// #endregion`, moved to the left. */
export function regionOf(text: string, name: string): string | undefined {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.trim() === `// #region ${name}`);
  if (start < 0) return undefined;
  const end = lines.findIndex((line, n) => n > start && line.trim().startsWith('// #endregion'));
  if (end < 0) return undefined;
  const body = lines.slice(start + 1, end).filter((line) => !/^\s*\/\/ #(?:end)?region/.test(line));
  const indents = body.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
  const indent = Math.min(...indents);
  return `${body.map((line) => line.slice(indent)).join('\n')}\n`;
}
