/**
 * What a command is: a description from which its help, its parsing and its types all come.
 *
 * @module
 */
import type { Terminal } from './terminal/terminal.ts';

interface Described {
  /** Half a sentence, for the help. */
  readonly help: string;
  /** One letter. */
  readonly short?: string;
}

/** An option of a command, by kind of value. */
export type OptionSpec =
  | (Described & { readonly kind: 'flag' })
  | (Described & { readonly kind: 'text'; readonly value: string; readonly default?: string })
  | (Described & { readonly kind: 'list'; readonly value: string })
  | (Described & {
      readonly kind: 'choice';
      readonly of: readonly string[];
      readonly default?: string;
    })
  | (Described & { readonly kind: 'count'; readonly value: string; readonly default?: number })
  | (Described & { readonly kind: 'instant'; readonly value: string });

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type Defaulted<Spec, Value> = Spec extends { readonly default: Value } ? Value : Value | undefined;

/** The value that an option has in `run`. */
export type ValueOf<Spec extends OptionSpec> = Spec extends { readonly kind: 'flag' }
  ? boolean
  : Spec extends { readonly kind: 'list' }
    ? readonly string[]
    : Spec extends { readonly kind: 'choice'; readonly of: readonly (infer Choice)[] }
      ? Spec extends { readonly default: string }
        ? Choice
        : Choice | undefined
      : Spec extends { readonly kind: 'count' }
        ? Defaulted<Spec, number>
        : Spec extends { readonly kind: 'instant' }
          ? Date | undefined
          : Defaulted<Spec, string>;

/** What stands on the command line without a dash. */
export interface Operand {
  readonly name: string;
  readonly help: string;
  readonly optional?: boolean;
}

export interface Example {
  readonly line: string;
  /** What it does, in half a sentence. */
  readonly shows: string;
}

/** What a command is given. */
export interface Input<Specs extends OptionSpecs> {
  readonly options: { readonly [Name in keyof Specs]: ValueOf<Specs[Name]> };
  readonly operands: readonly string[];
}

/** What every command knows of itself; help is made of this alone. */
export interface CommandDescription {
  /** One word, or two for a member of a group: `dev idp`. */
  readonly name: string;
  /** One line in the overview. */
  readonly summary: string;
  /** Paragraphs that teach what it is for. */
  readonly about: readonly string[];
  readonly operands: readonly Operand[];
  readonly options: OptionSpecs;
  readonly examples: readonly Example[];
  /** What each exit code says, where 0 and 2 do not say it all. */
  readonly exits?: Readonly<Record<number, string>>;
}

/** A command as the frame holds it. */
export interface Command extends CommandDescription {
  /** Answers the exit code. */
  run(input: Input<OptionSpecs>, terminal: Terminal): Promise<number>;
}

/** A command as it is written: `run` sees its own options with their types. */
export interface CommandDefinition<Specs extends OptionSpecs> extends CommandDescription {
  readonly options: Specs;
  run(input: Input<Specs>, terminal: Terminal): Promise<number>;
}

/** Exit codes: done or sound, a finding, or not done at all (usage, unreadable, refused). */
export const EXIT = { ok: 0, finding: 1, failed: 2 } as const;

/** Gives a command the form in which the frame holds it. */
export function defineCommand<const Specs extends OptionSpecs>(
  definition: CommandDefinition<Specs>,
): Command {
  // Allowed because a method's parameters are compared both ways; true because the frame parses by
  // `definition.options` itself, so what it hands in is an Input<Specs>.
  return definition;
}
