/**
 * Appending, beside a bare group commit of the same rows: interleaved rounds in one process, so that a
 * machine that drifts drifts for both.
 *
 *   node bench/append.ts [seconds of a measurement: 0.3] [rounds: 7] [callers: 1,8,64,256]
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type InValue } from '@libsql/client';
import type { Draft, Ledger } from '../src/ledger/ledger.ts';
import { MIGRATIONS } from '../src/store/libsql/migrations.ts';
import { openLibsqlLedger } from '../src/store/libsql/libsql-ledger.ts';

const seconds = Number(process.argv[2] ?? '0.3');
const ROUNDS = Number(process.argv[3] ?? '7');
const CALLERS = (process.argv[4] ?? '1,8,64,256').split(',').map(Number);

const HASH = 'qwpIWjJCZsYEjFRUjEdcSl4Jf_9GvcOx6JNdIKS47_M';
const intent: Draft = {
  kind: 'intent',
  body: {
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
  },
};

/** Appends one row, durable when it resolves. */
type Append = () => Promise<unknown>;

/** Takes what is waiting, at most 128, into one transaction: no chain, tree, encoding or signature. */
async function bareGroupCommit(path: string): Promise<Append> {
  const client = createClient({ url: `file:${path}`, concurrency: 1, timeout: 100 });
  const pragmas = ['journal_mode = WAL', 'synchronous = FULL', 'cache_size = -65536'];
  for (const pragma of [...pragmas, 'wal_autocheckpoint = 10000', 'secure_delete = ON']) {
    await client.execute(`PRAGMA ${pragma}`);
  }
  const ledger = MIGRATIONS[0]?.objects ?? [];
  for (const { sql } of ledger) await client.execute(sql);

  const leaf = new Uint8Array(32);
  const head = new Uint8Array(64);
  const bytes = Buffer.alloc(790, 'x');
  const texts = new Map<number, string>();
  let seq = 0;
  const waiting: (() => void)[] = [];
  let running = false;
  const run = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0) {
      await new Promise((resolve) => void setImmediate(resolve));
      const batch = waiting.splice(0, 128);
      const args: InValue[] = [];
      for (const [n] of batch.entries()) {
        args.push(seq++, leaf, leaf, n === batch.length - 1 ? head : null, bytes);
      }
      const { length } = batch;
      const values = texts.get(length) ?? Array(length).fill('(?,?,?,?,?)').join(',');
      texts.set(length, values);
      const transaction = await client.transaction('write');
      await transaction.execute({
        sql: `INSERT INTO entry (seq, prev, leaf, head, bytes) VALUES ${values}`,
        args,
      });
      await transaction.commit();
      for (const resolve of batch) resolve();
    }
    running = false;
  };
  return () =>
    new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (!running) void run();
    });
}

async function bareInsert(path: string): Promise<Append> {
  const client = createClient({ url: `file:${path}`, concurrency: 1, timeout: 100 });
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL']) {
    await client.execute(`PRAGMA ${pragma}`);
  }
  for (const { sql } of MIGRATIONS[0]?.objects ?? []) await client.execute(sql);
  const sql = 'INSERT INTO entry (seq, prev, leaf, head, bytes) VALUES (?, ?, ?, ?, ?)';
  const [leaf, head, bytes] = [new Uint8Array(32), new Uint8Array(64), Buffer.alloc(790, 'x')];
  let seq = 0;
  return () => client.execute({ sql, args: [seq++, leaf, leaf, head, bytes] });
}

interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  /** CPU of the whole process, all threads. */
  readonly cpuUs: number;
}

async function measure(append: Append, callers: number): Promise<Measured> {
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  const end = start + seconds * 1000;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let now = performance.now(); now < end;) {
        await append();
        const done = performance.now();
        latencies.push(done - now);
        now = done;
      }
    }),
  );
  const perSecond = (latencies.length / (performance.now() - start)) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond, p50Ms: median(latencies), cpuUs: (user + system) / latencies.length };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const directory = mkdtempSync(join(tmpdir(), 'crumb-bench-'));
const signingKey = generateKeyPairSync('ed25519').privateKey;
const open = (name: string, writer: 'inline' | 'worker'): Promise<Ledger> =>
  openLibsqlLedger({
    url: `file:${join(directory, name)}`,
    origin: 'bench.example/crumb',
    signingKey,
    writer,
    guard: join(directory, `${name}.guard`),
  });
const inline = await open('inline.db', 'inline');
const worker = await open('worker.db', 'worker');
const subjects: Record<string, Append> = {
  insert: await bareInsert(join(directory, 'insert.db')),
  bare: await bareGroupCommit(join(directory, 'bare.db')),
  ledger: () => inline.append([intent]),
  worker: () => worker.append([intent]),
};

console.log('callers  subject    rows/s  p50 ms  CPU us  over bare');
for (const callers of CALLERS) {
  const rounds: Record<string, Measured[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    const present = Object.entries(subjects).filter(([name]) => name !== 'insert' || callers === 1);
    for (const [name, append] of present) {
      (rounds[name] ??= []).push(await measure(append, callers));
    }
  }
  const bare = rounds['bare'] ?? [];
  for (const [name, measured] of Object.entries(rounds)) {
    const ratios = measured.map((m, n) => m.perSecond / (bare[n]?.perSecond ?? Number.NaN));
    const cells = [
      String(callers).padStart(7),
      name.padEnd(8),
      median(measured.map((m) => m.perSecond))
        .toFixed(0)
        .padStart(8),
      median(measured.map((m) => m.p50Ms))
        .toFixed(2)
        .padStart(7),
      median(measured.map((m) => m.cpuUs))
        .toFixed(1)
        .padStart(6),
      `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)})`,
    ];
    console.log(cells.join('  '));
  }
}
await inline.close();
await worker.close();
rmSync(directory, { recursive: true });
