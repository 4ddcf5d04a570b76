/**
 * Appending, beside a bare group commit of the same rows.
 *
 * @module
 */
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { bareGroupCommit, bareInsert, INTENT } from './bare.ts';
import type { Bench } from './bench.ts';
import { INTENT_DRAFT, openLedgerFile } from './drafts.ts';
import { interleave, ratioOf, type Subject } from './measure.ts';
import { timedRows, type Goal, type Section } from './report.ts';

const BARE = 'bare group commit';
const LEDGER = 'ledger';
const INSERT = 'bare durable insert';

/** Rows per second over those of the bare group commit, by callers. */
const GOALS: ReadonlyMap<number, number> = new Map([
  [64, 0.65],
  [256, 0.75],
]);

export const benchAppend: Bench = async ({ effort, directory }) => {
  const signingKey = generateKeyPairSync('ed25519').privateKey;
  const inline = await openLedgerFile({ path: join(directory, 'append.db'), signingKey });
  const thread = await openLedgerFile(
    { path: join(directory, 'append-thread.db'), signingKey },
    'worker',
  );
  const bare = await bareGroupCommit(join(directory, 'append-bare.db'));
  const insert = await bareInsert(join(directory, 'append-insert.db'));
  const together: readonly Subject[] = [
    { name: BARE, run: () => bare(INTENT) },
    { name: LEDGER, run: () => inline.append([INTENT_DRAFT]) },
    { name: 'ledger, writer thread', run: () => thread.append([INTENT_DRAFT]) },
  ];
  const alone = [...together, { name: INSERT, run: () => insert(INTENT) }];
  try {
    const sections: Section[] = [];
    for (const callers of [1, 8, 64, 256]) {
      const samples = await interleave(callers === 1 ? alone : together, { ...effort, callers });
      const goals: readonly Goal[] =
        callers === 1
          ? [
              {
                what: 'crumb over bare durable insert, one caller',
                aim: 'at most',
                limit: 1.3,
                measured: ratioOf(samples.time, LEDGER, INSERT).median,
                unit: 'x',
              },
            ]
          : goalOf(callers, ratioOf(samples.time, BARE, LEDGER).median);
      const title = `One crumb, ${callers} ${callers === 1 ? 'caller' : 'callers'}`;
      sections.push({ name: 'append', title, rows: timedRows(samples, BARE), goals });
    }
    return sections;
  } finally {
    await inline.close();
    await thread.close();
  }
};

function goalOf(callers: number, measured: number): readonly Goal[] {
  const limit = GOALS.get(callers);
  if (limit === undefined) return [];
  const what = `crumbs per second over bare group commit, ${callers} callers`;
  return [{ what, aim: 'at least', limit, measured, unit: 'x' }];
}
