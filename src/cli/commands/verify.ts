/**
 * `crumb verify`: whether a ledger is what was signed.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CrumbError } from '../../errors.ts';
import { toBase64 } from '../../evidence/bytes.ts';
import { parseVkey, vkeyOf } from '../../evidence/note.ts';
import { visible } from '../../evidence/visible.ts';
import type { CrumbOptions } from '../../gateway/create-crumb.ts';
import { exitCodeOf } from '../../verify/report.ts';
import type { Trust } from '../../verify/trust.ts';
import { usage } from '../arguments.ts';
import type { CheckOptions, LedgerCheck } from '../check-ledger.ts';
import { defineCommand } from '../command.ts';
import { LEDGER_CONFIG_OPTION, loadConfigBeside } from '../config.ts';
import { AUTH_TOKEN, ledgerPlace } from '../databases.ts';
import { checkFacts, describeCheck } from '../describe-check.ts';
import { isOwn, openOwnVault } from '../own-vault.ts';
import type { Terminal } from '../terminal/terminal.ts';

export const verify = defineCommand({
  name: 'verify',
  summary: 'check that a ledger or bundle is what was signed',
  about: [
    'Reads every crumb, follows the chain, recomputes the tree, and holds it against the signed heads. Where the evidence is at hand it judges every verdict again and checks every token against the keys of its issuer. It needs no network, changes nothing, and names the row where something is wrong.',
    'A key that comes with the data proves nothing about it. Give the one that the operator published, with --key. What could not be established is printed every time.',
    'Without SOURCE it is the ledger of this project, under the key and with the vault of crumb.config.ts. With SOURCE no configuration is read unless --config names one: it is code, and whoever filled this folder could have put it there.',
    'Receipts of transparency logs, timestamp authorities and witnesses count only if you name them with --trust. Two signed heads are held against each other with --equivocation.',
    `A ledger on a server is named by its URL; its token is read from ${AUTH_TOKEN}.`,
  ],
  operands: [
    {
      name: 'SOURCE',
      help: "a database (file or URL) or a bundle; default the configuration's ledger",
      optional: true,
    },
  ],
  options: {
    config: LEDGER_CONFIG_OPTION,
    key: {
      kind: 'text',
      short: 'k',
      value: 'VKEY',
      help: 'key of the ledger, from its operator: a vkey, or a file with one',
    },
    origin: { kind: 'text', value: 'NAME', help: 'name that the ledger must have' },
    head: {
      kind: 'list',
      value: 'FILE',
      help: 'a signed tree head that somebody kept: the ledger must still contain it',
    },
    'issuer-keys': {
      kind: 'text',
      value: 'FILE',
      help: 'JSON: key sets by issuer, fetched from the issuers themselves',
    },
    trust: {
      kind: 'list',
      value: 'FILE',
      help: 'whose receipts count: a pinned trusted_root.json, or a C2SP witness policy',
    },
    'allow-development': {
      kind: 'flag',
      help: 'count receipts of development logs and witnesses, and say so',
    },
    equivocation: {
      kind: 'text',
      value: 'HEAD',
      help: 'only ask whether this signed head and the one in place of SOURCE show two histories',
    },
    full: { kind: 'flag', help: 'check the signature of every commit, not only the last' },
    'without-vault': { kind: 'flag', help: 'as a stranger would, who cannot open commitments' },
  },
  examples: [
    { line: 'crumb verify', shows: 'the ledger of this project, with its vault and key' },
    {
      line: 'crumb verify crumb.db --key acme.example/crumb+af26471b+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c',
      shows: 'a database that you were given, under a key that was published',
    },
    {
      line: 'crumb verify crumb.db --full --json',
      shows: 'every signature; one document for a program',
    },
    {
      line: 'crumb verify --equivocation mine.note theirs.note --key acme.vkey',
      shows: 'whether the key signed two histories: exit code 1 if it did',
    },
  ],
  exits: { 0: 'sound', 1: 'not sound: at least one failing finding', 2: 'could not be read' },
  async run({ options, operands }, terminal) {
    const [source] = operands;
    if (options.equivocation !== undefined && source === undefined) {
      throw usage('--equivocation takes two heads: HEAD, and one after it');
    }
    const config = await loadConfigBeside(terminal, source, options.config);
    const trust = await trustOf(options, config, terminal.cwd);
    if (options.equivocation !== undefined && source !== undefined) {
      return compareHeads([options.equivocation, source], trust.key, terminal);
    }
    const progress = terminal.progress('verifying');
    const check = await checkSource(source, config, {
      terminal,
      withVault: !options['without-vault'],
      options: {
        trust,
        full: options.full,
        onProgress: ({ entries, size }) => progress.update(entries, size),
      },
    }).finally(() => progress.end());
    terminal.print({
      facts: checkFacts(check),
      text: () => describeCheck(check, terminal.style),
    });
    return exitCodeOf(check.report);
  },
});

/** Exit code 1 if the key signed two histories: then nothing under it is sound. */
async function compareHeads(
  [one, other]: readonly [string, string],
  key: string | undefined,
  terminal: Terminal,
): Promise<0 | 1> {
  if (key === undefined || parseVkey(key) === undefined) {
    throw usage('--equivocation needs the vkey of the ledger: give it with --key');
  }
  const { findEquivocation } = await import('../../verify/equivocation.ts');
  const [a, b] = [readText(one, terminal.cwd), readText(other, terminal.cwd)];
  const found = await findEquivocation(a, b, key);
  if (found === undefined) {
    const text = 'These two heads do not show two histories: another size, or the same root.';
    terminal.print({ facts: { equivocation: null }, text: () => [text] });
    return 0;
  }
  const { origin, size } = found;
  const roots = found.roots.map((root) => toBase64(root));
  terminal.print({
    facts: { equivocation: { origin, size, roots } },
    text: () => [
      `${terminal.style.red('✗ Two histories')}: the key of ${visible(origin)} signed both of these for ${size} crumbs.`,
      ...roots.map((root) => `  root ${root}`),
      'Keep both notes: together they prove it to anyone.',
    ],
  });
  return 1;
}

interface Checking {
  readonly terminal: Terminal;
  readonly withVault: boolean;
  readonly options: CheckOptions;
}

async function checkSource(
  operand: string | undefined,
  config: CrumbOptions | undefined,
  { terminal, withVault, options }: Checking,
): Promise<LedgerCheck> {
  const { checkBundleFile, checkDatabase, isDatabaseFile } = await import('../check-ledger.ts');
  const place = ledgerPlace(terminal, operand, config);
  const { path } = place;
  if (path !== undefined && !(await isDatabaseFile(path))) return checkBundleFile(path, options);
  const vault =
    withVault && isOwn(place, config, terminal) ? await openOwnVault(config) : undefined;
  try {
    return await checkDatabase(place, options, vault);
  } finally {
    await vault?.close();
  }
}

interface TrustWords {
  readonly key: string | undefined;
  readonly origin: string | undefined;
  readonly head: readonly string[];
  readonly 'issuer-keys': string | undefined;
  readonly trust: readonly string[];
  readonly 'allow-development': boolean;
}

async function trustOf(
  words: TrustWords,
  config: CrumbOptions | undefined,
  cwd: string,
): Promise<Trust> {
  const { key: keyWord, origin = config?.ledger.origin, head, 'issuer-keys': issuerKeys } = words;
  const key = keyWord === undefined ? await ownKey(config) : keyOf(keyWord, cwd);
  return {
    ...(key === undefined ? {} : { key }),
    ...(origin === undefined ? {} : { origin }),
    ...(head.length === 0 ? {} : { heads: head.map((path) => readText(path, cwd)) }),
    ...(issuerKeys === undefined ? {} : { issuerKeys: readKeySets(issuerKeys, cwd) }),
    ...readTrust(words.trust, cwd),
    allowDevelopment: words['allow-development'],
  };
}

/** A trust root is JSON; a policy is lines. */
function readTrust(paths: readonly string[], cwd: string): Pick<Trust, 'roots' | 'witnesses'> {
  const texts = paths.map((path) => readText(path, cwd));
  const roots = texts.filter((text) => text.trimStart().startsWith('{'));
  const [witnesses, ...more] = texts.filter((text) => !roots.includes(text));
  if (more.length > 0) throw usage('--trust takes one witness policy: it says how many are enough');
  return { roots, ...(witnesses === undefined ? {} : { witnesses }) };
}

/** The public half of the configuration's own key. */
async function ownKey(config: CrumbOptions | undefined): Promise<string | undefined> {
  if (config === undefined) return undefined;
  const { createSigner } = await import('../../ledger/signer.ts');
  return vkeyOf(config.ledger.origin, createSigner(config.ledger.signingKey).publicKey);
}

const GENESIS_LEAF = /^[A-Za-z0-9_-]{43}$/;

function keyOf(word: string, cwd: string): string {
  const isKey = (text: string): boolean => parseVkey(text) !== undefined || GENESIS_LEAF.test(text);
  if (isKey(word)) return word;
  const path = resolve(cwd, word);
  const text = existsSync(path) ? readText(word, cwd).trim() : '';
  if (isKey(text)) return text;
  throw usage(`--key ${word} is neither a vkey (name+id+key), nor a file with one`);
}

function readKeySets(path: string, cwd: string): Readonly<Record<string, unknown>> {
  const text = readText(path, cwd);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch (cause) {
    throw new CrumbError('usage_invalid', { cause, names: ['--issuer-keys is not JSON'] });
  }
  throw usage('--issuer-keys is an object: key sets by issuer');
}

function readText(path: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, path), 'utf8');
  } catch (cause) {
    throw new CrumbError('file_unreadable', { cause, names: [visible(path)] });
  }
}
