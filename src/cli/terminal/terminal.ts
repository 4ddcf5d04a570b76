/**
 * Where a command writes, and what the reader's end can show.
 *
 * @module
 */
import type { Json } from '../../attribution/tool-call.ts';
import { visibleJson } from '../../evidence/visible.ts';
import { createProgress, type Progress, type ProgressStream } from './progress.ts';
import { styleFor, type Style } from './style.ts';

/** What a command found out, for a program and for a person. */
export interface Answer {
  /** What `--json` prints. The shape of each command stands in docs/cli.md. */
  readonly facts: Json;
  /** Lines for a person, safe and painted. Asked for only when a person reads. */
  readonly text: () => readonly string[];
}

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly style: Style;
  /** How to paint on stderr, which may be a terminal when stdout is a file. */
  readonly noteStyle: Style;
  /** Columns to cut tables to; `Infinity` where nobody looks. */
  readonly columns: number;
  readonly json: boolean;
  /** Prints an answer: one JSON document, or lines. */
  print(answer: Answer): void;
  /** Writes a line beside the answer, to stderr. */
  note(line: string): void;
  /** A bar for long work; the caller ends it. */
  progress(label: string): Progress;
}

/** The streams of a process, as far as they are used here. */
export interface Streams {
  readonly stdout: ProgressStream;
  readonly stderr: ProgressStream;
  readonly env: Terminal['env'];
  readonly cwd: string;
}

export function createTerminal(streams: Streams, json: boolean): Terminal {
  const { stdout, stderr, env, cwd } = streams;
  const isTerminal = stdout.isTTY === true;
  return {
    env,
    cwd,
    json,
    style: styleFor(env, isTerminal),
    noteStyle: styleFor(env, stderr.isTTY === true),
    columns: isTerminal ? (stdout.columns ?? 80) : Infinity,
    print(answer) {
      const text = json ? visibleJson(answer.facts, 2) : answer.text().join('\n');
      stdout.write(`${text}\n`);
    },
    note(line) {
      stderr.write(`${line}\n`);
    },
    progress(label) {
      return createProgress(stderr, label);
    },
  };
}
