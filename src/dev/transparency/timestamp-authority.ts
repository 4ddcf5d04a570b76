/**
 * A timestamp authority of RFC 3161, as little as a client needs: SHA-256, one policy, one signer.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3161#section-2.4
 * @see https://www.rfc-editor.org/rfc/rfc5652#section-5
 * @see https://www.rfc-editor.org/rfc/rfc5035#section-3
 * @module
 */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import {
  contextTag,
  readBody,
  readBoolean,
  readDer,
  readInside,
  readInteger,
  readOid,
  readSmallInteger,
  TAG,
  writeDer,
  type DerValue,
} from '../../evidence/der.ts';
import {
  algorithm,
  bitString,
  explicit,
  generalizedTime,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
} from './der-values.ts';
import type { TimestampFault } from './faults.ts';
import { withBitFlipped } from './spoil-reply.ts';

const SHA256 = '2.16.840.1.101.3.4.2.1';
const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';

/** Under 2.999, which is for examples: nobody can mistake it for a policy that somebody keeps. */
const POLICY = '2.999.3161.1';

/** Bits of PKIFailureInfo. */
const BAD_ALGORITHM = 0;
const BAD_FORMAT = 5;
const UNACCEPTED_POLICY = 15;
const UNACCEPTED_EXTENSION = 16;

/** Who signs timestamps. */
export interface AuthorityKeys {
  /** ECDSA P-256, private. */
  readonly key: KeyObject;
  /** Leaf first. */
  readonly chain: readonly Uint8Array[];
}

interface Query {
  readonly digest: Uint8Array;
  /** Body of an INTEGER. */
  readonly nonce: Uint8Array | undefined;
  readonly wantsCertificates: boolean;
}

/**
 * Answers a query with a TimeStampResp, granted or rejected.
 *
 * @param time Is said in whole seconds: not all readers read a fraction alike.
 * @returns Undefined if the query is none.
 */
export function answerQuery(
  query: Uint8Array,
  { key, chain }: AuthorityKeys,
  { time, fault }: { readonly time: Date; readonly fault?: TimestampFault | undefined },
): Uint8Array | undefined {
  const asked = readQuery(query);
  if (asked === undefined) return undefined;
  if (typeof asked === 'number') return rejection(asked);
  if (fault === 'timestamp-refused') return rejection(BAD_FORMAT);
  const info = timestampInfo(spoilQuery(asked, fault), time);
  const signWith = fault === 'timestamp-wrong-key' ? strangersKey() : key;
  const token = signedToken(info, { key: signWith, chain }, asked.wantsCertificates);
  const granted = sequence(sequence(integer(0)), token);
  // The signature stands at the end.
  return fault === 'timestamp-bad-signature'
    ? withBitFlipped(granted, granted.length - 1)
    : granted;
}

/** The query, or the bit of the failure that it is answered with; undefined: not a query. */
function readQuery(bytes: Uint8Array): Query | number | undefined {
  const [version, imprint, ...optional] = readInside(readDer(bytes), TAG.sequence) ?? [];
  const [hash, hashed, ...rest] = readInside(imprint, TAG.sequence) ?? [];
  const digest = readBody(hashed, TAG.octetString);
  if (readSmallInteger(version) !== 1 || digest === undefined || rest.length > 0) return undefined;
  const found = (tag: number): DerValue | undefined => optional.find((one) => one.tag === tag);
  const [policy, nonce] = [found(TAG.oid), found(TAG.integer)];
  if (nonce !== undefined && readInteger(nonce) === undefined) return undefined;
  if (readOid(readInside(hash, TAG.sequence)?.[0]) !== SHA256) return BAD_ALGORITHM;
  if (digest.length !== 32) return BAD_FORMAT;
  if (policy !== undefined && readOid(policy) !== POLICY) return UNACCEPTED_POLICY;
  if (found(contextTag(0)) !== undefined) return UNACCEPTED_EXTENSION;
  return {
    digest,
    nonce: readInteger(nonce),
    wantsCertificates: readBoolean(found(TAG.boolean)) === true,
  };
}

function rejection(bit: number): Uint8Array {
  const bits = new Uint8Array(Math.floor(bit / 8) + 1);
  bits[bits.length - 1] = 0x80 >> (bit % 8);
  return sequence(sequence(integer(2), bitString(bits, 7 - (bit % 8))));
}

function timestampInfo({ digest, nonce }: Query, time: Date): Uint8Array {
  const serial = new Uint8Array(randomBytes(16));
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f); // positive, and in its shortest form
  return sequence(
    integer(1),
    oid(POLICY),
    sequence(algorithm(SHA256), octetString(digest)),
    integer(serial),
    generalizedTime(time),
    sequence(integer(1)), // accurate to a second
    ...(nonce === undefined ? [] : [integer(nonce)]),
  );
}

function signedToken(
  info: Uint8Array,
  { key, chain }: AuthorityKeys,
  withCertificates: boolean,
): Uint8Array {
  const [leaf = new Uint8Array()] = chain;
  const certificateId = sequence(sequence(sequence(octetString(sha256(leaf)))));
  const attributes = setOf(
    sequence(oid(CONTENT_TYPE), setOf(oid(TST_INFO))),
    sequence(oid(MESSAGE_DIGEST), setOf(octetString(sha256(info)))),
    sequence(oid(SIGNING_CERTIFICATE_V2), setOf(certificateId)),
  );
  const signer = sequence(
    integer(1),
    issuerAndSerial(leaf),
    algorithm(SHA256),
    // Signed as a SET, and written under [0] in its place (RFC 5652 section 5.4).
    writeDer(contextTag(0), readBody(readDer(attributes), TAG.set) ?? attributes),
    algorithm(ECDSA_SHA256),
    octetString(new Uint8Array(sign('sha256', attributes, key))),
  );
  const signedData = sequence(
    integer(3),
    setOf(algorithm(SHA256)),
    sequence(oid(TST_INFO), explicit(0, octetString(info))),
    ...(withCertificates ? [writeDer(contextTag(0), ...chain)] : []),
    setOf(signer),
  );
  return sequence(oid(SIGNED_DATA), explicit(0, signedData));
}

function issuerAndSerial(certificate: Uint8Array): Uint8Array {
  const [signed] = readInside(readDer(certificate), TAG.sequence) ?? [];
  const [, serial, , issuer] = readInside(signed, TAG.sequence) ?? [];
  if (serial === undefined || issuer === undefined) throw new TypeError('no certificate');
  return sequence(issuer.bytes, serial.bytes);
}

function spoilQuery(query: Query, fault: TimestampFault | undefined): Query {
  if (fault === 'timestamp-wrong-imprint') {
    return { ...query, digest: withBitFlipped(query.digest, 0) };
  }
  return fault === 'timestamp-wrong-nonce' ? { ...query, nonce: Uint8Array.of(7) } : query;
}

function strangersKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
