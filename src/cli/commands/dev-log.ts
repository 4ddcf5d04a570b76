/**
 * `crumb dev log`: the development transparency log, alone.
 *
 * @module
 */
import { join, resolve } from 'node:path';
import type { DevLog } from '../../dev/log.ts';
import { defineCommand } from '../command.ts';
import { developmentBanner, noteEvents, portTaken, runUntilStopped } from '../dev-service.ts';
import { shown } from '../files.ts';
import type { Style } from '../terminal/style.ts';
import type { Answer } from '../terminal/terminal.ts';
import { FOLDER } from './init-texts.ts';

/** Where it listens unless told otherwise. */
const DEV_LOG_PORT = 4282;

export const devLog = defineCommand({
  name: 'dev log',
  summary: 'run the development transparency log',
  about: [
    'A transparency log on this machine that speaks as Rekor v2 does: checkpoints are anchored in it as in a public one, and its growing tree can be read as tiles. A timestamp authority (RFC 3161) listens beside it, because receipts of Rekor v2 need one. It is for development: it listens on loopback, its trust root is marked, and no receipt raises a level unless the reader allows development.',
    'Keys, entries and the trust root that readers pin lie in a folder of its own. What it answered for is on disk, and nothing can be deleted: who rewrites a ledger on this machine does not reach it without touching that folder.',
  ],
  operands: [],
  options: {
    port: { kind: 'count', value: 'PORT', help: `default: ${DEV_LOG_PORT}` },
    dir: {
      kind: 'text',
      value: 'FOLDER',
      help: `its folder, made at the first start; default: ${FOLDER}/dev/log`,
    },
    force: { kind: 'flag', help: 'start in spite of NODE_ENV=production' },
  },
  examples: [
    { line: 'crumb dev log', shows: 'a log for this project' },
    {
      line: 'crumb dev log --port 4292 --dir second-log',
      shows: 'a second one, with keys of its own',
    },
  ],
  exits: { 0: 'stopped by Ctrl-C' },
  async run({ options }, terminal) {
    const { startDevLog } = await import('../../dev/log.ts');
    const { describeLogEvent } = await import('../../dev/transparency/events.ts');
    const log = await startDevLog({
      folder: resolve(terminal.cwd, options.dir ?? join(FOLDER, 'dev', 'log')),
      port: options.port ?? DEV_LOG_PORT,
      force: options.force,
      log: noteEvents(terminal, describeLogEvent),
    }).catch(portTaken);
    return runUntilStopped(log, terminal, banner(log, terminal.cwd, terminal.style));
  },
});

function banner(log: DevLog, cwd: string, style: Style): Answer {
  const { url, timestampUrl, name, vkey, trustRootFile, size } = log;
  const rows: readonly (readonly [string, string])[] = [
    ['Log', url],
    ['Timestamps', timestampUrl],
    ['Name', name],
    ['Key', vkey],
    ['Trust root', shown(trustRootFile, cwd)],
    ['Entries', String(size)],
  ];
  return {
    facts: { url, timestampUrl, name, vkey, trustRoot: trustRootFile, size },
    text: () => developmentBanner(style, 'anyone here can log, and nobody watches.', rows),
  };
}
