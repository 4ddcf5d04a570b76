/**
 * Runs a script on a Node that satisfies `engines`: the present one if it does, else one from npm. So
 * README's two commands work on a machine that only has an older Node.
 *
 * CRUMB_NODE=22 (a major, or an exact version) asks for that one instead.
 */
import { spawnSync } from 'node:child_process';
import { satisfies } from './engines.mjs';

const LINE = { 22: '22.22.2', 24: '24.21.0', 26: '26.10.0' };

const [script, ...args] = process.argv.slice(2);
if (script === undefined) {
  console.error('usage: node scripts/with-node.mjs SCRIPT [ARGUMENT...]');
  process.exit(2);
}

const wanted = process.env.CRUMB_NODE;
const present = process.versions.node;
const presentWillDo = wanted === undefined ? satisfies(present) : matches(present, wanted);
process.exitCode = presentWillDo
  ? run(process.execPath, [script, ...args])
  : viaNpm(wanted === undefined ? LINE[defaultMajor()] : (LINE[wanted] ?? wanted));

function matches(version, wish) {
  return version === wish || version.split('.')[0] === wish;
}

/** npm carries no Node 24 for macOS. */
function defaultMajor() {
  return process.platform === 'darwin' ? 26 : 24;
}

/**
 * The package of this platform, not `node`, which only installs it by a nested `npm install` from an
 * install script: npm 11.19 refuses the nested one (docs/adr/0001-node-from-npm.md).
 */
function viaNpm(version) {
  console.error(`Node ${present} is not what this needs; running on Node ${version} from npm.`);
  const { platform, arch } = process;
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node';
  const name = `${prefix}-${platform === 'win32' ? 'win' : platform}-${arch}@${version}`;
  const npm = platform === 'win32' ? 'npm.cmd' : 'npm';
  return run(npm, ['exec', '--yes', `--package=${name}`, '--', 'node', script, ...args]);
}

function run(command, parameters) {
  const { status, signal, error } = spawnSync(command, parameters, {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (error) console.error(error.message);
  return status ?? (signal === 'SIGINT' ? 130 : 1);
}
