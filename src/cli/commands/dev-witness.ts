/**
 * `crumb dev witness`: the development witness, alone.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DevWitness } from '../../dev/witness.ts';
import { CrumbError } from '../../errors.ts';
import { parseVkey, vkeyOf } from '../../evidence/note.ts';
import { visible } from '../../evidence/visible.ts';
import { defineCommand } from '../command.ts';
import { CONFIG_OPTION, loadConfig } from '../config.ts';
import { developmentBanner, noteEvents, portTaken, runUntilStopped } from '../dev-service.ts';
import { shown } from '../files.ts';
import type { Style } from '../terminal/style.ts';
import type { Answer, Terminal } from '../terminal/terminal.ts';
import { FOLDER } from './init-texts.ts';

/** Where it listens unless told otherwise. */
const DEV_WITNESS_PORT = 4283;

export const devWitness = defineCommand({
  name: 'dev witness',
  summary: 'run the development witness',
  about: [
    'A witness on this machine (C2SP tlog-witness): it cosigns a checkpoint only if it grows out of the last one that it cosigned, and says when. It is for development: it listens on loopback, and its policy is marked as one for development.',
    'It knows the ledgers whose keys it is given, or the one of crumb.config.ts. Its key and what it cosigned lie in a folder of its own; the file `policy` in it is what readers pin.',
  ],
  operands: [],
  options: {
    config: CONFIG_OPTION,
    ledger: {
      kind: 'list',
      value: 'VKEY',
      help: 'key of a ledger, or a file with one; default: the configuration has one',
    },
    port: { kind: 'count', value: 'PORT', help: `default: ${DEV_WITNESS_PORT}` },
    dir: {
      kind: 'text',
      value: 'FOLDER',
      help: `its folder, made at the first start; default: ${FOLDER}/dev/witness`,
    },
    force: { kind: 'flag', help: 'start in spite of NODE_ENV=production' },
  },
  examples: [
    { line: 'crumb dev witness', shows: 'for the ledger of this project' },
    {
      line: 'crumb dev witness --ledger .crumb/ledger.vkey --port 4293 --dir second-witness',
      shows: 'a second one, for "two of three"',
    },
  ],
  exits: { 0: 'stopped by Ctrl-C' },
  async run({ options }, terminal) {
    const logs =
      options.ledger.length > 0
        ? options.ledger.map((word) => vkeyFrom(word, terminal.cwd))
        : [await ownVkey(terminal, options.config)];
    const { startDevWitness } = await import('../../dev/witness.ts');
    const { describeWitnessEvent } = await import('../../dev/transparency/events.ts');
    const witness = await startDevWitness({
      folder: resolve(terminal.cwd, options.dir ?? join(FOLDER, 'dev', 'witness')),
      logs,
      port: options.port ?? DEV_WITNESS_PORT,
      force: options.force,
      log: noteEvents(terminal, describeWitnessEvent),
    }).catch(portTaken);
    const { cwd, style } = terminal;
    return runUntilStopped(witness, terminal, banner(witness, { logs, cwd, style }));
  },
});

function vkeyFrom(word: string, cwd: string): string {
  const path = resolve(cwd, word);
  const isFile = parseVkey(word) === undefined && existsSync(path);
  const vkey = isFile ? readFileSync(path, 'utf8').trim() : word;
  if (parseVkey(vkey)?.algorithm === 'ed25519') return vkey;
  const words = `--ledger ${visible(word)} is neither a vkey (name+id+key), nor a file with one`;
  throw new CrumbError('usage_invalid', { names: [words] });
}

/** The public half of the configuration's own key. */
async function ownVkey(terminal: Terminal, path: string | undefined): Promise<string> {
  const config = await loadConfig(terminal, path);
  if (config === undefined) {
    throw new CrumbError('usage_invalid', { names: ['no configuration, and no --ledger'] });
  }
  const { createSigner } = await import('../../ledger/signer.ts');
  return vkeyOf(config.ledger.origin, createSigner(config.ledger.signingKey).publicKey);
}

function banner(
  { url, name, vkey, policyFile }: DevWitness,
  { logs, cwd, style }: { readonly logs: readonly string[]; cwd: string; style: Style },
): Answer {
  const origins = logs.map((log) => parseVkey(log)?.name ?? log);
  const rows: readonly (readonly [string, string])[] = [
    ['Witness', url],
    ['Name', name],
    ['Key', vkey],
    ['Policy', shown(policyFile, cwd)],
    ['Ledgers', origins.join(', ')],
  ];
  return {
    facts: { url, name, vkey, policy: policyFile, ledgers: origins },
    text: () => developmentBanner(style, 'who runs the ledger can set it back, too.', rows),
  };
}
