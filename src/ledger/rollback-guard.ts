/**
 * The rollback guard: where the ledger stood, remembered outside of it. A database that is restored from
 * a backup does not know what it signed since; the guard does.
 *
 * On the disk of the ledger it catches mistakes, not a snapshot of the whole volume.
 *
 * @module
 */
import {
  closeSync,
  fsync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { CrumbError } from '../errors.ts';
import { equalBytes, fromBase64, toBase64 } from '../evidence/bytes.ts';

/** A published state of a ledger. */
export interface GuardMark {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Leaf hash of the last entry. */
  readonly leaf: Uint8Array;
}

/**
 * Remembers one mark. Two implementations: a file, and a libSQL database.
 *
 * @throws {CrumbError} `ledger_unwritable` when the place cannot be read or written, `ledger_invalid` when
 *   what stands there is no mark.
 */
export interface RollbackGuard {
  read(): Promise<GuardMark | undefined>;

  /** Sets the mark, durably, if it still is `expected`; false if it is another by now. */
  replace(expected: GuardMark | undefined, next: GuardMark): Promise<boolean>;

  close(): Promise<void>;
}

export function sameMark(a: GuardMark | undefined, b: GuardMark | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.origin === b.origin &&
    a.size === b.size &&
    equalBytes(a.root, b.root) &&
    equalBytes(a.leaf, b.leaf)
  );
}

/**
 * Keeps the mark in a file.
 *
 * Whoever moves it holds the write lock of its ledger, so two processes of one ledger never meet here. Two
 * copies of a ledger can; then the second of them finds the other's mark at its next publication.
 */
export function fileGuard(path: string): RollbackGuard {
  const read = async (): Promise<GuardMark | undefined> => {
    const text = readIfThere(path);
    return text === undefined ? undefined : parseMark(text);
  };
  return {
    read,
    async replace(expected, next) {
      if (!sameMark(await read(), expected)) return false;
      await writeDurably(path, formatMark(next)).catch((cause: unknown) => {
        throw new CrumbError('ledger_unwritable', { cause });
      });
      return true;
    },
    close: async () => {},
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new CrumbError('ledger_unwritable', { cause });
  }
}

function formatMark({ origin, size, root, leaf }: GuardMark): string {
  return `${JSON.stringify({ origin, size, root: toBase64(root), leaf: toBase64(leaf) })}\n`;
}

function parseMark(text: string): GuardMark {
  const refuse = (): never => {
    throw new CrumbError('ledger_invalid', { names: ['rollback guard'] });
  };
  const members = new Map<string, unknown>(Object.entries(parseObject(text) ?? refuse()));
  const [origin, size] = [members.get('origin'), members.get('size')];
  const [root, leaf] = [hashOf(members.get('root')), hashOf(members.get('leaf'))];
  if (typeof origin !== 'string' || typeof size !== 'number' || !Number.isSafeInteger(size)) {
    return refuse();
  }
  return root === undefined || leaf === undefined ? refuse() : { origin, size, root, leaf };
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function hashOf(value: unknown): Uint8Array | undefined {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  return bytes?.length === 32 ? bytes : undefined;
}

const flush = promisify(fsync);

/**
 * All or nothing, and on disk: a new file takes the place of the old one.
 *
 * What only touches the cache of the file system is done at once; the disk is waited for.
 */
async function writeDurably(path: string, text: string): Promise<void> {
  const next = `${path}.${process.pid}.next`;
  mkdirSync(dirname(path), { recursive: true });
  await withFile(openSync(next, 'w', 0o600), async (file) => {
    writeSync(file, text);
    await flush(file);
  });
  renameSync(next, path);
  await withFile(openSync(dirname(path), 'r'), flush); // the rename is an entry of the directory
}

async function withFile(file: number, use: (file: number) => Promise<void>): Promise<void> {
  try {
    await use(file);
  } finally {
    closeSync(file);
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
