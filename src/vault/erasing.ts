/**
 * Getting rid of rows: those of a person who is erased, and those that a crash left without an entry.
 *
 * @module
 */
import type { Transaction } from '@libsql/client';
import { and, asc, desc, gt, ne } from 'drizzle-orm';
import { erasing, opening, vault } from './schema.ts';
import type { VaultFile } from './vault-file.ts';
import type { Erasable, SweepOptions, Vault } from './vault.ts';

/** Rows looked at under one lock, so that callers of `keep` do not wait for a whole scan. */
const PAGE = 5_000;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Which rows of `opening` each word means. */
const LABELS_OF: Readonly<Record<Erasable, string>> = {
  identity: `label = 'claims'`,
  tokens: `label = 'token'`,
  openings: `label NOT IN ('claims', 'token')`,
};

/**
 * Erases what belongs to an owner. What was begun is on disk first: should we die, the next open goes
 * on, and the person is never half erased for good.
 */
export async function erase(
  file: VaultFile,
  owner: Uint8Array,
  what: readonly Erasable[],
): Promise<number> {
  if (what.length === 0) return 0;
  await file.write('full', async (tx) => {
    for (const one of what) {
      await tx.execute({ sql: 'INSERT OR IGNORE INTO erasing VALUES (?, ?)', args: [owner, one] });
    }
  });
  return finish(file, owner, what);
}

/** Finishes what a crash interrupted. */
export async function finishErasing(file: VaultFile): Promise<void> {
  const begun = await file.read((db) => db.select().from(erasing));
  for (const { owner, what } of begun) {
    if (isErasable(what)) await finish(file, owner, [what]);
  }
}

async function finish(
  file: VaultFile,
  owner: Uint8Array,
  what: readonly Erasable[],
): Promise<number> {
  let erased = 0;
  if (what.includes('identity')) {
    erased += await file.write('full', async (tx) => {
      const sql = 'DELETE FROM subject WHERE owner = ?';
      return (await tx.execute({ sql, args: [owner] })).rowsAffected;
    });
  }
  const condition = what.map((one) => LABELS_OF[one]).join(' OR ');
  const sql = `DELETE FROM opening WHERE id > ? AND id <= ? AND owner = ? AND (${condition})`;
  for (let from = 0; from < (await lastId(file)); from += PAGE) {
    erased += await file.write('full', async (tx) => {
      const { rowsAffected } = await tx.execute({ sql, args: [from, from + PAGE, owner] });
      await lowerMark(tx);
      return rowsAffected;
    });
  }
  // The rows are zeros now, but the log still holds the pages as they were.
  await file.truncateLog();
  await file.write('full', async (tx) => {
    for (const one of what) {
      await tx.execute({
        sql: 'DELETE FROM erasing WHERE owner = ? AND what = ?',
        args: [owner, one],
      });
    }
  });
  return erased;
}

/** See {@link Vault.sweep}. */
export async function sweep(
  file: VaultFile,
  findReferenced: Parameters<Vault['sweep']>[0],
  options: SweepOptions = {},
): Promise<number> {
  const { olderThanMs = DAY_MS } = options;
  const before = Math.floor((Date.now() - olderThanMs) / 1000);
  let swept = 0;
  for (;;) {
    const rows = await file.read(async (db) => {
      const [mark] = await db.select({ id: vault.swept }).from(vault);
      return db
        .select({ id: opening.id, commitment: opening.commitment, at: opening.at })
        .from(opening)
        .where(and(gt(opening.id, mark?.id ?? 0), ne(opening.label, 'claims')))
        .orderBy(asc(opening.id))
        .limit(PAGE);
    });
    // In order of writing: the first young row ends it, and the mark stays below it.
    const young = rows.findIndex((row) => row.at > before);
    const old = young === -1 ? rows : rows.slice(0, young);
    const [first, last] = [old[0], old.at(-1)];
    if (first === undefined || last === undefined) return swept;
    const kept = { from: new Date(first.at * 1000), to: new Date(last.at * 1000) };
    const referenced = await findReferenced(
      old.map((row) => row.commitment),
      kept,
    );
    swept += await file.write('full', async (tx) => {
      const orphans = old.filter((row) => !referenced.has(row.commitment));
      for (const { id, commitment } of orphans) {
        await tx.execute({
          sql: 'DELETE FROM opening WHERE id = ? AND commitment = ?',
          args: [id, commitment],
        });
      }
      await tx.execute({ sql: 'UPDATE vault SET swept = max(swept, ?)', args: [last.id] });
      await lowerMark(tx);
      return orphans.length;
    });
  }
}

/** Ids of rows that were last can come again: the mark must not stand above them. */
async function lowerMark(tx: Transaction): Promise<void> {
  await tx.execute(
    'UPDATE vault SET swept = min(swept, (SELECT coalesce(max(id), 0) FROM opening))',
  );
}

async function lastId(file: VaultFile): Promise<number> {
  const [last] = await file.read((db) =>
    db.select({ id: opening.id }).from(opening).orderBy(desc(opening.id)).limit(1),
  );
  return last?.id ?? 0;
}

function isErasable(what: string): what is Erasable {
  return Object.hasOwn(LABELS_OF, what);
}
