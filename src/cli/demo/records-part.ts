/**
 * The records service: a resource server that accepts nothing but delegation tokens. It knows scopes,
 * as such services do, and nothing of directives.
 *
 * @module
 */
import { createServer } from 'node:http';
import { createGuard } from '../../resource/guard.ts';
import { PAYLOAD, RECORD_BODIES, RECORDS, scopesOf, type Injection } from './story.ts';
import { listen, sendJson, type RunningPart } from './running-part.ts';

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
      sendJson(response, 404, { error: 'no such record' });
      return;
    }
    const guard = exporting === undefined ? read : exports;
    void guard.node(() => {
      const [status, body] = answerTo(request.method, Number(id), config.inject);
      sendJson(response, status, body);
    })(request, response);
  });
  return listen(server);
}

function answerTo(method: string | undefined, id: number, inject: Injection): [number, object] {
  const body = RECORD_BODIES[id];
  if (body === undefined) return [404, { error: 'no such record' }];
  if (method === 'POST') return [200, { id, exported: true }];
  const poisoned = inject === 'output' && id === 42;
  return [200, { id, body: poisoned ? `${body} ${PAYLOAD} ` : body }];
}
