/** Our own anchors at the development log, authority and witness, under every fault that these know. */
import { describe, expect, it } from 'vitest';
import { rekor } from '../../src/anchor/rekor.ts';
import { timestamp } from '../../src/anchor/timestamp.ts';
import { witness as witnessAnchor } from '../../src/anchor/witness.ts';
import type { DevLog } from '../../src/dev/log.ts';
import {
  LOG_FAULTS,
  WITNESS_FAULTS,
  type DevLogFault,
  type DevWitnessFault,
} from '../../src/dev/transparency/faults.ts';
import { isCrumbError } from '../../src/errors.ts';
import { checkpointText } from '../../src/evidence/checkpoint.ts';
import { leafHash, rootHash } from '../../src/evidence/merkle.ts';
import { signNote } from '../../src/evidence/note.ts';
import { consistencyProof, leavesReader } from '../../src/evidence/proof.ts';
import type { Anchor, AnchorRequest } from '../../src/ledger/anchor.ts';
import { anchorKey, ledgerSigner, ORIGIN, VKEY } from '../evidence/receipt-world.ts';
import { devLog, devWitness } from './log-world.ts';

/** A checkpoint of a ledger that grows. */
async function requestAt(size: number, signal?: AbortSignal): Promise<AnchorRequest> {
  const leaves = Array.from({ length: size }, (_, n) => leafHash(Buffer.from(`crumb ${n}`)));
  const text = checkpointText({ origin: ORIGIN, size, root: rootHash(leaves) });
  return {
    note: await signNote(text, ORIGIN, ledgerSigner),
    origin: ORIGIN,
    vkey: VKEY,
    size,
    published: async () => size,
    proofFrom: async (oldSize) =>
      consistencyProof({ oldSize, newSize: size }, leavesReader(leaves)),
    signal,
  };
}

/** What comes of anchoring: `ok`, the fault of the receipt, or the code of the error. */
async function outcomeOf(anchor: Anchor, size: number): Promise<string> {
  // Long enough for an answer; those that never come are given up.
  const request = await requestAt(size, AbortSignal.timeout(4000));
  try {
    const verdict = await anchor.verify(request, await anchor.submit(request));
    return verdict.ok ? 'ok' : verdict.fault;
  } catch (error) {
    if (isCrumbError(error)) return error.code;
    throw error;
  }
}

function anchorsAt(log: DevLog): { readonly rekor: Anchor; readonly timestamp: Anchor } {
  const { url, timestampUrl, trustRoot: trust } = log;
  return {
    rekor: rekor({
      trust,
      version: 2,
      url,
      timestamp: { url: timestampUrl },
      key: anchorKey.privateKey,
    }),
    timestamp: timestamp({ trust, url: timestampUrl }),
  };
}

describe('the Rekor anchor', () => {
  const outcomes: Readonly<Record<DevLogFault, string>> = {
    'drop-before': 'anchor_unreachable',
    'drop-after': 'anchor_unreachable',
    'server-error': 'anchor_unreachable',
    slow: 'anchor_unreachable',
    huge: 'anchor_unreachable',
    redirect: 'anchor_unreachable',
    full: 'anchor_unreachable',
    frozen: 'anchor_frozen',
    duplicate: 'anchor_refused',
    'bad-root': 'inclusion_invalid',
    'bad-proof': 'inclusion_invalid',
    'bad-signature': 'log_checkpoint_invalid',
    'wrong-key': 'log_unknown',
    'recovered-key': 'key_mismatch',
    stale: 'inclusion_invalid',
    fork: 'ok', // by itself: only a witness or a comparison of two finds it
    'timestamp-server-error': 'anchor_unreachable',
    'timestamp-refused': 'anchor_refused',
    'timestamp-wrong-imprint': 'timestamp_mismatch',
    'timestamp-wrong-nonce': 'ok', // it sends none: an older answer would be as true
    'timestamp-bad-signature': 'timestamp_invalid',
    'timestamp-wrong-key': 'timestamp_invalid',
  };

  it('has a receipt from the development log that it takes, and knows as one for development', async () => {
    const { rekor: anchor } = anchorsAt(await devLog());
    for (const size of [1, 2, 5]) {
      const request = await requestAt(size);
      const verdict = await anchor.verify(request, await anchor.submit(request));
      expect(verdict).toMatchObject({ ok: true, size, development: true });
    }
  });

  it.each(LOG_FAULTS)(
    'under %s believes nothing false, and is well again afterwards',
    async (fault) => {
      const log = await devLog();
      const { rekor: anchor } = anchorsAt(log);
      expect(await outcomeOf(anchor, 3)).toBe('ok');
      log.fault(fault);
      expect(await outcomeOf(anchor, 4)).toBe(outcomes[fault]);
      log.fault(undefined);
      expect(await outcomeOf(anchor, 4)).toBe('ok');
    },
  );
});

describe('the timestamp anchor', () => {
  it('has a token that it takes', async () => {
    const now = new Date('2026-11-24T10:00:00Z');
    const { timestamp: anchor } = anchorsAt(await devLog({ clock: () => now }));
    const request = await requestAt(3);
    const verdict = await anchor.verify(request, await anchor.submit(request));
    expect(verdict).toMatchObject({ ok: true, size: 3, at: now, development: true });
  });
});

describe('the witness anchor', () => {
  const outcomes: Readonly<Record<DevWitnessFault, string>> = {
    'drop-before': 'anchor_unreachable',
    'drop-after': 'anchor_unreachable',
    'server-error': 'anchor_unreachable',
    slow: 'anchor_unreachable',
    huge: 'anchor_unreachable',
    redirect: 'anchor_unreachable',
    'bad-signature': 'anchor_receipt_invalid',
    'wrong-key': 'anchor_receipt_invalid',
    ahead: 'ledger_forked',
    conflict: 'anchor_unreachable',
  };

  it.each(WITNESS_FAULTS)(
    'under %s believes nothing false, and is well again afterwards',
    async (fault) => {
      const witness = await devWitness({ logs: [VKEY] });
      const anchor = witnessAnchor({ policy: witness.policy });
      expect(await outcomeOf(anchor, 3)).toBe('ok');
      witness.fault(fault);
      expect(await outcomeOf(anchor, 4)).toBe(outcomes[fault]);
      witness.fault(undefined);
      expect(await outcomeOf(anchor, 7)).toBe('ok');
    },
  );

  it('takes two of three, one of which is wrong', async () => {
    const all = await Promise.all([1, 2, 3].map(async () => devWitness({ logs: [VKEY] })));
    const witnesses = all.map(({ vkey, url }) => ({ vkey, url }));
    const anchor = witnessAnchor({ policy: { quorum: 2, witnesses } });
    all[1]?.fault('bad-signature');
    expect(await outcomeOf(anchor, 3)).toBe('ok');
    all[2]?.fault('server-error');
    expect(await outcomeOf(anchor, 4)).not.toBe('ok');
  });
});
