/**
 * The entries that an attempt refers to.
 *
 * @module
 */
import type { IssuedToken } from '../exchange/exchange.ts';
import type { ActingState } from './acting-agent.ts';
import { renewalsOf } from './hop-standing.ts';
import type { Prerequisite } from './known-entries.ts';
import { keySetEntry, loginEntries } from './login-entries.ts';

/** What must stand before an attempt of this agent with this token: login, key sets, renewed hops. */
export function prerequisitesOf(
  { gateway, attended, hop }: ActingState,
  issued: IssuedToken | undefined,
): readonly Prerequisite[] {
  if (attended === undefined) return [];
  const { login } = attended;
  const all = [
    ...loginEntries(gateway, login),
    ...renewalsOf({ gateway, login }, hop, issued),
    ...(issued === undefined ? [] : [keySetEntry(gateway, issued.keySet)]),
  ];
  return all.filter((one, n) => all.findIndex((other) => other.id === one.id) === n);
}
