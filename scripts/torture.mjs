/**
 * Kills writers of a ledger at random moments, many times over, and looks after each whether it is whole:
 *
 *   npm run torture -- --runs 1000
 *
 * The runs are those of test/faults/torture.test.ts, of which `npm test` makes a few.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '1000' } } });
if (!/^[1-9]\d{0,6}$/.test(values.runs)) {
  console.error('usage: npm run torture -- [--runs N]');
  process.exit(2);
}
const vitest = 'node_modules/vitest/vitest.mjs';
const { status } = spawnSync(
  process.execPath,
  ['scripts/with-node.mjs', vitest, 'run', 'test/faults/torture.test.ts'],
  { stdio: 'inherit', env: { ...process.env, CRUMB_TORTURE_RUNS: values.runs } },
);
process.exitCode = status ?? 1;
