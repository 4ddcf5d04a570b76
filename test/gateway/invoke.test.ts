import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CrumbError } from '../../src/errors.ts';
import { openWorld, READ_42, RECORDS, type CrumbWorld } from '../world.ts';

let world: CrumbWorld;
beforeEach(async () => {
  world = await openWorld({ tools: { think: { resource: 'local', action: 'think' } } });
});
afterEach(async () => world.close());

const READING_ONLY = { scope: 'openid read_record' };

const read = (id: unknown): { id: string; tool: string; args: { id: unknown } } => {
  return { id: 'c1', tool: 'readRecord', args: { id } };
};

describe('a tool call', () => {
  it('runs under a token that names the human and the agent, and leaves intent and outcome', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    const answer = await planner.invoke(read(42), async () => {
      return (await planner.fetch(`${world.records.url}/records/42`)).json();
    });
    expect(answer).toEqual({ id: 42, text: 'record 42' });
    const { delegation } = world.records.served.at(-1) ?? {};
    expect(delegation?.human.sub).toBe('alice');
    expect(delegation?.chain.map((actor) => actor.sub)).toEqual(['planner']);

    const crumbs = await world.readCrumbs();
    expect(crumbs.map(({ kind }) => kind)).toEqual([
      'genesis',
      'key',
      'session',
      'intent',
      'outcome',
    ]);
    expect(crumbs[3]?.body).toMatchObject({
      verdict: 'authorized',
      directive: 0,
      exchange: 'fresh',
      session: 2,
      token: { aud: RECORDS, jwks: 1 },
    });
    expect(crumbs[4]?.body).toMatchObject({ intent: 3, status: 'ok' });
  });

  it('has the intent on disk before the tool runs', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    const kinds = await planner.invoke(read(42), async () => {
      return (await world.readCrumbs()).map(({ kind }) => kind);
    });
    expect(kinds.at(-1)).toBe('intent');
  });

  it('gives the tool exactly the value that was judged and committed to', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    const args = JSON.parse('{"id":42,"__proto__":{"admin":true}}');
    const seen = await planner.invoke({ tool: 'readRecord', args }, (given) =>
      JSON.stringify(given),
    );
    expect(seen).toBe('{"id":42,"__proto__":{"admin":true}}');
    const [intent] = await world.crumbsOf('intent');
    expect(intent?.body).toMatchObject({
      verdict: 'unauthorized',
      reason: { code: 'argument_extra', argument: null },
    });
  });

  it.each([
    ['43', read(43), 'argument', 'id'],
    ['"42"', read('42'), 'argument', 'id'],
    ['nothing', { tool: 'readRecord', args: {} }, 'argument_missing', 'id'],
    ['no object', { tool: 'readRecord', args: [42] }, 'argument', null],
  ])('runs and is flagged when its argument is %s', async (_what, call, code, argument) => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    await expect(planner.invoke(call, () => 'ran')).resolves.toBe('ran');
    const [intent] = await world.crumbsOf('intent');
    expect(intent?.body).toMatchObject({ verdict: 'unauthorized', reason: { code, argument } });
  });

  it('never writes down an argument name that only the model knows', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    const args = { id: 42, 'alice@example.org says hi': true };
    await planner.invoke({ tool: 'readRecord', args }, () => null);
    const [intent] = await world.crumbsOf('intent');
    expect(intent?.body).toMatchObject({ reason: { code: 'argument_extra', argument: null } });
  });

  it('counts uses in the ledger: of ten at once, one is authorized', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    await Promise.all(Array.from({ length: 10 }, async () => planner.invoke(read(42), () => null)));
    const intents = await world.crumbsOf('intent');
    expect(intents.filter(({ body }) => body.verdict === 'authorized')).toHaveLength(1);
    expect(intents.filter(({ body }) => body.reason?.code === 'uses')).toHaveLength(9);
    expect(await world.crumbsOf('session')).toHaveLength(1);
  });

  it('is an error with a code when the resource denies it', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    await planner.invoke(read(42), async () => {
      return (await planner.fetch(`${world.records.url}/records/42/export`, { method: 'POST' }))
        .status;
    });
    const [outcome] = await world.crumbsOf('outcome');
    expect(outcome?.body).toMatchObject({ status: 'error', error: 'resource_denied' });
  });

  it('records what its tool throws by code and passes it on unchanged', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    const problem = new Error('secret words of a backend');
    const call = planner.invoke(read(42), () => {
      throw problem;
    });
    await expect(call).rejects.toBe(problem);
    const [outcome] = await world.crumbsOf('outcome');
    expect(outcome?.body).toMatchObject({ status: 'error', error: 'tool_error', result: null });
  });

  it('is aborted when its signal is, and says so', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    const controller = new AbortController();
    const call = planner.invoke({ ...read(42), signal: controller.signal }, async () => {
      controller.abort();
      controller.signal.throwIfAborted();
    });
    await expect(call).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    const [outcome] = await world.crumbsOf('outcome');
    expect(outcome?.body.status).toBe('aborted');
  });

  it('gets no token when it calls no resource, and is judged all the same', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    const token = await planner.invoke(
      { tool: 'think', args: {} },
      () => world.crumb.current().token,
    );
    expect(token).toBeUndefined();
    const [intent] = await world.crumbsOf('intent');
    expect(intent?.body).toMatchObject({ exchange: 'none', token: null, verdict: 'unauthorized' });
  });
});

describe('a call that must not run', () => {
  const ran = (): never => {
    throw new Error('it ran');
  };

  it.each([
    ['a function', { id: (): number => 42 }],
    ['a date', { at: new Date() }],
    ['not a number', { id: Number.NaN }],
    ['a lone surrogate', { name: '\ud800' }],
    ['a class instance', new (class Reader {})()],
  ])('is refused and recorded when its arguments hold %s', async (_what, args) => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    await expect(planner.invoke({ tool: 'readRecord', args }, ran)).rejects.toMatchObject({
      code: 'arguments_not_json',
    });
    expect((await world.crumbsOf('refusal'))[0]?.body.code).toBe('arguments_not_json');
  });

  it('is refused and recorded when the identity provider says no', async () => {
    const planner = (await world.loginAs('alice', [READ_42], READING_ONLY)).agent('planner');
    const call = planner.invoke({ tool: 'exportRecord', args: { id: 43 } }, ran);
    await expect(call).rejects.toMatchObject({ code: 'exchange_refused' });
    const [refusal] = await world.crumbsOf('refusal');
    expect(refusal?.body).toMatchObject({
      code: 'exchange_refused',
      verdict: 'unauthorized',
      reason: { code: 'action' },
      expected: [{ sub: 'planner' }],
      profile: 'dev',
    });
  });

  it('is refused outside any session', async () => {
    await expect(world.crumb.invoke(read(42), ran)).rejects.toMatchObject({
      code: 'session_missing',
    });
  });

  it('is refused with an unmapped tool, by its name', async () => {
    const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
    const call = planner.invoke({ tool: 'dropTables', args: {} }, ran);
    await expect(call).rejects.toMatchObject({
      code: 'tool_unmapped',
      message: expect.stringContaining('dropTables'),
    });
  });

  it('is refused after the session was ended, which is on record', async () => {
    const session = await world.loginAs('alice', [READ_42]);
    const planner = session.agent('planner');
    await planner.invoke(read(42), () => null);
    await session.end();
    await session.end();
    await expect(planner.invoke(read(42), ran)).rejects.toMatchObject({ code: 'session_expired' });
    expect((await world.crumbsOf('session')).map(({ body }) => body.op)).toEqual(['open', 'end']);
  });
});

describe('a session that was ended', () => {
  it('ends for every session of that login, and for new ones', async () => {
    const token = await world.tokenOf('alice', [READ_42]);
    const [one, other] = [await world.crumb.session(token), await world.crumb.session(token)];
    const planner = other.agent('planner');
    await one.end();
    await expect(planner.invoke(read(42), () => 'ran')).rejects.toMatchObject({
      code: 'session_expired',
    });
    await expect(world.crumb.session(token)).rejects.toMatchObject({ code: 'session_expired' });
  });

  it('while its call was on the way to the provider, does not run it', async () => {
    const session = await world.loginAs('alice', [READ_42]);
    const planner = session.agent('planner');
    const [call] = await Promise.allSettled([planner.invoke(read(42), () => 'ran'), session.end()]);
    expect(call).toMatchObject({ status: 'rejected', reason: { code: 'session_expired' } });
    const kinds = (await world.readCrumbs()).map(({ kind }) => kind);
    expect(kinds).toContain('refusal');
    expect(kinds).not.toContain('intent');
  });
});

it('knows the calls of its own Crumb only', async () => {
  await using other = await openWorld();
  const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
  const call = planner.invoke(read(42), () => other.crumb.current());
  await expect(call).rejects.toMatchObject({ code: 'call_missing' });
});

describe('settings', () => {
  it("refuse what no directive covers, with unauthorized: 'refuse'", async () => {
    await using strict = await openWorld({ crumb: { unauthorized: 'refuse' } });
    const planner = (await strict.loginAs('alice', [READ_42])).agent('planner');
    await expect(planner.invoke(read(43), () => 'ran')).rejects.toMatchObject({
      code: 'not_authorized',
    });
    await planner.invoke(read(42), () => 'ran');
    await expect(planner.invoke(read(42), () => 'ran')).rejects.toMatchObject({
      code: 'not_authorized',
    });
    const refusals = await strict.crumbsOf('refusal');
    expect(refusals.map(({ body }) => body.reason?.code)).toEqual(['argument', 'uses']);
  });

  it("run a call without a token in mode: 'record', and say why there is none", async () => {
    await using lax = await openWorld({ crumb: { mode: 'record' } });
    const planner = (await lax.loginAs('alice', [READ_42], READING_ONLY)).agent('planner');
    const call = planner.invoke(
      { tool: 'exportRecord', args: {} },
      () => lax.crumb.current().token ?? 'none',
    );
    await expect(call).resolves.toBe('none');
    const [intent] = await lax.crumbsOf('intent');
    expect(intent?.body).toMatchObject({
      exchange: 'exchange_refused',
      token: null,
      mode: 'record',
    });
  });

  it('that are misspelt are refused', async () => {
    await expect(world.openAgain({ unauthorised: 'refuse' } as never)).rejects.toThrow(TypeError);
    await expect(world.openAgain({ mode: 'strict' as never })).rejects.toThrow(TypeError);
  });

  it('refuse a development login unless it is allowed', async () => {
    const token = await world.tokenOf('alice', [READ_42]);
    const other = await openWorld({ crumb: { allowDevelopment: false } });
    await expect(other.loginAs('alice', [READ_42])).rejects.toMatchObject({
      code: 'session_invalid',
    });
    await other.close();
    expect(token).not.toBe('');
  });
});

describe('unattended work', () => {
  it('runs without a human and says so', async () => {
    const job = world.crumb.unattended('planner');
    await job.invoke(read(42), () => 'done');
    const [intent] = await world.crumbsOf('intent');
    expect(intent?.body).toMatchObject({
      verdict: 'unattributed',
      human: null,
      session: null,
      token: null,
      chain: [{ sub: 'planner' }],
    });
  });
});

describe('a renewed login', () => {
  it('refers to the first and goes on counting its uses', async () => {
    const session = await world.loginAs('alice', [READ_42]);
    await session.agent('planner').invoke(read(42), () => null);
    const other = world.tokenOf('bob', [READ_42]);
    await expect(session.renew(await other)).rejects.toMatchObject({
      code: 'session_renewal_mismatch',
    });
  });
});

it('names a person only after recording that it did', async () => {
  const planner = (await world.loginAs('alice', [READ_42])).agent('planner');
  await planner.invoke(read(42), () => null);
  const [{ body } = { body: { human: null } }] = await world.crumbsOf('intent');
  const named = await world.crumb.identify(body.human ?? '', { purpose: 'incident' });
  expect(named?.person.sub).toBe('alice');
  const [observed] = await world.crumbsOf('observed');
  expect(observed?.body).toMatchObject({ source: 'vault', human: body.human, purpose: 'incident' });
});

it('is a CrumbError with a hint, whatever was refused', async () => {
  const error = await world.crumb.session('not a token').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CrumbError);
  expect(error).toMatchObject({ code: 'session_invalid', hint: expect.any(String) });
});
