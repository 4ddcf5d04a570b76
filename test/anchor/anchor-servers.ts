/** Logs, authorities and witnesses of the tests over real HTTP on loopback. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { initializeTLog } from '@sigstore/mock';
import { parseCheckpoint } from '../../src/evidence/checkpoint.ts';
import { verifyConsistency } from '../../src/evidence/merkle.ts';
import { openNote } from '../../src/evidence/note.ts';
import type { RekorEntry } from '../../src/evidence/rekor-receipt.ts';
import {
  b64,
  mockAuthority,
  p256Pair,
  type root,
  sha256,
  smallLog,
  testWitness,
  type KeyPair,
  type TestAuthority,
} from '../evidence/receipt-world.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** What to do instead of the honest answer; it may call that. */
export type Fault = (asked: Asked, honest: () => Promise<Answer>) => Answer | Promise<Answer>;

export interface TestServer {
  readonly url: string;
  readonly asked: Asked[];
  /** Set to spoil what comes next. */
  fault: Fault | undefined;
  close(): Promise<void>;
}

const opened: TestServer[] = [];

/** For `afterEach`. */
export async function closeServers(): Promise<void> {
  await Promise.all(opened.splice(0).map((server) => server.close()));
}

export async function serve(honest: (asked: Asked) => Promise<Answer>): Promise<TestServer> {
  const http = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const asked = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(parts),
      };
      server.asked.push(asked);
      const answer = server.fault?.(asked, () => honest(asked)) ?? honest(asked);
      void Promise.resolve(answer).then(({ status, headers = {}, body = '' }) => {
        response.writeHead(status, headers).end(body);
      });
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const server: TestServer = {
    url: `http://127.0.0.1:${port}`,
    asked: [],
    fault: undefined,
    close: () =>
      new Promise((resolve) => {
        http.closeAllConnections();
        http.close(() => resolve());
      }),
  };
  opened.push(server);
  return server;
}

const json = (status: number, value: unknown, headers = {}): Answer => ({
  status,
  headers: { 'Content-Type': 'application/json', ...headers },
  body: JSON.stringify(value),
});

export interface ServedLog extends TestServer {
  /** For `trustText`. */
  readonly trusted: Parameters<typeof root>[0];
}

/** `@sigstore/mock`'s Rekor v1, with its entries to be read again. */
export async function serveRekorV1(key: KeyPair = p256Pair()): Promise<ServedLog> {
  const baseUrl = 'https://rekor.test';
  const log = await initializeTLog(baseUrl, key);
  const stored = new Map<string, unknown>();
  const server = await serve(async ({ method, path, body }) => {
    if (method === 'GET') {
      const id = path.split('/').at(-1) ?? '';
      return stored.has(id) ? json(200, { [id]: stored.get(id) }) : json(404, {});
    }
    if (path !== '/api/v1/log/entries') return json(404, {});
    const answer: unknown = await log.log(JSON.parse(body.toString()) as object);
    for (const [id, entry] of Object.entries(answer as object)) stored.set(id, entry);
    return json(201, answer);
  });
  const trusted = {
    logs: [
      { baseUrl, spki: key.spki, id: sha256(key.spki), keyDetails: 'PKIX_ECDSA_P256_SHA_256' },
    ],
  };
  return Object.assign(server, { trusted });
}

/** A Rekor v2 over the small log. */
export async function serveRekorV2(): Promise<
  ServedLog & { readonly log: ReturnType<typeof smallLog> }
> {
  const log = smallLog();
  const server = await serve(async ({ path, body }) => {
    if (path !== '/api/v2/log/entries') return json(404, {});
    const { hashedRekordRequestV002: request } = JSON.parse(body.toString()) as {
      hashedRekordRequestV002: {
        digest: string;
        signature: { content: string; verifier: { publicKey: { rawBytes: string } } };
      };
    };
    const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
    const entry = await log.add({
      note: '',
      digest: bytes(request.digest),
      signature: bytes(request.signature.content),
      spki: bytes(request.signature.verifier.publicKey.rawBytes),
    });
    return json(201, answerV2(entry));
  });
  return Object.assign(server, { log, trusted: { logs: [log.trusted] } });
}

/** An entry as protobuf's JSON has it. */
export function answerV2({ body, logId, index, proof }: RekorEntry): object {
  return {
    logIndex: String(index),
    logId: { keyId: b64(logId) },
    kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
    integratedTime: '0',
    inclusionPromise: null,
    inclusionProof: {
      logIndex: String(index),
      rootHash: b64(proof.root),
      treeSize: String(proof.size),
      hashes: proof.hashes.map(b64),
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: b64(body),
  };
}

/** An authority that is asked by RFC 3161. */
export async function serveAuthority(
  authority?: Pick<TestAuthority, 'trusted'> & { reply?: (query: Uint8Array) => Uint8Array },
): Promise<ServedLog> {
  const mock = authority === undefined ? await mockAuthority() : undefined;
  const server = await serve(async ({ body }) => {
    const response = authority?.reply?.(body) ?? (await mock?.stampDigest(body.subarray(-32)));
    return {
      status: 200,
      headers: { 'Content-Type': 'application/timestamp-reply' },
      body: response ?? new Uint8Array(),
    };
  });
  const trusted = authority?.trusted ?? mock?.trusted;
  return Object.assign(server, {
    trusted: { authorities: trusted === undefined ? [] : [trusted] },
  });
}

/** A witness that keeps to the rules. */
export async function serveWitness(
  name: string,
  seed: number,
  logs: readonly string[],
): Promise<
  TestServer & { readonly vkey: string; seen: { size: number; root: Uint8Array } | undefined }
> {
  const witness = testWitness(name, seed);
  const server = await serve(async ({ path, body }) => {
    if (path !== '/add-checkpoint') return { status: 404 };
    return own(body.toString());
  });
  const state = Object.assign(server, {
    vkey: witness.vkey,
    seen: undefined as { size: number; root: Uint8Array } | undefined,
  });
  async function own(text: string): Promise<Answer> {
    const [head, note] = splitAt(text);
    const [first = '', ...proof] = head.split('\n').filter((line) => line !== '');
    const old = Number(/^old (\d+)$/.exec(first)?.[1] ?? 'none');
    const opened = await openNote(note, logs).catch(() => undefined);
    if (opened === undefined) return { status: 403 };
    const { size, root } = parseCheckpoint(opened.text);
    const seen = state.seen ?? { size: 0, root: new Uint8Array() };
    if (Number.isNaN(old) || old > size) return { status: 400 };
    if (old !== seen.size) {
      const headers = { 'Content-Type': 'text/x.tlog.size' };
      return { status: 409, headers, body: `${seen.size}\n` };
    }
    const hashes = proof.map((line) => new Uint8Array(Buffer.from(line, 'base64')));
    const claim = { oldSize: old, newSize: size, oldRoot: seen.root, newRoot: root, proof: hashes };
    if (old > 0 ? !verifyConsistency(claim) : hashes.length > 0) return { status: 422 };
    state.seen = { size, root };
    return { status: 200, body: await witness.line(opened.text, new Date()) };
  }
  return state;
}

function splitAt(text: string): [string, string] {
  const at = text.indexOf('\n\n');
  return [text.slice(0, at + 1), text.slice(at + 2)];
}
