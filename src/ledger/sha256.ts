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

/** Preimage of a node: 0x01 ‖ left ‖ right. One for all: a new one each time would cost more than hashing. */
const node = Buffer.from([1, ...new Uint8Array(64)]);

/** Hash of two subtrees, as `nodeHash` of evidence/merkle.ts; a test compares. */
export function fastNodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  node.set(left, 1);
  node.set(right, 33);
  return sha256(node);
}
