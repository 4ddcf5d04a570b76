/**
 * Real ledgers in temporary files, and drafts to put into them.
 *
 * @module
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type ResultSet } from '@libsql/client';
import { onTestFinished } from 'vitest';
import { parseEntry } from '../../src/evidence/entry.ts';
import type { Entry, IntentBody } from '../../src/evidence/kinds.ts';
import { leafHash, rootHash } from '../../src/evidence/merkle.ts';
import { openNote } from '../../src/evidence/note.ts';
import { parseCheckpoint, type Checkpoint } from '../../src/evidence/checkpoint.ts';
import type { Draft, Ledger, Signer } from '../../src/ledger/ledger.ts';
import type { StoredEntry } from '../../src/ledger/ledger-store.ts';
import {
  openLibsqlLedger,
  type LibsqlLedgerOptions,
} from '../../src/store/libsql/libsql-ledger.ts';
import { createSigner } from '../../src/ledger/signer.ts';
import { openLibsqlReader } from '../../src/store/libsql/libsql-reader.ts';

export const ORIGIN = 'acme.example/crumb';
export const HASH = 'qwpIWjJCZsYEjFRUjEdcSl4Jf_9GvcOx6JNdIKS47_M';

/** One key for all ledgers of a test file: making them is slow. */
export const KEY: KeyObject = generateKeyPairSync('ed25519').privateKey;

/** A key service: the key of all tests, behind whatever the service does. */
export function signerThat(
  serve: (sign: Signer['sign'], message: Uint8Array) => Promise<Uint8Array>,
): Signer {
  const signer = createSigner(KEY);
  return { ...signer, sign: (message) => serve((text) => signer.sign(text), message) };
}

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'crumb-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface Place {
  readonly directory: string;
  readonly path: string;
  readonly url: string;
  readonly guard: string;
}

export function temporaryPlace(): Place {
  const directory = temporaryDirectory();
  const path = join(directory, 'crumb.db');
  return { directory, path, url: `file:${path}`, guard: join(directory, 'guard') };
}

/** Opens a ledger and closes it after the test, if the test has not. */
export async function openAt(
  { url }: Pick<Place, 'url'>,
  options: Partial<LibsqlLedgerOptions> = {},
): Promise<Ledger> {
  const ledger = await openLibsqlLedger({ url, origin: ORIGIN, signingKey: KEY, ...options });
  onTestFinished(() => ledger.close().catch(() => {}));
  return ledger;
}

export function outcome(intent: number, ms = 3): Draft {
  return { kind: 'outcome', body: { intent, status: 'ok', result: null, error: null, ms } };
}

export const INTENT_BODY: IntentBody = {
  approval: null,
  call: {
    action: 'read_record',
    args: `h1.${HASH}`,
    id: 'call_7Qk',
    origin: 'model',
    resource: 'https://records.example',
    tool: 'readRecord',
  },
  chain: [{ iss: 'https://idp.example', sub: 'planner' }],
  decision: null,
  directive: 0,
  exchange: 'fresh',
  hop: null,
  human: HASH,
  mode: 'enforce',
  reason: null,
  session: 2,
  token: {
    aud: 'https://records.example',
    c: `h1.${HASH}`,
    exp: '2026-11-22T10:20:30.000Z',
    iss: 'https://idp.example',
    jwks: 1,
    kid: 'k1',
    nesting: 'subject',
    profile: 'dev',
    scope: ['read_record'],
    txn: null,
  },
  verdict: 'authorized',
};

export function intent(change: Partial<IntentBody> = {}): Draft {
  return { kind: 'intent', body: { ...INTENT_BODY, ...change } };
}

/** A session entry, the smallest of the kinds that others refer to. */
export function session(): Draft {
  return {
    kind: 'session',
    body: {
      op: 'open',
      session: null,
      human: HASH,
      iss: 'https://idp.example',
      loginAt: null,
      acr: null,
      amr: [],
      expires: null,
      chain: [],
      claims: null,
      token: null,
      jwks: null,
      directives: [],
    },
  };
}

/** All rows as they are stored. */
export async function rowsAt({ url }: Pick<Place, 'url'>): Promise<readonly StoredEntry[]> {
  const reader = await openLibsqlReader({ url });
  const rows = [];
  for await (const row of reader.readRows(0)) rows.push(row);
  await reader.close();
  return rows;
}

/** A statement of someone who has the file, past everything of ours. */
export async function tamper(
  { url }: Pick<Place, 'url'>,
  ...statements: string[]
): Promise<ResultSet[]> {
  const client = createClient({ url, timeout: 2000 });
  const results = [];
  for (const sql of statements) results.push(await client.execute(sql));
  client.close();
  return results;
}

/**
 * Holds a whole ledger against the rules of ledger.md, by code that shares nothing with the writer but
 * the hash functions. Answers its entries.
 */
export async function auditRows(
  rows: readonly StoredEntry[],
  vkey: string,
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  const leaves: Uint8Array[] = [];
  let time = '';
  for (const [seq, row] of rows.entries()) {
    if (row.bytes === null) throw new Error(`entry ${seq} has no bytes`);
    const entry = parseEntry(row.bytes) as Entry; // the writer knows no other kinds
    const prev = Buffer.from(leaves.at(-1) ?? new Uint8Array(32)).toString('base64url');
    const leaf = leafHash(row.bytes);
    const isSound =
      entry.seq === seq &&
      row.seq === seq &&
      entry.prev === prev &&
      Buffer.from(row.prev).toString('base64url') === prev &&
      Buffer.compare(row.leaf, leaf) === 0 &&
      entry.time >= time;
    if (!isSound) throw new Error(`entry ${seq} does not follow`);
    entries.push(entry);
    leaves.push(leaf);
    time = entry.time;
  }
  if (rows.length > 0) await auditHead(rows.at(-1)?.head ?? new Uint8Array(), leaves, vkey);
  return entries;
}

async function auditHead(
  head: Uint8Array,
  leaves: readonly Uint8Array[],
  vkey: string,
): Promise<void> {
  const [name = '', id = ''] = vkey.split('+');
  const root = Buffer.from(rootHash(leaves)).toString('base64');
  const signature = Buffer.concat([Buffer.from(id, 'hex'), head]).toString('base64');
  await openNote(`${name}\n${leaves.length}\n${root}\n\n— ${name} ${signature}\n`, [vkey]);
}

/** The statement of a head or checkpoint, after its signature was checked. */
export async function openHead(note: string, vkey: string): Promise<Checkpoint> {
  return parseCheckpoint((await openNote(note, [vkey])).text);
}
