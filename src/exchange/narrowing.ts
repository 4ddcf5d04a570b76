/**
 * Whether what an exchanged token authorises is no more than what its subject token did.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9396
 * @module
 */
import { canonicalJson, toJson } from '../attribution/canonical.ts';
import { parseDirective, type Directive } from '../attribution/directive.ts';

/**
 * Whether each of the details is covered by one of those that there were. A provider may leave details
 * out and may narrow a directive to its target; it may not add, loosen or merge any.
 *
 * @param got `authorization_details` of the exchanged token, as it came.
 * @param had The same of the subject token.
 */
export function detailsWithin(got: unknown, had: unknown): boolean {
  if (got === undefined) return true;
  if (!Array.isArray(got)) return false;
  const covers: readonly unknown[] = Array.isArray(had) ? had : [];
  return got.every((detail: unknown) => covers.some((cover) => covered(detail, cover)));
}

function covered(detail: unknown, cover: unknown): boolean {
  if (sameJson(detail, cover)) return true;
  const [narrow, wide] = [parseDirective(detail), parseDirective(cover)];
  if (narrow === undefined || wide === undefined) return false;
  return (
    within(narrow.actions, wide.actions) &&
    within(narrow.resources, wide.resources) &&
    argumentsWithin(narrow, wide) &&
    // Absent means anybody, for ever, any number of times: where there was a limit it must stay.
    (wide.agents === undefined || within(narrow.agents, wide.agents)) &&
    atMost(narrow.expires?.getTime(), wide.expires?.getTime()) &&
    atMost(narrow.maxUses, wide.maxUses)
  );
}

/** Constraints on arguments are compared, not reasoned about. */
function argumentsWithin(narrow: Directive, wide: Directive): boolean {
  if (wide.args === undefined) return true;
  return sameJson(narrow.args, wide.args) && within(narrow.optional, wide.optional);
}

function within(narrow: readonly string[] | undefined, wide: readonly string[]): boolean {
  return narrow !== undefined && narrow.every((item) => wide.includes(item));
}

function atMost(narrow: number | undefined, wide: number | undefined): boolean {
  return wide === undefined || (narrow !== undefined && narrow <= wide);
}

function sameJson(a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined) return false;
  try {
    return canonicalJson(toJson(a)) === canonicalJson(toJson(b));
  } catch {
    return false; // what cannot be compared is not the same
  }
}
