import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createGuard,
  isGuardError,
  memoryDenyList,
  memoryReplayStore,
  type GuardOptions,
  type Sighting,
} from '../../src/resource/index.ts';
import { startGuardedResource, type GuardedResource } from '../attacks/guarded-resource.ts';
import { now, type Claims } from '../attacks/test-issuer.ts';

let resource: GuardedResource;
beforeAll(async () => {
  resource = await startGuardedResource();
});
afterAll(() => resource.close());

const guardWith = (more: Partial<GuardOptions> = {}) =>
  createGuard({
    resource: resource.url,
    issuers: [{ url: resource.issuer.url, algs: ['ES256'] }],
    ...more,
  });
const requestWith = (token?: string, url = resource.url) =>
  new Request(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
const directive = {
  type: 'crumb_tool_call',
  actions: ['read_record'],
  arguments: { id: { const: 42 } },
};
const withDirective = (more: Claims = {}) => ({
  authorization_details: [{ ...directive, locations: [resource.url], ...more }],
});

describe('a valid delegation', () => {
  it('tells human, agents and resource, frozen to the last member', async () => {
    const token = await resource.token({ sid: 'login-1', txn: 'txn-1' });
    const delegation = await guardWith().verify(requestWith(token));
    expect(delegation).toMatchObject({
      human: { iss: resource.issuer.url, sub: 'alice' },
      agent: { iss: resource.issuer.url, sub: 'researcher' },
      chain: [{ sub: 'planner' }, { sub: 'researcher' }],
      resource: resource.url,
      scope: ['records.read'],
      clientId: 'researcher',
      sid: 'login-1',
      txn: 'txn-1',
      directives: [],
      judgement: undefined,
      development: false,
    });
    expect(Object.isFrozen(delegation)).toBe(true);
    expect(Object.isFrozen(delegation.chain[0])).toBe(true);
    expect(JSON.stringify(delegation)).not.toContain(token.slice(0, 30));
  });

  it('passes through real HTTP as well', async () => {
    const { status, body } = await resource.send(await resource.token());
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({
      human: { sub: 'alice' },
      agent: { sub: 'researcher' },
    });
  });

  it('is told to the log of sightings without naming the human', async () => {
    const seen: Sighting[] = [];
    const guard = guardWith({ onDelegation: (sighting) => seen.push(sighting) });
    const token = await resource.token({ ...withDirective(), jti: 'token-1' });
    await guard.verify(requestWith(token), { action: 'read_record', args: { id: 43 } });
    expect(seen).toMatchObject([
      {
        iss: resource.issuer.url,
        resource: resource.url,
        jti: 'token-1',
        chain: [{ sub: 'planner' }, { sub: 'researcher' }],
        action: 'read_record',
        verdict: 'unauthorized',
      },
    ]);
    expect(seen[0]?.tokenDigest).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(JSON.stringify(seen)).not.toContain('alice');
  });

  it('is not accepted when the log of sightings fails', async () => {
    const onDelegation = () => {
      throw new Error('log is full');
    };
    await expect(
      guardWith({ onDelegation }).verify(requestWith(await resource.token())),
    ).rejects.toMatchObject({ code: 'guard_unavailable', status: 503 });
  });
});

describe('directives', () => {
  it('are judged and reported', async () => {
    const request = async () => requestWith(await resource.token(withDirective()));
    const judged = async (id: unknown) =>
      (await guardWith().verify(await request(), { action: 'read_record', args: { id } }))
        .judgement;
    expect(await judged(42)).toMatchObject({ verdict: 'authorized', directive: 0 });
    expect(await judged(43)).toMatchObject({
      verdict: 'unauthorized',
      reason: { code: 'argument', argument: 'id' },
    });
  });

  it('refuse what they do not cover when they are enforced', async () => {
    const guard = guardWith({ directives: 'enforce' });
    const call = { action: 'read_record', args: { id: 42 } };
    await expect(
      guard.verify(requestWith(await resource.token(withDirective())), call),
    ).resolves.toMatchObject({ judgement: { verdict: 'authorized' } });
    for (const [changes, attempt] of [
      [withDirective(), { action: 'read_record', args: { id: 43 } }],
      [withDirective(), { action: 'export_record', args: { id: 42 } }],
      [withDirective({ locations: ['https://other.example'] }), call],
      [withDirective({ agents: ['planner'] }), call],
      [withDirective({ expires: now() - 1 }), call],
      [withDirective({ unknown: true }), call],
      [{}, call], // a token without directives is not a token for everything
    ] as const) {
      await expect(
        guard.verify(requestWith(await resource.token(changes)), attempt),
      ).rejects.toMatchObject({ code: 'directive_unmet', status: 403 });
    }
  });

  it('look at the agent that holds the token only', async () => {
    const guard = guardWith({ directives: 'enforce' });
    const token = await resource.token(withDirective({ agents: ['researcher'] }));
    await expect(
      guard.verify(requestWith(token), { action: 'read_record', args: { id: 42 } }),
    ).resolves.toBeDefined();
  });

  it('cannot be enforced without being told the call', async () => {
    const guard = guardWith({ directives: 'enforce' });
    await expect(guard.verify(requestWith(await resource.token()))).rejects.toThrow(TypeError);
    expect(() => guard.fetch(() => new Response())).toThrow(TypeError);
    expect(() => guard.node(() => undefined)).toThrow(TypeError);
  });

  it('refuse arguments that are no JSON', async () => {
    const args = { when: new Date() };
    await expect(
      guardWith().verify(requestWith(await resource.token()), { action: 'read_record', args }),
    ).rejects.toMatchObject({ code: 'arguments_not_json', status: 400 });
  });
});

describe('scope and actors', () => {
  it('lets only the needed scopes pass', async () => {
    const guard = guardWith({ scope: 'records.read' });
    await expect(guard.verify(requestWith(await resource.token()))).resolves.toBeDefined();
    const call = { action: 'export_record', args: {}, scope: 'records.export' };
    const refused = await guard
      .verify(requestWith(await resource.token()), call)
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'scope_insufficient', status: 403 });
    const header = isGuardError(refused) ? refused.headers['www-authenticate'] : '';
    expect(header).toContain('scope="records.read records.export"');
  });

  it('lets only the agents pass that it names, and counts the outermost', async () => {
    const researcher = guardWith({ actors: ['researcher'] });
    await expect(researcher.verify(requestWith(await resource.token()))).resolves.toBeDefined();
    const planner = guardWith({ actors: ['planner'] });
    await expect(planner.verify(requestWith(await resource.token()))).rejects.toMatchObject({
      code: 'actor_not_allowed',
      status: 403,
    });
    const foreign = guardWith({ actors: [{ iss: 'https://other.example', sub: 'researcher' }] });
    await expect(foreign.verify(requestWith(await resource.token()))).rejects.toMatchObject({
      code: 'actor_not_allowed',
    });
  });
});

describe('stores', () => {
  it('take a token once, and only if everything else was fine', async () => {
    const guard = guardWith({ replay: memoryReplayStore(), scope: 'records.read' });
    const token = await resource.token();
    const call = { action: 'export', args: {}, scope: 'records.export' };
    await expect(guard.verify(requestWith(token), call)).rejects.toMatchObject({
      code: 'scope_insufficient',
    });
    await expect(guard.verify(requestWith(token))).resolves.toBeDefined();
    await expect(guard.verify(requestWith(token))).rejects.toMatchObject({
      code: 'token_replayed',
    });
  });

  it('answer 503 while they do not answer', async () => {
    const down = async () => {
      throw new Error('database is down');
    };
    for (const options of [{ replay: { take: down } }, { denied: { isDenied: down } }]) {
      const guard = guardWith(options);
      await expect(guard.verify(requestWith(await resource.token()))).rejects.toMatchObject({
        code: 'guard_unavailable',
        status: 503,
      });
    }
  });

  it('let pass on a clear answer only', async () => {
    // @ts-expect-error a store of someone's JavaScript
    const guard = guardWith({ denied: { isDenied: async () => undefined } });
    await expect(guard.verify(requestWith(await resource.token()))).rejects.toMatchObject({
      code: 'token_denied',
    });
  });

  it.each<
    [string, (names: { iss: string }) => Parameters<ReturnType<typeof memoryDenyList>['deny']>[0]]
  >([
    ['human', ({ iss }) => ({ iss, sub: 'alice' })],
    ['agent', ({ iss }) => ({ iss, sub: 'planner' })],
    ['session', ({ iss }) => ({ iss, sid: 'login-1' })],
    ['token', ({ iss }) => ({ iss, jti: 'token-1' })],
  ])('deny a %s at once', async (_what, denial) => {
    const denied = memoryDenyList();
    const guard = guardWith({ denied });
    const token = await resource.token({ sid: 'login-1', jti: 'token-1' });
    await expect(guard.verify(requestWith(token))).resolves.toBeDefined();
    denied.deny(denial({ iss: resource.issuer.url }), new Date(Date.now() + 60_000));
    await expect(guard.verify(requestWith(token))).rejects.toMatchObject({ code: 'token_denied' });
  });
});

describe('tokens of a development identity provider', () => {
  it('are refused, and taken only where that was asked for', async () => {
    const token = await resource.token({ crumb_dev: true });
    await expect(guardWith().verify(requestWith(token))).rejects.toMatchObject({
      code: 'token_development',
    });
    await expect(
      guardWith({ allowDevelopment: true }).verify(requestWith(token)),
    ).resolves.toMatchObject({ development: true });
  });
});

describe('answers', () => {
  const metadata = () => `resource_metadata="${resource.guard.metadataUrl}"`;
  const answer = async (guard: ReturnType<typeof guardWith>, request: Request) => {
    const error = await guard.verify(request).catch((reason: unknown) => reason);
    const response = guard.respond(error);
    return {
      status: response.status,
      challenge: response.headers.get('www-authenticate'),
      body: (await response.json()) as unknown,
    };
  };

  it('name the resource and no error when there was no token', async () => {
    expect(await answer(guardWith({ scope: ['a', 'b'] }), requestWith())).toEqual({
      status: 401,
      challenge: `Bearer ${metadata()}, scope="a b"`,
      body: { error: 'unauthorized' },
    });
  });

  it('say invalid_token for every bad token, and never why', async () => {
    for (const changes of [{ exp: 5, iat: 1 }, { aud: 'https://other.example' }, { act: null }]) {
      expect(await answer(guardWith(), requestWith(await resource.token(changes)))).toEqual({
        status: 401,
        challenge: `Bearer error="invalid_token", ${metadata()}`,
        body: { error: 'invalid_token' },
      });
    }
  });

  it('say insufficient_scope with the scopes that are needed', async () => {
    expect(
      await answer(guardWith({ scope: 'admin' }), requestWith(await resource.token())),
    ).toEqual({
      status: 403,
      challenge: `Bearer error="insufficient_scope", ${metadata()}, scope="admin"`,
      body: { error: 'insufficient_scope' },
    });
  });

  it('say invalid_request for what is no single token in the header', async () => {
    const bad = new Request(resource.url, { headers: { authorization: 'Basic YWxpY2U6cHc=' } });
    const inQuery = requestWith(await resource.token(), `${resource.url}?access_token=abc`);
    for (const request of [bad, inQuery]) {
      expect(await answer(guardWith(), request)).toMatchObject({
        status: 400,
        body: { error: 'invalid_request' },
      });
    }
    const token = await resource.token();
    const twice = ['Authorization', `Bearer ${token}`, 'authorization', `Bearer ${token}`];
    expect(await resource.send(twice)).toMatchObject({ status: 400, code: 'request_malformed' });
  });

  it('offer DPoP where proofs are taken', async () => {
    const { challenge } = await answer(guardWith({ dpop: 'optional' }), requestWith());
    expect(challenge).toBe(
      `Bearer ${metadata()}, DPoP ${metadata()}, algs="ES256 ES384 EdDSA RS256 PS256"`,
    );
    expect((await answer(guardWith({ dpop: 'required' }), requestWith())).challenge).toMatch(
      /^DPoP /,
    );
  });

  it('say 503 without a challenge while the keys cannot be had', async () => {
    const url = 'http://127.0.0.1:9';
    const guard = createGuard({ resource: resource.url, issuers: [{ url, algs: ['ES256'] }] });
    const request = requestWith(await resource.token({ iss: url }));
    expect(await answer(guard, request)).toMatchObject({ status: 503, challenge: null });
  });

  it('are only for refusals', () => {
    const fault = new Error('a bug');
    expect(() => resource.guard.respond(fault)).toThrow(fault);
  });
});

describe('the wrappers', () => {
  it('serve fetch-style handlers', async () => {
    const serve = guardWith().fetch((_request, { human }) => Response.json(human));
    const passed = await serve(requestWith(await resource.token()));
    expect(await passed.json()).toMatchObject({ sub: 'alice' });
    expect((await serve(requestWith())).status).toBe(401);
  });

  it('judge the body, which the handler can read again', async () => {
    const guard = guardWith({ directives: 'enforce' });
    const serve = guard.fetch(async (request) => Response.json(await request.json()), {
      call: async (request) => ({ action: 'read_record', args: await request.json() }),
    });
    const post = async (body: string) =>
      serve(
        new Request(resource.url, {
          method: 'POST',
          body,
          headers: { authorization: `Bearer ${await resource.token(withDirective())}` },
        }),
      );
    expect(await (await post('{"id":42}')).json()).toEqual({ id: 42 });
    expect((await post('{"id":43}')).status).toBe(403);
    expect((await post('{"id":')).status).toBe(400);
  });

  it('read no body of a request without a valid token', async () => {
    let read = 0;
    const serve = guardWith().fetch(() => new Response('served'), {
      call: () => {
        read += 1;
        return { action: 'read_record', args: {} };
      },
    });
    await serve(requestWith(await resource.token({ aud: 'https://other.example' })));
    expect(read).toBe(0);
    await serve(requestWith(await resource.token()));
    expect(read).toBe(1);
  });

  it('let faults of the handler through', async () => {
    const fault = new Error('a bug');
    const serve = guardWith().fetch(() => {
      throw fault;
    });
    await expect(serve(requestWith(await resource.token()))).rejects.toBe(fault);
  });

  it('serve the metadata document to everyone', async () => {
    expect(resource.guard.metadataUrl).toBe(
      resource.url.replace('/records', '/.well-known/oauth-protected-resource/records'),
    );
    const serve = guardWith({ scope: 'records.read' }).fetch(() => new Response('served'));
    const response = await serve(new Request(resource.guard.metadataUrl));
    expect(await response.json()).toEqual({
      resource: resource.url,
      authorization_servers: [resource.issuer.url],
      scopes_supported: ['records.read'],
      bearer_methods_supported: ['header'],
      authorization_details_types_supported: ['crumb_tool_call'],
    });
    expect((await serve(new Request(resource.guard.metadataUrl, { method: 'POST' }))).status).toBe(
      401,
    );
  });
});
