/**
 * A ledger in a real file, as an attacker finds it on a disk and an auditor is given it.
 *
 * @module
 */
import { bundleItems } from '../../src/ledger/export-bundle.ts';
import type { Draft } from '../../src/ledger/ledger.ts';
import { bundleSource } from '../../src/store/libsql/bundle-source.ts';
import { openLibsqlReader } from '../../src/store/libsql/libsql-reader.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import type { Trust, VerifyOptions } from '../../src/verify/trust.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import type { Place } from '../ledger/fixtures.ts';

/** What the database says now, verified. */
export async function auditFile(
  { url }: Pick<Place, 'url'>,
  trust: Trust,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const reader = await openLibsqlReader({ url });
  try {
    return await verifyBundle(bundleItems(await bundleSource(reader)), trust, options);
  } finally {
    await reader.close();
  }
}

/** A crumb that stands alone: a call that somebody saw a provider make. */
export function seen(id: string): Draft {
  const args = 'h1.qwpIWjJCZsYEjFRUjEdcSl4Jf_9GvcOx6JNdIKS47_M';
  const place = { tool: 'search', resource: 'https://search.example', action: 'search' };
  return {
    kind: 'observed',
    body: {
      source: 'provider',
      session: null,
      human: null,
      chain: [],
      call: { id, ...place, args, origin: 'model' },
      verdict: null,
      result: null,
      purpose: null,
      by: null,
    },
  };
}
