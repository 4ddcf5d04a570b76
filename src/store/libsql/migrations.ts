/**
 * The layout of a ledger's database, as SQL written by hand: generated migrations rebuild tables and lose
 * triggers. schema.ts mirrors it for typed reads; a test compares.
 *
 * Triggers stop mistakes. Whoever owns the database can drop them, which is why heads are signed, published
 * and anchored; that they are there is checked at every open.
 *
 * @module
 */

/** A table, index or trigger, by the statement that makes it. */
export interface SchemaObject {
  readonly type: 'table' | 'index' | 'trigger';
  readonly name: string;
  readonly sql: string;
}

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly objects: readonly SchemaObject[];
  /** Further statements, in order, after the objects. */
  readonly statements: readonly string[];
}

const table = (name: string, columns: string): SchemaObject => ({
  type: 'table',
  name,
  sql: `CREATE TABLE ${name} (${columns}\n) STRICT`,
});

const index = (name: string, on: string): SchemaObject => ({
  type: 'index',
  name,
  sql: `CREATE INDEX ${name} ON ${on}`,
});

const trigger = (name: string, event: string, body: string): SchemaObject => ({
  type: 'trigger',
  name,
  sql: `CREATE TRIGGER ${name} ${event} BEGIN ${body}; END`,
});

const APPEND_ONLY = `SELECT RAISE(ABORT, 'crumb:append-only')`;

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'ledger',
    objects: [
      table(
        'migration',
        `
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL`,
      ),
      table(
        'ledger',
        `
  id INTEGER PRIMARY KEY CHECK (id = 1),                  -- one ledger per database
  origin TEXT NOT NULL`,
      ),
      table(
        'entry',
        `
  seq INTEGER PRIMARY KEY,                                -- the leaf index is the rowid: no other index
  prev BLOB NOT NULL CHECK (length(prev) = 32),
  leaf BLOB NOT NULL CHECK (length(leaf) = 32),
  head BLOB CHECK (length(head) = 64),                    -- signature, on a commit's last entry
  bytes BLOB CHECK (length(bytes) BETWEEN 1 AND 65535)    -- NULL once pruned`,
      ),
      table(
        'pruned',
        `
  start INTEGER PRIMARY KEY,
  "end" INTEGER NOT NULL CHECK ("end" > start)`,
      ),
      table(
        'tile',
        `
  level INTEGER NOT NULL,
  n INTEGER NOT NULL,
  root BLOB NOT NULL CHECK (length(root) = 32),
  hashes BLOB NOT NULL CHECK (length(hashes) = 8192),
  PRIMARY KEY (level, n)`,
      ),
      table(
        'checkpoint',
        `
  size INTEGER PRIMARY KEY,                               -- one root per size
  root BLOB NOT NULL CHECK (length(root) = 32),
  note TEXT NOT NULL`,
      ),
      table(
        'uses',
        `
  key BLOB PRIMARY KEY CHECK (length(key) = 32),
  used INTEGER NOT NULL,
  max INTEGER NOT NULL,
  CHECK (used <= max)`,
      ),
      table(
        'pending',
        `
  key BLOB PRIMARY KEY CHECK (length(key) = 32),
  session TEXT NOT NULL,
  agent TEXT NOT NULL,
  call_id TEXT NOT NULL,
  tool TEXT NOT NULL,
  args_c TEXT NOT NULL,
  salt BLOB NOT NULL CHECK (length(salt) = 32),
  expires INTEGER NOT NULL                                -- milliseconds since 1970`,
      ),
      // INSERT OR REPLACE deletes the old row without firing entry_delete: this trigger refuses it.
      trigger(
        'entry_chain',
        'BEFORE INSERT ON entry',
        `
  SELECT RAISE(ABORT, 'crumb:chain') WHERE NEW.bytes IS NULL OR
    NEW.seq IS NOT coalesce((SELECT seq + 1 FROM entry ORDER BY seq DESC LIMIT 1), 0)
    OR NEW.prev IS NOT coalesce((SELECT leaf FROM entry ORDER BY seq DESC LIMIT 1), zeroblob(32))`,
      ),
      trigger(
        'entry_update',
        'BEFORE UPDATE ON entry',
        `
  ${APPEND_ONLY} WHERE NEW.bytes IS NOT NULL
    OR NEW.seq IS NOT OLD.seq OR NEW.prev IS NOT OLD.prev OR NEW.leaf IS NOT OLD.leaf
    OR NEW.head IS NOT OLD.head
    OR NOT EXISTS (SELECT 1 FROM pruned WHERE OLD.seq >= start AND OLD.seq < "end")`,
      ),
      trigger('entry_delete', 'BEFORE DELETE ON entry', APPEND_ONLY),
      trigger(
        'checkpoint_grows',
        'BEFORE INSERT ON checkpoint',
        `
  ${APPEND_ONLY} WHERE NEW.size <= (SELECT max(size) FROM checkpoint)`,
      ),
      trigger('checkpoint_update', 'BEFORE UPDATE ON checkpoint', APPEND_ONLY),
      trigger('checkpoint_delete', 'BEFORE DELETE ON checkpoint', APPEND_ONLY),
      trigger('ledger_once', 'BEFORE INSERT ON ledger', `${APPEND_ONLY} FROM ledger`),
      trigger('ledger_update', 'BEFORE UPDATE ON ledger', APPEND_ONLY),
      trigger('ledger_delete', 'BEFORE DELETE ON ledger', APPEND_ONLY),
    ],
    statements: [],
  },
  {
    version: 2,
    name: 'lookup',
    // What can be searched. Filled after the commit and made again at will: nothing relies on it. Time has no
    // index: it grows with `seq`, so a place in time is found by halving.
    objects: [
      table(
        'lookup_name',
        `
  id INTEGER PRIMARY KEY,
  value TEXT NOT NULL UNIQUE`,
      ),
      table(
        'lookup',
        `
  seq INTEGER PRIMARY KEY,                                -- an intent, refusal or observed entry
  time INTEGER NOT NULL,                                  -- milliseconds since 1970
  human INTEGER,                                          -- this and the next two: lookup_name
  agent INTEGER,
  tool INTEGER,
  session INTEGER,
  verdict TEXT,
  call_id TEXT,
  outcome INTEGER                                         -- seq of an intent's outcome entry`,
      ),
      table(
        'lookup_progress',
        `
  id INTEGER PRIMARY KEY CHECK (id = 1),
  next INTEGER NOT NULL                                   -- first entry that is not in lookup yet`,
      ),
      index('lookup_human', 'lookup (human)'),
      index('lookup_agent', 'lookup (agent)'),
      index('lookup_tool', 'lookup (tool)'),
      index('lookup_verdict', `lookup (verdict) WHERE verdict <> 'authorized'`),
    ],
    statements: ['INSERT INTO lookup_progress (id, next) VALUES (1, 0)'],
  },
  {
    version: 3,
    name: 'anchors',
    objects: [
      table(
        'anchor_job',
        `
  anchor TEXT PRIMARY KEY,                                -- one job for each: the latest checkpoint
  size INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  next_at INTEGER NOT NULL,                               -- milliseconds since 1970
  error TEXT`,
      ),
      table(
        'receipt',
        `
  size INTEGER NOT NULL,
  type TEXT NOT NULL,
  name TEXT NOT NULL,                                     -- of the anchor
  bytes BLOB NOT NULL CHECK (length(bytes) BETWEEN 1 AND 65536),
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  kept_at INTEGER NOT NULL,                               -- milliseconds since 1970
  PRIMARY KEY (size, name)`,
      ),
      trigger('receipt_update', 'BEFORE UPDATE ON receipt', APPEND_ONLY),
      trigger('receipt_delete', 'BEFORE DELETE ON receipt', APPEND_ONLY),
    ],
    statements: [],
  },
];
