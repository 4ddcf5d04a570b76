/**
 * What a stranger with the vault finds in the ledger of a world.
 *
 * @module
 */
import { bundleItems } from '../../src/ledger/export-bundle.ts';
import { fromBase64url } from '../../src/evidence/bytes.ts';
import { bundleSource } from '../../src/store/libsql/bundle-source.ts';
import { openLibsqlReader } from '../../src/store/libsql/libsql-reader.ts';
import { openVault } from '../../src/vault/open-vault.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import type { CrumbWorld } from '../world.ts';

/** Findings and warnings of a whole verification, as text; nothing but the usual warning is expected. */
export async function audit(world: CrumbWorld): Promise<readonly string[]> {
  await world.crumb.flush();
  const { vault: place } = world.plainOptions;
  const key = fromBase64url(String(place.key)) ?? new Uint8Array();
  const vault = await openVault({ url: place.url, key });
  const reader = await openLibsqlReader({ url: `file:${world.ledgerFile}` });
  try {
    const [genesis] = await world.crumbsOf('genesis');
    const trust = { key: genesis?.body.key ?? '', origin: genesis?.body.origin ?? '', heads: [] };
    const source = await bundleSource(reader, vault);
    const report = await verifyBundle(bundleItems(source), trust, { full: true });
    return [...report.findings, ...report.warnings]
      .filter(({ code }) => code !== 'issuer_keys_self_archived')
      .map((finding) => JSON.stringify(finding));
  } finally {
    await reader.close();
    await vault.close();
  }
}
