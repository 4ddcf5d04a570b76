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
  // Checkpoints first: the ledger may grow meanwhile, and a newer one would seem to miss crumbs.
  const checkpoints = await reader.checkpoints();
  const { size } = await reader.end();
  const origin = await reader.origin();
  return {
    origin: origin ?? 'unnamed',
    size,
    pages: pagesOf(reader.readRows(0, size)),
    checkpoints,
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
