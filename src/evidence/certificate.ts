/**
 * X.509 certificates of timestamp authorities, as far as pinned chains need it. No certificate is taken
 * on anyone's word: every one of them, the signer's included, comes from the reader's trust root.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280
 * @module
 */
import { equalBytes } from './bytes.ts';
import {
  contextTag,
  readBitString,
  readBody,
  readBoolean,
  readDer,
  readInside,
  readInteger,
  readOid,
  readSmallInteger,
  readTime,
  TAG,
  type DerValue,
} from './der.ts';
import { parseSpki, verifyWithKey, type HashName, type PublicKey } from './spki.ts';

export interface Certificate {
  /** All of it. */
  readonly bytes: Uint8Array;
  /** What its issuer signed. */
  readonly signed: Uint8Array;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  /** Body of the INTEGER. */
  readonly serial: Uint8Array;
  /** DER of the names: compared as bytes. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly key: PublicKey;
  readonly isAuthority: boolean;
  /** How many authorities may stand between this one and a leaf; undefined: any number. */
  readonly pathLength: number | undefined;
  /** Extended key usages; undefined: not said. */
  readonly usages: readonly string[] | undefined;
  readonly subjectKeyId: Uint8Array | undefined;
}

export interface SignatureAlgorithm {
  readonly kind: 'ecdsa' | 'rsa' | 'ed25519';
  readonly hash: HashName;
}

const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';

const ALGORITHMS: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.10045.4.3.2': { kind: 'ecdsa', hash: 'SHA-256' },
  '1.2.840.10045.4.3.3': { kind: 'ecdsa', hash: 'SHA-384' },
  '1.2.840.10045.4.3.4': { kind: 'ecdsa', hash: 'SHA-512' },
  '1.2.840.113549.1.1.11': { kind: 'rsa', hash: 'SHA-256' },
  '1.2.840.113549.1.1.12': { kind: 'rsa', hash: 'SHA-384' },
  '1.2.840.113549.1.1.13': { kind: 'rsa', hash: 'SHA-512' },
  '1.3.101.112': { kind: 'ed25519', hash: 'SHA-512' },
};

/** What an AlgorithmIdentifier of a signature says; undefined for others, SHA-1 among them. */
export function readSignatureAlgorithm(
  value: DerValue | undefined,
): SignatureAlgorithm | undefined {
  return ALGORITHMS[readOid(readInside(value, TAG.sequence)?.[0]) ?? ''];
}

/** Reads a certificate; undefined if it is malformed or has a critical extension that we do not know. */
export function parseCertificate(bytes: Uint8Array): Certificate | undefined {
  const [tbs, algorithm, bits, ...rest] = readInside(readDer(bytes), TAG.sequence) ?? [];
  const signatureAlgorithm = readSignatureAlgorithm(algorithm);
  const signature = readBitString(bits);
  const members = [...(readInside(tbs, TAG.sequence) ?? [])];
  if (members[0]?.tag === contextTag(0)) members.shift(); // the version
  const [serialNumber, inner, issuer, validity, subject, spki, ...optional] = members;
  const serial = readInteger(serialNumber);
  const [notBefore, notAfter] = (readInside(validity, TAG.sequence) ?? []).map(readTime);
  const key = spki === undefined ? undefined : parseSpki(spki.bytes);
  const extensions = readExtensions(optional);
  if (tbs === undefined || issuer === undefined || subject === undefined) return undefined;
  if (signatureAlgorithm === undefined || signature === undefined) return undefined;
  // The algorithm stands inside too, where it is signed.
  if (inner === undefined || algorithm === undefined) return undefined;
  if (!equalBytes(inner.bytes, algorithm.bytes) || rest.length > 0) return undefined;
  if (serial === undefined || notBefore === undefined || notAfter === undefined) return undefined;
  if (key === undefined || extensions === undefined) return undefined;
  return {
    bytes,
    signed: tbs.bytes,
    signatureAlgorithm,
    signature,
    serial,
    issuer: issuer.bytes,
    subject: subject.bytes,
    notBefore,
    notAfter,
    key,
    ...extensions,
  };
}

/**
 * Whether a pinned chain, leaf first, is one for a timestamp made at this time: each signed by the next,
 * all of them valid then, the leaf for timestamps, the others authorities.
 *
 * @throws {CryptoMissingError} Nothing was judged.
 */
export async function verifyTimestampChain(
  chain: readonly Certificate[],
  at: Date,
): Promise<boolean> {
  const [leaf] = chain;
  if (leaf === undefined || !leaf.usages?.includes(TIME_STAMPING)) return false;
  for (const [n, certificate] of chain.entries()) {
    if (at < certificate.notBefore || at > certificate.notAfter) return false;
    if (n > 0 && !mayIssue(certificate, n - 1)) return false;
    const issuer = chain[n + 1];
    if (issuer !== undefined && !(await isSignedBy(certificate, issuer))) return false;
  }
  return true;
}

function mayIssue({ isAuthority, pathLength }: Certificate, below: number): boolean {
  return isAuthority && (pathLength === undefined || pathLength >= below);
}

async function isSignedBy(
  certificate: Certificate,
  { subject, key }: Certificate,
): Promise<boolean> {
  const { issuer, signed, signature, signatureAlgorithm } = certificate;
  if (!equalBytes(issuer, subject) || signatureAlgorithm.kind !== key.kind) return false;
  return verifyWithKey(key, { message: signed, signature, hash: signatureAlgorithm.hash });
}

type Extensions = Pick<Certificate, 'isAuthority' | 'pathLength' | 'usages' | 'subjectKeyId'>;

const NO_EXTENSIONS: Extensions = {
  isAuthority: false,
  pathLength: undefined,
  usages: undefined,
  subjectKeyId: undefined,
};

/** Critical extensions that change nothing here: key usage, certificate policies. */
const HARMLESS = ['2.5.29.15', '2.5.29.32'];

function readExtensions(optional: readonly DerValue[]): Extensions | undefined {
  const wrapper = optional.find(({ tag }) => tag === contextTag(3));
  if (wrapper === undefined) return NO_EXTENSIONS;
  const [list, ...more] = readInside(wrapper, contextTag(3)) ?? [];
  const items = readInside(list, TAG.sequence);
  if (items === undefined || more.length > 0) return undefined;
  let extensions = NO_EXTENSIONS;
  for (const item of items) {
    const [oid, ...others] = readInside(item, TAG.sequence) ?? [];
    const isCritical = others.length === 2 ? readBoolean(others[0]) : false;
    const data = readBody(others.at(-1), TAG.octetString);
    const name = readOid(oid);
    if (data === undefined || name === undefined || isCritical === undefined) return undefined;
    const known = readExtension(name, data);
    if (known === 'malformed') return undefined;
    if (known === 'unknown' && isCritical && !HARMLESS.includes(name)) return undefined;
    if (typeof known === 'object') extensions = { ...extensions, ...known };
  }
  return extensions;
}

function readExtension(
  name: string,
  data: Uint8Array,
): Partial<Extensions> | 'unknown' | 'malformed' {
  const value = readDer(data);
  switch (name) {
    case '2.5.29.19': {
      const members = readInside(value, TAG.sequence);
      if (members === undefined) return 'malformed';
      const isAuthority = members.length > 0 && readBoolean(members[0]) === true;
      return { isAuthority, pathLength: readSmallInteger(members[1]) };
    }
    case '2.5.29.37': {
      const usages = readInside(value, TAG.sequence)?.map(readOid);
      return usages === undefined
        ? 'malformed'
        : { usages: usages.filter((oid) => oid !== undefined) };
    }
    case '2.5.29.14': {
      const subjectKeyId = readBody(value, TAG.octetString);
      return subjectKeyId === undefined ? 'malformed' : { subjectKeyId };
    }
    default:
      return 'unknown';
  }
}
