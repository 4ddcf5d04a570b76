/**
 * The project's own configuration, as `crumb init` lays it out: a module that exports `config`.
 *
 * @module
 */
import { createPrivateKey, createPublicKey, KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CrumbError } from '../errors.ts';
import { visible } from '../evidence/visible.ts';
import type { KeyInput } from '../exchange/signing-key.ts';
import type { CrumbOptions } from '../gateway/create-crumb.ts';
import { publicJwk, type PublicJwk } from './keys.ts';
import type { Terminal } from './terminal/terminal.ts';

const NAMES = ['crumb.config.ts', 'crumb.config.mts', 'crumb.config.mjs', 'crumb.config.js'];

/** The option that every command with a configuration has. */
export const CONFIG_OPTION = {
  kind: 'text',
  value: 'FILE',
  help: 'the configuration (default: crumb.config.ts or .mjs here)',
} as const;

/** The same, for a command that reads a ledger: see {@link loadConfigBeside}. */
export const LEDGER_CONFIG_OPTION = {
  ...CONFIG_OPTION,
  help: 'the configuration (default: crumb.config.ts or .mjs here; none for a ledger that is named)',
} as const;

/**
 * Loads the configuration.
 *
 * @param name Path as it was typed; undefined: the usual names in the present folder.
 * @returns Undefined if nothing was named and nothing is there.
 * @throws {CrumbError} `config_invalid`, `file_unreadable`.
 */
export async function loadConfig(
  terminal: Terminal,
  name: string | undefined,
): Promise<CrumbOptions | undefined> {
  const found = (name === undefined ? NAMES : [name])
    .map((one) => resolve(terminal.cwd, one))
    .find((path) => existsSync(path));
  if (found === undefined) {
    if (name === undefined) return undefined;
    throw new CrumbError('file_unreadable', { names: [visible(name)] });
  }
  const module: unknown = await import(pathToFileURL(found).href).catch((cause: unknown) => {
    throw new CrumbError('config_invalid', { cause, names: [visible(found)] });
  });
  const config = memberOf(module, 'config');
  if (!isConfig(config)) throw new CrumbError('config_invalid', { names: [visible(found)] });
  return config;
}

/**
 * As {@link loadConfig}, for a command that reads a ledger. Whoever names one may stand in a folder that
 * others filled, and a configuration is code that also says which key to trust: then only one counts that
 * is named as well.
 */
export async function loadConfigBeside(
  terminal: Terminal,
  source: string | undefined,
  name: string | undefined,
): Promise<CrumbOptions | undefined> {
  return source !== undefined && name === undefined ? undefined : loadConfig(terminal, name);
}

/** As {@link loadConfig}, where nothing can be done without one. */
export async function requireConfig(
  terminal: Terminal,
  name: string | undefined,
): Promise<CrumbOptions> {
  const config = await loadConfig(terminal, name);
  if (config === undefined)
    throw new CrumbError('config_invalid', { names: ['no crumb.config.ts'] });
  return config;
}

/** The private key behind a client or agent of the configuration. @throws {CrumbError} `config_invalid` */
export function keyObjectOf(input: KeyInput): KeyObject {
  try {
    if (typeof input === 'string') return createPrivateKey(input);
    if (input instanceof KeyObject) return input;
    if (input instanceof CryptoKey) return KeyObject.from(input);
    if ('kty' in input) return createPrivateKey({ key: { ...input }, format: 'jwk' });
  } catch {
    // Without cause: a parser's message may quote the key.
  }
  throw new CrumbError('config_invalid', { names: ['a key of `issuer` is not a private key'] });
}

/** What an identity provider registers for it. */
export function registrationOf(input: KeyInput): { readonly keys: PublicJwk[] } {
  return { keys: [publicJwk(createPublicKey(keyObjectOf(input)))] };
}

/** What the command line itself reads; the rest is `createCrumb`'s to judge. */
function isConfig(value: unknown): value is CrumbOptions {
  const ledger = memberOf(value, 'ledger');
  const issuer = memberOf(value, 'issuer');
  return (
    typeof memberOf(ledger, 'url') === 'string' &&
    typeof memberOf(ledger, 'origin') === 'string' &&
    typeof memberOf(issuer, 'url') === 'string' &&
    typeof memberOf(memberOf(issuer, 'client'), 'id') === 'string' &&
    typeof memberOf(issuer, 'agents') === 'object'
  );
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !(name in value)) return undefined;
  return Reflect.get(value, name);
}
