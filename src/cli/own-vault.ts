/**
 * The vault of the project's own ledger.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import type { CrumbOptions } from '../gateway/create-crumb.ts';
import { parseLocation } from '../store/libsql/location.ts';
import type { Vault } from '../vault/vault.ts';
import { ledgerPlace, type DatabasePlace } from './databases.ts';
import type { Terminal } from './terminal/terminal.ts';

/** The vault of the configuration belongs to the ledger of the configuration, and to no other. */
export function isOwn(
  place: DatabasePlace,
  config: CrumbOptions | undefined,
  terminal: Terminal,
): boolean {
  if (config === undefined) return false;
  const own = ledgerPlace(terminal, undefined, config);
  return (own.path ?? own.url) === (place.path ?? place.url);
}

/** Undefined without a configuration or a vault. */
export async function openOwnVault(config: CrumbOptions | undefined): Promise<Vault | undefined> {
  if (config === undefined) return undefined;
  const { url, key } = config.vault;
  // Verifying must not make a vault where there is none.
  const location = parseLocation(url);
  if (location.kind === 'file' && !existsSync(location.path)) return undefined;
  const [{ openVault }, { readSecret }] = await Promise.all([
    import('../vault/open-vault.ts'),
    import('../gateway/secret.ts'),
  ]);
  return openVault({ ...config.vault, key: readSecret(key, 'vault.key') });
}
