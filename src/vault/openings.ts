/**
 * Openings and tokens: written in groups, found by commitment.
 *
 * @module
 */
import type { InValue, Transaction } from '@libsql/client';
import { inArray } from 'drizzle-orm';
import { canonicalJson, toJson } from '../attribution/canonical.ts';
import { CrumbError } from '../errors.ts';
import type { Commitment } from '../evidence/kinds.ts';
import { opening } from './schema.ts';
import type { Sealer } from './sealing.ts';
import type { VaultFile } from './vault-file.ts';
import type { KeptOpening, Opening, OpeningLabel, TokenEvidence } from './vault.ts';

const SALT_BYTES = 32;
const GROUP_ROWS = 256;

/** What may wait to be written, in bytes. Beyond, the caller is told instead of memory filling up. */
const MAX_WAITING = 64 * 2 ** 20;

const LABELS: ReadonlySet<string> = new Set<OpeningLabel>([
  'args',
  'args.bytes',
  'result',
  'result.bytes',
  'directive',
  'shown',
  'text',
  'claims',
]);

/** A row of table `opening`, sealed. */
export interface OpeningRow {
  readonly commitment: Commitment;
  readonly label: OpeningLabel | 'token';
  readonly owner: Uint8Array | null;
  readonly sealed: Uint8Array;
}

/** @throws {TypeError} A salt that is not 32 bytes, or something that is no commitment. */
export function sealOpening(sealer: Sealer, evidence: Opening): OpeningRow {
  const { commitment, label, salt, value, subject } = evidence;
  const body = value === undefined ? undefined : canonicalJson(value);
  return sealRow(sealer, { commitment, label, salt, subject, body });
}

export function sealToken(sealer: Sealer, evidence: TokenEvidence): OpeningRow {
  const { commitment, salt, subject, jwt } = evidence;
  return sealRow(sealer, { commitment, label: 'token', salt, subject, body: jwt });
}

interface PlainRow {
  readonly commitment: Commitment;
  readonly label: OpeningRow['label'];
  readonly salt: Uint8Array;
  readonly subject: Uint8Array | undefined;
  readonly body: string | undefined;
}

function sealRow(sealer: Sealer, row: PlainRow): OpeningRow {
  const { commitment, label, salt, subject, body } = row;
  if (salt.length !== SALT_BYTES) {
    throw new TypeError(`salt has ${salt.length} bytes instead of ${SALT_BYTES}`);
  }
  if (!/^[hf]1\.[\w-]{43}$/.test(commitment)) throw new TypeError('this is not a commitment');
  const owner = subject === undefined ? null : sealer.owner(subject);
  // The salt, then the value if there is one. An empty value cannot be: JSON and tokens never are.
  const plain = Buffer.concat([salt, Buffer.from(body ?? '')]);
  return {
    commitment,
    label,
    owner,
    sealed: sealer.seal(placeOf(commitment, label, owner), plain),
  };
}

/** What a row's seal is bound to: everything beside it that could be exchanged. */
function placeOf(commitment: string, label: string, owner: Uint8Array | null): string {
  return `opening\n${commitment}\n${label}\n${owner === null ? '' : Buffer.from(owner).toString('base64url')}`;
}

/** Commitments asked for in one statement. */
const ASKED = 500;

/** Finds what is kept of commitments; what is not kept is left out. */
export async function findOpenings(
  file: VaultFile,
  sealer: Sealer,
  commitments: readonly Commitment[],
): Promise<readonly KeptOpening[]> {
  const found: KeptOpening[] = [];
  for (let n = 0; n < commitments.length; n += ASKED) {
    const some = commitments.slice(n, n + ASKED);
    const rows = await file.read((db) =>
      db.select().from(opening).where(inArray(opening.commitment, some)),
    );
    for (const row of rows) found.push(openRow(sealer, row));
  }
  return found;
}

function openRow(sealer: Sealer, row: typeof opening.$inferSelect): KeptOpening {
  const { commitment, label, owner } = row;
  const plain = sealer.open(placeOf(commitment, label, owner), row.sealed);
  if (!isLabel(label) || plain.length < SALT_BYTES) throw new CrumbError('vault_invalid');
  const salt = Uint8Array.from(plain.subarray(0, SALT_BYTES));
  const body = Buffer.from(plain.subarray(SALT_BYTES)).toString();
  if (body === '') return { commitment, label, salt };
  return { commitment, label, salt, value: label === 'token' ? body : toJson(JSON.parse(body)) };
}

function isLabel(label: string): label is OpeningRow['label'] {
  return label === 'token' || LABELS.has(label);
}

/** Inserts rows; one that is there already is left alone. */
export async function insertOpenings(tx: Transaction, rows: readonly OpeningRow[]): Promise<void> {
  const at = Math.floor(Date.now() / 1000);
  for (let n = 0; n < rows.length; n += GROUP_ROWS) {
    const some = rows.slice(n, n + GROUP_ROWS);
    const args: InValue[] = some.flatMap((row) => [
      row.commitment,
      row.label,
      row.owner,
      at,
      row.sealed,
    ]);
    await tx.execute({ sql: insertSql(some.length), args });
  }
}

const statements = new Map<number, string>();

function insertSql(count: number): string {
  const known = statements.get(count);
  if (known !== undefined) return known;
  const values = Array.from({ length: count }, () => '(?, ?, ?, ?, ?)').join(', ');
  const sql = `INSERT INTO opening (commitment, label, owner, at, sealed) VALUES ${values} ON CONFLICT DO NOTHING`;
  statements.set(count, sql);
  return sql;
}

interface Waiting {
  readonly rows: readonly OpeningRow[];
  readonly done: () => void;
  readonly failed: (reason: unknown) => void;
}

/** Writes rows in groups: while one commits, the next gathers. */
export function createOpeningQueue(file: VaultFile): {
  add(rows: readonly OpeningRow[]): Promise<void>;
  drained(): Promise<void>;
} {
  const waiting: Waiting[] = [];
  let bytes = 0;
  let running: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = takeGroup(waiting);
      const rows = group.flatMap((one) => one.rows);
      bytes -= sizeOf(rows);
      try {
        await file.write('normal', (tx) => insertOpenings(tx, rows));
        for (const one of group) one.done();
      } catch (reason) {
        for (const one of group) one.failed(reason);
      }
    }
    running = undefined;
  };

  return {
    add(rows) {
      if (rows.length === 0) return Promise.resolve();
      const size = sizeOf(rows);
      if (bytes > 0 && bytes + size > MAX_WAITING) {
        const cause = new Error('64 MiB wait to be written');
        return Promise.reject(new CrumbError('vault_unwritable', { cause }));
      }
      bytes += size;
      return new Promise((done, failed) => {
        waiting.push({ rows, done, failed });
        running ??= run();
      });
    },
    drained: () => running ?? Promise.resolve(),
  };
}

function takeGroup(waiting: Waiting[]): Waiting[] {
  let rows = 0;
  let count = 0;
  for (const one of waiting) {
    if (count > 0 && rows + one.rows.length > GROUP_ROWS) break;
    rows += one.rows.length;
    count++;
  }
  return waiting.splice(0, count);
}

function sizeOf(rows: readonly OpeningRow[]): number {
  return rows.reduce((sum, row) => sum + row.sealed.length, 0);
}
