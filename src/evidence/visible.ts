/**
 * Text that others wrote, made safe to print: what cannot be seen, or moves or recolours what can, is
 * spelled out. A tool's name, an argument or a person's name could else rewrite the line that reports
 * on it.
 *
 * @module
 */

/** Control, format (bidi, zero-width, tags), surrogate, private use, separators, default-ignorable. */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u{2800}]|\\(?=u\{)/gu;

/**
 * Spells out what is not plainly visible as `\u{…}`. A literal `\u{` is spelled out too, so that no
 * text can pretend to have been escaped.
 */
export function visible(text: string): string {
  return text.replace(UNSEEN, (found) => `\\u{${codePoint(found).toString(16)}}`);
}

/** JSON on one or more lines, with the same characters spelled out; it parses to the same value. */
export function visibleJson(value: unknown, indent: number): string {
  // Line ends here are JSON's own: inside strings they are escaped already.
  return JSON.stringify(value, undefined, indent).replace(UNSEEN, (found) =>
    found === '\n' || found === '\\' ? found : jsonEscape(found),
  );
}

/** Whether a name mixes scripts that look alike, as `read_reсord` with a Cyrillic letter does. */
export function mixesScripts(name: string): boolean {
  return SCRIPTS.filter((script) => script.test(name)).length > 1;
}

const SCRIPTS = [
  /\p{Script=Latin}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
];

function codePoint(found: string): number {
  return found.codePointAt(0) ?? 0;
}

/** UTF-16 units, as JSON wants them. */
function jsonEscape(found: string): string {
  return Array.from(
    { length: found.length },
    (_, n) => `\\u${found.charCodeAt(n).toString(16).padStart(4, '0')}`,
  ).join('');
}
