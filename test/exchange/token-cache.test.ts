import { describe, expect, it } from 'vitest';
import { createTokenCache, keptUntil, type CacheRequest } from '../../src/exchange/token-cache.ts';
import { rejection } from './exchange-world.ts';

const START = new Date('2026-11-24T12:00:00Z');

/** A cache at a time of the test's own, and a load that counts and waits for the test. */
function stage(max?: number) {
  let time = START.getTime();
  const clock = () => new Date(time);
  const cache = createTokenCache<string>({ clock, ...(max === undefined ? {} : { max }) });
  const loads: {
    key: string;
    signal: AbortSignal;
    land: (value: string, lifeMs?: number) => void;
    fail: (error: Error) => void;
  }[] = [];
  const request = (
    key: string,
    more: Partial<CacheRequest<string>> = {},
  ): CacheRequest<string> => ({
    key,
    tags: [],
    load: async (signal) =>
      new Promise((resolve, reject) => {
        loads.push({
          key,
          signal,
          land: (value, lifeMs = 60_000) => resolve({ value, until: new Date(time + lifeMs) }),
          fail: reject,
        });
      }),
    ...more,
  });
  const load = async (key: string, value: string, more?: Partial<CacheRequest<string>>) => {
    const got = cache.get(request(key, more));
    await Promise.resolve();
    loads.at(-1)?.land(value);
    return got;
  };
  return { cache, loads, request, load, pass: (ms: number) => (time += ms) };
}

it('loads once for all who miss together, and serves all who come later', async () => {
  const { cache, loads, request } = stage();
  const all = Array.from({ length: 64 }, async () => cache.get(request('k')));
  loads[0]?.land('token');
  const got = await Promise.all(all);
  expect(loads.length).toBe(1);
  expect(got.filter(({ from }) => from === 'fresh').length).toBe(1);
  expect(new Set(got.map(({ value }) => value))).toEqual(new Set(['token']));
  expect(await cache.get(request('k'))).toEqual({ value: 'token', from: 'cached' });
  expect(loads.length).toBe(1);
});

it('keeps a value until its time, to the millisecond', async () => {
  const { cache, loads, request, load, pass } = stage();
  await load('k', 'one');
  pass(59_999);
  expect((await cache.get(request('k'))).from).toBe('cached');
  pass(1);
  const again = cache.get(request('k'));
  loads.at(-1)?.land('two');
  expect(await again).toEqual({ value: 'two', from: 'fresh' });
});

it('does not keep what is over already', async () => {
  const { cache, loads, request } = stage();
  const first = cache.get(request('k'));
  loads[0]?.land('short', 0);
  await first;
  void cache.get(request('k'));
  expect(loads.length).toBe(2);
});

it('keeps tokens until 30 s before their end, and no longer than 5 minutes', () => {
  const at = START.getTime();
  expect(keptUntil(at + 120_000, START).getTime()).toBe(at + 90_000);
  expect(keptUntil(at + 20_000, START).getTime()).toBe(at - 10_000);
  expect(keptUntil(at + 3_600_000, START).getTime()).toBe(at + 300_000);
});

it('keeps no failure, and gives it to all who waited', async () => {
  const { cache, loads, request } = stage();
  const all = [cache.get(request('k')), cache.get(request('k'))];
  loads[0]?.fail(new Error('no'));
  for (const waiting of all) expect(await rejection(waiting)).toMatchObject({ message: 'no' });
  const next = cache.get(request('k'));
  loads[1]?.land('yes');
  expect((await next).value).toBe('yes');
});

it('takes a load that throws at once for a failure', async () => {
  const { cache, request } = stage();
  const load = () => {
    throw new Error('at once');
  };
  expect(await rejection(cache.get(request('k', { load })))).toMatchObject({ message: 'at once' });
});

it('forgets what was used longest ago when it is full', async () => {
  const { cache, loads, request, load } = stage(2);
  await load('a', 'A');
  await load('b', 'B');
  await cache.get(request('a'));
  await load('c', 'C');
  expect((await cache.get(request('a'))).from).toBe('cached');
  expect((await cache.get(request('c'))).from).toBe('cached');
  const before = loads.length;
  void cache.get(request('b'));
  expect(loads.length).toBe(before + 1);
});

describe('a caller who aborts', () => {
  it('leaves with its own reason, and the others get the value', async () => {
    const { cache, loads, request } = stage();
    const stop = new AbortController();
    const leaving = cache.get(request('k', { signal: stop.signal }));
    const staying = cache.get(request('k', { signal: new AbortController().signal }));
    const reason = new Error('the user closed the tab');
    stop.abort(reason);
    expect(await rejection(leaving)).toBe(reason);
    expect(loads[0]?.signal.aborted).toBe(false);
    loads[0]?.land('token');
    expect((await staying).value).toBe('token');
  });

  it('stops the load if it was the last, and the next caller starts a new one', async () => {
    const { cache, loads, request } = stage();
    const stops = [new AbortController(), new AbortController()];
    const all = stops.map(({ signal }) => cache.get(request('k', { signal })));
    stops.forEach((stop) => stop.abort());
    for (const left of all) expect(await rejection(left)).toMatchObject({ name: 'AbortError' });
    expect(loads[0]?.signal.aborted).toBe(true);
    const next = cache.get(request('k'));
    expect(loads.length).toBe(2);
    loads[0]?.land('late');
    loads[1]?.land('token');
    expect(await next).toEqual({ value: 'token', from: 'fresh' });
  });

  it('before it asks does not start a load', async () => {
    const { cache, loads, request } = stage();
    const error = await rejection(cache.get(request('k', { signal: AbortSignal.abort() })));
    expect(error).toMatchObject({ name: 'AbortError' });
    expect(loads.length).toBe(0);
  });

  it('after the value came changes nothing', async () => {
    const { cache, request, load } = stage();
    const stop = new AbortController();
    expect((await load('k', 'v', { signal: stop.signal })).value).toBe('v');
    stop.abort();
    expect((await cache.get(request('k'))).from).toBe('cached');
  });
});

describe('drop', () => {
  it('forgets what hangs on the tag, and nothing else', async () => {
    const { cache, loads, request, load } = stage();
    await load('a', 'A', { tags: ['alice', 'sid'] });
    await load('b', 'B', { tags: ['bob'] });
    cache.drop('alice');
    expect((await cache.get(request('b'))).from).toBe('cached');
    void cache.get(request('a'));
    expect(loads.length).toBe(3);
  });

  it('does not keep what was under way, and lets nobody join it', async () => {
    const { cache, loads, request } = stage();
    const first = cache.get(request('k', { tags: ['alice'] }));
    cache.drop('alice');
    const second = cache.get(request('k', { tags: ['alice'] }));
    expect(loads.length).toBe(2);
    loads[1]?.land('new');
    await second;
    loads[0]?.land('old');
    expect((await first).value).toBe('old');
    expect((await cache.get(request('k'))).value).toBe('new');
  });
});
