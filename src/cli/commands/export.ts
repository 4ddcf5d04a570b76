/**
 * `crumb export`: a ledger as a bundle, for an auditor.
 *
 * @module
 */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { CrumbError } from '../../errors.ts';
import { visible } from '../../evidence/visible.ts';
import { usage } from '../arguments.ts';
import { defineCommand, EXIT } from '../command.ts';
import { LEDGER_CONFIG_OPTION, loadConfigBeside } from '../config.ts';
import { AUTH_TOKEN, ledgerPlace } from '../databases.ts';
import { SECRET_MODE, shown } from '../files.ts';
import { isOwn, openOwnVault } from '../own-vault.ts';

export const exportBundle = defineCommand({
  name: 'export',
  summary: 'write a ledger to a bundle that anyone can verify',
  about: [
    'Writes the whole ledger with its signed heads and the receipts of third parties to one file (crumb-bundle/1), which `crumb verify` reads without a database. It checks nothing and changes nothing.',
    'Without DATABASE it is the ledger of this project, and the vault adds what opens commitments: tokens, arguments, results, key sets. Identity claims stay out, but tokens and arguments may name people: --without-vault leaves all of that closed. With DATABASE no configuration is read, and no vault opened, unless --config names one.',
    `A ledger on a server is named by its URL; its token is read from ${AUTH_TOKEN}.`,
  ],
  operands: [
    { name: 'DATABASE', help: "a file or URL; default the configuration's ledger", optional: true },
  ],
  options: {
    config: LEDGER_CONFIG_OPTION,
    out: {
      kind: 'text',
      short: 'o',
      value: 'FILE',
      help: 'where to; a file that is there stays',
      default: 'crumb-bundle.ndjson',
    },
    'without-vault': { kind: 'flag', help: 'open no commitments' },
  },
  examples: [
    { line: 'crumb export', shows: 'the ledger of this project, with what its vault opens' },
    {
      line: 'crumb export crumb.db --without-vault --out audit.ndjson',
      shows: 'a database, commitments closed',
    },
  ],
  async run({ options, operands }, terminal) {
    const config = await loadConfigBeside(terminal, operands[0], options.config);
    const place = ledgerPlace(terminal, operands[0], config);
    const path = resolve(terminal.cwd, options.out);
    // Loaded only now: help must not wait for a database.
    const [{ openLibsqlReader }, { bundleSource }, { bundleLines }] = await Promise.all([
      import('../../store/libsql/libsql-reader.ts'),
      import('../../store/libsql/bundle-source.ts'),
      import('../../ledger/export-bundle.ts'),
    ]);
    const reader = await openLibsqlReader(place);
    const own = !options['without-vault'] && isOwn(place, config, terminal);
    const vault = own ? await openOwnVault(config).catch(closing(reader)) : undefined;
    const progress = terminal.progress('exporting');
    try {
      const source = await bundleSource(reader, vault);
      const lines = await writeLines(path, bundleLines(source, { made: new Date() }), (done) =>
        progress.update(done),
      );
      const facts = { path, size: source.size, lines, vault: vault !== undefined };
      progress.end();
      terminal.print({
        facts,
        text: () => [
          `Wrote ${facts.size} crumbs to ${visible(shown(path, terminal.cwd))}, ${vault === undefined ? 'commitments closed' : 'with what the vault opens'}.`,
        ],
      });
      return EXIT.ok;
    } finally {
      progress.end();
      await vault?.close();
      await reader.close();
    }
  },
});

function closing(reader: { close(): Promise<void> }): (error: unknown) => Promise<never> {
  return async (error) => {
    await reader.close();
    throw error;
  };
}

/** Writes a new file, for its owner alone; half a bundle is taken away again. Answers the lines. */
async function writeLines(
  path: string,
  lines: AsyncIterable<string>,
  onLine: (done: number) => void,
): Promise<number> {
  const file = create(path);
  let count = 0;
  let whole = false;
  try {
    for await (const line of lines) {
      attempt(path, () => writeWhole(file, `${line}\n`));
      onLine(++count);
    }
    attempt(path, () => fsyncSync(file));
    whole = true;
  } finally {
    closeSync(file);
    if (!whole) rmSync(path, { force: true });
  }
  return count;
}

/** One write may take fewer bytes than it was given. */
function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}

function create(path: string): number {
  try {
    return openSync(path, 'wx', SECRET_MODE);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
      throw usage(`${visible(path)} is there already: name another file with --out`);
    }
    throw new CrumbError('file_unwritable', { cause, names: [visible(path)] });
  }
}

function attempt(path: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    throw new CrumbError('file_unwritable', { cause, names: [visible(path)] });
  }
}
