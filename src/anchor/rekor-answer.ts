/**
 * What both versions of Rekor answer with, read without believing any of it.
 *
 * @module
 */
import { fromBase64 } from '../evidence/bytes.ts';
import type { RekorEntry } from '../evidence/rekor-receipt.ts';
import { unreadable } from './anchor-fetch.ts';

/**
 * A log's checkpoint, and the size and root that it states. What else the answer says of them is not taken
 * over: only the checkpoint is signed.
 */
export function checkpointParts(
  envelope: unknown,
): Pick<RekorEntry['proof'], 'checkpoint' | 'size' | 'root'> {
  if (typeof envelope !== 'string') throw unreadable('a checkpoint');
  const [, size = '', encoded = ''] = envelope.split('\n');
  const root = fromBase64(encoded);
  if (!/^\d{1,15}$/.test(size) || root?.length !== 32) throw unreadable('a checkpoint');
  return { checkpoint: envelope, size: Number(size), root };
}

/** Bytes of lower case hex. */
export function bytesOfHex(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string' || !/^(?:[0-9a-f]{2})+$/.test(value)) return undefined;
  return new Uint8Array(Buffer.from(value, 'hex'));
}
