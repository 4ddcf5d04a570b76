/** docs/guides/identity-providers.md says of profiles what they do. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { expressible, PROFILES } from '../../src/exchange/issuer-profile.ts';

const rows = readFileSync('docs/guides/identity-providers.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| `[a-z0-9-]+`/u.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter((cells) => cells.length === 8);

it('has a row for every profile', () => {
  const names = rows.map(([, name = '']) => /`([^`]+)`/u.exec(name)?.[1] ?? '');
  expect(new Set(names)).toEqual(new Set(Object.keys(PROFILES)));
  expect(names.length).toBe(Object.keys(PROFILES).length);
});

it.each(Object.values(PROFILES).map((profile) => [profile.name, profile] as const))(
  'says what %s can express, and whether it was run',
  (name, profile) => {
    const row = rows.find(([, cell = '']) => cell.startsWith(`\`${name}\``)) ?? [];
    const [, , actor, , target, most, from] = row;
    const counts = Array.from({ length: 9 }, (_none, n) => n + 1);
    expect(Number(most)).toBe(counts.filter((count) => expressible(profile, count)).length);
    expect(from === '**run**').toBe(profile.verified);
    const words = {
      required: 'actor token',
      optional: 'actor token',
      client: 'authenticated client',
      none: 'not at all',
    };
    expect(actor).toBe(words[profile.actor]);
    if (profile.legs === 'direct') expect(target).toBe(`\`${profile.target}\``);
  },
);
