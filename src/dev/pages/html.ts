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

/** Reorders, hides or breaks text: with these a directive could read differently from what it says. */
const INVISIBLE =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\u00A0\u2000-\u200A\u3000\uFE00-\uFE0F]/gu;

let trusted: (markup: string) => Html;

/** Markup of ours. Only {@link html} makes one. */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  static {
    trusted = (markup) => new Html(markup);
  }

  toString(): string {
    return this.#markup;
  }
}

/** What may stand between the markup: text is escaped, lists are joined, undefined is nothing. */
export type HtmlPart = string | number | Html | readonly HtmlPart[] | undefined;

/** Tagged template: literals are markup, values are text. */
export function html(literals: TemplateStringsArray, ...values: readonly HtmlPart[]): Html {
  return trusted(
    literals.map((literal, n) => (n === 0 ? '' : markupOf(values[n - 1])) + literal).join(''),
  );
}

/** Markup that somebody else vouches for: the one form that `oidc-provider` writes itself. */
export function foreignMarkup(markup: string): Html {
  return trusted(markup);
}

/** Text as it can be read: control, format and odd space characters show as `U+202E` and the like. */
export function visible(value: string): string {
  return value.replace(
    INVISIBLE,
    (char) =>
      `\u27E8U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}\u27E9`,
  );
}

function markupOf(part: HtmlPart): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.toString();
  if (typeof part === 'object') return part.map((item) => markupOf(item)).join('');
  return visible(String(part)).replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char);
}
