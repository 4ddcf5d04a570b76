/**
 * Looks for tokens in what can be seen of a value.
 *
 * @module
 */
import { inspect } from 'node:util';
import { expect } from 'vitest';

/** Every way in which a log, a trace or an error page shows a value. */
export function shown(value: unknown): string {
  const parts = [
    inspect(value, { depth: 9, showHidden: true }),
    JSON.stringify(value),
    String(value),
  ];
  for (let at = value; at instanceof Error; at = at.cause) {
    parts.push(at.message, at.stack ?? '', JSON.stringify(Object.getOwnPropertyDescriptors(at)));
  }
  return parts.join('\n');
}

/** None of the tokens is there, whole or in part. */
export function expectNoSecrets(value: unknown, tokens: Iterable<string>): void {
  const text = shown(value);
  let looked = 0;
  for (const token of tokens) {
    const [, payload = token, signature = token] = token.split('.');
    for (const part of [token, payload, signature]) {
      expect(text).not.toContain(part);
      looked += 1;
    }
  }
  expect(looked).toBeGreaterThan(0); // a search for nothing finds nothing
}
