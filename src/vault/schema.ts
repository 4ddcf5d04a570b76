/**
 * The vault's tables. The SQL is written by hand and is what runs; the drizzle tables mirror it for
 * typed reads, and a test compares the two.
 *
 * @module
 */
import { blob, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Name of the layout. Another layout gets another name. */
export const VAULT_FORMAT = 'crumb-vault/1';

/**
 * `opening` is the only table that grows with calls. Its one index is the commitment; whose a row is
 * has none, since a second random index would halve the speed and erasure may scan.
 */
export const VAULT_SQL: readonly string[] = [
  `CREATE TABLE vault (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    format TEXT NOT NULL,
    proof BLOB NOT NULL,                                    -- opens under the right key only
    swept INTEGER NOT NULL                                  -- opening.id up to which orphans were looked for
  ) STRICT`,
  `CREATE TABLE subject (
    lookup BLOB PRIMARY KEY CHECK (length(lookup) = 32),    -- HMAC(key, issuer and subject)
    owner BLOB NOT NULL UNIQUE CHECK (length(owner) = 32),  -- HMAC(key, k)
    sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE opening (
    id INTEGER PRIMARY KEY,
    commitment TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    owner BLOB CHECK (length(owner) = 32),
    at INTEGER NOT NULL,                                    -- Unix seconds
    sealed BLOB NOT NULL
  ) STRICT`,
  `CREATE TABLE key_set (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    iss TEXT NOT NULL,
    raw BLOB NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE erasing (                                   -- begun and not yet gone from the disk
    owner BLOB NOT NULL CHECK (length(owner) = 32),
    what TEXT NOT NULL,
    PRIMARY KEY (owner, what)
  ) STRICT, WITHOUT ROWID`,
];

export const vault = sqliteTable('vault', {
  id: integer().primaryKey(),
  format: text().notNull(),
  proof: blob({ mode: 'buffer' }).notNull(),
  swept: integer().notNull(),
});

export const subject = sqliteTable('subject', {
  lookup: blob({ mode: 'buffer' }).primaryKey(),
  owner: blob({ mode: 'buffer' }).notNull().unique(),
  sealed: blob({ mode: 'buffer' }).notNull(),
});

export const opening = sqliteTable('opening', {
  id: integer().primaryKey(),
  commitment: text().notNull().unique(),
  label: text().notNull(),
  owner: blob({ mode: 'buffer' }),
  at: integer().notNull(),
  sealed: blob({ mode: 'buffer' }).notNull(),
});

export const keySet = sqliteTable('key_set', {
  digest: blob({ mode: 'buffer' }).primaryKey(),
  iss: text().notNull(),
  raw: blob({ mode: 'buffer' }).notNull(),
});

export const erasing = sqliteTable('erasing', {
  owner: blob({ mode: 'buffer' }).notNull(),
  what: text().notNull(),
});
