/**
 * Colours, where the reader can see them. Meaning never hangs on a colour alone.
 *
 * @see https://no-color.org
 * @module
 */

/** Paints text that is already safe to print. */
export type Paint = (text: string) => string;

/** What a command may paint with. Without colours each returns its text as it is. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly blue: Paint;
  readonly cyan: Paint;
}

export const PLAIN: Style = {
  bold: plain,
  dim: plain,
  red: plain,
  green: plain,
  yellow: plain,
  blue: plain,
  cyan: plain,
};

const COLOURED: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  blue: sgr(34, 39),
  cyan: sgr(36, 39),
};

/** `NO_COLOR` switches off, `FORCE_COLOR` on; else it depends on what is at the other end. */
export function styleFor(
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): Style {
  const { NO_COLOR: off = '', FORCE_COLOR: force = '', TERM: term } = env;
  if (off !== '') return PLAIN;
  if (force !== '') return force === '0' ? PLAIN : COLOURED;
  return isTerminal && term !== 'dumb' ? COLOURED : PLAIN;
}

function plain(text: string): string {
  return text;
}

function sgr(on: number, off: number): Paint {
  return (text) => (text === '' ? text : `\u001b[${on}m${text}\u001b[${off}m`);
}
