/**
 * The records service: a resource server that accepts nothing but delegation tokens. It knows scopes,
 * as such services do, and nothing of directives.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { createGuard } from '../../resource/guard.ts';
import { PAYLOAD, RECORD_BODIES, RECORDS, scopesOf, type Injection } from './story.ts';
import type { RunningPart } from './part.ts';

export interface RecordsConfig {
  readonly issuer: string;
  readonly coarse: boolean;
  readonly inject: Injection;
}

const ROUTE = /^\/records\/(\d+)(\/export)?$/u;

export async function startRecords(config: RecordsConfig): Promise<RunningPart> {
  const scopes = scopesOf(config.coarse);
  const guardFor = (scope: string): ReturnType<typeof createGuard> =>
    createGuard({
      resource: RECORDS,
      issuers: [{ url: config.issuer, algs: ['RS256'], typ: ['at+jwt'] }],
      scope,
      directives: 'report',
      allowDevelopment: true,
    });
  const read = guardFor(scopes.read);
  const exports = guardFor(scopes.export);

  const server = createServer((request, response) => {
    const [, id, exporting] = ROUTE.exec(request.url ?? '') ?? [];
    if (id === undefined) {
      send(response, 404, { error: 'no such record' });
      return;
    }
    const guard = exporting === undefined ? read : exports;
    void guard.node(() => answer(request, response, Number(id), config.inject))(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  id: number,
  inject: Injection,
): void {
  const body = RECORD_BODIES[id];
  if (body === undefined) {
    send(response, 404, { error: 'no such record' });
  } else if (request.method === 'POST') {
    send(response, 200, { id, exported: true });
  } else {
    const poisoned = inject === 'output' && id === 42;
    send(response, 200, { id, body: poisoned ? `${body} ${PAYLOAD} ` : body });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
