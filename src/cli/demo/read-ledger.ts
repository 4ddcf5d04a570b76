/**
 * A ledger at rest: its entries, and what verification says of it.
 *
 * @module
 */
import { isKnownKind, parseEntry } from '../../evidence/entry.ts';
import type { Entry } from '../../evidence/kinds.ts';
import { readSecret } from '../../gateway/secret.ts';
import { openLibsqlReader } from '../../store/libsql/libsql-reader.ts';
import { openVault } from '../../vault/open-vault.ts';
import type { Trust } from '../../verify/trust.ts';
import { checkDatabase, type LedgerCheck } from '../check-ledger.ts';

/** All entries of an intact ledger. @throws {CrumbError} `ledger_invalid`, `entry_malformed`. */
export async function readLedger(path: string): Promise<readonly Entry[]> {
  const reader = await openLibsqlReader({ url: `file:${path}` });
  try {
    const entries: Entry[] = [];
    for await (const { bytes } of reader.readRows(0)) {
      const entry = bytes === null ? undefined : parseEntry(bytes);
      if (entry !== undefined && isKnownKind(entry)) entries.push(entry);
    }
    return entries;
  } finally {
    await reader.close();
  }
}

/** Verifies a ledger, opening what its vault opens. */
export async function checkLedger(
  path: string,
  trust: Trust,
  vaultPlace?: { readonly path: string; readonly key: string },
): Promise<LedgerCheck> {
  const options = { trust, full: true };
  const place = { url: `file:${path}` };
  if (vaultPlace === undefined) return checkDatabase(place, options);
  const key = readSecret(vaultPlace.key, 'vault key');
  const vault = await openVault({ url: `file:${vaultPlace.path}`, key });
  try {
    return await checkDatabase(place, options, vault);
  } finally {
    await vault.close();
  }
}
