/** What tests of the development log and witness have in common: folders, requests as clients send them. */
import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { startDevLog, type DevLog, type DevLogOptions } from '../../src/dev/log.ts';
import { startDevWitness, type DevWitness, type DevWitnessOptions } from '../../src/dev/witness.ts';

const folders: string[] = [];
const running: AsyncDisposable[] = [];

afterAll(async () => {
  await Promise.all(running.map(async (one) => one[Symbol.asyncDispose]()));
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A folder that is gone after the tests of the file. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crumb-log-'));
  folders.push(folder);
  return folder;
}

/** A log that is closed after the tests of the file. */
export async function devLog(options: Partial<DevLogOptions> = {}): Promise<DevLog> {
  const log = await startDevLog({ folder: newFolder(), ...options });
  running.push(log);
  return log;
}

/** A witness that is closed after the tests of the file. */
export async function devWitness(
  options: Partial<DevWitnessOptions> & Pick<DevWitnessOptions, 'logs'>,
): Promise<DevWitness> {
  const witness = await startDevWitness({ folder: newFolder(), ...options });
  running.push(witness);
  return witness;
}

export interface Signed {
  readonly message: string;
  readonly digest: Buffer;
  readonly signature: Buffer;
  readonly spki: Buffer;
}

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A message that the tests' anchor key signed. */
export function signed(message: string, key: KeyObject = pair.privateKey): Signed {
  return {
    message,
    digest: createHash('sha256').update(message).digest(),
    signature: sign('sha256', Buffer.from(message), key),
    spki: pair.publicKey.export({ type: 'spki', format: 'der' }),
  };
}

const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** `CreateEntryRequest` as the clients of Rekor v2 send it. */
export function requestOf({ digest, signature, spki }: Signed): object {
  return {
    hashedRekordRequestV002: {
      digest: b64(digest),
      signature: {
        content: b64(signature),
        verifier: {
          keyDetails: 'PKIX_ECDSA_P256_SHA_256',
          publicKey: { rawBytes: b64(spki) },
        },
      },
    },
  };
}

/** `TransparencyLogEntry` as protobuf's JSON writes it. */
export interface LoggedEntry {
  readonly logIndex: string;
  readonly logId: { readonly keyId: string };
  readonly kindVersion: { readonly kind: string; readonly version: string };
  readonly integratedTime: string;
  readonly inclusionPromise: null;
  readonly inclusionProof: {
    readonly logIndex: string;
    readonly rootHash: string;
    readonly treeSize: string;
    readonly hashes: readonly string[];
    readonly checkpoint: { readonly envelope: string };
  };
  readonly canonicalizedBody: string;
}

export async function post(url: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/api/v2/log/entries`, {
    method: 'POST',
    redirect: 'error',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Logs a message. */
export async function logMessage(url: string, message: string): Promise<LoggedEntry> {
  const response = await post(url, requestOf(signed(message)));
  if (response.status !== 201) throw new Error(`answered ${response.status}`);
  return (await response.json()) as LoggedEntry; // each test checks what it needs of it
}

export async function bytesAt(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

export async function textAt(url: string): Promise<string> {
  return Buffer.from(await bytesAt(url)).toString();
}

/** A timestamp query that `openssl` made. */
export function timestampQuery(bytes: Uint8Array | string, ...flags: string[]): Uint8Array {
  const folder = newFolder();
  writeFileSync(join(folder, 'bytes'), bytes);
  const query = join(folder, 'query');
  openssl('ts', '-query', '-data', join(folder, 'bytes'), '-sha256', '-out', query, ...flags);
  return new Uint8Array(readFileSync(query));
}

export async function askForTime(log: DevLog, query: Uint8Array): Promise<Response> {
  return fetch(log.timestampUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/timestamp-query' },
    body: new Uint8Array(query),
  });
}

export function openssl(...words: string[]): string {
  return execFileSync('openssl', words, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
}

/** Whatever is thrown, for its `code`. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
