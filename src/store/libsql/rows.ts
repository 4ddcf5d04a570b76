/**
 * Rows of the driver as values of ours. Blobs come as `ArrayBuffer`.
 *
 * @module
 */
import type { ResultSet, Row } from '@libsql/client';
import { CrumbError } from '../../errors.ts';
import type { PendingApproval } from '../../ledger/ledger.ts';
import type { LedgerEnd, StoredCheckpoint, StoredEntry } from '../../ledger/ledger-store.ts';
import { ZERO_LEAF } from '../../evidence/entry.ts';

export function blobOf(row: Row, column: string): Uint8Array {
  return nullableBlobOf(row, column) ?? refuse(column);
}

export function nullableBlobOf(row: Row, column: string): Uint8Array | null {
  const value = row[column];
  if (value === null) return null;
  return value instanceof ArrayBuffer ? new Uint8Array(value) : refuse(column);
}

export function numberOf(row: Row, column: string): number {
  const value = row[column];
  return typeof value === 'number' ? value : refuse(column);
}

export function textOf(row: Row, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : refuse(column);
}

export function endOf({ rows: [row] }: ResultSet): LedgerEnd {
  if (row === undefined) return { size: 0, leaf: ZERO_LEAF };
  return { size: numberOf(row, 'size'), leaf: blobOf(row, 'leaf') };
}

export function entryOf(row: Row): StoredEntry {
  return {
    seq: numberOf(row, 'seq'),
    prev: blobOf(row, 'prev'),
    leaf: blobOf(row, 'leaf'),
    head: nullableBlobOf(row, 'head'),
    bytes: nullableBlobOf(row, 'bytes'),
  };
}

export function checkpointOf(row: Row): StoredCheckpoint {
  return { size: numberOf(row, 'size'), root: blobOf(row, 'root'), note: textOf(row, 'note') };
}

export function pendingOf(row: Row): PendingApproval {
  return {
    key: blobOf(row, 'key'),
    session: textOf(row, 'session'),
    agent: textOf(row, 'agent'),
    callId: textOf(row, 'call_id'),
    tool: textOf(row, 'tool'),
    args: textOf(row, 'args_c'),
    salt: blobOf(row, 'salt'),
    expires: new Date(numberOf(row, 'expires')),
  };
}

function refuse(column: string): never {
  throw new CrumbError('ledger_invalid', { names: [`column ${column}`] });
}
