/**
 * The frame of the command line: finds the command, parses, runs, and turns failure into a sentence.
 *
 * @module
 */
import { isCrumbError } from '../errors.ts';
import { visible } from '../evidence/visible.ts';
import { parseArguments, usage } from './arguments.ts';
import { EXIT, type Command } from './command.ts';
import { commandHelp, groupHelp, overview } from './help.ts';
import { nearest } from './nearest.ts';
import { styleFor } from './terminal/style.ts';
import { createTerminal, type Streams, type Terminal } from './terminal/terminal.ts';
import { wrap } from './terminal/width.ts';
import { version } from './version.ts';

/** Runs one command line; answers the exit code. Nothing is thrown and nothing exits the process. */
export async function main(
  words: readonly string[],
  streams: Streams,
  commands: readonly Command[],
): Promise<number> {
  try {
    return await dispatch(words, streams, commands);
  } catch (error) {
    report(error, createTerminal(streams, words.includes('--json')));
    return EXIT.failed;
  }
}

async function dispatch(
  words: readonly string[],
  streams: Streams,
  commands: readonly Command[],
): Promise<number> {
  const say = (lines: readonly string[]): number => {
    streams.stdout.write(`${lines.join('\n')}\n`);
    return EXIT.ok;
  };
  const style = styleFor(streams.env, streams.stdout.isTTY === true);
  const [first = '--help', ...rest] = words;
  if (first === '--version' || first === '-v') return say([version()]);
  if (first === '--help' || first === '-h') return say(overview(commands, style));
  if (first === 'help') return say(helpOn(rest, commands, style));

  const found = find(words, commands);
  if (found === undefined) return say(helpOn(words, commands, style));
  const { input, json, help } = parseArguments(found.command, found.rest);
  if (help) return say(commandHelp(found.command, style));
  return found.command.run(input, createTerminal(streams, json));
}

interface Found {
  readonly command: Command;
  readonly rest: readonly string[];
}

/** The command that the first words name; two words before one. */
function find(words: readonly string[], commands: readonly Command[]): Found | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const command = commands.find((one) => one.name === name);
    if (command !== undefined) return { command, rest: words.slice(length) };
  }
  return undefined;
}

/** @throws {CrumbError} `usage_invalid`: nothing is called that. */
function helpOn(
  words: readonly string[],
  commands: readonly Command[],
  style: Terminal['style'],
): string[] {
  const named = words.filter((word) => !word.startsWith('-'));
  const [first] = named;
  if (first === undefined) return overview(commands, style);
  const found = find(named, commands);
  if (found !== undefined) return commandHelp(found.command, style);
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length > 0 && named.length === 1) return groupHelp(first, group, style);
  throw unknownCommand(named, commands);
}

function unknownCommand(words: readonly string[], commands: readonly Command[]): Error {
  const names = commands.map(({ name }) => name);
  const word = words.slice(0, 2).join(' ');
  const meant = nearest(word, names) ?? nearest(words[0] ?? '', names);
  const hint = meant === undefined ? '' : `; did you mean \`crumb ${meant}\`?`;
  return usage(`unknown command ${meant?.includes(' ') === true ? word : words[0]}${hint}`);
}

/** Sentence, code, what to do. A failure that is not ours is shown whole: it is a bug, here or below. */
function report(error: unknown, terminal: Terminal): void {
  const known = isCrumbError(error);
  const code = known ? error.code : 'unexpected';
  const text = error instanceof Error ? error.message : String(error);
  const hint = known ? error.hint : 'Please report this with the command line that led to it.';
  const cause = causeOf(error);
  if (terminal.json) {
    const facts = { error: { code, text, hint, ...(cause === undefined ? {} : { cause }) } };
    terminal.print({ facts, text: () => [] });
    return;
  }
  const { red, dim } = terminal.noteStyle;
  terminal.note(`${red('error')} ${visible(text)} ${dim(`[${code}]`)}`);
  if (cause !== undefined) terminal.note(`  ${dim('because')} ${visible(cause)}`);
  for (const line of wrap(hint, 96)) terminal.note(`  ${line}`);
  if (!known && error instanceof Error) terminal.note(dim(stackOf(error)));
}

/** The first cause below that has something to say. */
function causeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && cause.message !== '' ? cause.message : undefined;
}

function stackOf(error: Error): string {
  const lines = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return lines.map(visible).join('\n');
}
