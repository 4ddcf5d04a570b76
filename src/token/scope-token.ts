/**
 * One scope as OAuth spells it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-3.3
 * @module
 */

const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/** Whether a text is one scope. Such a text may also stand quoted in a header. */
export function isScopeToken(text: string): boolean {
  return SCOPE_TOKEN.test(text);
}
