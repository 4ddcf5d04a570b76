/**
 * Feeds a ledger to the verifier: from its database, or from a bundle in a file.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { CrumbError } from '../errors.ts';
import { visible } from '../evidence/visible.ts';
import { bundleItems, type EvidenceSource } from '../ledger/export-bundle.ts';
import { sha256 } from '../ledger/sha256.ts';
import { bundleSource } from '../store/libsql/bundle-source.ts';
import { openLibsqlReader } from '../store/libsql/libsql-reader.ts';
import { MAX_LINE_BYTES } from '../verify/bundle-lines.ts';
import type { VerifyReport } from '../verify/report.ts';
import type { Trust, VerifyOptions } from '../verify/trust.ts';
import { verifyBundle } from '../verify/verify-bundle.ts';
import type { DatabasePlace } from './databases.ts';

/** What came of a check. */
export interface LedgerCheck {
  readonly report: VerifyReport;
  /** What of the database's schema is not as Crumb made it. It weakens no evidence, but somebody did it. */
  readonly schemaDifferences: readonly string[];
}

export interface CheckOptions {
  readonly trust?: Trust;
  /** Checks the signature of every commit. Default false. */
  readonly full?: boolean;
  readonly onProgress?: VerifyOptions['onProgress'];
}

/** Node's own SHA-256 is several times faster than one in JavaScript; what is found is the same. */
const NATIVE = { sha256, createSha256: () => createHash('sha256') };

/**
 * Verifies a ledger's database as it is now.
 *
 * @param evidence Opens commitments: the vault, where the reader may look into it.
 * @throws {CrumbError} `ledger_invalid`: this is no ledger's database. `ledger_unwritable`: no answer.
 */
export async function checkDatabase(
  place: DatabasePlace,
  options: CheckOptions = {},
  evidence?: EvidenceSource,
): Promise<LedgerCheck> {
  const reader = await openLibsqlReader(place);
  try {
    const items = bundleItems(await bundleSource(reader, evidence));
    const report = await verifyBundle(items, options.trust, verifyOptions(options));
    return { report, schemaDifferences: reader.schemaDifferences };
  } finally {
    await reader.close();
  }
}

/** Verifies a bundle in a file. @throws {CrumbError} `file_unreadable`. */
export async function checkBundleFile(
  path: string,
  options: CheckOptions = {},
): Promise<LedgerCheck> {
  const report = await verifyBundle(linesOf(path), options.trust, verifyOptions(options));
  return { report, schemaDifferences: [] };
}

const MAGIC = 'SQLite format 3\0';

/** Whether a file is a database: SQLite says so in its first bytes. @throws {CrumbError} `file_unreadable` */
export async function isDatabaseFile(path: string): Promise<boolean> {
  try {
    const start = await buffer(createReadStream(path, { end: MAGIC.length - 1 }));
    // An empty file is what a crash can leave of a new database; a bundle has at least a header.
    return start.length === 0 || start.toString('latin1') === MAGIC;
  } catch (cause) {
    throw new CrumbError('file_unreadable', { cause, names: [visible(path)] });
  }
}

function verifyOptions({ full = false, onProgress }: CheckOptions): VerifyOptions {
  return { ...NATIVE, full, ...(onProgress === undefined ? {} : { onProgress }) };
}

/**
 * Lines of a file, some at a time, without their newlines. A longer line than any may be is cut: whoever
 * made the file must not choose how much memory reading takes.
 */
async function* linesOf(path: string): AsyncIterable<readonly string[]> {
  const stream = createReadStream(path, { highWaterMark: 1 << 20 });
  let rest: Buffer = Buffer.alloc(0);
  try {
    // Without an encoding its chunks are buffers.
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const lines: string[] = [];
      let from = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        lines.push(textOf(Buffer.concat([rest, chunk.subarray(from, end)])));
        rest = Buffer.alloc(0);
        from = end + 1;
      }
      rest = Buffer.concat([rest, chunk.subarray(from)]).subarray(0, MAX_LINE_BYTES + 1);
      yield lines;
    }
  } catch (cause) {
    throw new CrumbError('file_unreadable', { cause, names: [visible(path)] });
  }
  if (rest.length > 0) yield [textOf(rest)];
}

function textOf(line: Buffer): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(line.subarray(0, MAX_LINE_BYTES + 1));
}
