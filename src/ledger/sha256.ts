/**
 * SHA-256 of `node:crypto`, for where the ledger hashes on the way of every call.
 *
 * @module
 */
import { hash } from 'node:crypto';

// Through a string: making a Buffer there costs `hash` twice as much as making one here.

export function sha256(bytes: Uint8Array): Uint8Array {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}

/** In base64url, as `prev` of an entry has it. */
export function sha256Text(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'base64url');
}
