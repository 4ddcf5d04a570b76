/**
 * Everything that a tool call touches, real and in temporary places: the development identity
 * provider, a records service behind the guard, and a Crumb over files.
 *
 * @module
 */
import { createClient } from '@libsql/client';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { devKeyPair } from '../src/dev/keyring.ts';
import { toBase64url } from '../src/evidence/bytes.ts';
import { isKnownKind, parseEntry } from '../src/evidence/entry.ts';
import type { Bodies, Entry, Kind } from '../src/evidence/kinds.ts';
import { createCrumb, type Crumb, type CrumbOptions } from '../src/gateway/create-crumb.ts';
import type { HumanSession } from '../src/gateway/human-session.ts';
import type { Resources } from '../src/gateway/resources.ts';
import type { Delegation } from '../src/resource/delegation.ts';
import { createGuard } from '../src/resource/guard.ts';
import { RECORDS, startWorld, type LoginAs, type World, type WorldOptions } from './dev/world.ts';

export { READ_42, RECORDS } from './dev/world.ts';

export const ORIGIN = 'crumb.example/test';

/** One request that the records service let pass. */
export interface Served {
  readonly method: string;
  readonly path: string;
  readonly delegation: Delegation;
}

/** A resource server: `GET /records/ID` needs `read_record`, `POST /records/ID/export` `export_record`. */
export interface RecordsService {
  readonly url: string;
  /** What passed the guard, in order. */
  readonly served: readonly Served[];
  /** Codes for which the guard refused. */
  readonly refused: readonly string[];
  close(): Promise<void>;
}

export interface CrumbWorldOptions {
  readonly idp?: WorldOptions;
  /** What differs from the standard Crumb. */
  readonly crumb?: Partial<Omit<CrumbOptions, 'issuer' | 'ledger' | 'vault'>> & {
    readonly issuer?: Partial<CrumbOptions['issuer']>;
    readonly ledger?: Partial<CrumbOptions['ledger']>;
  };
  /** More tools, besides `readRecord` and `exportRecord`; `{ resource: 'local' }` needs no service. */
  readonly tools?: Exclude<Resources, (tool: string) => unknown>;
}

/** An entry of one kind. */
export type EntryOf<K extends Kind> = Entry & { readonly kind: K; readonly body: Bodies[K] };

export interface CrumbWorld extends AsyncDisposable {
  readonly idp: World;
  readonly records: RecordsService;
  readonly crumb: Crumb;
  /** Where the ledger and the vault are. */
  readonly folder: string;
  /** Path of the ledger's file. */
  readonly ledgerFile: string;

  /** An access token, by the real pages. Default directives: none, so scopes stand for them. */
  tokenOf(person: string, directives?: readonly object[], more?: LoginAs): Promise<string>;
  /** A session, opened with such a token. */
  loginAs(person: string, directives?: readonly object[], more?: LoginAs): Promise<HumanSession>;

  /** All entries, strictly parsed, as they stand in the file. */
  readCrumbs(): Promise<readonly Entry[]>;
  /** Those of one kind. */
  crumbsOf<K extends Kind>(kind: K): Promise<readonly EntryOf<K>[]>;

  /** What another process opens these files with: plain data. */
  readonly plainOptions: CrumbOptions;

  /** Another Crumb over the same files, as another process would open it. Close it before the world. */
  openAgain(changes?: CrumbWorldOptions['crumb']): Promise<Crumb>;

  close(): Promise<void>;
}

/** Starts a world. Close it, or bind it with `await using`. */
export async function openWorld(options: CrumbWorldOptions = {}): Promise<CrumbWorld> {
  const idp = await startWorld(options.idp);
  const records = await startRecords(idp.issuer);
  const folder = mkdtempSync(join(tmpdir(), 'crumb-world-'));
  const vaultKey = new Uint8Array(randomBytes(32));
  const settings = await standardOptions({
    idp,
    records,
    folder,
    vaultKey,
    tools: options.tools ?? {},
  });
  const crumb = await createCrumb(merge(settings, options.crumb));

  const world: CrumbWorld = {
    idp,
    records,
    crumb,
    folder,
    ledgerFile: join(folder, 'crumb.db'),
    async tokenOf(person, directives, more = {}) {
      const login = { ...more, ...(directives === undefined ? {} : { directives }) };
      return (await idp.loginAs(person, login)).accessToken;
    },
    loginAs: async (...who) => crumb.session(await world.tokenOf(...who)),
    plainOptions: { ...settings, vault: { ...settings.vault, key: toBase64url(vaultKey) } },
    readCrumbs: async () => readCrumbs(world.ledgerFile),
    crumbsOf: async (kind) => (await world.readCrumbs()).filter((entry) => isOf(entry, kind)),
    openAgain: async (changes) => createCrumb(merge(settings, changes)),
    async close() {
      try {
        await crumb.close();
      } finally {
        await records.close();
        await idp.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
    [Symbol.asyncDispose]: () => world.close(),
  };
  return world;
}

function isOf<K extends Kind>(entry: Entry, kind: K): entry is EntryOf<K> {
  return entry.kind === kind;
}

async function standardOptions(parts: {
  readonly idp: World;
  readonly records: RecordsService;
  readonly folder: string;
  readonly vaultKey: Uint8Array;
  readonly tools: NonNullable<CrumbWorldOptions['tools']>;
}): Promise<CrumbOptions> {
  const { idp, records, folder, vaultKey, tools } = parts;
  const { privateKey } = generateKeyPairSync('ed25519');
  const agents = Object.entries(idp.keys).map(([name, { key }]) => [name, { key }] as const);
  const record = { resource: RECORDS, url: records.url };
  return {
    issuer: {
      url: idp.issuer,
      profile: 'dev',
      audience: idp.audience,
      client: { id: idp.client.id, key: (await devKeyPair()).key },
      agents: Object.fromEntries(agents),
    },
    ledger: {
      url: `file:${join(folder, 'crumb.db')}`,
      origin: ORIGIN,
      signingKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    },
    vault: { url: `file:${join(folder, 'vault.db')}`, key: vaultKey },
    resources: {
      readRecord: { ...record, action: 'read_record' },
      exportRecord: { ...record, action: 'export_record' },
      ...tools,
    },
    allowDevelopment: true,
  };
}

function merge(settings: CrumbOptions, changes: CrumbWorldOptions['crumb'] = {}): CrumbOptions {
  return {
    ...settings,
    ...changes,
    issuer: { ...settings.issuer, ...changes.issuer },
    ledger: { ...settings.ledger, ...changes.ledger },
  };
}

async function readCrumbs(file: string): Promise<readonly Entry[]> {
  const client = createClient({ url: `file:${file}` });
  try {
    const { rows } = await client.execute('SELECT bytes FROM entry ORDER BY seq');
    return rows.map((row) => {
      const { bytes } = row;
      if (!(bytes instanceof ArrayBuffer)) throw new TypeError('an entry without bytes');
      const entry = parseEntry(new Uint8Array(bytes));
      if (!isKnownKind(entry)) throw new TypeError(`an entry of unknown kind ${entry.kind}`);
      return entry;
    });
  } finally {
    client.close();
  }
}

const ROUTE = /^\/records\/(\d+)(\/export)?$/u;

async function startRecords(issuer: string): Promise<RecordsService> {
  const served: Served[] = [];
  const refused: string[] = [];
  const guardFor = (scope: string): ReturnType<typeof createGuard> =>
    createGuard({
      resource: RECORDS,
      issuers: [{ url: issuer, algs: ['RS256', 'ES256', 'EdDSA'] }],
      scope,
      allowDevelopment: true,
      onRefusal: (refusal) => refused.push(refusal.code),
    });
  const reading = guardFor('read_record');
  const exporting = guardFor('export_record');

  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    const [, id, exported] = ROUTE.exec(url) ?? [];
    const guard = exported === undefined ? reading : exporting;
    void guard.node((_request, _response, delegation) => {
      served.push({ method, path: url, delegation });
      response.writeHead(id === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ id: Number(id), text: `record ${id ?? 'unknown'}` }));
    })(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    served,
    refused,
    async close() {
      server.closeAllConnections();
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
