/**
 * Compiles `src` to `dist`, from scratch: a file that was renamed must not live on in the package. It takes
 * the place of the old one at the end, and only if it compiles, so that what runs from `dist` meanwhile
 * does not find it half there.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, renameSync, rmSync } from 'node:fs';

const next = `dist.${process.pid}`;
const { status } = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.build.json', '--outDir', next],
  { stdio: 'inherit' },
);
if (status === 0) {
  chmodSync(`${next}/cli/crumb.js`, 0o755);
  rmSync('dist', { recursive: true, force: true });
  renameSync(next, 'dist');
} else rmSync(next, { recursive: true, force: true });
process.exitCode = status ?? 1;
