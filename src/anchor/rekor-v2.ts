/**
 * Rekor v2: the answer waits for the next checkpoint, some seconds. It states no time.
 *
 * @see https://github.com/sigstore/rekor-tiles/blob/main/CLIENTS.md
 * @module
 */
import { fromBase64, fromUtf8, toBase64 } from '../evidence/bytes.ts';
import type { LoggedSignature } from '../evidence/rekor-body.ts';
import type { RekorEntry } from '../evidence/rekor-receipt.ts';
import { isObject } from '../evidence/shape.ts';
import { refusedBy, unreadable, type AnchorAnswer } from './anchor-fetch.ts';
import { checkpointParts } from './rekor-answer.ts';
import type { RekorClient } from './rekor-v1.ts';

const JSON_HEADERS = { 'Content-Type': 'application/json', Accept: 'application/json' };

/** The log has this very signature, and gives no entry by its index. Only another signature helps. */
export const DUPLICATE = 'duplicate';

/**
 * Logs a signature as `hashedrekord` 0.0.2.
 *
 * @throws {CrumbError} `anchor_unreachable`, `anchor_refused`, `anchor_frozen`.
 */
export async function logInRekorV2(
  { url, ask, signal }: RekorClient,
  { digest, signature, spki }: LoggedSignature,
): Promise<RekorEntry | typeof DUPLICATE> {
  const request = {
    hashedRekordRequestV002: {
      digest: toBase64(digest),
      signature: {
        content: toBase64(signature),
        verifier: {
          keyDetails: 'PKIX_ECDSA_P256_SHA_256',
          publicKey: { rawBytes: toBase64(spki) },
        },
      },
    },
  };
  const answer = await ask(`${url}/api/v2/log/entries`, {
    method: 'POST',
    headers: JSON_HEADERS,
    body: JSON.stringify(request),
    signal,
  });
  if (answer.status === 409) return DUPLICATE;
  if (answer.status !== 201 && answer.status !== 200) throw refusedBy(answer);
  return readEntry(answer);
}

function readEntry({ body }: AnchorAnswer): RekorEntry {
  const entry = parse(body);
  const { logId, inclusionProof: proof, canonicalizedBody } = entry;
  const keyId = isObject(logId) ? bytesOf(logId['keyId']) : undefined;
  const stored = bytesOf(canonicalizedBody);
  if (keyId === undefined || stored === undefined || !isObject(proof)) throw unreadable('an entry');
  const { checkpoint } = proof;
  const index = countOf(entry['logIndex']);
  return {
    body: stored,
    logId: keyId,
    index,
    integratedTime: 0,
    promise: null,
    proof: {
      index,
      hashes: hashesOf(proof['hashes']),
      ...checkpointParts(isObject(checkpoint) ? checkpoint['envelope'] : undefined),
    },
  };
}

/** protobuf's JSON may leave out what is empty. */
function hashesOf(value: unknown = []): readonly Uint8Array[] {
  if (!Array.isArray(value)) throw unreadable('a proof');
  return value.map((item) => bytesOf(item) ?? refuse('a proof'));
}

/** int64 is a string there, and absent when it is 0. */
function countOf(value: unknown = '0'): number {
  const isCount = typeof value === 'string' && /^\d{1,15}$/.test(value);
  return isCount ? Number(value) : refuse('a number');
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' ? fromBase64(value) : undefined;
}

function parse(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(fromUtf8(body) ?? '');
    if (isObject(value)) return value;
  } catch {
    // said below
  }
  return refuse('JSON');
}

function refuse(what: string): never {
  throw unreadable(what);
}
