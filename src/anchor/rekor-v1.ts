/**
 * Rekor v1: one entry at a time, answered at once with a promise and a proof.
 *
 * @see https://github.com/sigstore/rekor/blob/main/openapi.yaml
 * @module
 */
import { CrumbError } from '../errors.ts';
import { fromBase64, fromUtf8, toBase64, toHex, utf8 } from '../evidence/bytes.ts';
import { publicKeyPem, type LoggedSignature } from '../evidence/rekor-body.ts';
import type { RekorEntry } from '../evidence/rekor-receipt.ts';
import { isObject } from '../evidence/shape.ts';
import { refusedBy, unreadable, type AnchorAnswer, type AnchorFetch } from './anchor-fetch.ts';
import { bytesOfHex, checkpointParts } from './rekor-answer.ts';

/** How a log is reached. */
export interface RekorClient {
  /** Without a slash at its end. */
  readonly url: string;
  readonly ask: AnchorFetch;
  readonly signal?: AbortSignal | undefined;
}

const JSON_HEADERS = { 'Content-Type': 'application/json', Accept: 'application/json' };

/**
 * Logs a signature as `hashedrekord` 0.0.1.
 *
 * @throws {CrumbError} `anchor_unreachable`, `anchor_refused`.
 */
export async function logInRekorV1(
  { url, ask, signal }: RekorClient,
  { digest, signature, spki }: LoggedSignature,
): Promise<RekorEntry> {
  const proposed = {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: toHex(digest) } },
      signature: {
        content: toBase64(signature),
        publicKey: { content: toBase64(utf8(publicKeyPem(spki))) },
      },
    },
  };
  const entries = `${url}/api/v1/log/entries`;
  const body = JSON.stringify(proposed);
  const answer = await ask(entries, { method: 'POST', headers: JSON_HEADERS, body, signal });
  if (answer.status === 201 || answer.status === 200) return readEntry(answer);
  if (answer.status !== 409) throw refusedBy(answer);

  // Logged before, and the answer was lost. Only the name of the entry is taken from the answer: the
  // place to ask is ours.
  const id = entryIdIn(answer);
  if (id === undefined) throw new CrumbError('anchor_refused', { cause: new Error('a duplicate') });
  const again = await ask(`${entries}/${id}`, { method: 'GET', headers: JSON_HEADERS, signal });
  if (again.status !== 200) throw refusedBy(again);
  return readEntry(again);
}

function entryIdIn({ headers }: AnchorAnswer): string | undefined {
  const last = headers.get('location')?.split('/').at(-1) ?? '';
  return /^(?:[0-9a-f]{16})?[0-9a-f]{64}$/.test(last) ? last : undefined;
}

function readEntry({ body }: AnchorAnswer): RekorEntry {
  const entries = Object.values<unknown>(parse(body));
  const [entry] = entries;
  if (entries.length !== 1 || !isObject(entry)) throw unreadable('an entry');
  const { verification } = entry;
  const proof = isObject(verification) ? verification['inclusionProof'] : undefined;
  const promise = isObject(verification) ? verification['signedEntryTimestamp'] : undefined;
  const stored = base64Of(entry['body']);
  const logId = bytesOfHex(entry['logID']);
  const signed = base64Of(promise);
  const { logIndex, integratedTime } = entry;
  if (stored === undefined || logId === undefined || signed === undefined || !isObject(proof)) {
    throw unreadable('an entry');
  }
  return {
    body: stored,
    logId,
    index: countOf(logIndex),
    integratedTime: countOf(integratedTime),
    promise: signed,
    proof: {
      index: countOf(proof['logIndex']),
      hashes: hashesOf(proof['hashes']),
      ...checkpointParts(proof['checkpoint']),
    },
  };
}

function hashesOf(value: unknown): readonly Uint8Array[] {
  const hashes = Array.isArray(value) ? value.map(bytesOfHex) : [];
  return hashes.map((hash) => {
    if (hash === undefined) throw unreadable('a proof');
    return hash;
  });
}

function countOf(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw unreadable('a number');
}

function base64Of(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' ? fromBase64(value) : undefined;
}

function parse(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(fromUtf8(body) ?? '');
    if (isObject(value)) return value;
  } catch {
    // said below
  }
  throw unreadable('JSON');
}
