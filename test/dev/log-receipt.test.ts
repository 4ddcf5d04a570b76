/** Receipts of the development log, by whoever may read them: our verifier, Sigstore's, and `openssl`. */
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DevLog } from '../../src/dev/log.ts';
import { LOG_FAULTS, type DevLogFault } from '../../src/dev/transparency/faults.ts';
import { verifyReceipt } from '../../src/evidence/receipt.ts';
import type { ReceiptClaim, ReceiptResult } from '../../src/evidence/receipt-claim.ts';
import { encodeRekorReceipt } from '../../src/evidence/rekor-receipt.ts';
import { parseTimestamp } from '../../src/evidence/timestamp-token.ts';
import { parseTrustedRoot } from '../../src/evidence/trusted-root.ts';
import {
  anchorKey,
  ledgerOf,
  noteOf,
  sha256,
  signP256,
  submissionOf,
  type KeyPair,
  type Submission,
} from '../evidence/receipt-world.ts';
import {
  askForTime,
  devLog,
  post,
  requestOf,
  textAt,
  timestampQuery,
  type LoggedEntry,
} from './log-world.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

interface Anchored {
  readonly submission: Submission;
  readonly claim: ReceiptClaim;
}

/** What an anchor does: sign the note, log the signature, let it be timed. */
async function anchor(log: DevLog, size: number, key: KeyPair = anchorKey): Promise<Anchored> {
  const note = await noteOf({ size });
  const submission = submissionOf(note, key);
  const { digest, signature, spki } = submission;
  const logged = await post(
    log.url,
    requestOf({
      message: note,
      digest: Buffer.from(digest),
      signature: Buffer.from(signature),
      spki: Buffer.from(spki),
    }),
  );
  if (logged.status !== 201) throw new Error(`the log answered ${logged.status}`);
  const entry = (await logged.json()) as LoggedEntry;
  const timed = await askForTime(log, timestampQuery(signature));
  if (timed.status !== 201) throw new Error(`the authority answered ${timed.status}`);
  const timestamp = parseTimestamp(new Uint8Array(await timed.arrayBuffer()));
  if (timestamp === undefined) throw new Error('the authority gave no timestamp');
  const { inclusionProof: proof } = entry;
  const receipt = encodeRekorReceipt({
    version: 2,
    digest,
    signature,
    keyHint: sha256(spki),
    timestamp,
    entry: {
      body: bytes(entry.canonicalizedBody),
      logId: bytes(entry.logId.keyId),
      index: Number(entry.logIndex),
      integratedTime: 0,
      promise: null,
      proof: {
        index: Number(proof.logIndex),
        hashes: proof.hashes.map(bytes),
        checkpoint: proof.checkpoint.envelope,
        size: Number(proof.treeSize),
        root: bytes(proof.rootHash),
      },
    },
  });
  const trust = { roots: [parseTrustedRoot(log.trustRoot)] };
  return { submission, claim: { type: 'rekor', note, receipt, ledger: ledgerOf(), trust } };
}

async function checked(log: DevLog): Promise<ReceiptResult> {
  const { claim } = await anchor(log, log.size + 7);
  return verifyReceipt(claim);
}

/** What Sigstore's own verifier says: nothing, or the code of its complaint. */
function sigstoreComplaint({ submission, claim }: Anchored, log: DevLog): string | undefined {
  const root = TrustedRoot.fromJSON(JSON.parse(log.trustRoot));
  const key = createPublicKey({
    key: Buffer.from(submission.spki),
    format: 'der',
    type: 'spki',
  });
  const trust = toTrustMaterial(root, () => ({
    publicKey: key,
    validFor: () => true,
  }));
  const verifier = new Verifier(trust, {
    ctlogThreshold: 0,
    tlogThreshold: 1,
    timestampThreshold: 1,
  });
  const bundle = bundleFromJSON(JSON.parse(claim.receipt));
  try {
    verifier.verify(toSignedEntity(bundle, Buffer.from(claim.note)));
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

describe('a receipt', () => {
  it('holds for our verifier, and says that it is one for development', async () => {
    const now = new Date('2026-11-24T10:00:00.600Z');
    const log = await devLog({ clock: () => now });
    await anchor(log, 3);
    const { claim } = await anchor(log, 5);
    const root = parseTrustedRoot(log.trustRoot);
    expect(root.development).toBe(true);
    expect(await verifyReceipt(claim)).toMatchObject({
      ok: true,
      type: 'rekor',
      size: 5,
      log: log.name,
      index: 1,
      at: new Date('2026-11-24T10:00:00Z'), // in whole seconds
      development: true,
      trust: root.digest,
    });
  });

  it('holds for @sigstore/verify', async () => {
    const log = await devLog();
    for (const size of [1, 2, 3, 4]) {
      expect(sigstoreComplaint(await anchor(log, size), log)).toBeUndefined();
    }
  });

  it('counts for nothing under another trust root', async () => {
    const [log, other] = [await devLog(), await devLog()];
    const { claim } = await anchor(log, 5);
    const trust = { roots: [parseTrustedRoot(other.trustRoot)] };
    expect(await verifyReceipt({ ...claim, trust })).toEqual({ ok: false, fault: 'log_unknown' });
  });
});

describe('under a fault', () => {
  it.each<[DevLogFault, string]>([
    ['bad-root', 'inclusion_invalid'],
    ['bad-proof', 'inclusion_invalid'],
    ['bad-signature', 'log_checkpoint_invalid'],
    ['wrong-key', 'log_unknown'],
    ['recovered-key', 'key_mismatch'],
    ['stale', 'inclusion_invalid'],
    ['timestamp-wrong-imprint', 'timestamp_mismatch'],
    ['timestamp-bad-signature', 'timestamp_invalid'],
    ['timestamp-wrong-key', 'timestamp_invalid'],
  ])('%s our verifier says %s', async (fault, complaint) => {
    const log = await devLog();
    expect(await checked(log)).toMatchObject({ ok: true });
    log.fault(fault);
    expect(await checked(log)).toEqual({ ok: false, fault: complaint });
    log.fault(undefined);
    expect(await checked(log)).toMatchObject({ ok: true });
  });

  it.each<[DevLogFault, string]>([
    ['bad-root', 'TLOG_INCLUSION_PROOF_ERROR'],
    ['bad-proof', 'TLOG_INCLUSION_PROOF_ERROR'],
    ['bad-signature', 'TLOG_INCLUSION_PROOF_ERROR'],
    ['wrong-key', 'TLOG_INCLUSION_PROOF_ERROR'],
    ['stale', 'TLOG_INCLUSION_PROOF_ERROR'],
    ['timestamp-wrong-imprint', 'TIMESTAMP_ERROR'],
    ['timestamp-bad-signature', 'TIMESTAMP_ERROR'],
    ['timestamp-wrong-key', 'TIMESTAMP_ERROR'],
  ])('%s Sigstore says %s', async (fault, complaint) => {
    const log = await devLog({ fault });
    expect(sigstoreComplaint(await anchor(log, 5), log)).toBe(complaint);
  });

  it('recovered-key Sigstore says nothing: it compares digest and signature, and not the key', async () => {
    const log = await devLog({ fault: 'recovered-key' });
    expect(sigstoreComplaint(await anchor(log, 5), log)).toBeUndefined();
  });

  it('fork each receipt holds by itself, and the two histories do not', async () => {
    const log = await devLog();
    await anchor(log, 3);
    const honest = await anchor(log, 5);
    log.fault('fork');
    const forked = await anchor(log, 5, anchorKey);
    expect(await verifyReceipt(honest.claim)).toMatchObject({ ok: true, index: 1 });
    // The same place, with another entry in it.
    expect(await verifyReceipt(forked.claim)).toMatchObject({ ok: true, index: 1 });
    expect(await textAt(`${log.url}/checkpoint`)).toMatch(/\n2\n/);
    const shown = await textAt(`${log.url}/tile/entries/000.p/2`);
    expect(shown).toContain(Buffer.from(forked.submission.signature).toString('base64'));
    expect(shown).not.toContain(Buffer.from(honest.submission.signature).toString('base64'));
    log.fault(undefined);
    expect(log.size).toBe(2);
    expect(await textAt(`${log.url}/checkpoint`)).toBe(log.checkpoint);
    expect(await checked(log)).toMatchObject({ ok: true, index: 2 });
  });

  it('fork a log without entries shows a history that it will never have', async () => {
    const log = await devLog({ fault: 'fork' });
    expect(await checked(log)).toMatchObject({ ok: true, index: 1 });
    log.fault(undefined);
    expect(await checked(log)).toMatchObject({ ok: true, index: 0 });
  });

  it('stale the log reads as it was', async () => {
    const log = await devLog();
    await anchor(log, 3);
    log.fault('stale');
    await anchor(log, 4);
    expect(log.size).toBe(2);
    expect(await textAt(`${log.url}/checkpoint`)).toMatch(/\n1\n/);
    expect((await fetch(`${log.url}/tile/0/000.p/2`)).status).toBe(404);
  });
});

describe('an exchange under a fault of the connection', () => {
  const signedNote = async (): Promise<Parameters<typeof requestOf>[0]> => {
    const note = await noteOf();
    const [digest, signature] = [sha256(note), signP256(anchorKey.privateKey, note)];
    return {
      message: note,
      digest: Buffer.from(digest),
      signature: Buffer.from(signature),
      spki: Buffer.from(anchorKey.spki),
    };
  };

  it.each<[DevLogFault, number, number]>([
    ['server-error', 500, 0],
    ['full', 503, 0],
    ['frozen', 405, 0],
    ['duplicate', 409, 1],
  ])('%s is answered with %i, and leaves %i entries', async (fault, status, size) => {
    const log = await devLog({ fault });
    const response = await post(log.url, requestOf(await signedNote()));
    expect(response.status).toBe(status);
    expect(log.size).toBe(size);
    expect((await fetch(`${log.url}/checkpoint`)).status).toBe(200);
  });

  it.each<[DevLogFault, number]>([
    ['drop-before', 0],
    ['drop-after', 1],
  ])('%s breaks off, and leaves %i entries', async (fault, size) => {
    const log = await devLog({ fault });
    await expect(post(log.url, requestOf(await signedNote()))).rejects.toThrow('fetch failed');
    expect(log.size).toBe(size);
  });

  it('slow never ends, and has logged', async () => {
    const log = await devLog({ fault: 'slow' });
    const patience = new AbortController();
    const waiting = post(log.url, requestOf(await signedNote()), patience.signal);
    const deadline = Date.now() + 20_000;
    while (log.size === 0 && Date.now() < deadline) await textAt(`${log.url}/checkpoint`);
    patience.abort();
    await expect(waiting).rejects.toThrow('aborted');
    expect(log.size).toBe(1);
  });

  it('redirect leads to the answer, for who follows', async () => {
    const log = await devLog({ fault: 'redirect' });
    const body = JSON.stringify(requestOf(await signedNote()));
    await expect(post(log.url, body)).rejects.toThrow('fetch failed');
    expect(log.size).toBe(0);
    const url = `${log.url}/api/v2/log/entries`;
    expect((await fetch(url, { method: 'POST', body })).status).toBe(201);
  });

  it('huge is the right answer, and more than anyone should read', async () => {
    const log = await devLog({ fault: 'huge' });
    const text = await (await post(log.url, requestOf(await signedNote()))).text();
    expect(text.length).toBeGreaterThan(4 * 1024 * 1024);
    expect(JSON.parse(text)).toMatchObject({ logIndex: '0' });
  });

  it('is tried for every fault of the log', () => {
    const files = ['log-receipt', 'log-timestamp'].map(
      (name) => `${import.meta.dirname}/${name}.test.ts`,
    );
    const source = files.map((file) => readFileSync(file, 'utf8')).join('\n');
    expect(LOG_FAULTS.filter((fault) => !source.includes(`'${fault}'`))).toEqual([]);
  });
});
