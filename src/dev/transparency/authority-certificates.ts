/**
 * The certificates of a development timestamp authority: a root that signs one leaf, and whose key is then
 * forgotten.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280
 * @see https://www.rfc-editor.org/rfc/rfc3161#section-2.3
 * @module
 */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { contextTag, writeDer } from '../../evidence/der.ts';
import { parseSpki } from '../../evidence/spki.ts';
import {
  algorithm,
  bitString,
  boolean,
  certificateTime,
  explicit,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  utf8String,
} from './der-values.ts';

const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const ORGANIZATION = '2.5.4.10';
const COMMON_NAME = '2.5.4.3';
const SUBJECT_KEY_ID = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY_ID = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';

/** What both names of the chain say. */
export const AUTHORITY_ORGANIZATION = 'Crumb, for development only';
export const AUTHORITY_NAME = 'Development timestamp authority';

const DAY = 86_400_000;

export interface Validity {
  readonly start: Date;
  readonly end: Date;
}

/** Ten years, from a day ago: clocks are set back. In whole seconds. */
export function validityFrom(now: Date): Validity {
  const start = new Date(Math.floor(now.getTime() / 1000) * 1000 - DAY);
  return { start, end: new Date(start.getTime() + 3653 * DAY) };
}

/** Certificates for an authority's key, leaf first. @param key ECDSA P-256, public. */
export function certifyAuthority(key: KeyObject, validity: Validity): readonly Uint8Array[] {
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rootName = nameOf(`${AUTHORITY_NAME}, root`);
  const rootId = keyIdOf(root.publicKey);
  const leaf = certificate({
    subject: nameOf(AUTHORITY_NAME),
    issuer: rootName,
    key,
    signWith: root.privateKey,
    validity,
    extensions: [
      extension(KEY_USAGE, bitString(Uint8Array.of(0x80), 7), 'critical'), // digitalSignature
      extension(EXTENDED_KEY_USAGE, sequence(oid(TIME_STAMPING)), 'critical'),
      extension(SUBJECT_KEY_ID, octetString(keyIdOf(key))),
      extension(AUTHORITY_KEY_ID, sequence(writeDer(contextTag(0, 'primitive'), rootId))),
    ],
  });
  const self = certificate({
    subject: rootName,
    issuer: rootName,
    key: root.publicKey,
    signWith: root.privateKey,
    validity,
    extensions: [
      extension(BASIC_CONSTRAINTS, sequence(boolean(true), integer(0)), 'critical'),
      extension(KEY_USAGE, bitString(Uint8Array.of(0x04), 2), 'critical'), // keyCertSign
      extension(SUBJECT_KEY_ID, octetString(rootId)),
    ],
  });
  return [leaf, self];
}

/** SubjectPublicKeyInfo. */
export function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }));
}

interface CertificateParts {
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  readonly key: KeyObject;
  readonly signWith: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Uint8Array[];
}

function certificate(parts: CertificateParts): Uint8Array {
  const { subject, issuer, key, signWith, validity, extensions } = parts;
  const signed = sequence(
    explicit(0, integer(2)), // version 3
    integer(serialNumber()),
    algorithm(ECDSA_SHA256),
    issuer,
    sequence(certificateTime(validity.start), certificateTime(validity.end)),
    subject,
    spkiOf(key),
    explicit(3, sequence(...extensions)),
  );
  return sequence(
    signed,
    algorithm(ECDSA_SHA256),
    bitString(new Uint8Array(sign('sha256', signed, signWith))),
  );
}

function extension(name: string, value: Uint8Array, critical?: 'critical'): Uint8Array {
  const mark = critical === undefined ? [] : [boolean(true)];
  return sequence(oid(name), ...mark, octetString(value));
}

function nameOf(commonName: string): Uint8Array {
  const part = (type: string, text: string): Uint8Array =>
    setOf(sequence(oid(type), utf8String(text)));
  return sequence(part(ORGANIZATION, AUTHORITY_ORGANIZATION), part(COMMON_NAME, commonName));
}

/** Positive, and in its shortest form. */
function serialNumber(): Uint8Array {
  const bytes = new Uint8Array(randomBytes(16));
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes;
}

/** RFC 7093 section 2, method 1. */
function keyIdOf(key: KeyObject): Uint8Array {
  const spki = spkiOf(key);
  const parsed = parseSpki(spki);
  if (parsed?.kind !== 'ecdsa' || parsed.curve !== 'P-256') throw new TypeError('no P-256 key');
  const point = spki.subarray(-65);
  return new Uint8Array(createHash('sha256').update(point).digest()).subarray(0, 20);
}
