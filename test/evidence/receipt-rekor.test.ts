import { createHash, createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type {
  ReceiptClaim,
  ReceiptFault,
  ReceiptResult,
} from '../../src/evidence/receipt-claim.ts';
import { verifyReceipt } from '../../src/evidence/receipt.ts';
import { encodeRekorReceipt, type RekorReceipt } from '../../src/evidence/rekor-receipt.ts';
import { ed25519Signer } from '../../src/evidence/ed25519.ts';
import {
  anchorKey,
  honestV1,
  honestV2,
  ledgerOf,
  mockAuthority,
  mockLog,
  noteOf,
  p256Pair,
  receiptOf,
  recoveredKey,
  root,
  sha256,
  smallLog,
  smallLogEntry,
  submissionOf,
  trustText,
} from './receipt-world.ts';

const worlds = { v1: await honestV1(), v2: await honestV2() };
const later = await worlds.v2.authority.stamp('something else');

async function faultOf(claim: ReceiptClaim): Promise<ReceiptFault | 'accepted'> {
  const result = await verifyReceipt(claim);
  return result.ok ? 'accepted' : result.fault;
}

/** The claim with its receipt changed. */
function spoilt(
  version: 'v1' | 'v2',
  change: (receipt: RekorReceipt) => Partial<RekorReceipt>,
): ReceiptClaim {
  const { claim, receipt } = worlds[version];
  return { ...claim, receipt: encodeRekorReceipt({ ...receipt, ...change(receipt) }) };
}

function flipped(bytes: Uint8Array, at = bytes.length - 1): Uint8Array {
  return bytes.map((byte, n) => (n === at ? byte ^ 1 : byte));
}

describe('an honest receipt', () => {
  it('of a Rekor v1 log holds, at the time that the log promises', async () => {
    const { claim, receipt, log } = worlds.v1;
    const result: ReceiptResult = await verifyReceipt(claim);
    expect(result).toMatchObject({
      ok: true,
      type: 'rekor',
      size: 5,
      log: 'rekor.sigstore.dev',
      index: receipt.entry.index,
      at: new Date(receipt.entry.integratedTime * 1000),
      development: false,
      quorum: false,
      cosigners: [],
      trust: createHash('sha256')
        .update(trustText({ logs: [log.trusted] }))
        .digest('base64url'),
    });
  });

  it('of a Rekor v2 log holds, at the time of its timestamp', async () => {
    const { claim, receipt } = worlds.v2;
    expect(await verifyReceipt(claim)).toMatchObject({
      ok: true,
      log: 'log2026-1.rekor.test',
      index: 4,
      at: receipt.timestamp?.time,
    });
  });

  it('says that it rests on a development log or authority', async () => {
    const { claim, log, authority } = worlds.v2;
    const real = { logs: [log.trusted] };
    const made = { authorities: [authority.trusted] };
    for (const roots of [
      [root({ ...real, development: true }), root(made)],
      [root(real), root({ ...made, development: true })],
      [root({ ...real, ...made, development: true })],
    ]) {
      expect(await verifyReceipt({ ...claim, trust: { roots } })).toMatchObject({
        ok: true,
        development: true,
      });
    }
    const roots = [root({ ...real, development: false }), root(made)];
    expect(await verifyReceipt({ ...claim, trust: { roots } })).toMatchObject({
      development: false,
    });
  });

  it('holds wherever its log stands among others', async () => {
    const { claim, log } = worlds.v1;
    const other = await mockLog({ url: 'https://other.rekor.test' });
    const roots = [
      root({ logs: [smallLog().trusted] }),
      root({ logs: [other.trusted, log.trusted] }),
    ];
    expect(await faultOf({ ...claim, trust: { roots } })).toBe('accepted');
  });

  it('holds at every place of a tree, also beside entries that came later', async () => {
    const { authority } = worlds.v2;
    for (let before = 0; before < 9; before++) {
      const log = smallLog({ before });
      const submission = submissionOf(await noteOf());
      await log.add(submission);
      log.bodies.push(Buffer.from('later'), Buffer.from('still later'));
      const { id } = log.trusted;
      const entry = smallLogEntry(
        { name: 'log2026-1.rekor.test', key: log.key, id, bodies: log.bodies },
        before,
      );
      const receipt = receiptOf(submission, entry, await authority.stamp(submission.signature));
      const roots = [root({ logs: [log.trusted], authorities: [authority.trusted] })];
      const claim = { ...worlds.v2.claim, receipt: encodeRekorReceipt(receipt), trust: { roots } };
      expect(await faultOf(claim)).toBe('accepted');
    }
  });
});

describe('the logged key', () => {
  it('must be the anchor key, though another can be computed that the signature fits too', async () => {
    const note = await noteOf();
    const honest = submissionOf(note);
    const [forged] = recoveredKey(honest.signature, note);
    if (forged === undefined) throw new Error('no second key');
    const key = createPublicKey({ key: Buffer.from(forged), format: 'der', type: 'spki' });
    expect(verify('sha256', Buffer.from(note), key, honest.signature)).toBe(true);

    for (const version of ['v1', 'v2'] as const) {
      const { claim, log } = worlds[version];
      const entry = await log.add({ ...honest, spki: forged });
      const response =
        version === 'v2' ? await worlds.v2.authority.stamp(honest.signature) : undefined;
      const receipt = receiptOf(honest, entry, response);
      expect(await faultOf({ ...claim, receipt: encodeRekorReceipt(receipt) })).toBe(
        'key_mismatch',
      );
      // The same, naming the forged key openly.
      const open = receiptOf({ ...honest, spki: forged }, entry, response);
      expect(await faultOf({ ...claim, receipt: encodeRekorReceipt(open) })).toBe('key_mismatch');
    }
  });

  it('must be the anchor key, not just any', async () => {
    const submission = submissionOf(await noteOf(), p256Pair());
    for (const version of ['v1', 'v2'] as const) {
      const entry = await worlds[version].log.add(submission);
      const response =
        version === 'v2' ? await worlds.v2.authority.stamp(submission.signature) : undefined;
      const receipt = encodeRekorReceipt(receiptOf(submission, entry, response));
      expect(await faultOf({ ...worlds[version].claim, receipt })).toBe('key_mismatch');
    }
  });

  it('must be in force at the size', async () => {
    const { claim } = worlds.v1;
    const key = { spki: anchorKey.spki, from: 0, to: null, revokedSince: null };
    const of = (over: Partial<typeof key> | { to: number }): ReceiptClaim => ({
      ...claim,
      ledger: ledgerOf([], { anchorKeys: [{ ...key, ...over }] }),
    });
    expect(await faultOf(of({ from: 5 }))).toBe('accepted');
    expect(await faultOf(of({ from: 6 }))).toBe('key_not_in_force');
    expect(await faultOf(of({ to: 6 }))).toBe('accepted');
    expect(await faultOf(of({ to: 5 }))).toBe('key_not_in_force');
  });

  it('must not have been revoked by then', async () => {
    const { claim, receipt } = worlds.v1;
    const at = receipt.entry.integratedTime * 1000;
    const of = (revokedSince: Date): ReceiptClaim => ({
      ...claim,
      ledger: ledgerOf([], {
        anchorKeys: [{ spki: anchorKey.spki, from: 0, to: null, revokedSince }],
      }),
    });
    expect(await faultOf(of(new Date(at + 1)))).toBe('accepted');
    expect(await faultOf(of(new Date(at)))).toBe('key_revoked');
  });

  it('may be any that is in force after a rotation', async () => {
    const { claim } = worlds.v1;
    expect(await faultOf({ ...claim, ledger: ledgerOf([p256Pair(), anchorKey]) })).toBe('accepted');
    expect(await faultOf({ ...claim, ledger: ledgerOf([]) })).toBe('key_mismatch');
  });
});

describe('the note', () => {
  it.each(['v1', 'v2'] as const)('must be the one that was logged (%s)', async (version) => {
    const { claim } = worlds[version];
    const other = await noteOf({ size: 6 });
    expect(await faultOf({ ...claim, note: other })).toBe('note_mismatch');
    // Its digest swapped in, the logged one left.
    const swapped = spoilt(version, () => ({ digest: sha256(other) }));
    expect(await faultOf({ ...swapped, note: other })).toBe('note_mismatch');
  });

  it.each([
    ['of another origin', async () => noteOf({ origin: 'evil.example/crumb' })],
    ['of another key', async () => noteOf({}, ed25519Signer(new Uint8Array(32).fill(2)))],
    ['with a line more', async () => `${await noteOf()}— other.example AAAAAAAAAAA=\n`],
    ['without a line', async () => (await noteOf()).replace(/—.*\n/u, '')],
    ['with an extension line', async () => (await noteOf()).replace('\n\n', '\nmore\n\n')],
    ['that is none', async () => 'nothing'],
  ])('counts for nothing %s', async (_what, make) => {
    const note = await make();
    const submission = submissionOf(note);
    const receipt = receiptOf(submission, await worlds.v1.log.add(submission));
    const claim = { ...worlds.v1.claim, note, receipt: encodeRekorReceipt(receipt) };
    expect(await faultOf(claim)).toBe('note_invalid');
  });

  it('of the ledger counts, but not under the origin of another one', async () => {
    const ledger = ledgerOf([anchorKey], { origin: 'other.example/crumb' });
    expect(await faultOf({ ...worlds.v1.claim, ledger })).toBe('note_invalid');
  });
});

describe('the log', () => {
  it('must be pinned', async () => {
    for (const version of ['v1', 'v2'] as const) {
      const { claim } = worlds[version];
      expect(await faultOf({ ...claim, trust: {} })).toBe('log_unknown');
      const other = version === 'v1' ? await mockLog() : smallLog();
      const roots = [root({ logs: [other.trusted] })];
      expect(await faultOf({ ...claim, trust: { roots } })).toBe('log_unknown');
    }
  });

  it('must be the one that signed, not one that it names', async () => {
    // A log of the operator's own, whose entries say that they are of the pinned log.
    for (const version of ['v1', 'v2'] as const) {
      const { claim, log } = worlds[version];
      const own = version === 'v1' ? await mockLog() : smallLog();
      const submission = submissionOf(await noteOf());
      const entry = { ...(await own.add(submission)), logId: log.trusted.id };
      const response =
        version === 'v2' ? await worlds.v2.authority.stamp(submission.signature) : undefined;
      const receipt = encodeRekorReceipt(receiptOf(submission, entry, response));
      expect(await faultOf({ ...claim, receipt })).toBe(
        version === 'v1' ? 'promise_invalid' : 'log_checkpoint_invalid',
      );
    }
  });

  it('must have been in use', async () => {
    const { claim, log, receipt } = worlds.v1;
    const at = receipt.entry.integratedTime * 1000;
    const during = (start: number, end: number): ReceiptClaim => {
      const validFor = { start: new Date(start).toISOString(), end: new Date(end).toISOString() };
      return { ...claim, trust: { roots: [root({ logs: [{ ...log.trusted, validFor }] })] } };
    };
    expect(await faultOf(during(at, at))).toBe('accepted');
    expect(await faultOf(during(at + 1, at + 2))).toBe('outside_validity');
    expect(await faultOf(during(at - 2, at - 1))).toBe('outside_validity');
  });

  it('signs its checkpoint under its own name', async () => {
    const { claim, log, receipt } = worlds.v2;
    const { bodies, key } = log;
    const other = smallLogEntry({ name: 'elsewhere.test', key, id: log.trusted.id, bodies }, 4);
    const entry = { ...receipt.entry, proof: other.proof };
    const renamed = encodeRekorReceipt({ ...receipt, entry });
    expect(await faultOf({ ...claim, receipt: renamed })).toBe('log_checkpoint_invalid');
  });

  it('may have several trees, but no other name in the first line', async () => {
    const { receipt, claim } = worlds.v1;
    const { proof } = receipt.entry;
    expect(proof.checkpoint).toMatch(/^rekor\.sigstore\.dev - \d+\n/);
    for (const line of ['rekor.sigstore.dev.evil - 1', 'evil', 'rekor.sigstore.dev -1']) {
      const checkpoint = proof.checkpoint.replace(/^.*\n/, `${line}\n`);
      const entry = { ...receipt.entry, proof: { ...proof, checkpoint } };
      const changed = encodeRekorReceipt({ ...receipt, entry });
      expect(await faultOf({ ...claim, receipt: changed })).toBe('log_checkpoint_invalid');
    }
  });
});

describe('each part of a receipt is checked', () => {
  it.each<[string, 'v1' | 'v2', ReceiptFault, (receipt: RekorReceipt) => Partial<RekorReceipt>]>([
    ['signature', 'v1', 'body_mismatch', ({ signature }) => ({ signature: flipped(signature) })],
    ['signature', 'v2', 'body_mismatch', ({ signature }) => ({ signature: flipped(signature) })],
    ['key hint', 'v1', 'key_mismatch', ({ keyHint }) => ({ keyHint: flipped(keyHint) })],
    [
      'promise',
      'v1',
      'promise_invalid',
      ({ entry }) => ({ entry: { ...entry, promise: flipped(entry.promise ?? entry.body) } }),
    ],
    [
      'index',
      'v1',
      'promise_invalid',
      ({ entry }) => ({ entry: { ...entry, index: entry.index + 1 } }),
    ],
    [
      'index',
      'v2',
      'inclusion_invalid',
      ({ entry }) => ({ entry: { ...entry, index: entry.index + 1 } }),
    ],
    [
      'time, backdated',
      'v1',
      'promise_invalid',
      ({ entry }) => ({ entry: { ...entry, integratedTime: entry.integratedTime - 86_400 } }),
    ],
    [
      'log',
      'v1',
      'log_unknown',
      ({ entry }) => ({ entry: { ...entry, logId: flipped(entry.logId) } }),
    ],
    [
      'body',
      'v1',
      'body_mismatch',
      ({ entry }) => ({ entry: { ...entry, body: Buffer.concat([entry.body, Buffer.from(' ')]) } }),
    ],
    [
      'body',
      'v2',
      'body_mismatch',
      ({ entry }) => ({ entry: { ...entry, body: Buffer.from('{}') } }),
    ],
    [
      'place in the tree',
      'v2',
      'inclusion_invalid',
      ({ entry }) => ({ entry: { ...entry, index: 3, proof: { ...entry.proof, index: 3 } } }),
    ],
    [
      'proof, a bit',
      'v2',
      'inclusion_invalid',
      ({ entry }) => ({
        entry: {
          ...entry,
          proof: { ...entry.proof, hashes: entry.proof.hashes.map((hash) => flipped(hash)) },
        },
      }),
    ],
    [
      'proof, a hash less',
      'v2',
      'inclusion_invalid',
      ({ entry }) => ({
        entry: { ...entry, proof: { ...entry.proof, hashes: entry.proof.hashes.slice(1) } },
      }),
    ],
    [
      'proof, a hash more',
      'v1',
      'inclusion_invalid',
      ({ entry }) => ({ entry: { ...entry, proof: { ...entry.proof, hashes: [sha256('x')] } } }),
    ],
    [
      'size beside the checkpoint',
      'v2',
      'inclusion_invalid',
      ({ entry }) => ({ entry: { ...entry, proof: { ...entry.proof, size: 6 } } }),
    ],
    [
      'root beside the checkpoint',
      'v1',
      'inclusion_invalid',
      ({ entry }) => ({ entry: { ...entry, proof: { ...entry.proof, root: sha256('x') } } }),
    ],
    [
      'checkpoint',
      'v2',
      'log_checkpoint_invalid',
      ({ entry }) => ({
        entry: {
          ...entry,
          proof: { ...entry.proof, checkpoint: entry.proof.checkpoint.replace('\n5\n', '\n6\n') },
        },
      }),
    ],
    [
      'checkpoint',
      'v1',
      'log_checkpoint_invalid',
      ({ entry }) => ({ entry: { ...entry, proof: { ...entry.proof, checkpoint: 'nothing' } } }),
    ],
    [
      'timestamp, of something else',
      'v2',
      'timestamp_mismatch',
      (receipt) => ({ timestamp: receiptOf(submissionOf(''), receipt.entry, later).timestamp }),
    ],
    ['timestamp, missing', 'v2', 'malformed', () => ({ timestamp: null })],
  ])('%s (%s): %s', async (_part, version, fault, change) => {
    expect(await faultOf(spoilt(version, change))).toBe(fault);
  });

  it('and a timestamp of an authority that is not pinned counts for nothing', async () => {
    const stranger = await mockAuthority();
    const { claim, receipt } = worlds.v2;
    const response = await stranger.stamp(receipt.signature);
    const { timestamp } = receiptOf(submissionOf(''), receipt.entry, response);
    // The same names, serial numbers and usages: only the key is another.
    const changed = encodeRekorReceipt({ ...receipt, timestamp });
    expect(await faultOf({ ...claim, receipt: changed })).toBe('certificate_invalid');
    const roots = [root({ logs: [worlds.v2.log.trusted] })];
    expect(await faultOf({ ...claim, trust: { roots } })).toBe('authority_unknown');
  });

  it('and a signature that is not over this note, though it is logged, counts for nothing', async () => {
    const note = await noteOf();
    const submission = { ...submissionOf(note), signature: submissionOf('other').signature };
    const receipt = receiptOf(submission, await worlds.v1.log.add(submission));
    expect(await faultOf({ ...worlds.v1.claim, receipt: encodeRekorReceipt(receipt) })).toBe(
      'signature_invalid',
    );
  });
});
