/**
 * A libSQL server for tests: Hrana 2 over HTTP, over SQLite as Node brings it. Only what the client sends;
 * every stream has its own connection, as on a real server. It is no sqld: what a real one does beyond the
 * protocol it cannot show.
 *
 * @see https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_2_SPEC.md
 * @module
 */
import { createServer, type IncomingMessage } from 'node:http';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { AddressInfo } from 'node:net';

export interface HranaServer {
  readonly url: string;
  /** Called before each COMMIT and after it: may throw to lose the request or the answer. */
  onCommit: (when: 'before' | 'after') => void;
  close(): Promise<void>;
}

type Value =
  | { readonly type: 'null' }
  | { readonly type: 'integer' | 'text'; readonly value: string }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'blob'; readonly base64: string };

interface Statement {
  readonly sql?: string;
  readonly sql_id?: number;
  readonly args?: readonly Value[];
}

type Condition =
  | { readonly type: 'ok' | 'error'; readonly step: number }
  | { readonly type: 'not'; readonly cond: Condition };

interface StreamRequest {
  readonly type: 'close' | 'execute' | 'batch' | 'store_sql' | 'close_sql';
  readonly stmt?: Statement;
  readonly batch?: {
    readonly steps: readonly { readonly condition?: Condition; readonly stmt: Statement }[];
  };
  readonly sql_id?: number;
  readonly sql?: string;
}

interface Stream {
  readonly database: DatabaseSync;
  readonly texts: Map<number, string>;
}

/** Serves the database in this file on a free port of this machine. */
export async function startHranaServer(path: string): Promise<HranaServer> {
  const streams = new Map<string, Stream>();
  let lastBaton = 0;
  const open = (): Stream => {
    const database = new DatabaseSync(path, { timeout: 20 });
    database.exec('PRAGMA journal_mode = WAL');
    return { database, texts: new Map() };
  };

  const serve = async (request: IncomingMessage): Promise<string> => {
    // What the client sends; anything else makes the test fail.
    const asked = JSON.parse(await bodyOf(request)) as {
      baton?: string;
      requests: StreamRequest[];
    };
    const stream = asked.baton === undefined ? open() : streams.get(asked.baton);
    if (asked.baton !== undefined) streams.delete(asked.baton);
    if (stream === undefined) throw new Error('no such stream');
    try {
      const results = asked.requests.map((one) => answer(stream, one, handle));
      const isClosed = asked.requests.some(({ type }) => type === 'close');
      const baton = isClosed ? null : String(++lastBaton);
      if (baton === null) stream.database.close();
      else streams.set(baton, stream);
      return JSON.stringify({ baton, base_url: null, results });
    } catch (error) {
      if (stream.database.isOpen) stream.database.close();
      throw error;
    }
  };

  const handle: HranaServer = { url: '', onCommit: () => {}, close: async () => {} };
  const server = createServer((request, response) => {
    if (request.url !== '/v2/pipeline') {
      response.writeHead(request.url === '/v2' ? 200 : 404).end();
      return;
    }
    void serve(request).then(
      (text) => response.end(text),
      () => request.socket.destroy(), // the answer is lost
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  return Object.assign(handle, {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
      for (const { database } of streams.values()) if (database.isOpen) database.close();
    },
  });
}

/** A `COMMIT` that is lost throws through everything; other errors are answers. */
class Lost extends Error {}

function answer(stream: Stream, request: StreamRequest, handle: HranaServer): object {
  try {
    return { type: 'ok', response: { type: request.type, ...respond(stream, request, handle) } };
  } catch (error) {
    if (error instanceof Lost) throw error;
    return { type: 'error', error: describe(error) };
  }
}

function respond(stream: Stream, request: StreamRequest, handle: HranaServer): object {
  switch (request.type) {
    case 'execute':
      return { result: execute(stream, request.stmt ?? {}, handle) };
    case 'batch':
      return { result: runBatch(stream, request, handle) };
    case 'store_sql':
      stream.texts.set(request.sql_id ?? 0, request.sql ?? '');
      return {};
    case 'close_sql':
      stream.texts.delete(request.sql_id ?? 0);
      return {};
    case 'close':
      return {};
    default:
      throw new Error(`this server knows no ${String(request.type)}`);
  }
}

function runBatch(stream: Stream, { batch }: StreamRequest, handle: HranaServer): object {
  const results: (object | null)[] = [];
  const errors: (object | null)[] = [];
  const holds = (condition: Condition | undefined): boolean => {
    if (condition === undefined) return true;
    if (condition.type === 'not') return !holds(condition.cond);
    const list = condition.type === 'ok' ? results : errors;
    return (list[condition.step] ?? null) !== null;
  };
  for (const [n, { condition, stmt }] of (batch?.steps ?? []).entries()) {
    results[n] = null;
    errors[n] = null;
    if (!holds(condition)) continue;
    try {
      results[n] = execute(stream, stmt, handle);
    } catch (error) {
      if (error instanceof Lost) throw error;
      errors[n] = describe(error);
    }
  }
  return { step_results: results, step_errors: errors };
}

function execute({ database, texts }: Stream, stmt: Statement, handle: HranaServer): object {
  const sql = stmt.sql ?? texts.get(stmt.sql_id ?? 0) ?? '';
  const isCommit = sql === 'COMMIT';
  if (isCommit) losing(() => handle.onCommit('before'));
  const statement = database.prepare(sql);
  statement.setReadBigInts(true);
  const columns = statement.columns();
  const args = (stmt.args ?? []).map(inputOf);
  const rows = columns.length > 0 ? statement.all(...args) : [];
  if (columns.length === 0) statement.run(...args);
  if (isCommit) losing(() => handle.onCommit('after'));
  return {
    cols: columns.map(({ name, type }) => ({ name, decltype: type })),
    rows: rows.map((row) => columns.map(({ name }) => outputOf(row[name]))),
    affected_row_count: 0,
    last_insert_rowid: null,
  };
}

function losing(run: () => void): void {
  try {
    run();
  } catch (cause) {
    throw new Lost('lost', { cause });
  }
}

function inputOf(value: Value): SQLInputValue {
  if (value.type === 'null') return null;
  if (value.type === 'integer') return BigInt(value.value);
  return value.type === 'blob' ? Buffer.from(value.base64, 'base64') : value.value;
}

function outputOf(value: unknown): Value {
  if (typeof value === 'bigint') return { type: 'integer', value: String(value) };
  if (typeof value === 'number') return { type: 'float', value };
  if (typeof value === 'string') return { type: 'text', value };
  if (!(value instanceof Uint8Array)) return { type: 'null' };
  return { type: 'blob', base64: Buffer.from(value).toString('base64') };
}

function describe(error: unknown): object {
  const message = error instanceof Error ? error.message : 'unknown';
  return { message, code: /locked/.test(message) ? 'SQLITE_BUSY' : 'SQLITE_ERROR' };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString();
}
