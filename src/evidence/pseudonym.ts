/**
 * How entries name a person: a keyed hash that nobody can trace without the person's own key.
 *
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { toBase64url, utf8 } from './bytes.ts';
import type { Pseudonym } from './kinds.ts';

/**
 * The pseudonym of one person in one ledger: HMAC-SHA-256 over origin and epoch.
 *
 * @param key 32 random bytes of this person's own, never derived: a key for all could not be erased for
 *   one. Erase it, and the pseudonym can be traced to nobody.
 * @param epoch `0`, or a calendar period where a profile must not grow for ever.
 * @throws {TypeError} For a key of another length.
 */
export function pseudonymOf(key: Uint8Array, origin: string, epoch = '0'): Pseudonym {
  if (key.length !== 32) throw new TypeError(`key has ${key.length} bytes instead of 32`);
  return toBase64url(hmac(sha256, key, utf8(`crumb/1 human\n${origin}\n${epoch}`)));
}
