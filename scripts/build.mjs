/** Compiles `src` to `dist`, from scratch: a file that was renamed must not live on in the package. */
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.build.json'],
  { stdio: 'inherit' },
);
if (status === 0) chmodSync('dist/cli/crumb.js', 0o755);
process.exitCode = status ?? 1;
