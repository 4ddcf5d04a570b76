#!/usr/bin/env node
/**
 * Runs our suite against a real Rekor:
 *
 *   npm run interop:rekor -- --url https://rekor.example --trust trusted_root.json
 *   npm run interop:rekor -- --version 2 --url https://log.example --timestamp-url https://tsa.example/api/v1/timestamp --trust trusted_root.json
 *
 * It leaves four entries in that log, which stay there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    trust: { type: 'string' },
    version: { type: 'string', default: '1' },
    'timestamp-url': { type: 'string' },
  },
});
const { url, trust, version } = values;
const stamp = values['timestamp-url'];

function refuse(why) {
  process.stderr.write(`interop:rekor: ${why}\n`);
  process.exit(2);
}
if (url === undefined || trust === undefined) refuse('--url and --trust are needed');
if (version !== '1' && version !== '2') refuse('--version is 1 or 2');
if (version === '2' && stamp === undefined)
  refuse('Rekor v2 states no time: --timestamp-url is needed');
if (!existsSync(trust)) refuse(`no such file: ${trust}`);

const target = {
  version: Number(version),
  url,
  trust: resolve(trust),
  ...(stamp === undefined ? {} : { timestamp: { url: stamp } }),
};
const args = [
  'scripts/with-node.mjs',
  'node_modules/vitest/vitest.mjs',
  'run',
  'test/anchor/interop.test.ts',
];
const { status } = spawnSync(process.execPath, args, {
  stdio: 'inherit',
  env: { ...process.env, CRUMB_INTEROP_REKOR: JSON.stringify(target) },
});
process.exit(status ?? 2);
