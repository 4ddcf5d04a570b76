/**
 * Opens a vault file and makes it one when it is new.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { CrumbError, isCrumbError } from '../errors.ts';
import { erase, finishErasing, sweep } from './erasing.ts';
import { createOpeningQueue, findOpenings, sealOpening, sealToken } from './openings.ts';
import { keySet, vault, VAULT_FORMAT, VAULT_SQL } from './schema.ts';
import { createSealer, type Sealer } from './sealing.ts';
import { allSubjects, findOrMakeSubject, findSubject } from './subjects.ts';
import { openVaultFile, type VaultFile } from './vault-file.ts';
import type { Opening, Vault } from './vault.ts';

/** Where a vault is, and what opens it. */
export interface VaultOptions {
  /** `file:` path or `libsql:` URL; a database of its own, apart from the ledger's. */
  readonly url: string;
  /** For a server. */
  readonly authToken?: string;
  /** 32 random bytes, apart from the signing key. Whoever loses them has erased everyone. */
  readonly key: Uint8Array;
}

/**
 * Opens the vault at `url`, makes it when there is none, and finishes erasures that a crash
 * interrupted.
 *
 * @throws {CrumbError} `vault_key_wrong`; `vault_invalid`: this database is something else, or was
 *   damaged; `vault_unwritable`.
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const sealer = createSealer(options.key);
  const file = await openVaultFile(options);
  try {
    await checkOrMake(file, sealer);
    await finishErasing(file);
  } catch (error) {
    await file.close();
    throw error;
  }
  return vaultOver(file, sealer);
}

const PLACE_OF_PROOF = `vault\n${VAULT_FORMAT}`;

async function checkOrMake(file: VaultFile, sealer: Sealer): Promise<void> {
  const tables = await file.read((db) =>
    db.all<{ readonly name: string }>(`SELECT name FROM sqlite_schema WHERE type = 'table'`),
  );
  if (tables.length === 0) await make(file, sealer);
  else if (!tables.some(({ name }) => name === 'vault')) throw new CrumbError('vault_invalid');
  const [row] = await file.read((db) => db.select().from(vault));
  if (row?.format !== VAULT_FORMAT) throw new CrumbError('vault_invalid');
  try {
    sealer.open(PLACE_OF_PROOF, row.proof);
  } catch (cause) {
    throw new CrumbError('vault_key_wrong', { cause });
  }
}

async function make(file: VaultFile, sealer: Sealer): Promise<void> {
  await file.write('full', async (tx) => {
    const { rows } = await tx.execute(`SELECT name FROM sqlite_schema WHERE type = 'table'`);
    if (rows.length > 0) return; // another process was first
    for (const sql of VAULT_SQL) await tx.execute(sql);
    await tx.execute({
      sql: 'INSERT INTO vault (id, format, proof, swept) VALUES (1, ?, ?, 0)',
      args: [VAULT_FORMAT, sealer.seal(PLACE_OF_PROOF, new Uint8Array(0))],
    });
  });
}

function vaultOver(file: VaultFile, sealer: Sealer): Vault {
  const queue = createOpeningQueue(file);
  let closed: Promise<void> | undefined;
  const open = (): void => {
    if (closed !== undefined) throw new CrumbError('vault_closed');
  };
  return {
    ...people(file, sealer, open),
    ...evidence(file, sealer, open),
    async keep({ openings = [], tokens = [] }) {
      open();
      await queue.add([
        ...openings.map((one) => sealOpening(sealer, one)),
        ...tokens.map((one) => sealToken(sealer, one)),
      ]);
    },
    async erase(subjectKey, what) {
      open();
      await queue.drained(); // what was kept before is erased too
      return erase(file, sealer.owner(subjectKey), what);
    },
    async sweep(findReferenced, options) {
      open();
      return sweep(file, findReferenced, options);
    },
    close() {
      closed ??= closeFile(file, queue.drained());
      return closed;
    },
  };
}

function people(
  file: VaultFile,
  sealer: Sealer,
  open: () => void,
): Pick<Vault, 'subject' | 'findPerson' | 'subjects'> {
  return {
    async subject(person, claims) {
      open();
      return findOrMakeSubject(file, sealer, { person, claims });
    },
    async findPerson(subjectKey) {
      open();
      const known = await findSubject(file, sealer, subjectKey);
      return known === undefined ? undefined : { person: known.person, claims: known.claims };
    },
    async *subjects() {
      open();
      yield* allSubjects(file, sealer);
    },
  };
}

function evidence(
  file: VaultFile,
  sealer: Sealer,
  open: () => void,
): Pick<Vault, 'keepKeySet' | 'findKeySet' | 'findOpenings' | 'findOpening' | 'findToken'> {
  return {
    async keepKeySet(iss, raw) {
      open();
      const digest = createHash('sha256').update(raw).digest();
      await file.write('full', async (tx) => {
        const sql =
          'INSERT INTO key_set (digest, iss, raw) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
        await tx.execute({ sql, args: [digest, iss, raw] });
      });
      return Uint8Array.from(digest);
    },
    async findKeySet(digest) {
      open();
      const wanted = Buffer.from(digest);
      const [row] = await file.read((db) =>
        db.select().from(keySet).where(eq(keySet.digest, wanted)),
      );
      return row === undefined ? undefined : { iss: row.iss, raw: Uint8Array.from(row.raw) };
    },
    async findOpenings(commitments) {
      open();
      return findOpenings(file, sealer, commitments);
    },
    async findOpening(commitment) {
      open();
      const [kept] = await findOpenings(file, sealer, [commitment]);
      if (kept === undefined || kept.label === 'token') return undefined;
      const opening: Opening = { commitment, label: kept.label, salt: kept.salt };
      return kept.value === undefined ? opening : { ...opening, value: kept.value };
    },
    async findToken(commitment) {
      open();
      const [kept] = await findOpenings(file, sealer, [commitment]);
      if (kept?.label !== 'token' || typeof kept.value !== 'string') return undefined;
      return { commitment, salt: kept.salt, jwt: kept.value };
    },
  };
}

async function closeFile(file: VaultFile, drained: Promise<void>): Promise<void> {
  await drained;
  try {
    await file.truncateLog(500);
  } catch (error) {
    // Another process reads the log: it will be folded when that one closes. Nothing is lost.
    if (!isCrumbError(error)) throw error;
  } finally {
    await file.close();
  }
}
