import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rootHash, verifyConsistency, verifyInclusion } from '../../src/evidence/merkle.ts';
import { consistencyFrom, inclusionOf } from '../../src/ledger/stored-proofs.ts';
import type { LedgerReads } from '../../src/ledger/ledger-store.ts';
import { connectReader } from '../../src/store/libsql/connection.ts';
import { readsOver } from '../../src/store/libsql/ledger-rows.ts';
import { openLibsqlLedger } from '../../src/store/libsql/libsql-ledger.ts';
import { KEY, ORIGIN, outcome, rowsAt, tamper } from './fixtures.ts';

// More than two tiles of leaves, and a partial one.
const SIZE = 700;
const SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 400, 511, 512, 513, 600, 699, 700];
let leaves: Uint8Array[] = [];
let reads: LedgerReads;
const folder = mkdtempSync(join(tmpdir(), 'crumb-proofs-'));
const place = { url: `file:${join(folder, 'crumb.db')}` };

beforeAll(async () => {
  const ledger = await openLibsqlLedger({ ...place, origin: ORIGIN, signingKey: KEY });
  for (let have = 1; have < SIZE; have += 100) {
    const drafts = Array.from({ length: Math.min(100, SIZE - have) }, () => outcome(0));
    await ledger.append(drafts);
  }
  await ledger.close();
  leaves = (await rowsAt(place)).map(({ leaf }) => new Uint8Array(leaf));
  reads = readsOver(connectReader(place).read);
});
afterAll(() => rmSync(folder, { recursive: true }));

const tree = (size: number): { size: number; root: Uint8Array } => ({
  size,
  root: rootHash(leaves.slice(0, size)),
});

describe('proofs from what is stored', () => {
  it('of growth hold between all sizes', async () => {
    for (const newSize of SIZES) {
      for (const oldSize of SIZES.filter((old) => old <= newSize)) {
        const proof = await consistencyFrom(reads, oldSize, tree(newSize));
        const { root: oldRoot } = tree(oldSize);
        const { root: newRoot } = tree(newSize);
        expect(verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof })).toBe(true);
      }
    }
  });

  it('of entries hold in trees of all sizes', async () => {
    for (const size of SIZES) {
      for (const index of [0, 1, 254, 255, 256, 511, 698].filter((n) => n < size)) {
        const proof = await inclusionOf(reads, index, tree(size));
        const leaf = leaves[index] ?? new Uint8Array();
        expect(verifyInclusion({ leaf, index, proof, ...tree(size) })).toBe(true);
      }
    }
  });

  it('are made of no more than a few rows', async () => {
    let rows = 0;
    const counted: LedgerReads = {
      ...reads,
      async hashes(level, from, to) {
        const hashes = await reads.hashes(level, from, to);
        rows += hashes.length;
        return hashes;
      },
    };
    await inclusionOf(counted, 3, tree(SIZE));
    expect(rows).toBeLessThan(600);
  });

  it('do not leave where the tree is not the one that was signed', async () => {
    const forked: unknown = expect.objectContaining({ code: 'ledger_forked' });
    const other = { size: 600, root: new Uint8Array(32) };
    await expect(consistencyFrom(reads, 500, other)).rejects.toThrow(forked);
    await expect(inclusionOf(reads, 5, other)).rejects.toThrow(forked);
    await expect(consistencyFrom(reads, 500, { ...tree(600), size: 9000 })).rejects.toThrow(forked);
    await expect(inclusionOf(reads, 600, tree(600))).rejects.toThrow(TypeError);
    await expect(consistencyFrom(reads, 0, tree(600))).rejects.toThrow(TypeError);
    await tamper(place, 'DELETE FROM tile WHERE level = 0 AND n = 1');
    await expect(consistencyFrom(reads, 600, tree(SIZE))).rejects.toThrow(forked);
  });
});
