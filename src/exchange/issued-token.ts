/**
 * A delegation token that passed every post-condition. What it says is open; the token itself is not in
 * the object, so no log, trace or error that prints one can leak it.
 *
 * @module
 */
import type { ActChain } from '../attribution/act-chain.ts';
import type { Nesting } from '../evidence/kinds.ts';
import type { KeySetSnapshot } from '../token/session.ts';

/** What is known of a delegation token. */
export interface IssuedToken {
  readonly iss: string;
  /** Name of the profile under which it was got. */
  readonly profile: string;
  readonly nesting: Nesting;
  readonly kid: string | null;
  /** The one resource, or the agent, that it is for. */
  readonly aud: string;
  /** What the provider granted; never more than was asked for. */
  readonly scope: readonly string[];
  readonly exp: Date;
  readonly txn: string | null;
  readonly jti?: string;
  /** From the agent that the human directed to the one that holds the token. */
  readonly chain: ActChain;
  /** Whether the provider was asked for this caller, or an earlier answer served. */
  readonly exchange: 'fresh' | 'cached';
  /** The issuer's keys under which it verified. */
  readonly keySet: KeySetSnapshot;
  /**
   * The hop's token that this one was exchanged from; null: the session's own. A long-lived agent's hop
   * is renewed before it ends, so this can be another one than `delegate` gave.
   */
  readonly via: IssuedToken | null;
}

interface Hidden {
  readonly jwt: string;
  readonly details: unknown;
}

const hidden = new WeakMap<IssuedToken, Hidden>();
const twins = new WeakMap<IssuedToken, IssuedToken>();

/** Makes the open part of a token, frozen, and keeps the rest apart. */
export function issueToken(open: IssuedToken, secret: Hidden): IssuedToken {
  const issued = Object.freeze({ ...open });
  hidden.set(issued, secret);
  return issued;
}

/** The same token as it is handed to those who did not wait for the provider. */
export function asCached(issued: IssuedToken): IssuedToken {
  if (issued.exchange === 'cached') return issued;
  const twin = twins.get(issued) ?? issueToken({ ...issued, exchange: 'cached' }, hiddenOf(issued));
  twins.set(issued, twin);
  return twin;
}

/** The token itself. For what sends it, and for the vault; never for a log. */
export function jwtOf(issued: IssuedToken): string {
  return hiddenOf(issued).jwt;
}

/** `authorization_details` of the token, as they came. */
export function detailsOf(issued: IssuedToken): unknown {
  return hiddenOf(issued).details;
}

function hiddenOf(issued: IssuedToken): Hidden {
  const secret = hidden.get(issued);
  if (secret === undefined) throw new TypeError('a delegation token comes from an exchange');
  return secret;
}
