/**
 * What somebody with the database, but without the signing key, would do: make an unauthorized call look
 * authorized. The triggers stop mistakes, not people, so they are dropped first.
 *
 * @module
 */
import { copyFile } from 'node:fs/promises';
import { createClient } from '@libsql/client';
import type { TrailSession } from './trail.ts';

export interface Tampering {
  /** The copy that was tampered with. */
  readonly path: string;
  /** The row that was changed. */
  readonly seq: number;
  readonly from: string;
  readonly to: string;
}

/** Changes one row in a copy. Undefined if there is nothing unauthorized to hide. */
export async function tamper(
  ledger: string,
  copy: string,
  sessions: readonly TrailSession[],
): Promise<Tampering | undefined> {
  const target = sessions
    .flatMap(({ calls }) => calls)
    .find(({ verdict }) => verdict === 'unauthorized');
  if (target === undefined) return undefined;
  await copyFile(ledger, copy);
  const client = createClient({ url: `file:${copy}` });
  const from = '"verdict":"unauthorized"';
  const to = '"verdict":"authorized"';
  try {
    const triggers = await client.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'");
    for (const { name } of triggers.rows) {
      if (typeof name === 'string') await client.execute(`DROP TRIGGER "${name}"`);
    }
    await client.execute({
      sql: 'UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT), ?, ?) AS BLOB) WHERE seq = ?',
      args: [from, to, target.seq],
    });
  } finally {
    client.close();
  }
  return { path: copy, seq: target.seq, from, to };
}
