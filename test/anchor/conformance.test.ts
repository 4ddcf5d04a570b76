/**
 * Sigstore's own conformance suite, as far as it is about logs and timestamps: bundles of the public and the
 * staging instance. `npm run interop:sigstore -- DIRECTORY` runs it over a checkout of
 * github.com/sigstore/sigstore-conformance; without one there is nothing to run.
 */
import { createPublicKey } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toBase64 } from '../../src/evidence/bytes.ts';
import { RECEIPT_FAULTS } from '../../src/evidence/receipt-claim.ts';
import { rekorBodyV1 } from '../../src/evidence/rekor-body.ts';
import { verifyLogged } from '../../src/evidence/rekor-proof.ts';
import { keyHintOf, type RekorEntry } from '../../src/evidence/rekor-receipt.ts';
import { parseTimestamp, verifyTimestamp } from '../../src/evidence/timestamp-token.ts';
import { parseTrustedRoot, type TrustedRoot } from '../../src/evidence/trusted-root.ts';

const directory = process.env['CRUMB_SIGSTORE_CONFORMANCE'];
const cases = directory === undefined ? '' : join(directory, 'test/assets/bundle-verify');
const names =
  cases === ''
    ? []
    : readdirSync(cases).filter((name) => existsSync(join(cases, name, 'bundle.sigstore.json')));

/** What is wrong with those whose fault lies where our receipts could have it. */
const FAULTS: Readonly<Record<string, string>> = {
  'bundle-from-wrong-instance_fail': 'log unknown',
  'checkpoint-bad-keyhint_fail': 'log_checkpoint_invalid',
  'checkpoint-wrong-roothash_fail': 'inclusion_invalid',
  'inclusion-proof-corrupted-hash_fail': 'inclusion_invalid',
  'incorrect-public-key_fail': 'promise_invalid',
  'invalid-checkpoint-signature_fail': 'log_checkpoint_invalid',
  'invalid-inclusion-proof_fail': 'log_checkpoint_invalid',
  'rekor2-checkpoint-missing-log-signature_fail': 'log_checkpoint_invalid',
  'rekor2-checkpoint-missing-origin_fail': 'log_checkpoint_invalid',
  'rekor2-checkpoint-missing-root-hash_fail': 'log_checkpoint_invalid',
  'rekor2-checkpoint-missing-size_fail': 'log_checkpoint_invalid',
  'rekor2-checkpoint-no-matching-signature_fail': 'log_checkpoint_invalid',
  'rekor2-timestamp-outside-trust-root-tsa-validity_fail': 'authority',
  'rekor2-timestamp-outside-tsa-cert-validity_fail': 'certificate',
  'rekor2-timestamp-payload-mismatch_fail': 'imprint',
  'rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail': 'authority',
  'rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail': 'authority',
  'set-invalid-signature_fail': 'promise_invalid',
  'trust-root-tlog-missing-validity-start_fail': 'trust_invalid',
};

interface Bundle {
  readonly verificationMaterial: {
    readonly publicKey?: { readonly hint: string };
    readonly tlogEntries?: readonly LogEntry[];
    readonly timestampVerificationData?: {
      readonly rfc3161Timestamps?: readonly { readonly signedTimestamp: string }[];
    };
  };
  readonly messageSignature?: {
    readonly messageDigest: { readonly digest: string };
    readonly signature: string;
  };
  readonly dsseEnvelope?: { readonly signatures: readonly { readonly sig: string }[] };
}

interface LogEntry {
  readonly logIndex?: string;
  readonly logId: { readonly keyId: string };
  readonly integratedTime?: string;
  readonly canonicalizedBody: string;
  readonly inclusionPromise?: { readonly signedEntryTimestamp: string };
  readonly inclusionProof?: {
    readonly logIndex?: string;
    readonly hashes?: readonly string[];
    readonly treeSize: string;
    readonly rootHash: string;
    readonly checkpoint?: { readonly envelope: string };
  };
}

const bytes = (text = ''): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

/** The trust root of Sigstore's public instance. */
async function publicRoot(): Promise<string> {
  const { default: seeds } = await import('@sigstore/tuf/seeds.json', { with: { type: 'json' } });
  const [repository] = Object.values(seeds as Record<string, { targets: Record<string, string> }>);
  return Buffer.from(repository?.targets['trusted_root.json'] ?? '', 'base64').toString();
}

async function faultsOf(bundle: Bundle, root: TrustedRoot): Promise<string[]> {
  const { tlogEntries = [], timestampVerificationData } = bundle.verificationMaterial;
  const faults: string[] = [];
  for (const entry of tlogEntries) {
    const log = root.logs.find(({ id }) => toBase64(id) === entry.logId.keyId);
    if (log === undefined) faults.push('log unknown');
    else if (entry.inclusionProof === undefined) faults.push('no proof');
    else faults.push((await verifyLogged(entryOf(entry, entry.inclusionProof), log)) ?? '');
  }
  const signature = bundle.messageSignature?.signature ?? bundle.dsseEnvelope?.signatures[0]?.sig;
  for (const { signedTimestamp } of timestampVerificationData?.rfc3161Timestamps ?? []) {
    const token = parseTimestamp(bytes(signedTimestamp));
    const verdict =
      token === undefined
        ? 'malformed'
        : await verifyTimestamp(token, bytes(signature), root.authorities);
    if (typeof verdict === 'string') faults.push(verdict);
  }
  return faults.filter((fault) => fault !== '');
}

function entryOf(entry: LogEntry, proof: NonNullable<LogEntry['inclusionProof']>): RekorEntry {
  const { inclusionPromise: promise } = entry;
  return {
    body: bytes(entry.canonicalizedBody),
    logId: bytes(entry.logId.keyId),
    index: Number(entry.logIndex ?? 0),
    integratedTime: Number(entry.integratedTime ?? 0),
    promise: promise === undefined ? null : bytes(promise.signedEntryTimestamp),
    proof: {
      index: Number(proof.logIndex ?? 0),
      hashes: (proof.hashes ?? []).map(bytes),
      checkpoint: proof.checkpoint?.envelope ?? '',
      size: Number(proof.treeSize),
      root: bytes(proof.rootHash),
    },
  };
}

async function verdictOf(name: string): Promise<string[]> {
  const file = (of: string): string => readFileSync(join(cases, name, of), 'utf8');
  const hasRoot = existsSync(join(cases, name, 'trusted_root.json'));
  const bundle = JSON.parse(file('bundle.sigstore.json')) as Bundle;
  try {
    const root = parseTrustedRoot(hasRoot ? file('trusted_root.json') : await publicRoot());
    return await faultsOf(bundle, root);
  } catch (error) {
    return [String((error as { code?: unknown }).code)];
  }
}

describe.skipIf(names.length === 0)('of the conformance suite of Sigstore', () => {
  // Those without a log's proof are from before there were any.
  const sound = names.filter((name) => !name.endsWith('_fail'));

  it.each(sound)('%s holds', async (name) => {
    expect(await verdictOf(name)).toEqual([]);
  });

  it.each(Object.entries(FAULTS).filter(([name]) => names.includes(name)))(
    '%s fails: %s',
    async (name, fault) => {
      expect(await verdictOf(name)).toContain(fault);
    },
  );

  it('a self-managed key is logged as we rebuild it', () => {
    const bundle = JSON.parse(
      readFileSync(join(cases, 'managed-key-happy-path/bundle.sigstore.json'), 'utf8'),
    ) as Bundle;
    const pem = readFileSync(join(cases, 'managed-key-happy-path/key.pub'));
    const spki = new Uint8Array(createPublicKey(pem).export({ type: 'spki', format: 'der' }));
    const { verificationMaterial, messageSignature } = bundle;
    const digest = bytes(messageSignature?.messageDigest.digest);
    const signature = bytes(messageSignature?.signature);
    const body = toBase64(rekorBodyV1({ digest, signature, spki }));
    expect(verificationMaterial.tlogEntries?.[0]?.canonicalizedBody).toBe(body);
    expect(verificationMaterial.publicKey?.hint).toBe(toBase64(keyHintOf(spki)));
  });
});

it('knows every fault that it looks for', () => {
  const known = [
    ...RECEIPT_FAULTS,
    'imprint',
    'authority',
    'certificate',
    'trust_invalid',
    'log unknown',
  ];
  expect(Object.values(FAULTS).filter((fault) => !known.includes(fault))).toEqual([]);
});
