/**
 * The hop through which an agent came to act, and its renewals: an agent that outlives its hop's token
 * gets a new one from its parent, and the record must show which of them a call's token grew from.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { ActChain } from '../attribution/act-chain.ts';
import { jwtOf, type IssuedToken } from '../exchange/exchange.ts';
import type { Gateway } from './gateway.ts';
import type { Place, Prerequisite } from './known-entries.ts';
import type { Login } from './login.ts';
import { keySetEntry, keySetId, loginId } from './login-entries.ts';
import { keepToken } from './token-record.ts';

/** A recorded hop. */
export interface HopStanding {
  /** Its entry, as it was first recorded. */
  readonly seq: number;
  /** Digest of the token that this entry records. */
  readonly token: string;
  /** The `delegate` intent. */
  readonly intent: number;
  /** The hop of the agent that delegated. */
  readonly parent: HopStanding | null;
  /** Chain of the agent that delegated. */
  readonly chain: ActChain;
}

export function tokenDigest(issued: IssuedToken): string {
  return createHash('sha256').update(jwtOf(issued)).digest('base64url');
}

/** Where the hop stands from whose token `issued` was exchanged. */
export function hopPlace(
  hop: HopStanding | null,
  issued: IssuedToken | undefined,
  at: (id: string) => Place,
): Place | null {
  if (hop === null) return null;
  const via = renewalOf(hop, issued);
  return via === undefined ? hop.seq : at(renewalId(hop, via));
}

/** `hop` entries that must stand before a call with this token: none, unless a hop was renewed. */
export function renewalsOf(
  { gateway, login }: { readonly gateway: Gateway; readonly login: Login },
  hop: HopStanding | null,
  issued: IssuedToken | undefined,
): readonly Prerequisite[] {
  if (hop === null) return [];
  const via = renewalOf(hop, issued);
  if (via === undefined) return [];
  return [
    ...renewalsOf({ gateway, login }, hop.parent, via),
    keySetEntry(gateway, via.keySet),
    {
      id: renewalId(hop, via),
      async draft(at) {
        const record = await keepToken(gateway.vault, via, login);
        return {
          kind: 'hop',
          body: {
            session: at(loginId(login)),
            intent: hop.intent,
            parent: hopPlace(hop.parent, via, at),
            chain: hop.chain,
            token: { ...record, jwks: at(keySetId(via.keySet)) },
            actorToken: null,
          },
        };
      },
    },
  ];
}

/** The hop's token under `issued`, if it is another one than was recorded. */
function renewalOf(hop: HopStanding, issued: IssuedToken | undefined): IssuedToken | undefined {
  const via = issued?.via ?? undefined;
  return via === undefined || tokenDigest(via) === hop.token ? undefined : via;
}

function renewalId(hop: HopStanding, via: IssuedToken): string {
  return `hop ${hop.seq} ${tokenDigest(via)}`;
}
