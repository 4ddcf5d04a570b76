/**
 * What a process of the demo is once it runs.
 *
 * @module
 */
import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';

export interface RunningPart {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a server on any free port of the loopback interface. */
export async function listen(server: Server, close?: () => Promise<void>): Promise<RunningPart> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await close?.();
    },
  };
}

/** Answers in JSON. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
