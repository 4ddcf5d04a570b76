import { expect, it } from 'vitest';
import { requestLineOf } from '../../src/resource/guarded-request.ts';

const node = (url?: string, originalUrl?: string) =>
  requestLineOf({ rawHeaders: [], method: 'GET', url, originalUrl });

it('reads method, path and query, whatever the Host header says', () => {
  const fetched = requestLineOf(new Request('https://anything.example/records/42?a=1'));
  expect(fetched).toMatchObject({ method: 'GET', path: '/records/42' });
  expect(node('/records/42?a=1')).toMatchObject({ method: 'GET', path: '/records/42' });
  expect(node('/records/42?a=1')?.query.get('a')).toBe('1');
});

it('takes a path that begins like a host for a path', () => {
  expect(node('//evil.example/records')?.path).toBe('//evil.example/records');
});

it('reads the whole address where a router has shortened it', () => {
  expect(node('/42', '/records/42')?.path).toBe('/records/42');
});

it('reads the absolute form that proxies use', () => {
  expect(node('http://records.example/42')?.path).toBe('/42');
});

it('says so where there is no address to read', () => {
  expect(node('*')).toBeUndefined();
  expect(node('http://[')).toBeUndefined();
});
