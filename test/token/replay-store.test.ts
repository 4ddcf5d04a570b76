import { expect, it } from 'vitest';
import { memoryReplayStore } from '../../src/token/replay-store.ts';

const soon = () => new Date(Date.now() + 60_000);

it('gives an id to one of many concurrent callers', async () => {
  const store = memoryReplayStore();
  const until = soon();
  const taken = await Promise.all(Array.from({ length: 50 }, () => store.take('iss', 'a', until)));
  expect(taken.filter(Boolean)).toHaveLength(1);
});

it('tells issuers apart, whatever they put into an id', async () => {
  const store = memoryReplayStore();
  expect(await store.take('https://a.example', 'x","y', soon())).toBe(true);
  expect(await store.take('https://a.example","x', 'y', soon())).toBe(true);
  expect(await store.take('https://a.example', 'x","y', soon())).toBe(false);
});

it('refuses when it is full of live ids, and forgets none of them', async () => {
  let now = 1_000_000;
  const store = memoryReplayStore({ max: 3, clock: () => new Date(now) });
  const until = new Date(now + 10_000);
  for (const jti of ['a', 'b', 'c']) expect(await store.take('iss', jti, until)).toBe(true);
  expect(await store.take('iss', 'd', until)).toBe(false);
  expect(await store.take('iss', 'a', until)).toBe(false);
  now += 10_001;
  expect(await store.take('iss', 'd', new Date(now + 10_000))).toBe(true);
});

it('refuses a limit that is no limit', () => {
  expect(() => memoryReplayStore({ max: 0 })).toThrow(TypeError);
  expect(() => memoryReplayStore({ max: Number.NaN })).toThrow(TypeError);
});
