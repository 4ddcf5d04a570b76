/**
 * Logs, authorities and witnesses for tests of receipts. Rekor v1 and the timestamp authority are those of
 * `@sigstore/mock`; the v2 log here is small, slow and separate from `src`.
 */
import { initializeTLog, initializeTSA } from '@sigstore/mock';
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { canonicalJson, toJson } from '../../src/attribution/canonical.ts';
import { checkpointText } from '../../src/evidence/checkpoint.ts';
import { cosign } from '../../src/evidence/cosignature.ts';
import { ed25519Signer } from '../../src/evidence/ed25519.ts';
import { leafHash, rootHash } from '../../src/evidence/merkle.ts';
import { formatNote, parseVkey, signNote, vkeyOf } from '../../src/evidence/note.ts';
import { inclusionProof, leavesReader } from '../../src/evidence/proof.ts';
import type { ReceiptClaim, ReceiptLedger } from '../../src/evidence/receipt-claim.ts';
import {
  encodeRekorReceipt,
  type RekorEntry,
  type RekorReceipt,
} from '../../src/evidence/rekor-receipt.ts';
import { parseTimestamp } from '../../src/evidence/timestamp-token.ts';
import { parseTrustedRoot, type TrustedRoot } from '../../src/evidence/trusted-root.ts';
import { DEVELOPMENT_LINE, parseWitnessPolicy } from '../../src/evidence/witness-policy.ts';

export const ORIGIN = 'acme.example/crumb';
export const ledgerSigner = ed25519Signer(new Uint8Array(32).fill(1));
export const VKEY = vkeyOf(ORIGIN, ledgerSigner.publicKey);

export function sha256(bytes: Uint8Array | string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

/** A checkpoint of the ledger, as it is anchored. */
export async function noteOf(
  { origin = ORIGIN, size = 5, root = new Uint8Array(32).fill(9) } = {},
  signer = ledgerSigner,
): Promise<string> {
  return signNote(checkpointText({ origin, size, root }), origin, signer);
}

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly spki: Uint8Array;
}

export function p256Pair(): KeyPair {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...pair, spki: spkiOf(pair.publicKey) };
}

export function ed25519Pair(): KeyPair {
  const pair = generateKeyPairSync('ed25519');
  return { ...pair, spki: spkiOf(pair.publicKey) };
}

export function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }));
}

export function signP256(key: KeyObject, message: Uint8Array | string): Uint8Array {
  return new Uint8Array(sign('sha256', Buffer.from(message), key));
}

export const anchorKey = p256Pair();

export function ledgerOf(keys = [anchorKey], over: Partial<ReceiptLedger> = {}): ReceiptLedger {
  const anchorKeys = keys.map(({ spki }) => ({ spki, from: 0, to: null, revokedSince: null }));
  return { origin: ORIGIN, vkeys: [VKEY], anchorKeys, ...over };
}

/** Another key under which the same signature over the same message verifies. */
export function recoveredKey(signature: Uint8Array, message: Uint8Array | string): Uint8Array[] {
  const parsed = p256.Signature.fromBytes(signature, 'der');
  return [0, 1].flatMap((bit) => {
    const point = parsed.addRecoveryBit(bit).recoverPublicKey(sha256(message));
    const raw = point.toBytes(false);
    const spki = Buffer.concat([anchorKey.spki.subarray(0, -65), raw]);
    return Buffer.from(anchorKey.spki).equals(spki) ? [] : [new Uint8Array(spki)];
  });
}

export const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const ALWAYS = { start: '2020-01-01T00:00:00Z' };

/** The text of a `trusted_root.json`. */
export function trustText(parts: {
  readonly logs?: readonly TrustedLogText[];
  readonly authorities?: readonly TrustedAuthorityText[];
  readonly development?: boolean;
}): string {
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: (parts.logs ?? []).map(({ baseUrl, spki, id, keyDetails, validFor = ALWAYS }) => ({
      baseUrl,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: b64(spki), keyDetails, validFor },
      logId: { keyId: b64(id) },
    })),
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: (parts.authorities ?? []).map(({ uri, chain, validFor = ALWAYS }) => ({
      subject: { organization: 'tests', commonName: 'tests' },
      uri,
      certChain: { certificates: chain.map((rawBytes) => ({ rawBytes: b64(rawBytes) })) },
      validFor,
    })),
    ...(parts.development === undefined ? {} : { development: parts.development }),
  });
}

interface TrustedLogText {
  readonly baseUrl: string;
  readonly spki: Uint8Array;
  readonly id: Uint8Array;
  readonly keyDetails: string;
  readonly validFor?: { readonly start?: string; readonly end?: string };
}

export interface TrustedAuthorityText {
  readonly uri: string;
  readonly chain: readonly Uint8Array[];
  readonly validFor?: { readonly start?: string; readonly end?: string };
}

export function root(parts: Parameters<typeof trustText>[0]): TrustedRoot {
  return parseTrustedRoot(trustText(parts));
}

/** What the anchor key signs and sends. */
export interface Submission {
  readonly note: string;
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
  readonly spki: Uint8Array;
}

export function submissionOf(note: string, key: KeyPair = anchorKey): Submission {
  return { note, digest: sha256(note), signature: signP256(key.privateKey, note), spki: key.spki };
}

export interface TestLog {
  readonly trusted: TrustedLogText;
  /** What the log answers. */
  add(submission: Submission): Promise<RekorEntry>;
}

/** The v1 log of `@sigstore/mock`. Each entry is alone in its tree. */
export async function mockLog(
  { url = 'https://rekor.sigstore.dev', clock }: { url?: string; clock?: Date } = {},
  key: KeyPair = p256Pair(),
): Promise<TestLog> {
  const log = await initializeTLog(url, key, clock);
  return {
    trusted: {
      baseUrl: url,
      spki: key.spki,
      id: sha256(key.spki),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    },
    async add(submission) {
      const answer: unknown = await log.log(proposedV1(submission));
      return entryOfV1(Object.values(answer as object)[0]);
    },
  };
}

export function proposedV1({ digest, signature, spki }: Submission): object {
  const pem = Buffer.from(spki)
    .toString('base64')
    .replaceAll(/(.{64})/g, '$1\n')
    .trim();
  const text = `-----BEGIN PUBLIC KEY-----\n${pem}\n-----END PUBLIC KEY-----\n`;
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: Buffer.from(digest).toString('hex') } },
      signature: { content: b64(signature), publicKey: { content: b64(Buffer.from(text)) } },
    },
  };
}

function entryOfV1(answer: unknown): RekorEntry {
  const entry = answer as {
    body: string;
    logID: string;
    logIndex: number;
    integratedTime: number;
    verification: {
      signedEntryTimestamp: string;
      inclusionProof: {
        logIndex: number;
        hashes: string[];
        checkpoint: string;
        treeSize: number;
        rootHash: string;
      };
    };
  };
  const { inclusionProof: proof, signedEntryTimestamp } = entry.verification;
  const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
  return {
    body: new Uint8Array(Buffer.from(entry.body, 'base64')),
    logId: hex(entry.logID),
    index: entry.logIndex,
    integratedTime: entry.integratedTime,
    promise: new Uint8Array(Buffer.from(signedEntryTimestamp, 'base64')),
    proof: {
      index: proof.logIndex,
      hashes: proof.hashes.map(hex),
      checkpoint: proof.checkpoint,
      size: proof.treeSize,
      root: hex(proof.rootHash),
    },
  };
}

/** A v2 log: a growing tree under a C2SP checkpoint. */
export function smallLog(
  { name = 'log2026-1.rekor.test', before = 4 }: { name?: string; before?: number } = {},
  key: KeyPair = ed25519Pair(),
): TestLog & { readonly bodies: Uint8Array[]; readonly key: KeyPair } {
  const bodies = Array.from({ length: before }, (_, n) => Buffer.from(`entry ${n}`) as Uint8Array);
  const raw = key.spki.subarray(-32);
  const id = sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(1), raw]));
  return {
    bodies,
    key,
    trusted: { baseUrl: `https://${name}`, spki: key.spki, id, keyDetails: 'PKIX_ED25519' },
    async add(submission) {
      bodies.push(Buffer.from(canonicalJson(toJson(entryV2(submission)))));
      return smallLogEntry({ name, key, id, bodies }, bodies.length - 1);
    },
  };
}

export function smallLogEntry(
  log: { name: string; key: KeyPair; id: Uint8Array; bodies: readonly Uint8Array[] },
  index: number,
): RekorEntry {
  const leaves = log.bodies.map((body) => leafHash(body));
  const size = leaves.length;
  const treeRoot = rootHash(leaves);
  const text = `${log.name}\n${size}\n${b64(treeRoot)}\n`;
  const signature = new Uint8Array(sign(null, Buffer.from(text), log.key.privateKey));
  const line = { name: log.name, id: log.id.subarray(0, 4), signature };
  return {
    body: log.bodies[index] ?? new Uint8Array(),
    logId: log.id,
    index,
    integratedTime: 0,
    promise: null,
    proof: {
      index,
      hashes: inclusionProof({ index, size }, leavesReader(leaves)),
      checkpoint: formatNote(text, [line]),
      size,
      root: treeRoot,
    },
  };
}

export function entryV2({ digest, signature, spki }: Submission): object {
  return {
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: {
        data: { algorithm: 'SHA2_256', digest: b64(digest) },
        signature: {
          content: b64(signature),
          verifier: {
            keyDetails: 'PKIX_ECDSA_P256_SHA_256',
            publicKey: { rawBytes: b64(spki) },
          },
        },
      },
    },
  };
}

export interface TestAuthority {
  readonly trusted: TrustedAuthorityText;
  /** A response over the SHA-256 of these bytes. */
  stamp(bytes: Uint8Array | string): Promise<Uint8Array>;
  /** The same over a digest. */
  stampDigest(digest: Uint8Array): Promise<Uint8Array>;
}

/** The authority of `@sigstore/mock`. */
export async function mockAuthority(clock?: Date): Promise<TestAuthority> {
  const time = clock ?? new Date();
  const tsa = await initializeTSA(p256Pair(), time);
  // Whole seconds, since Sigstore reads fractions of three digits only and DER drops zeros at the end;
  // and told after its certificates were made, which begin at the second of their making.
  if (clock === undefined) time.setTime(Math.floor(Date.now() / 1000) * 1000);
  const bytesOf = (view: ArrayBufferView): Uint8Array =>
    new Uint8Array(
      view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer,
    );
  async function stampDigest(digest: Uint8Array): Promise<Uint8Array> {
    const response = await tsa.timestamp({
      artifactHash: Buffer.from(digest),
      hashAlgorithmOID: '2.16.840.1.101.3.4.2.1',
      nonce: 7,
      policyOID: '1.3.6.1.4.1.57264.2',
    });
    return bytesOf(response);
  }
  return {
    trusted: {
      uri: 'https://timestamp.sigstore.test',
      chain: [bytesOf(tsa.intCertificate), bytesOf(tsa.rootCertificate)],
    },
    stamp: async (bytes) => stampDigest(sha256(bytes)),
    stampDigest,
  };
}

/** A receipt's parts put together, without checking anything. */
export function receiptOf(
  { digest, signature, spki }: Submission,
  entry: RekorEntry,
  response?: Uint8Array,
): RekorReceipt {
  const timestamp = response === undefined ? null : parseTimestamp(response);
  if (timestamp === undefined) throw new Error('that is no timestamp');
  return {
    version: entry.promise === null ? 2 : 1,
    digest,
    signature,
    keyHint: sha256(spki),
    entry,
    timestamp,
  };
}

/** An honest claim over a v1 receipt, to be spoilt. */
export async function honestV1(): Promise<{
  readonly claim: ReceiptClaim;
  readonly receipt: RekorReceipt;
  readonly log: TestLog;
}> {
  const log = await mockLog();
  const submission = submissionOf(await noteOf());
  const receipt = receiptOf(submission, await log.add(submission));
  const trust = { roots: [root({ logs: [log.trusted] })] };
  return {
    log,
    receipt,
    claim: {
      type: 'rekor',
      note: submission.note,
      receipt: encodeRekorReceipt(receipt),
      ledger: ledgerOf(),
      trust,
    },
  };
}

/** An honest claim over a v2 receipt, to be spoilt. */
export async function honestV2(): Promise<{
  readonly claim: ReceiptClaim;
  readonly receipt: RekorReceipt;
  readonly log: ReturnType<typeof smallLog>;
  readonly authority: TestAuthority;
}> {
  const log = smallLog();
  const authority = await mockAuthority();
  const submission = submissionOf(await noteOf());
  const entry = await log.add(submission);
  const receipt = receiptOf(submission, entry, await authority.stamp(submission.signature));
  const trust = { roots: [root({ logs: [log.trusted], authorities: [authority.trusted] })] };
  return {
    log,
    authority,
    receipt,
    claim: {
      type: 'rekor',
      note: submission.note,
      receipt: encodeRekorReceipt(receipt),
      ledger: ledgerOf(),
      trust,
    },
  };
}

export interface TestWitness {
  readonly name: string;
  readonly vkey: string;
  /** Its line under a text. */
  line(text: string, time?: Date): Promise<string>;
}

export function testWitness(name: string, seed: number): TestWitness {
  const signer = ed25519Signer(new Uint8Array(32).fill(seed));
  const vkey = vkeyOf(name, signer.publicKey, 'cosignature');
  const id = parseVkey(vkey)?.id ?? new Uint8Array();
  return {
    name,
    vkey,
    async line(text, time = new Date('2026-11-24T10:00:00Z')) {
      const signature = await cosign(text, signer, time);
      return formatNote(text, [{ name, id, signature }]).slice(text.length + 1);
    },
  };
}

export function policyOf(
  lines: readonly string[],
  development = false,
): ReturnType<typeof parseWitnessPolicy> {
  return parseWitnessPolicy([...(development ? [DEVELOPMENT_LINE] : []), ...lines, ''].join('\n'));
}
