/**
 * A small HTTP server on a loopback address, for development services: requests and answers are values,
 * except where an answer is to be broken on purpose.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** Addresses that only this machine reaches. */
export const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'] as const;

/** Where a development service may listen. */
export type LoopbackHost = (typeof LOOPBACK)[number];

export interface PlainRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** What stands behind the question mark. */
  readonly query: string;
  readonly body: Uint8Array;
}

export interface PlainAnswer {
  readonly status: number;
  /** Default: plain text. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** `drop`: the connection ends without a word. `silence`: it stays open without one. */
export type Reply = PlainAnswer | 'drop' | 'silence';

export type Answering = (request: PlainRequest) => Promise<Reply>;

export interface LoopbackServer {
  readonly url: string;
  /** Begins to answer; requests that came earlier have waited. */
  serve(answer: Answering): void;
  close(): Promise<void>;
}

const PLAIN = 'text/plain; charset=utf-8';

/** As much of a request's body as is read. */
const MAX_BODY = 128 * 1024;

/** @throws {TypeError} The host is not loopback. */
export async function startLoopbackServer(options: {
  readonly host: LoopbackHost;
  /** 0: any free port. */
  readonly port: number;
}): Promise<LoopbackServer> {
  const { host, port } = options;
  if (!LOOPBACK.includes(host)) throw new TypeError(`host must be one of ${LOOPBACK.join(', ')}`);
  const answering = Promise.withResolvers<Answering>();
  const server = createServer();
  const url = await listen(server, host, port);
  const ownHost = new URL(url).host;
  server.on('request', (req, res) => {
    void respond(req, res, { answering: answering.promise, ownHost });
  });
  return {
    url,
    serve: answering.resolve,
    async close() {
      server.closeAllConnections();
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

async function respond(
  req: IncomingMessage,
  res: ServerResponse,
  { answering, ownHost }: { readonly answering: Promise<Answering>; readonly ownHost: string },
): Promise<void> {
  try {
    // A name that resolves to loopback must not let a stranger's page speak with us.
    if (req.headers.host !== ownHost) {
      write(res, { status: 421, body: 'This host is not served here.\n' });
      return;
    }
    const body = await readBody(req);
    if (body === undefined) {
      write(res, { status: 413, headers: { connection: 'close' }, body: 'That is too much.\n' });
      return;
    }
    const [path = '/', query = ''] = (req.url ?? '/').split('?', 2);
    const answer = await answering;
    const reply = await answer({ method: req.method ?? 'GET', path, query, body });
    if (reply === 'drop') req.socket.destroy();
    else if (reply !== 'silence') write(res, reply);
  } catch {
    // A disk that is full, say. What is not written was not done.
    if (!res.headersSent) res.writeHead(500);
    res.end();
  }
}

function write(res: ServerResponse, { status, type = PLAIN, headers, body }: PlainAnswer): void {
  res.writeHead(status, { 'content-type': type, ...headers }).end(body);
}

async function readBody(req: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  // The connection is still needed, to say that it was too much.
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    // no encoding: chunks are buffers
    length += chunk.length;
    if (length > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host.replace(/[[\]]/g, ''), resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new TypeError('no TCP address');
  return `http://${host}:${address.port}`;
}
