import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { createClient, type Client } from '@libsql/client';
import { afterEach } from 'vitest';
import { commitJson } from '../../src/evidence/commitment.ts';
import { openVault } from '../../src/vault/open-vault.ts';
import type { Opening, Vault } from '../../src/vault/vault.ts';

export const KEY = new Uint8Array(32).fill(7);
export const ALICE = { iss: 'https://idp.example', sub: 'alice' };
export const BOB = { iss: 'https://idp.example', sub: 'bob' };
export const CLAIMS = { name: 'Alice Liddell', email: 'alice@example.org' };

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** A place for a vault that is gone after the test. */
export function newVaultPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crumb-vault-'));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'vault.db');
}

export async function vaultAt(path: string, key: Uint8Array = KEY): Promise<Vault> {
  const vault = await openVault({ url: `file:${path}`, key });
  cleanUps.push(() => vault.close());
  return vault;
}

/** What an operator with a database tool would use. */
export function rawClient(path: string): Client {
  const client = createClient({ url: `file:${path}` });
  cleanUps.push(() => client.close());
  return client;
}

export function newOpening(value: Opening['value'], subject?: Uint8Array): Opening {
  const salt = Uint8Array.from(randomBytes(32));
  return {
    commitment: commitJson(salt, 'args', value ?? null),
    label: 'args',
    salt,
    ...(value === undefined ? {} : { value }),
    ...(subject === undefined ? {} : { subject }),
  };
}

/** Every byte of the database and of its log. */
export function readAll(path: string): Buffer {
  const files = [path, `${path}-wal`].filter((file) => existsSync(file));
  return Buffer.concat(files.map((file) => readFileSync(file)));
}
