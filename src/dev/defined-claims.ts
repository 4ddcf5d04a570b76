/**
 * Claims that a token can hold.
 *
 * @module
 */

/** Leaves out what is undefined: a claim that is not known is not made. */
export function definedClaims(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}
