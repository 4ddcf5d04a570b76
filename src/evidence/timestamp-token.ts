/**
 * RFC 3161 timestamps: a token says that an authority saw a digest at a time. It is CMS SignedData around
 * a TSTInfo.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3161#section-2.4.2
 * @see https://www.rfc-editor.org/rfc/rfc5652#section-5
 * @module
 */
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { equalBytes } from './bytes.ts';
import {
  readSignatureAlgorithm,
  verifyTimestampChain,
  type Certificate,
  type SignatureAlgorithm,
} from './certificate.ts';
import {
  contextTag,
  readBody,
  readDer,
  readInside,
  readInteger,
  readOid,
  readSmallInteger,
  readTime,
  TAG,
  writeDer,
  type DerValue,
} from './der.ts';
import { verifyWithKey, type HashName } from './spki.ts';

/** A token whose form is sound. Nothing has been verified. */
export interface UnverifiedTimestamp {
  /** The token: a CMS ContentInfo. */
  readonly bytes: Uint8Array;
  /** When the authority says it saw the digest. */
  readonly time: Date;
  /** Of what: hash and digest. */
  readonly imprint: { readonly hash: HashName; readonly digest: Uint8Array };
  /** Body of the INTEGER that the request gave along; undefined if there is none. */
  readonly nonce: Uint8Array | undefined;
  readonly content: Uint8Array;
  readonly signer: SignerInfo;
}

interface SignerInfo {
  /** Names the signer's certificate: issuer and serial number, or key id. */
  readonly id:
    | { readonly issuer: Uint8Array; readonly serial: Uint8Array }
    | { readonly subjectKeyId: Uint8Array };
  readonly hash: HashName;
  readonly algorithm: SignatureAlgorithm;
  /** What is signed: the attributes, as a SET. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  readonly attributes: Attributes;
}

interface Attributes {
  readonly messageDigest: Uint8Array;
  /** Digest of the signer's certificate, RFC 5035. */
  readonly certificate: {
    readonly digestOf: (bytes: Uint8Array) => Uint8Array;
    readonly digest: Uint8Array;
  };
}

/** What a timestamp failed. */
export type TimestampFault =
  /** It is over something else. */
  | 'imprint'
  /** No pinned authority has such a certificate, or not for this time. */
  | 'authority'
  | 'certificate'
  | 'signature';

/** A pinned authority. */
export interface TimestampAuthority {
  readonly name: string;
  /** Leaf first. */
  readonly chain: readonly Certificate[];
  readonly from: Date;
  /** Inclusive; null: still in use. */
  readonly to: Date | null;
  readonly development: boolean;
}

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';

const HASHES: Readonly<Record<string, HashName>> = {
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
};
const DIGESTS: Readonly<Record<HashName, (bytes: Uint8Array) => Uint8Array>> = {
  'SHA-256': sha256,
  'SHA-384': sha384,
  'SHA-512': sha512,
};

/** Reads a token, or a response that carries one; undefined for anything else, also a refusal. */
export function parseTimestamp(der: Uint8Array): UnverifiedTimestamp | undefined {
  const members = readInside(readDer(der), TAG.sequence) ?? [];
  const [first, second, ...rest] = members;
  if (readOid(first) !== undefined) return parseToken(der);
  const status = readSmallInteger(readInside(first, TAG.sequence)?.[0]);
  const isGranted = status === 0 || status === 1; // 1: with modifications, which the checks will show
  return isGranted && second !== undefined && rest.length === 0
    ? parseToken(second.bytes)
    : undefined;
}

/** The response that a token came in, for tools that read only that. */
export function timestampResponse(token: Uint8Array): Uint8Array {
  const granted = writeDer(TAG.sequence, writeDer(TAG.integer, Uint8Array.of(0)));
  return writeDer(TAG.sequence, granted, token);
}

/**
 * Whether one of these authorities vouches for these bytes.
 *
 * @returns The authority, or what is wrong.
 * @throws {CryptoMissingError} Nothing was judged.
 */
export async function verifyTimestamp(
  token: UnverifiedTimestamp,
  message: Uint8Array,
  authorities: readonly TimestampAuthority[],
): Promise<TimestampAuthority | TimestampFault> {
  const { imprint, content, signer, time } = token;
  if (!equalBytes(DIGESTS[imprint.hash](message), imprint.digest)) return 'imprint';
  const named = authorities.filter(
    ({ chain, from, to }) =>
      isNamed(signer, chain[0]) && time >= from && (to === null || time <= to),
  );
  if (named.length === 0) return 'authority';
  if (!equalBytes(DIGESTS[signer.hash](content), signer.attributes.messageDigest))
    return 'signature';
  let fault: TimestampFault = 'certificate';
  for (const authority of named) {
    const [leaf] = authority.chain;
    if (leaf === undefined || !(await verifyTimestampChain(authority.chain, time))) continue;
    const { digestOf, digest } = signer.attributes.certificate;
    if (!equalBytes(digestOf(leaf.bytes), digest)) continue;
    fault = 'signature';
    const { signed, signature, algorithm } = signer;
    if (algorithm.kind !== leaf.key.kind) continue;
    const claim = { message: signed, signature, hash: algorithm.hash };
    if (await verifyWithKey(leaf.key, claim)) return authority;
  }
  return fault;
}

function isNamed({ id }: SignerInfo, leaf: Certificate | undefined): boolean {
  if (leaf === undefined) return false;
  return 'serial' in id
    ? equalBytes(id.issuer, leaf.issuer) && equalBytes(id.serial, leaf.serial)
    : leaf.subjectKeyId !== undefined && equalBytes(id.subjectKeyId, leaf.subjectKeyId);
}

function parseToken(bytes: Uint8Array): UnverifiedTimestamp | undefined {
  const [type, wrapper, ...rest] = readInside(readDer(bytes), TAG.sequence) ?? [];
  const [signedData] = readInside(wrapper, contextTag(0)) ?? [];
  const members = readInside(signedData, TAG.sequence) ?? [];
  const [, , encapsulated] = members;
  const [contentType, contentWrapper] = readInside(encapsulated, TAG.sequence) ?? [];
  const content = readBody(readInside(contentWrapper, contextTag(0))?.[0], TAG.octetString);
  if (readOid(type) !== SIGNED_DATA || readOid(contentType) !== TST_INFO) return undefined;
  // Exactly one signer: RFC 3161 has no other, and a second could be taken for the first.
  const [signerInfo, ...otherSigners] = readInside(members.at(-1), TAG.set) ?? [];
  if (content === undefined || otherSigners.length > 0 || rest.length > 0) return undefined;
  const signer = parseSigner(signerInfo);
  const info = parseInfo(content);
  return signer === undefined || info === undefined
    ? undefined
    : { bytes, content, signer, ...info };
}

function parseInfo(
  content: Uint8Array,
): Pick<UnverifiedTimestamp, 'time' | 'imprint' | 'nonce'> | undefined {
  const [version, policy, imprint, serial, genTime, ...optional] =
    readInside(readDer(content), TAG.sequence) ?? [];
  const [algorithm, hashed] = readInside(imprint, TAG.sequence) ?? [];
  const hash = readHash(algorithm);
  const digest = readBody(hashed, TAG.octetString);
  const time = readTime(genTime);
  if (readSmallInteger(version) !== 1 || readOid(policy) === undefined) return undefined;
  if (readInteger(serial) === undefined || time === undefined) return undefined;
  if (hash === undefined || digest === undefined) return undefined;
  const nonce = readInteger(optional.find(({ tag }) => tag === TAG.integer));
  return { time, imprint: { hash, digest }, nonce };
}

function parseSigner(value: DerValue | undefined): SignerInfo | undefined {
  const [version, sid, digestAlgorithm, signedAttributes, signatureAlgorithm, signature] =
    readInside(value, TAG.sequence) ?? [];
  const id = readSignerId(sid);
  const hash = readHash(digestAlgorithm);
  const attributes = readAttributes(signedAttributes);
  const bytes = readBody(signature, TAG.octetString);
  if (readSmallInteger(version) === undefined || id === undefined) return undefined;
  if (hash === undefined || attributes === undefined || bytes === undefined) return undefined;
  const algorithm = readSignatureAlgorithm(signatureAlgorithm) ?? bareRsa(signatureAlgorithm, hash);
  if (algorithm === undefined || signedAttributes === undefined) return undefined;
  // Signed under the tag of a SET, not under the [0] that stands in its place (RFC 5652 section 5.4).
  const signed = writeDer(TAG.set, signedAttributes.body);
  return { id, hash, algorithm, signed, signature: bytes, attributes };
}

function readSignerId(sid: DerValue | undefined): SignerInfo['id'] | undefined {
  const subjectKeyId = readBody(sid, contextTag(0, 'primitive'));
  if (subjectKeyId !== undefined) return { subjectKeyId };
  const [issuer, serialNumber] = readInside(sid, TAG.sequence) ?? [];
  const serial = readInteger(serialNumber);
  return issuer === undefined || serial === undefined
    ? undefined
    : { issuer: issuer.bytes, serial };
}

/** `rsaEncryption` leaves the hash to the digest algorithm. */
function bareRsa(value: DerValue | undefined, hash: HashName): SignatureAlgorithm | undefined {
  const oid = readOid(readInside(value, TAG.sequence)?.[0]);
  return oid === '1.2.840.113549.1.1.1' ? { kind: 'rsa', hash } : undefined;
}

function readHash(algorithm: DerValue | undefined): HashName | undefined {
  return HASHES[readOid(readInside(algorithm, TAG.sequence)?.[0]) ?? ''];
}

function readAttributes(set: DerValue | undefined): Attributes | undefined {
  const found = new Map<string, DerValue>();
  for (const attribute of readInside(set, contextTag(0)) ?? []) {
    const [oid, values] = readInside(attribute, TAG.sequence) ?? [];
    const name = readOid(oid);
    const [value, ...others] = readInside(values, TAG.set) ?? [];
    if (name === undefined || value === undefined) return undefined;
    if (others.length > 0 || found.has(name)) return undefined; // one of each, with one value
    found.set(name, value);
  }
  const messageDigest = readBody(found.get(MESSAGE_DIGEST), TAG.octetString);
  const certificate =
    readCertificateId(found.get(SIGNING_CERTIFICATE_V2), sha256) ??
    readCertificateId(found.get(SIGNING_CERTIFICATE), sha1);
  if (readOid(found.get(CONTENT_TYPE)) !== TST_INFO) return undefined;
  return messageDigest === undefined || certificate === undefined
    ? undefined
    : { messageDigest, certificate };
}

/** The first ESSCertID is the signer's (RFC 2634 section 5.4, RFC 5035 section 3). */
function readCertificateId(
  value: DerValue | undefined,
  usual: (bytes: Uint8Array) => Uint8Array,
): Attributes['certificate'] | undefined {
  const [list] = readInside(value, TAG.sequence) ?? [];
  const [first] = readInside(list, TAG.sequence) ?? [];
  const members = readInside(first, TAG.sequence) ?? [];
  const [head, next] = members;
  const isPlain = head?.tag === TAG.octetString;
  const hash = isPlain ? undefined : readHash(head);
  const digest = readBody(isPlain ? head : next, TAG.octetString);
  if (digest === undefined || (!isPlain && hash === undefined)) return undefined;
  return { digest, digestOf: hash === undefined ? usual : DIGESTS[hash] };
}
