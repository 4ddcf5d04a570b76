/**
 * Which keys may log checkpoints of a ledger, from genesis through its `key` entries.
 *
 * @module
 */
import { fromBase64url, toBase64url } from '../evidence/bytes.ts';
import type { KeyBody } from '../evidence/kinds.ts';
import type { AnchorKey } from '../evidence/receipt-claim.ts';

export interface AnchorKeys {
  /** Takes the key that genesis names, SPKI in base64url. */
  genesis(spki: string | null): void;

  /** Takes a `key` entry of role `anchor`. */
  change(seq: number, body: KeyBody, time: string): void;

  /** All keys that were ever declared, so that one out of force is told from a foreign one. */
  all(): readonly AnchorKey[];

  /** From when on what a key signed counts for nothing; undefined if it was never revoked. */
  revokedSince(spki: Uint8Array): Date | undefined;
}

export function createAnchorKeys(): AnchorKeys {
  const keys: AnchorKey[] = [];
  const revoked = new Map<string, Date>();
  return {
    genesis(encoded) {
      const spki = encoded === null ? undefined : fromBase64url(encoded);
      if (spki !== undefined) keys.push({ spki, from: 0, to: null, revokedSince: null });
    },
    change(seq, { key, op, since }, time) {
      const spki = typeof key === 'string' ? fromBase64url(key) : undefined;
      if (spki === undefined || typeof key !== 'string') return;
      if (op === 'add') {
        keys.push({ spki, from: seq + 1, to: null, revokedSince: null });
        return;
      }
      const at = keys.findLastIndex((one) => one.to === null && toBase64url(one.spki) === key);
      const ended = keys[at];
      if (ended !== undefined) keys[at] = { ...ended, to: seq + 1 };
      if (op === 'revoke') revoked.set(key, new Date(since ?? time));
    },
    all: () => [...keys],
    revokedSince: (spki) => revoked.get(toBase64url(spki)),
  };
}
