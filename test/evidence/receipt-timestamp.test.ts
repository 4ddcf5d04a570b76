import { afterAll, describe, expect, it } from 'vitest';
import type { ReceiptClaim, ReceiptFault } from '../../src/evidence/receipt-claim.ts';
import { verifyReceipt } from '../../src/evidence/receipt.ts';
import { parseTimestamp, timestampResponse } from '../../src/evidence/timestamp-token.ts';
import { EC384, opensslTsa, RSA, type OpensslTsa, type OpensslTsaOptions } from './openssl-tsa.ts';
import {
  b64,
  ledgerOf,
  mockAuthority,
  noteOf,
  root,
  type TestAuthority,
  type TrustedAuthorityText,
} from './receipt-world.ts';

type Stamper = Pick<TestAuthority, 'trusted' | 'stamp'>;

const note = await noteOf();
const opened: OpensslTsa[] = [];
afterAll(() => {
  for (const tsa of opened) tsa.close();
});

function openssl(options: OpensslTsaOptions = {}): OpensslTsa {
  const tsa = opensslTsa(options);
  opened.push(tsa);
  return tsa;
}

function tokenOf(response: Uint8Array): Uint8Array {
  const token = parseTimestamp(response);
  if (token === undefined) throw new Error('that is no timestamp');
  return token.bytes;
}

function claimOf(
  response: Uint8Array,
  authorities: readonly TrustedAuthorityText[],
  over: Partial<ReceiptClaim> = {},
): ReceiptClaim {
  return {
    type: 'timestamp',
    note,
    receipt: b64(tokenOf(response)),
    ledger: ledgerOf(),
    trust: { roots: [root({ authorities })] },
    ...over,
  };
}

async function faultOf(claim: ReceiptClaim): Promise<ReceiptFault | 'accepted'> {
  const result = await verifyReceipt(claim);
  return result.ok ? 'accepted' : result.fault;
}

const shared = openssl();
const stamped = await shared.stamp(note);

describe('a timestamp over a checkpoint', () => {
  it.each<[string, () => Stamper | Promise<Stamper>]>([
    ['@sigstore/mock', mockAuthority],
    ['openssl, P-256', openssl],
    ['openssl, P-384', () => openssl({ key: EC384, digest: 'sha384' })],
    ['openssl, RSA', () => openssl({ key: RSA })],
    ['openssl, RSA and SHA-512', () => openssl({ key: RSA, digest: 'sha512' })],
    ['openssl, certificate named by SHA-1', () => openssl({ certificateDigest: 'sha1' })],
    ['openssl, certificate named by SHA-512', () => openssl({ certificateDigest: 'sha512' })],
  ])('holds if its authority is pinned: %s', async (_what, make) => {
    const authority = await make();
    const before = Date.now() - 2000;
    const result = await verifyReceipt(claimOf(await authority.stamp(note), [authority.trusted]));
    expect(result).toMatchObject({
      ok: true,
      type: 'timestamp',
      size: 5,
      log: authority.trusted.uri,
      index: null,
      development: false,
    });
    const at = result.ok ? result.at.getTime() : 0;
    expect(at).toBeGreaterThan(before);
    expect(at).toBeLessThanOrEqual(Date.now() + 1000);
  });

  it('holds whichever of several pinned authorities gave it', async () => {
    const other = await mockAuthority();
    expect(await faultOf(claimOf(stamped, [other.trusted, shared.trusted]))).toBe('accepted');
  });

  it('says so if its authority is one for development', async () => {
    const roots = [root({ authorities: [shared.trusted], development: true })];
    expect(await verifyReceipt(claimOf(stamped, [], { trust: { roots } }))).toMatchObject({
      ok: true,
      development: true,
    });
  });

  it('counts for no other note', async () => {
    const other = await noteOf({ size: 6 });
    expect(await faultOf(claimOf(stamped, [shared.trusted], { note: other }))).toBe(
      'note_mismatch',
    );
  });

  it('counts for nothing from an authority that is not pinned', async () => {
    expect(await faultOf(claimOf(stamped, []))).toBe('authority_unknown');
    expect(await faultOf(claimOf(stamped, [], { trust: {} }))).toBe('authority_unknown');
    const other = openssl();
    // Same names, but another serial number and key.
    expect(await faultOf(claimOf(stamped, [other.trusted]))).toBe('authority_unknown');
  });

  it('counts for nothing from who only has the names of a pinned authority', async () => {
    const pinned = await mockAuthority();
    const impostor = await mockAuthority();
    const claim = claimOf(await impostor.stamp(note), [pinned.trusted]);
    expect(await faultOf(claim)).toBe('certificate_invalid');
  });

  it('counts for nothing outside the time in which its authority was pinned', async () => {
    const time = parseTimestamp(stamped)?.time.getTime() ?? 0;
    const during = (start: number, end: number): ReceiptClaim => {
      const validFor = { start: new Date(start).toISOString(), end: new Date(end).toISOString() };
      return claimOf(stamped, [{ ...shared.trusted, validFor }]);
    };
    expect(await faultOf(during(time, time))).toBe('accepted');
    expect(await faultOf(during(time + 1, time + 2))).toBe('authority_unknown');
    expect(await faultOf(during(time - 2, time - 1))).toBe('authority_unknown');
  });

  it('counts for nothing if the issuer of its certificate is no authority', async () => {
    const bad = openssl({ authority: false });
    expect(await faultOf(claimOf(await bad.stamp(note), [bad.trusted]))).toBe(
      'certificate_invalid',
    );
  });

  it('counts for nothing if its chain is not signed through', async () => {
    const [leaf = new Uint8Array()] = shared.trusted.chain;
    const [, otherCa = new Uint8Array()] = openssl().trusted.chain;
    const chain = [leaf, otherCa];
    expect(await faultOf(claimOf(stamped, [{ ...shared.trusted, chain }]))).toBe(
      'certificate_invalid',
    );
  });

  it('holds with the leaf alone pinned', async () => {
    const chain = shared.trusted.chain.slice(0, 1);
    expect(await faultOf(claimOf(stamped, [{ ...shared.trusted, chain }]))).toBe('accepted');
  });
});

describe('the bytes of a timestamp', () => {
  const token = tokenOf(stamped);

  it('are those of the token alone', async () => {
    const claim = claimOf(stamped, [shared.trusted]);
    expect(await faultOf({ ...claim, receipt: b64(stamped) })).toBe('malformed');
    expect(await faultOf({ ...claim, receipt: b64(Buffer.concat([token, Buffer.of(0)])) })).toBe(
      'malformed',
    );
    expect(await faultOf({ ...claim, receipt: `${b64(token)}\n` })).toBe('malformed');
    expect(await faultOf({ ...claim, receipt: '' })).toBe('malformed');
    expect(timestampResponse(token)).not.toEqual(token);
  });

  it('cannot be changed where they are signed, and nowhere with another meaning', async () => {
    const honest = parseTimestamp(token);
    const survived: number[] = [];
    for (let at = 0; at < token.length; at++) {
      const changed = token.map((byte, n) => (n === at ? byte ^ 0x01 : byte));
      const claim = { ...claimOf(stamped, [shared.trusted]), receipt: b64(changed) };
      const result = await verifyReceipt(claim);
      if (!result.ok) continue;
      survived.push(at);
      expect(result.at).toEqual(honest?.time);
    }
    // Versions and the list of digests: nobody signed those, and nothing follows from them.
    expect(survived.length).toBeLessThan(30);
  });

  it('may hold anything without being read as a timestamp', () => {
    for (let length = 0; length < token.length; length += 13) {
      expect(parseTimestamp(token.subarray(0, length))).toBeUndefined();
    }
  });

  it('of a refusal are no timestamp', () => {
    const refusal = Uint8Array.of(0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02);
    expect(parseTimestamp(refusal)).toBeUndefined();
  });
});
