/**
 * Jobs and receipts of anchors.
 *
 * @module
 */
import type { Row } from '@libsql/client';
import { CrumbError } from '../../errors.ts';
import { fromUtf8, utf8 } from '../../evidence/bytes.ts';
import { isKnownKind, parseEntry } from '../../evidence/entry.ts';
import type {
  AnchorJob,
  AnchorKeyEntry,
  AnchorRecords,
  KeptReceipt,
  TakeJob,
} from '../../ledger/anchor-records.ts';
import { sha256 } from '../../ledger/sha256.ts';
import type { Connection, Run } from './connection.ts';
import { upTo } from './ledger-rows.ts';
import { blobOf, numberOf, textOf } from './rows.ts';

const JOB = 'size, anchor, tries, next_at, error';
const RECEIPT = 'size, type, name, bytes, kept_at';
const STORED_RECEIPT = `size, ${upTo(16, 'type')}, ${upTo(1024, 'name')}, ${upTo(65_536, 'bytes')}, kept_at`;

export function anchorRecordsOver(connection: Connection): AnchorRecords {
  return { ...jobsOver(connection), ...receiptsOver(connection) };
}

type JobMethods = 'plan' | 'take' | 'retry' | 'jobs' | 'finish';

function jobsOver(connection: Connection): Pick<AnchorRecords, JobMethods> {
  return {
    plan: ({ anchor, size, nextAt }, urgent) =>
      connection.repeatably(async (run) => {
        await run(
          `INSERT INTO anchor_job (${JOB}) VALUES (?, ?, 0, ?, NULL)
           ON CONFLICT (anchor) DO UPDATE SET size = max(size, excluded.size),
             next_at = CASE WHEN ? THEN min(next_at, excluded.next_at) ELSE next_at END`,
          [size, anchor, nextAt.getTime(), urgent ? 1 : 0],
        );
      }),
    take: (of) => connection.repeatably((run) => takeJob(run, of)),
    retry: ({ anchor, size, tries, nextAt, error }) =>
      connection.repeatably(async (run) => {
        // Also when a later checkpoint took its place: the anchor is as unwell for that.
        await run(
          'UPDATE anchor_job SET tries = ?, next_at = ?, error = ? WHERE anchor = ? AND size >= ?',
          [tries, nextAt.getTime(), error, anchor, size],
        );
      }),
    async jobs() {
      const sql = `SELECT ${JOB} FROM anchor_job ORDER BY next_at, anchor`;
      return (await connection.read(sql)).rows.map(jobOf);
    },
    finish: ({ anchor, size }, now) =>
      connection.repeatably(async (run) => {
        await run('DELETE FROM anchor_job WHERE anchor = ? AND size <= ?', [anchor, size]);
        await run('UPDATE anchor_job SET tries = 0, next_at = ?, error = NULL WHERE anchor = ?', [
          now.getTime(),
          anchor,
        ]);
      }),
  };
}

async function takeJob(run: Run, { anchors, now, until }: TakeJob): Promise<AnchorJob | undefined> {
  if (anchors.length === 0) return undefined;
  const { rows } = await run(
    `SELECT ${JOB} FROM anchor_job WHERE next_at <= ? AND anchor IN (${listOf(anchors)})
     ORDER BY next_at LIMIT 1`,
    [now.getTime(), ...anchors],
  );
  const [job] = rows.map(jobOf);
  if (job === undefined) return undefined;
  const lease = 'UPDATE anchor_job SET next_at = ? WHERE anchor = ?';
  await run(lease, [until.getTime(), job.anchor]);
  return job;
}

function receiptsOver(connection: Connection): Omit<AnchorRecords, JobMethods> {
  const read: Run = (sql, args) => connection.read(sql, args);
  return {
    keep: ({ anchor, type, size, text, keptAt }) =>
      connection.repeatably(async (run) => {
        const bytes = utf8(text);
        await run(
          `INSERT INTO receipt (${RECEIPT}, sha256) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (size, name) DO NOTHING`,
          [size, type, anchor, bytes, keptAt.getTime(), sha256(bytes)],
        );
      }),
    receipt: (anchor, size) => one(read, 'name = ? AND size = ?', [anchor, size]),
    lastReceipt: (anchor) => one(read, 'name = ? ORDER BY size DESC', [anchor]),
    async note(size) {
      const { rows } = await read('SELECT note FROM checkpoint WHERE size = ?', [size]);
      return rows.map((row) => textOf(row, 'note'))[0];
    },
    async anchorKeys() {
      const { rows } = await read(
        `SELECT bytes FROM entry WHERE instr(bytes, CAST('"role":"anchor"' AS BLOB)) > 0
         ORDER BY seq`,
      );
      return rows.flatMap((row) => anchorKeyIn(blobOf(row, 'bytes')));
    },
  };
}

/** All receipts, smallest size first. */
export async function readReceipts(read: Run): Promise<readonly KeptReceipt[]> {
  const { rows } = await read(`SELECT ${STORED_RECEIPT} FROM receipt ORDER BY size, name`);
  return rows.map(receiptOf);
}

async function one(
  read: Run,
  where: string,
  args: readonly (string | number)[],
): Promise<KeptReceipt | undefined> {
  const { rows } = await read(`SELECT ${STORED_RECEIPT} FROM receipt WHERE ${where} LIMIT 1`, args);
  return rows.map(receiptOf)[0];
}

function jobOf(row: Row): AnchorJob {
  const error = row['error'];
  return {
    anchor: textOf(row, 'anchor'),
    size: numberOf(row, 'size'),
    tries: numberOf(row, 'tries'),
    nextAt: new Date(numberOf(row, 'next_at')),
    error: typeof error === 'string' ? error : null,
  };
}

function receiptOf(row: Row): KeptReceipt {
  const type = textOf(row, 'type');
  const text = fromUtf8(blobOf(row, 'bytes'));
  const isType = type === 'rekor' || type === 'timestamp' || type === 'witness';
  if (!isType || text === undefined) throw new CrumbError('ledger_invalid', { names: ['receipt'] });
  return {
    anchor: textOf(row, 'name'),
    type,
    size: numberOf(row, 'size'),
    text,
    keptAt: new Date(numberOf(row, 'kept_at')),
  };
}

function anchorKeyIn(bytes: Uint8Array): readonly AnchorKeyEntry[] {
  const entry = parseEntry(bytes);
  if (!isKnownKind(entry) || entry.kind !== 'key' || entry.body.role !== 'anchor') return [];
  const { op, key } = entry.body;
  return typeof key === 'string' ? [{ seq: entry.seq, op, key }] : [];
}

function listOf(items: readonly unknown[]): string {
  return Array<string>(items.length).fill('?').join(', ');
}
