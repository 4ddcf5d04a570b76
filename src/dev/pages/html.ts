/**
 * HTML in which everything that is not markup of ours is escaped.
 *
 * @module
 */

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Reorders, hides or breaks text, or looks like a space and is none: with these a directive could read
 * differently from what it says.
 */
const INVISIBLE =
  /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}|\p{Variation_Selector}|\u034F|\u115F|\u1160|\u3164/gu;

/** Markup of ours. */
export class Html {
  readonly #text: string;

  /** @param text Markup, not text. {@link markup} is the way to make it out of text. */
  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What may stand between the markup: text is escaped, lists are joined, undefined is nothing. */
export type HtmlPart = string | number | Html | readonly HtmlPart[] | undefined;

/** Tagged template: literals are markup, values are text. */
export function markup(literals: TemplateStringsArray, ...values: readonly HtmlPart[]): Html {
  return new Html(literals.map((literal, n) => htmlOf(values[n - 1]) + literal).join(''));
}

/** Text as it can be read: a character that cannot be seen shows as `⟨U+202E⟩` and the like. */
export function visible(value: string): string {
  return value.replace(INVISIBLE, (char) => {
    const hex = (char.codePointAt(0) ?? 0).toString(16).toUpperCase();
    return `\u27E8U+${hex.padStart(4, '0')}\u27E9`;
  });
}

function htmlOf(part: HtmlPart): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.toString();
  if (typeof part === 'object') return part.map((item) => htmlOf(item)).join('');
  return visible(String(part)).replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char);
}
