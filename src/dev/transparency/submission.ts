/**
 * What Rekor v2 is sent, `CreateEntryRequest` as protobuf's JSON writes it: a digest, a signature over it
 * and the key. Here only ECDSA P-256 under SHA-256, by a public key.
 *
 * @see https://github.com/sigstore/rekor-tiles/blob/main/CLIENTS.md
 * @see https://github.com/sigstore/rekor-tiles/blob/main/pkg/types/hashedrekord/hashedrekord.go
 * @module
 */
import { fromBase64, fromUtf8 } from '../../evidence/bytes.ts';
import { parseSpki } from '../../evidence/spki.ts';
import type { BareDigest, SignedDigest } from './bare-digest.ts';

const KEY_DETAILS = 'PKIX_ECDSA_P256_SHA_256';

/** What is wrong with a request, for whoever sent it. */
export interface RefusedSubmission {
  readonly refused: string;
}

/** Reads and checks a request: what it answers with is a signature that fits. */
export function readSubmission(
  body: Uint8Array,
  bareDigest: BareDigest,
): SignedDigest | RefusedSubmission {
  const request = membersOf(parse(body), ['hashedRekordRequestV002']);
  if (request === undefined) return refused('invalid type, must be hashedrekord');
  const record = membersOf(request['hashedRekordRequestV002'], ['digest', 'signature']);
  const signature = membersOf(record?.['signature'], ['content', 'verifier']);
  const verifier = membersOf(signature?.['verifier'], [
    'publicKey',
    'x509Certificate',
    'keyDetails',
  ]);
  if (record === undefined || signature === undefined || verifier === undefined) {
    return refused('a member is missing, or there is one that nobody knows');
  }
  if (verifier['x509Certificate'] !== undefined) {
    return refused('this development log takes public keys, no certificates');
  }
  if (verifier['keyDetails'] !== KEY_DETAILS) {
    return refused(`this development log takes ${KEY_DETAILS} alone`);
  }
  const spki = bytesOf(membersOf(verifier['publicKey'], ['rawBytes'])?.['rawBytes']);
  const signed = { digest: bytesOf(record['digest']), signature: bytesOf(signature['content']) };
  if (spki === undefined || signed.digest?.length !== 32 || signed.signature === undefined) {
    return refused('digest, signature or key is missing, not base64, or of another length');
  }
  const key = parseSpki(spki);
  if (key?.kind !== 'ecdsa' || key.curve !== 'P-256') return refused('the key is none of P-256');
  const submission = { digest: signed.digest, signature: signed.signature, spki };
  return bareDigest.verify(submission) ? submission : refused('the signature does not fit');
}

function refused(reason: string): RefusedSubmission {
  return { refused: reason };
}

/**
 * Members by their names in camel case; protobuf's JSON may also spell them in snake case. Undefined if
 * this is no object, or has members besides.
 */
function membersOf(
  value: unknown,
  names: readonly string[],
): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const known = new Map(
    names.flatMap((name) => [
      [name, name],
      [snakeCase(name), name],
    ]),
  );
  const found: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    const meant = known.get(name);
    if (meant === undefined) return undefined;
    if (member !== null) found.push([meant, member]);
  }
  return Object.fromEntries(found);
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function bytesOf(value: unknown): Uint8Array | undefined {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  return bytes?.length === 0 ? undefined : bytes;
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(body) ?? '');
  } catch {
    return undefined;
  }
}
