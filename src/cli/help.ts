/**
 * Help that teaches: what a command is for, what it takes, and lines to copy.
 *
 * @module
 */
import { COMMON } from './arguments.ts';
import type { CommandDescription, OptionSpec } from './command.ts';
import type { Style } from './terminal/style.ts';
import { widthOf, wrap } from './terminal/width.ts';

const WIDTH = 96;

/** The overview: what Crumb is, its commands, where to start. */
export function overview(commands: readonly CommandDescription[], style: Style): string[] {
  const rows = commands.map(({ name, summary }): [string, string] => [name, summary]);
  return [
    `${style.bold('crumb')}: a flight recorder for AI agents`,
    '',
    ...wrap(
      'Every guarded tool call runs under a delegation token that names the human and the chain of agents, and leaves entries in a tamper-evident ledger.',
      WIDTH,
    ),
    '',
    style.bold('Usage'),
    '  crumb COMMAND [OPTION...]',
    '',
    style.bold('Commands'),
    ...pairs(rows, style),
    '',
    style.bold('Every command'),
    ...pairs(Object.entries(COMMON).map(optionRow), style),
    '',
    style.bold('Start here'),
    ...pairs(
      [
        ['crumb demo', 'watch a hijacked agent get caught, with every part real, in a minute'],
        ['crumb init', 'set up Crumb in this project'],
        ['crumb help COMMAND', 'what a command does, with examples'],
      ],
      style,
    ),
  ];
}

/** Help of one command. */
export function commandHelp(command: CommandDescription, style: Style): string[] {
  const { name, summary, about, operands, options, examples, exits = {} } = command;
  const operandWords = operands.map((one) => (one.optional === true ? `[${one.name}]` : one.name));
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', style.bold(title), ...lines];
  const codes: Record<number, string> = { 0: 'done', 2: 'could not be done', ...exits };
  return [
    `${style.bold(`crumb ${name}`)}: ${summary}`,
    ...about.flatMap((paragraph) => ['', ...wrap(paragraph, WIDTH)]),
    ...section('Usage', [`  ${['crumb', name, ...operandWords, '[OPTION...]'].join(' ')}`]),
    ...section(
      'Takes',
      pairs(
        operands.map((one): [string, string] => [one.name, one.help]),
        style,
      ),
    ),
    ...section('Options', pairs(Object.entries({ ...options, ...COMMON }).map(optionRow), style)),
    ...section(
      'Examples',
      examples.flatMap(({ line, shows }) => [`  ${style.dim(`# ${shows}`)}`, `  ${line}`]),
    ),
    ...section('Exit codes', pairs(Object.entries(codes), style)),
  ];
}

/** Help of a group, such as `crumb dev`. */
export function groupHelp(
  group: string,
  commands: readonly CommandDescription[],
  style: Style,
): string[] {
  const rows = commands.map(({ name, summary }): [string, string] => [`crumb ${name}`, summary]);
  return [`${style.bold(`crumb ${group}`)} is one of:`, ...pairs(rows, style)];
}

function optionRow([name, spec]: readonly [string, OptionSpec]): [string, string] {
  const short = spec.short === undefined ? '    ' : `-${spec.short}, `;
  return [`${short}--${name}${valueWord(spec)}`, spec.help + defaultWords(spec)];
}

function valueWord(spec: OptionSpec): string {
  if (spec.kind === 'flag') return '';
  return spec.kind === 'choice' ? ` ${spec.of.join('|')}` : ` ${spec.value}`;
}

function defaultWords(spec: OptionSpec): string {
  if (spec.kind === 'list') return ' (may be repeated)';
  return 'default' in spec && spec.default !== undefined ? ` (default: ${spec.default})` : '';
}

/** Two columns; what is long wraps under its own column. */
function pairs(rows: readonly (readonly [string, string])[], style: Style): string[] {
  const left = Math.min(34, Math.max(0, ...rows.map(([term]) => widthOf(term))));
  return rows.flatMap(([term, text]) => {
    const [first = '', ...rest] = wrap(text, WIDTH - left - 4);
    const indent = ' '.repeat(left + 4);
    const own = style.cyan(term) + ' '.repeat(Math.max(0, left - widthOf(term)));
    const head = widthOf(term) > left ? [`  ${own}`, indent + first] : [`  ${own}  ${first}`];
    return [...head, ...rest.map((line) => indent + line)];
  });
}
