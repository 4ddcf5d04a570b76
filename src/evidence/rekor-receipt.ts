/**
 * A receipt of a Rekor log, v1 or v2, in the form of a Sigstore bundle v0.3. One spelling: canonical JSON
 * with exactly the members below, so that no byte of it can be changed unseen.
 *
 * @see https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { canonicalJson, toJson } from '../attribution/canonical.ts';
import { equalBytes, fromBase64, toBase64 } from './bytes.ts';
import { list, pattern, record, text, where, word, type Shape } from './shape.ts';
import { parseTimestamp, timestampResponse, type UnverifiedTimestamp } from './timestamp-token.ts';

/** What a log gave for an entry. Nothing has been verified. */
export interface RekorEntry {
  /** The stored entry, canonical JSON. */
  readonly body: Uint8Array;
  /** 32 bytes. */
  readonly logId: Uint8Array;
  /** Place in the whole log. Signed only by a promise, else for display. */
  readonly index: number;
  /** Seconds since 1970 in v1; 0 in v2, which knows no time. */
  readonly integratedTime: number;
  /** The signed entry timestamp: in v1. */
  readonly promise: Uint8Array | null;
  readonly proof: {
    /** Place in the tree of the checkpoint. */
    readonly index: number;
    readonly hashes: readonly Uint8Array[];
    /** The log's checkpoint, a signed note. */
    readonly checkpoint: string;
    /** What the checkpoint also says. */
    readonly size: number;
    readonly root: Uint8Array;
  };
}

/** A receipt whose form is sound. Nothing has been verified. */
export interface RekorReceipt {
  readonly version: 1 | 2;
  /** SHA-256 of the note. */
  readonly digest: Uint8Array;
  /** ECDSA under the anchor key, over the note: DER. */
  readonly signature: Uint8Array;
  /** SHA-256 of the anchor key's SPKI. */
  readonly keyHint: Uint8Array;
  readonly entry: RekorEntry;
  /** Over the signature: in v2. */
  readonly timestamp: UnverifiedTimestamp | null;
}

/** Name of an anchor key in a bundle. */
export function keyHintOf(spki: Uint8Array): Uint8Array {
  return sha256(spki);
}

/** The text of a receipt: what is stored, and what `anchor` entries hash. */
export function encodeRekorReceipt(receipt: RekorReceipt): string {
  const { version, digest, signature, keyHint, entry, timestamp } = receipt;
  const { proof, promise } = entry;
  const timestamps =
    timestamp === null ? [] : [{ signedTimestamp: toBase64(timestampResponse(timestamp.bytes)) }];
  return canonicalJson({
    mediaType: MEDIA_TYPE,
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: toBase64(digest) },
      signature: toBase64(signature),
    },
    verificationMaterial: {
      publicKey: { hint: toBase64(keyHint) },
      timestampVerificationData: { rfc3161Timestamps: timestamps },
      tlogEntries: [
        {
          canonicalizedBody: toBase64(entry.body),
          ...(promise !== null && {
            inclusionPromise: { signedEntryTimestamp: toBase64(promise) },
          }),
          inclusionProof: {
            checkpoint: { envelope: proof.checkpoint },
            hashes: proof.hashes.map(toBase64),
            logIndex: String(proof.index),
            rootHash: toBase64(proof.root),
            treeSize: String(proof.size),
          },
          integratedTime: String(entry.integratedTime),
          kindVersion: { kind: 'hashedrekord', version: version === 1 ? '0.0.1' : '0.0.2' },
          logId: { keyId: toBase64(entry.logId) },
          logIndex: String(entry.index),
        },
      ],
    },
  });
}

/** Reads what {@link encodeRekorReceipt} writes; undefined for any other text. */
export function parseRekorReceipt(receipt: string): RekorReceipt | undefined {
  const written = readJson(receipt);
  const v1 = V1(written, []);
  const v2 = v1 === undefined ? V2(written, []) : undefined;
  const bundle = v1 ?? v2;
  const [entry] = bundle?.verificationMaterial.tlogEntries ?? [];
  if (bundle === undefined || entry === undefined || canonicalJson(toJson(written)) !== receipt) {
    return undefined;
  }
  const { inclusionProof: proof } = entry;
  const [first] = v2?.verificationMaterial.timestampVerificationData.rfc3161Timestamps ?? [];
  const timestamp = first === undefined ? null : readTimestamp(first.signedTimestamp);
  if (timestamp === undefined) return undefined;
  return {
    version: v1 === undefined ? 2 : 1,
    digest: bytes(bundle.messageSignature.messageDigest.digest),
    signature: bytes(bundle.messageSignature.signature),
    keyHint: bytes(bundle.verificationMaterial.publicKey.hint),
    timestamp,
    entry: {
      body: bytes(entry.canonicalizedBody),
      logId: bytes(entry.logId.keyId),
      index: Number(entry.logIndex),
      integratedTime: Number(entry.integratedTime),
      promise: promiseOf(v1),
      proof: {
        index: Number(proof.logIndex),
        hashes: proof.hashes.map(bytes),
        checkpoint: proof.checkpoint.envelope,
        size: Number(proof.treeSize),
        root: bytes(proof.rootHash),
      },
    },
  };
}

function promiseOf(bundle: BundleV1 | undefined): Uint8Array | null {
  const [entry] = bundle?.verificationMaterial.tlogEntries ?? [];
  return entry === undefined ? null : bytes(entry.inclusionPromise.signedEntryTimestamp);
}

/** Only in the one form that we write, so that nothing in it goes unchecked. */
function readTimestamp(encoded: string): UnverifiedTimestamp | undefined {
  const der = bytes(encoded);
  const token = parseTimestamp(der);
  return token !== undefined && equalBytes(timestampResponse(token.bytes), der) ? token : undefined;
}

const MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** A note of sixteen witnesses and more: a log's checkpoint may carry their lines. */
const MAX_ENVELOPE = 32 * 1024;
const MAX_HASHES = 63;

const base64 = where(text(48 * 1024), (value) => value !== '' && fromBase64(value) !== undefined);
const hash = where(base64, (value) => fromBase64(value)?.length === 32);
/** int64 as protobuf's JSON writes it, below 2^53. */
const digits = where(pattern(/^(?:0|[1-9]\d{0,15})$/), (value) =>
  Number.isSafeInteger(Number(value)),
);

const entryMembers = {
  canonicalizedBody: base64,
  inclusionProof: record({
    checkpoint: record({ envelope: text(MAX_ENVELOPE) }),
    hashes: list(hash, MAX_HASHES),
    logIndex: digits,
    rootHash: hash,
    treeSize: digits,
  }),
  logId: record({ keyId: hash }),
  logIndex: digits,
};

const head = {
  mediaType: word(MEDIA_TYPE),
  messageSignature: record({
    messageDigest: record({ algorithm: word('SHA2_256'), digest: hash }),
    signature: base64,
  }),
};
const publicKey = record({ hint: hash });

const V1 = record({
  ...head,
  verificationMaterial: record({
    publicKey,
    timestampVerificationData: record({ rfc3161Timestamps: list(record({}), 0) }),
    tlogEntries: one(
      record({
        ...entryMembers,
        inclusionPromise: record({ signedEntryTimestamp: base64 }),
        integratedTime: digits,
        kindVersion: record({ kind: word('hashedrekord'), version: word('0.0.1') }),
      }),
    ),
  }),
});

const V2 = record({
  ...head,
  verificationMaterial: record({
    publicKey,
    timestampVerificationData: record({
      rfc3161Timestamps: one(record({ signedTimestamp: base64 })),
    }),
    tlogEntries: one(
      record({
        ...entryMembers,
        integratedTime: word('0'),
        kindVersion: record({ kind: word('hashedrekord'), version: word('0.0.2') }),
      }),
    ),
  }),
});

type BundleV1 = NonNullable<ReturnType<typeof V1>>;

/** A list of exactly one. */
function one<T>(shape: Shape<T>): Shape<readonly T[]> {
  return where(list(shape, 1), (items) => items.length === 1);
}

function readJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** Of text that a shape took as base64. */
function bytes(encoded: string): Uint8Array {
  return fromBase64(encoded) ?? new Uint8Array();
}
