import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { commitBytes } from '../../src/evidence/commitment.ts';
import type { Erasable, Opening, Subject, Vault } from '../../src/vault/vault.ts';
import {
  ALICE,
  BOB,
  CLAIMS,
  newOpening,
  newVaultPath,
  rawClient,
  readAll,
  vaultAt,
} from './vault-files.ts';

const ALL: readonly Erasable[] = ['identity', 'tokens', 'openings'];

/** What a person leaves: an opening, one with a long value, a token. */
async function leaveTraces(
  vault: Vault,
  { key }: Subject,
): Promise<{ opening: Opening; token: string }> {
  const opening = newOpening({ id: 42 }, key);
  const salt = Uint8Array.from(randomBytes(32));
  const token = commitBytes(salt, 'token', Buffer.from('jwt'));
  const long = newOpening('x'.repeat(6_000), key);
  await vault.keep({
    openings: [opening, long],
    tokens: [{ commitment: token, salt, jwt: 'jwt', subject: key }],
  });
  return { opening, token };
}

describe('erasing a person', () => {
  it('leaves no byte of what was erased in the file or its log, and everything of others', async () => {
    const path = newVaultPath();
    const vault = await vaultAt(path);
    const alice = await vault.subject(ALICE, CLAIMS);
    const bob = await vault.subject(BOB, {});
    // Among many rows of others, so that pages have been split and rows have moved.
    for (let n = 0; n < 60; n++) {
      await vault.subject({ iss: 'https://idp.example', sub: `other-${n}` }, { n });
      await vault.keep({
        openings: Array.from({ length: 20 }, (_, m) => newOpening({ n, m }, bob.key)),
      });
      if (n % 5 === 0) await leaveTraces(vault, alice);
    }
    const { opening, token } = await leaveTraces(vault, alice);
    const bobs = await leaveTraces(vault, bob);

    const raw = rawClient(path);
    const owner = (
      await raw.execute({
        sql: 'SELECT owner FROM opening WHERE commitment = ?',
        args: [opening.commitment],
      })
    ).rows[0]?.['owner'];
    const rows = [
      ...(
        await raw.execute({
          sql: 'SELECT sealed FROM opening WHERE owner = ?',
          args: [owner ?? null],
        })
      ).rows,
      ...(
        await raw.execute({
          sql: 'SELECT sealed FROM subject WHERE owner = ?',
          args: [owner ?? null],
        })
      ).rows,
    ].map((row) => Buffer.from(new Uint8Array(bufferOf(row['sealed']))));
    raw.close();
    expect(rows).toHaveLength(41);
    expect(piecesLeft(path, rows)).toBeGreaterThan(200);

    expect(await vault.erase(alice.key, ALL)).toBe(41);

    expect(piecesLeft(path, rows)).toBe(0);
    expect(readAll(path).includes(opening.commitment)).toBe(false);
    expect(await vault.findOpening(opening.commitment)).toBeUndefined();
    expect(await vault.findOpening(alice.claims)).toBeUndefined();
    expect(await vault.findToken(token)).toBeUndefined();
    expect(await vault.findPerson(alice.key)).toBeUndefined();
    expect(await vault.findOpening(bobs.opening.commitment)).toMatchObject({ value: { id: 42 } });
    expect(await vault.findPerson(bob.key)).toEqual({ person: BOB, claims: {} });
  });

  it.each([
    ['identity', { person: false, opening: true, token: true }],
    ['openings', { person: true, opening: false, token: true }],
    ['tokens', { person: true, opening: true, token: false }],
  ] as const)('erases %s alone', async (what, left) => {
    const vault = await vaultAt(newVaultPath());
    const alice = await vault.subject(ALICE, CLAIMS);
    const { opening, token } = await leaveTraces(vault, alice);
    await vault.erase(alice.key, [what]);
    expect({
      person: (await vault.findPerson(alice.key)) !== undefined,
      opening: (await vault.findOpening(opening.commitment)) !== undefined,
      token: (await vault.findToken(token)) !== undefined,
    }).toEqual(left);
    expect((await vault.findOpening(alice.claims)) !== undefined).toBe(left.person);
  });

  it('gives a person who returns a new key', async () => {
    const vault = await vaultAt(newVaultPath());
    const before = await vault.subject(ALICE, CLAIMS);
    await vault.erase(before.key, ALL);
    const after = await vault.subject(ALICE, CLAIMS);
    expect(after.key).not.toEqual(before.key);
    expect(after.claims).not.toBe(before.claims);
  });

  it('erases what was kept just before, and nobody when the key is unknown', async () => {
    const vault = await vaultAt(newVaultPath());
    const alice = await vault.subject(ALICE, CLAIMS);
    const opening = newOpening({ id: 42 }, alice.key);
    const kept = vault.keep({ openings: [opening] });
    expect(await vault.erase(randomBytes(32), ALL)).toBe(0);
    expect(await vault.erase(alice.key, ['openings'])).toBe(1);
    await kept;
    expect(await vault.findOpening(opening.commitment)).toBeUndefined();
  });

  it('finishes at open what a crash left half done', async () => {
    const path = newVaultPath();
    const vault = await vaultAt(path);
    const alice = await vault.subject(ALICE, CLAIMS);
    const { opening } = await leaveTraces(vault, alice);
    await vault.close();
    const raw = rawClient(path);
    // As after a crash that came when the erasure was written down and one row of it was gone.
    await raw.execute(
      "INSERT INTO erasing SELECT owner, 'openings' FROM opening WHERE label = 'args' LIMIT 1",
    );
    await raw.execute("INSERT INTO erasing SELECT owner, 'identity' FROM subject");
    await raw.execute('DELETE FROM subject');
    raw.close();
    const again = await vaultAt(path);
    expect(await again.findOpening(opening.commitment)).toBeUndefined();
    expect(await again.findOpening(alice.claims)).toBeUndefined();
    await again.close();
    expect((await rawClient(path).execute('SELECT * FROM erasing')).rows).toEqual([]);
  });
});

describe('sweeping orphans', () => {
  const referenced = (...kept: readonly Opening[]) => {
    const known = new Set(kept.map(({ commitment }) => commitment));
    const asked: string[] = [];
    return {
      asked,
      find: async (commitments: readonly string[]) => {
        asked.push(...commitments);
        return new Set(commitments.filter((one) => known.has(one)));
      },
    };
  };

  it('deletes what no entry commits to, and asks about each row once', async () => {
    const vault = await vaultAt(newVaultPath());
    const alice = await vault.subject(ALICE, CLAIMS);
    const [kept, orphan] = [newOpening(1, alice.key), newOpening(2, alice.key)];
    await vault.keep({ openings: [kept, orphan] });
    const first = referenced(kept);
    expect(await vault.sweep(first.find, { olderThanMs: 0 })).toBe(1);
    expect(await vault.findOpening(kept.commitment)).toEqual({ ...kept, subject: undefined });
    expect(await vault.findOpening(orphan.commitment)).toBeUndefined();
    expect(await vault.findOpening(alice.claims)).toBeDefined();

    const later = newOpening(3);
    await vault.keep({ openings: [later] });
    const second = referenced(later);
    expect(await vault.sweep(second.find, { olderThanMs: 0 })).toBe(0);
    expect(second.asked).not.toContain(kept.commitment);
    expect(second.asked).toContain(later.commitment);
  });

  it('leaves alone what another process may just be about to commit to', async () => {
    const vault = await vaultAt(newVaultPath());
    const young = newOpening(1);
    await vault.keep({ openings: [young] });
    const nothing = referenced();
    expect(await vault.sweep(nothing.find)).toBe(0);
    expect(nothing.asked).toEqual([]);
    expect(await vault.findOpening(young.commitment)).toEqual(young);
  });
});

function bufferOf(value: unknown): ArrayBuffer {
  if (value instanceof ArrayBuffer) return value;
  throw new TypeError('not a blob');
}

/** How many pieces of these rows, 12 bytes of every 48, can still be found on disk. */
function piecesLeft(path: string, rows: readonly Buffer[]): number {
  const disk = readAll(path);
  let left = 0;
  for (const row of rows) {
    for (let at = 0; at + 12 <= row.length; at += 48) {
      if (disk.includes(row.subarray(at, at + 12))) left++;
    }
  }
  return left;
}
