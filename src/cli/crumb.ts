#!/usr/bin/env node
/**
 * The bin. What it runs is loaded only after the check, for an old Node fails on it without a word that
 * helps.
 *
 * @module
 */
import { engines } from './version.ts';

const [major = 0] = process.versions.node.split('.').map(Number);

if (major < 22) {
  process.stderr.write(`crumb needs Node ${engines()}; this is ${process.versions.node}\n`);
  process.exitCode = 2;
} else {
  // `crumb log | head` closes our end: that is the reader's right, and no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  // What Node has to say about how it reads the project's crumb.config.ts is no news to its reader.
  process.removeAllListeners('warning').on('warning', (warning: NodeJS.ErrnoException) => {
    const expected =
      warning.name === 'ExperimentalWarning' || warning.code === 'MODULE_TYPELESS_PACKAGE_JSON';
    if (!expected) process.stderr.write(`${warning.name}: ${warning.message}\n`);
  });
  const [{ main }, { COMMANDS }] = await Promise.all([
    import('./main.ts'),
    import('./registry.ts'),
  ]);
  const { argv, stdout, stderr, env } = process;
  const streams = { stdout, stderr, env, cwd: process.cwd() };
  process.exitCode = await main(argv.slice(2), streams, COMMANDS);
}
