/**
 * A ledger's database as the source of a bundle.
 *
 * @module
 */
import type { BundleSource, EvidenceSource } from '../../ledger/export-bundle.ts';
import type { StoredEntry } from '../../ledger/ledger-store.ts';
import type { LedgerReader } from './libsql-reader.ts';

const PAGE = 1000;

/**
 * What is stored now, damaged or not: verification says what it is worth.
 *
 * @param evidence What opens commitments; without it nothing is opened.
 */
export async function bundleSource(
  reader: LedgerReader,
  evidence?: EvidenceSource,
): Promise<BundleSource> {
  // The ledger may grow meanwhile. A checkpoint from before the end was read is shown whatever its size: one
  // of more crumbs than there are says that the end was cut off. A later one is shown only if it is covered.
  const before = new Set((await reader.checkpoints()).map((one) => one.size));
  const { size } = await reader.end();
  // Receipts after the end, since an entry up to there may name one.
  const receipts = await reader.receipts();
  const checkpoints = (await reader.checkpoints()).filter(
    (one) => one.size <= size || before.has(one.size),
  );
  const published = new Set(checkpoints.map((one) => one.size));
  const origin = await reader.origin();
  return {
    origin: origin ?? 'unnamed',
    size,
    pages: pagesOf(reader.readRows(0, size)),
    checkpoints,
    receipts: receipts.filter((one) => published.has(one.size)),
    ...(evidence === undefined ? {} : { evidence }),
  };
}

async function* pagesOf(rows: AsyncIterable<StoredEntry>): AsyncIterable<readonly StoredEntry[]> {
  let page: StoredEntry[] = [];
  for await (const row of rows) {
    page.push(row);
    if (page.length === PAGE) {
      yield page;
      page = [];
    }
  }
  if (page.length > 0) yield page;
}
