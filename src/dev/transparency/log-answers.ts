/**
 * What Rekor v2 answers: `TransparencyLogEntry` as protobuf's JSON writes it, and errors as gRPC's gateway
 * does.
 *
 * @see https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_rekor.proto
 * @see https://github.com/sigstore/rekor-tiles/blob/main/internal/server/service.go
 * @module
 */
import { toBase64 } from '../../evidence/bytes.ts';
import type { PlainAnswer } from './loopback-server.ts';
import type { LogHead } from './sequencer.ts';

/** An entry and the proof of it. */
export interface ProvedEntry {
  readonly body: Uint8Array;
  readonly logId: Uint8Array;
  readonly index: number;
  readonly head: LogHead;
  readonly hashes: readonly Uint8Array[];
}

const JSON_TYPE = 'application/json';

/** gRPC's numbers. */
const CODES = { invalid: 3, exists: 6, internal: 13, unavailable: 14 } as const;

export function loggedAnswer({ body, logId, index, head, hashes }: ProvedEntry): PlainAnswer {
  const entry = {
    logIndex: String(index), // int64 is a string in protobuf's JSON
    logId: { keyId: toBase64(logId) },
    kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
    integratedTime: '0',
    inclusionPromise: null,
    inclusionProof: {
      logIndex: String(index),
      rootHash: toBase64(head.root),
      treeSize: String(head.size),
      hashes: hashes.map(toBase64),
      checkpoint: { envelope: head.note },
    },
    canonicalizedBody: toBase64(body),
  };
  return { status: 201, type: JSON_TYPE, body: JSON.stringify(entry) };
}

export function refusedAnswer(reason: string): PlainAnswer {
  return statusAnswer(400, CODES.invalid, `invalid hashedrekord request: ${reason}`);
}

export function duplicateAnswer(index: number): PlainAnswer {
  const message = `an equivalent entry already exists in the transparency log with index ${index}`;
  const answer = statusAnswer(409, CODES.exists, message);
  return { ...answer, headers: { 'x-log-index': String(index) } };
}

export function fullAnswer(): PlainAnswer {
  return statusAnswer(503, CODES.unavailable, 'reached max pushback; retry');
}

export function failedAnswer(): PlainAnswer {
  return statusAnswer(500, CODES.internal, 'failed to integrate entry');
}

export function frozenAnswer(): PlainAnswer {
  const body = 'This log has been frozen, please switch to the latest log.\n';
  return { status: 405, type: JSON_TYPE, body };
}

function statusAnswer(status: number, code: number, message: string): PlainAnswer {
  return { status, type: JSON_TYPE, body: JSON.stringify({ code, message, details: [] }) };
}
