#!/usr/bin/env node
/**
 * Runs our checks of logs and timestamps over Sigstore's conformance suite:
 *
 *   npm run interop:sigstore -- DIRECTORY
 *
 * DIRECTORY is a checkout of github.com/sigstore/sigstore-conformance.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const [directory] = process.argv.slice(2);
if (directory === undefined || !existsSync(join(directory, 'test/assets/bundle-verify'))) {
  process.stderr.write(
    'interop:sigstore: give the directory of a checkout of sigstore-conformance\n',
  );
  process.exit(2);
}
const args = [
  'scripts/with-node.mjs',
  'node_modules/vitest/vitest.mjs',
  'run',
  'test/anchor/conformance.test.ts',
];
const { status } = spawnSync(process.execPath, args, {
  stdio: 'inherit',
  env: { ...process.env, CRUMB_SIGSTORE_CONFORMANCE: resolve(directory) },
});
process.exit(status ?? 2);
