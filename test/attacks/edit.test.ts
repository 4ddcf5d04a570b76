/**
 * Claim: nobody without the signing key can change what a crumb says, a signature that counts, or the leaf
 * hash that is stored beside a crumb, without verification naming it.
 */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Builder } from '../verify/build-ledger.ts';
import { itemsOf, linesOf, vkeyOfBuilder } from '../verify/build-ledger.ts';
import { tamper } from '../verify/finding-cases.ts';
import { tellStory } from '../verify/story.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import type { VerifyOptions } from '../../src/verify/trust.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { forge, replaced } from './forge.ts';
import { expectOnly, hashesFromColumns } from './weakened.ts';

/** In the story: an unauthorized read of record 43, and what came of an approved export. */
const READ_43 = 8;
const EXPORTED = 13;

let builder: Builder;
beforeAll(async () => {
  ({ builder } = await tellStory());
});

/** An auditor who pinned the key, with what the database gives, or a copy of it without the vault. */
async function audit(
  ledger: Builder,
  { vault = true, ...options }: VerifyOptions & { readonly vault?: boolean } = {},
): Promise<VerifyReport> {
  const trust = { key: vkeyOfBuilder(builder) };
  return verifyBundle(await itemsOf(ledger, { vault }), trust, options);
}

describe('an edited entry, with every hash after it computed anew', () => {
  it.each([{ full: false }, { full: true }])('is given away by the signature (%o)', async (how) => {
    const forged = await forge(builder, (entries) =>
      replaced(entries, [EXPORTED, 'outcome'], (body) => ({ ...body, status: 'error' })),
    );
    const attack = await audit(forged, how);
    expectOnly('head signature', attack, await audit(builder, how));
    expect(attack.level).toBe('none');
  });

  it('is given away by the signature also where the arguments cannot be judged again', async () => {
    const forged = await forge(builder, (entries) =>
      replaced(entries, [READ_43, 'intent'], (body) => ({
        ...body,
        verdict: 'authorized',
        reason: null,
      })),
    );
    const closed = { vault: false };
    expectOnly('head signature', await audit(forged, closed), await audit(builder, closed));
    // Where they can, the verdict contradicts the directive as well.
    expect((await audit(forged)).findings).toContainEqual({
      code: 'verdict_mismatch',
      seq: READ_43,
      expected: 'unauthorized',
    });
  });

  it('is given away in a file as in a database', async () => {
    const forged = await forge(builder, (entries) =>
      replaced(entries, [EXPORTED, 'outcome'], (body) => ({ ...body, ms: 1 })),
    );
    const trust = { key: vkeyOfBuilder(builder) };
    const attack = await verifyBundle(await linesOf(forged), trust);
    expectOnly('head signature', attack, await verifyBundle(await linesOf(builder), trust));
  });
});

describe('an edited head', () => {
  const withHead = (seq: number): Builder => ({
    ...builder,
    rows: builder.rows.map((row) =>
      row.seq === seq && row.head
        ? { ...row, head: row.head.with(9, (row.head[9] ?? 0) ^ 1) }
        : row,
    ),
    checkpoints: [],
  });

  it('is found if it is the last', async () => {
    expectOnly('head signature', await audit(withHead(16)), await audit(builder));
  });

  it('is found on the full path wherever it stands; the fast path rests on the last one alone', async () => {
    const full = { full: true };
    expectOnly('head signature', await audit(withHead(4), full), await audit(builder, full));
    expect(await audit(withHead(4))).toMatchObject({
      sound: true,
      stats: { heads: { checked: 1 } },
    });
  });
});

describe('an edited column', () => {
  it('hides no edited bytes: they are hashed, whatever stands beside them', async () => {
    const forged: Builder = { ...builder, rows: [...builder.rows], checkpoints: [] };
    tamper(forged, EXPORTED, (text) => text.replace('"status":"ok"', '"status":"error"'));
    const sha256 = (bytes: Uint8Array): Uint8Array =>
      new Uint8Array(createHash('sha256').update(bytes).digest());

    const trusting = await audit(forged, {
      full: true,
      sha256: hashesFromColumns(forged.rows, sha256),
    });
    expect(trusting).toMatchObject({ sound: true, level: 'signed' });

    const attack = await audit(forged, { full: true, sha256 });
    expect(attack).toMatchObject({ sound: false, level: 'none' });
    expect(attack.findings).toContainEqual({ code: 'chain_broken', seq: EXPORTED, what: 'stored' });
  });

  it('is found itself', async () => {
    const rows = builder.rows.map((row) =>
      row.seq === READ_43 ? { ...row, leaf: row.leaf.with(0, (row.leaf[0] ?? 0) ^ 1) } : row,
    );
    expectOnly('stored hash', await audit({ ...builder, rows }), await audit(builder));
  });
});
