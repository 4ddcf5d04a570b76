/**
 * The ledger's tables for typed reads. migrations.ts makes them; nothing is ever written through here.
 *
 * @module
 */
import { blob, index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { sql } from 'drizzle-orm';

export const migration = sqliteTable('migration', {
  version: integer().primaryKey(),
  name: text().notNull(),
});

export const ledger = sqliteTable('ledger', {
  id: integer().primaryKey(),
  origin: text().notNull(),
});

export const entry = sqliteTable('entry', {
  seq: integer().primaryKey(),
  prev: blob({ mode: 'buffer' }).notNull(),
  leaf: blob({ mode: 'buffer' }).notNull(),
  head: blob({ mode: 'buffer' }),
  bytes: blob({ mode: 'buffer' }),
});

export const pruned = sqliteTable('pruned', {
  start: integer().primaryKey(),
  end: integer().notNull(),
});

export const tile = sqliteTable(
  'tile',
  {
    level: integer().notNull(),
    n: integer().notNull(),
    root: blob({ mode: 'buffer' }).notNull(),
    hashes: blob({ mode: 'buffer' }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.level, t.n] })],
);

export const checkpoint = sqliteTable('checkpoint', {
  size: integer().primaryKey(),
  root: blob({ mode: 'buffer' }).notNull(),
  note: text().notNull(),
});

export const uses = sqliteTable('uses', {
  key: blob({ mode: 'buffer' }).primaryKey(),
  used: integer().notNull(),
  max: integer().notNull(),
});

export const pending = sqliteTable('pending', {
  key: blob({ mode: 'buffer' }).primaryKey(),
  session: text().notNull(),
  agent: text().notNull(),
  callId: text('call_id').notNull(),
  tool: text().notNull(),
  argsC: text('args_c').notNull(),
  salt: blob({ mode: 'buffer' }).notNull(),
  expires: integer({ mode: 'timestamp_ms' }).notNull(),
});

export const lookupName = sqliteTable('lookup_name', {
  id: integer().primaryKey(),
  value: text().notNull().unique(),
});

export const lookup = sqliteTable(
  'lookup',
  {
    seq: integer().primaryKey(),
    time: integer({ mode: 'timestamp_ms' }).notNull(),
    human: integer(),
    agent: integer(),
    tool: integer(),
    session: integer(),
    verdict: text({ enum: ['authorized', 'unauthorized', 'unattributed'] }),
    callId: text('call_id'),
    outcome: integer(),
  },
  (t) => [
    index('lookup_human').on(t.human),
    index('lookup_agent').on(t.agent),
    index('lookup_tool').on(t.tool),
    index('lookup_verdict')
      .on(t.verdict)
      .where(sql`verdict <> 'authorized'`),
  ],
);

export const lookupProgress = sqliteTable('lookup_progress', {
  id: integer().primaryKey(),
  next: integer().notNull(),
});

export const anchorJob = sqliteTable('anchor_job', {
  anchor: text().primaryKey(),
  size: integer().notNull(),
  tries: integer().notNull(),
  nextAt: integer('next_at', { mode: 'timestamp_ms' }).notNull(),
  error: text(),
});

export const receipt = sqliteTable(
  'receipt',
  {
    size: integer().notNull(),
    type: text({ enum: ['rekor', 'timestamp', 'witness'] }).notNull(),
    name: text().notNull(),
    bytes: blob({ mode: 'buffer' }).notNull(),
    sha256: blob({ mode: 'buffer' }).notNull(),
    keptAt: integer('kept_at', { mode: 'timestamp_ms' }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.size, t.name] })],
);
