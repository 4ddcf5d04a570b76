import { describe, expect, it, vi } from 'vitest';
import type { ReceiptClaim, ReceiptFault } from '../../src/evidence/receipt-claim.ts';
import { verifyReceipt } from '../../src/evidence/receipt.ts';
import { anchorKey, honestV1, honestV2, ledgerOf } from './receipt-world.ts';

const worlds = { v1: await honestV1(), v2: await honestV2() };

async function faultOf(claim: ReceiptClaim): Promise<ReceiptFault | 'accepted'> {
  const result = await verifyReceipt(claim);
  return result.ok ? 'accepted' : result.fault;
}

describe('the form of a receipt', () => {
  const { claim } = worlds.v1;
  const object = JSON.parse(claim.receipt) as Record<string, unknown>;

  it.each([
    ['nothing', ''],
    ['no JSON', 'receipt'],
    ['white space', `${claim.receipt}\n`],
    [
      'another order of members',
      JSON.stringify(Object.fromEntries(Object.entries(object).toReversed())),
    ],
    ['a member more', JSON.stringify({ ...object, more: 1 })],
    ['a member less', claim.receipt.replace(/"mediaType":"[^"]*",/, '')],
    ['another version of bundle', claim.receipt.replace('v0.3', 'v0.2')],
    ['a number spelt otherwise', claim.receipt.replace(/"logIndex":"0"/, '"logIndex":"00"')],
    ['no entry', claim.receipt.replace(/"tlogEntries":\[.*\]/, '"tlogEntries":[]')],
    ['a lone surrogate', claim.receipt.replace('rekor.sigstore.dev', '\\ud800')],
    ['more than 64 KiB', JSON.stringify({ ...object, more: 'x'.repeat(70_000) })],
  ])('is one only: %s is refused', async (_what, receipt) => {
    expect(receipt).not.toBe(claim.receipt);
    expect(await faultOf({ ...claim, receipt })).toBe('malformed');
  });

  it('leaves no byte that can be changed unseen, but in what a timestamp does not sign', async () => {
    for (const version of ['v1', 'v2'] as const) {
      const { claim: honest } = worlds[version];
      const token = honest.receipt.indexOf('"signedTimestamp"');
      for (let at = 0; at < honest.receipt.length; at += 7) {
        if (token >= 0 && at > token && at < honest.receipt.indexOf('}', token)) continue;
        const changed = String.fromCharCode(honest.receipt.charCodeAt(at) ^ 1);
        const receipt = honest.receipt.slice(0, at) + changed + honest.receipt.slice(at + 1);
        const result = await verifyReceipt({ ...honest, receipt });
        expect(result.ok, `${version}, byte ${at}: ${honest.receipt.slice(at - 20, at + 20)}`).toBe(
          false,
        );
      }
    }
  }, 60_000);
});

describe('a platform without Web Crypto', () => {
  it('is said, and not taken for a bad receipt', async () => {
    const original = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
    Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
    vi.resetModules(); // keys that were imported before would still be there
    try {
      const fresh = await import('../../src/evidence/receipt.ts');
      expect(await fresh.verifyReceipt(worlds.v1.claim)).toEqual({
        ok: false,
        fault: 'unsupported',
      });
    } finally {
      if (original !== undefined) Object.defineProperty(globalThis, 'crypto', original);
    }
  });
});

it('needs keys of the ledger that are keys', async () => {
  const ledger = ledgerOf([anchorKey], { vkeys: ['nothing'] });
  await expect(verifyReceipt({ ...worlds.v1.claim, ledger })).rejects.toThrow(
    expect.objectContaining({ code: 'key_invalid' }),
  );
});
