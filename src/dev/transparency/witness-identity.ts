/**
 * Who a development witness is: a name and a key, made at the first start and kept in its folder.
 *
 * @module
 */
import { join } from 'node:path';
import type { Ed25519Signer } from '../../evidence/ed25519.ts';
import { parseVkey, vkeyOf } from '../../evidence/note.ts';
import { DEVELOPMENT_LINE } from '../../evidence/witness-policy.ts';
import { PUBLIC, readIfThere, SECRET, writeDurably } from './durable-file.ts';
import { damaged, newKey, readKey, signerOf } from './log-identity.ts';

/** Names of files in the folder of a witness. */
export const WITNESS_FILES = {
  /** Ed25519, PKCS#8. */
  key: 'witness-key.pem',
  /** Its public key, as C2SP writes it. Written last: where it is, the key is. */
  vkey: 'vkey',
  /** What readers pin. */
  policy: 'policy',
} as const;

export interface WitnessIdentity {
  readonly name: string;
  readonly vkey: string;
  /** First four bytes of its lines. */
  readonly keyId: Uint8Array;
  readonly signer: Ed25519Signer;
}

/**
 * Reads who the witness of a folder is, or makes it.
 *
 * @param name Of a witness that is made.
 * @throws {CrumbError} `folder_damaged`; `key_invalid`: no witness may have this name.
 */
export async function openWitnessIdentity(folder: string, name: string): Promise<WitnessIdentity> {
  const there = await readIfThere(join(folder, WITNESS_FILES.vkey));
  if (there !== undefined) return readWitness(folder, there.trim());
  const { key, pem } = newKey('ed25519');
  const signer = signerOf(key);
  const vkey = vkeyOf(name, signer.publicKey, 'cosignature');
  const files = [
    { file: WITNESS_FILES.key, text: pem, mode: SECRET },
    { file: WITNESS_FILES.vkey, text: `${vkey}\n`, mode: PUBLIC },
  ] as const;
  for (const { file, text, mode } of files) {
    await writeDurably({ path: join(folder, file), text, mode });
  }
  return identityOf(vkey, signer);
}

/** A C2SP policy that asks for this witness alone, marked as one for development. */
export function devWitnessPolicy({ vkey }: WitnessIdentity, url: string): string {
  return `${DEVELOPMENT_LINE}\nwitness development ${vkey} ${url}\nquorum development\n`;
}

async function readWitness(folder: string, vkey: string): Promise<WitnessIdentity> {
  const signer = signerOf(await readKey(folder, WITNESS_FILES.key));
  const { name } = parseVkey(vkey) ?? {};
  if (name === undefined || vkeyOf(name, signer.publicKey, 'cosignature') !== vkey) {
    throw damaged(WITNESS_FILES.vkey);
  }
  return identityOf(vkey, signer);
}

function identityOf(vkey: string, signer: Ed25519Signer): WitnessIdentity {
  const key = parseVkey(vkey);
  if (key === undefined) throw damaged(WITNESS_FILES.vkey);
  return { name: key.name, vkey, keyId: key.id, signer };
}
