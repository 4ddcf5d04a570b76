/**
 * The tables in docs that repeat what the code knows. They stand between `<!-- table: NAME -->` and
 * `<!-- /table -->`; `npm run tables` writes them, and a test compares.
 *
 * @module
 */
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

/** A document with its tables as they should be. @throws {TypeError} It has a place for no table. */
export function withTables(text: string): string {
  const all = tables();
  return text.replaceAll(PLACE, (...match: readonly string[]) => {
    const [, before = '', name = '', after = ''] = match;
    const table = all.get(name);
    if (table === undefined) throw new TypeError(`no table is called ${name}`);
    return `${before}\n${table}\n${after}`;
  });
}

/** Names of the places in a document. */
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
