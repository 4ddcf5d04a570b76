/**
 * Asking a timestamp authority: RFC 3161 over HTTP.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3161#section-3.4
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { CrumbError } from '../errors.ts';
import { concatBytes } from '../evidence/bytes.ts';
import { readDer, readInside, readSmallInteger, TAG } from '../evidence/der.ts';
import { parseTimestamp, type UnverifiedTimestamp } from '../evidence/timestamp-token.ts';
import { refusedBy, unreadable, type AnchorFetch } from './anchor-fetch.ts';

/** Where to ask. */
export interface AuthorityClient {
  readonly url: string;
  readonly ask: AnchorFetch;
  readonly signal?: AbortSignal | undefined;
}

/**
 * TimeStampReq up to the digest: version 1, SHA-256. No policy, no nonce, and no certificates in the answer:
 * they are pinned. An old answer to the same digest would be as true as a new one, so nothing need be fresh.
 */
const REQUEST_HEAD = Buffer.from('30360201013031300d060960864801650304020105000420', 'hex');

/** The request for a timestamp over the SHA-256 of these bytes. */
export function timestampQuery(message: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(concatBytes(REQUEST_HEAD, sha256(message)));
}

/**
 * Asks for a timestamp over the SHA-256 of these bytes.
 *
 * @throws {CrumbError} `anchor_unreachable`, `anchor_refused`.
 */
export async function requestTimestamp(
  { url, ask, signal }: AuthorityClient,
  message: Uint8Array,
): Promise<UnverifiedTimestamp> {
  const answer = await ask(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/timestamp-query',
      Accept: 'application/timestamp-reply',
    },
    body: timestampQuery(message),
    signal,
  });
  if (answer.status !== 200 && answer.status !== 201) throw refusedBy(answer);
  const token = parseTimestamp(answer.body);
  if (token !== undefined) return token;
  const status = readInside(readInside(readDer(answer.body), TAG.sequence)?.[0], TAG.sequence);
  const code = readSmallInteger(status?.[0]);
  if (code === undefined || code < 2) throw unreadable('a timestamp');
  throw new CrumbError('anchor_refused', { cause: new Error(`status ${code}`) });
}
