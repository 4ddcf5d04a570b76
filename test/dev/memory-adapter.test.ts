import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { memoryAdapter, MemoryStore } from '../../src/dev/memory-adapter.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('holds as much as it is given: no session and no replay record is evicted', async () => {
  const replays = memoryAdapter(new MemoryStore())('ReplayDetection');
  for (let n = 0; n < 5000; n += 1) await replays.upsert(`jti-${n}`, {}, 60);
  expect(await replays.find('jti-0')).toEqual({});
});

it('forgets what has expired, and shrinks', async () => {
  const store = new MemoryStore();
  const codes = memoryAdapter(store)('AuthorizationCode');
  for (let n = 0; n < 600; n += 1) await codes.upsert(`old-${n}`, {}, 60);
  vi.advanceTimersByTime(60_000);
  expect(await codes.find('old-0')).toBeUndefined();
  for (let n = 0; n < 600; n += 1) await codes.upsert(`new-${n}`, {}, 60);
  expect(store.size).toBeLessThan(1200);
  expect(await codes.find('new-0')).toEqual({});
});

it('finds a session by its uid after its id has changed', async () => {
  const sessions = memoryAdapter(new MemoryStore())('Session');
  await sessions.upsert('first', { uid: 'u', accountId: 'alice' }, 60);
  await sessions.destroy('first');
  expect(await sessions.findByUid('u')).toBeUndefined();
  await sessions.upsert('second', { uid: 'u', accountId: 'alice' }, 60);
  expect(await sessions.findByUid('u')).toMatchObject({ accountId: 'alice' });
});

it('keeps models and stores apart', async () => {
  const store = new MemoryStore();
  await memoryAdapter(store)('Grant').upsert('id', { clientId: 'app' });
  expect(await memoryAdapter(store)('Session').find('id')).toBeUndefined();
  expect(await memoryAdapter(new MemoryStore())('Grant').find('id')).toBeUndefined();
});

it('marks a code as used, and revokes what a grant gave', async () => {
  const codes = memoryAdapter(new MemoryStore())('AuthorizationCode');
  await codes.upsert('a', { grantId: 'g' }, 60);
  await codes.upsert('b', { grantId: 'other' }, 60);
  await codes.consume('a');
  expect(await codes.find('a')).toMatchObject({ consumed: expect.any(Number) });
  await codes.revokeByGrantId('g');
  expect(await codes.find('a')).toBeUndefined();
  expect(await codes.find('b')).toBeDefined();
});
