/**
 * A process that writes to a ledger, for two-writers.test.ts: as Crumb does, or as somebody would who reads
 * where the ledger ends and then appends, without holding a lock in between.
 *
 * Says `ready`, waits for a line, and then says what came of it.
 *
 * @module
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createClient } from '@libsql/client';
import { toBase64url } from '../../src/evidence/bytes.ts';
import { encodeEntry } from '../../src/evidence/entry.ts';
import type { Entry } from '../../src/evidence/kinds.ts';
import { leafHash } from '../../src/evidence/merkle.ts';
import { openLibsqlLedger } from '../../src/store/libsql/libsql-ledger.ts';
import { seen } from './real-file.ts';

export interface Task {
  readonly url: string;
  readonly origin: string;
  readonly signingKey: string;
  /** `numbered`: the writer says the number; `counted`: the database gives the next one. */
  readonly how: 'crumb' | 'numbered' | 'counted';
  /** What the crumbs are called. */
  readonly name: string;
  readonly crumbs: number;
}

const say = (line: string): void => void writeSync(1, `${line}\n`);

async function whenTold(): Promise<void> {
  say('ready');
  await once(process.stdin, 'data');
}

async function writeAsCrumb({ crumbs, name, ...place }: Task): Promise<void> {
  const ledger = await openLibsqlLedger(place);
  await whenTold();
  for (let n = 0; n < crumbs; n++) {
    const { entries } = await ledger.append([seen(`${name}-${n}`)]);
    say(`wrote ${entries[0]?.seq} ${Buffer.from(entries[0]?.leaf ?? []).toString('hex')}`);
  }
  await ledger.close();
}

async function writeNaively({ url, how, name }: Task): Promise<void> {
  const client = createClient({ url, timeout: 5000 });
  const { rows } = await client.execute('SELECT seq, leaf FROM entry ORDER BY seq DESC LIMIT 1');
  const [last] = rows;
  if (!(last?.['leaf'] instanceof ArrayBuffer)) throw new TypeError('an empty ledger');
  const [seq, prev] = [Number(last['seq']) + 1, new Uint8Array(last['leaf'])];
  const time = new Date().toISOString();
  const entry = { v: 'crumb/1', seq, prev: toBase64url(prev), time, ...seen(name) };
  const bytes = encodeEntry(entry as Entry); // a draft without references is an entry's body
  await whenTold();
  const number = how === 'counted' ? '(SELECT max(seq) + 1 FROM entry)' : String(seq);
  try {
    await client.execute({
      sql: `INSERT INTO entry (seq, prev, leaf, head, bytes) VALUES (${number}, ?, ?, ?, ?)`,
      args: [prev, leafHash(bytes), new Uint8Array(64), bytes],
    });
    say('wrote');
  } catch (error) {
    say(`refused ${error instanceof Error ? error.message : ''}`);
  }
  client.close();
}

const task: Task = JSON.parse(process.argv[2] ?? '{}');
await (task.how === 'crumb' ? writeAsCrumb(task) : writeNaively(task));
process.stdin.unref();
