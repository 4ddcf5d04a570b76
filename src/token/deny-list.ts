/**
 * Who and what is denied before its time: a human who logged out, a disabled agent, a stolen token.
 *
 * @module
 */
import type { Actor } from '../attribution/act-chain.ts';

/** What a token names that can be denied. */
export interface DeniableToken {
  readonly human: Actor;
  readonly chain: readonly Actor[];
  readonly sid?: string | undefined;
  readonly jti?: string | undefined;
}

/** Answers whether a token is denied. It may ask a database; a throw counts as "cannot say". */
export interface DenyList {
  isDenied(token: DeniableToken): Promise<boolean>;
}

/** One denial. `sub` is a human or an agent. */
export type Denial =
  | { readonly iss: string; readonly sub: string }
  | { readonly iss: string; readonly sid: string }
  | { readonly iss: string; readonly jti: string };

/** A deny-list in memory: for one process, and empty again after a restart. */
export interface MemoryDenyList extends DenyList {
  /**
   * Denies from now on.
   *
   * @param until When the last token that it could mean has expired: the entry may go then.
   */
  deny(denial: Denial, until: Date): void;
}

/** Makes a deny-list in memory. */
export function memoryDenyList(options: { readonly clock?: () => Date } = {}): MemoryDenyList {
  const { clock = () => new Date() } = options;
  const denied = new Map<string, number>();

  const isLive = (key: string): boolean => {
    const until = denied.get(key);
    return until !== undefined && until > clock().getTime();
  };

  return {
    deny(denial, until) {
      const now = clock().getTime();
      for (const [key, end] of denied) if (end <= now) denied.delete(key);
      const key = keyOf(denial);
      denied.set(key, Math.max(until.getTime(), denied.get(key) ?? 0)); // never shortened
    },
    async isDenied(token) {
      return denialsOf(token).map(keyOf).some(isLive);
    },
  };
}

function denialsOf({ human, chain, sid, jti }: DeniableToken): readonly Denial[] {
  const { iss } = human;
  return [
    human,
    ...chain,
    ...(sid === undefined ? [] : [{ iss, sid }]),
    ...(jti === undefined ? [] : [{ iss, jti }]),
  ];
}

function keyOf(denial: Denial): string {
  const { iss } = denial;
  if ('sub' in denial) return JSON.stringify([iss, 'sub', denial.sub]);
  return JSON.stringify('sid' in denial ? [iss, 'sid', denial.sid] : [iss, 'jti', denial.jti]);
}
