/** Claim: of an honest token nothing can be changed, left out or added so that it still passes. */
import { asyncProperty, assert, constantFrom, nat, string, tuple } from 'fast-check';
import { base64url, decodeJwt, decodeProtectedHeader } from 'jose';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createGuard, isGuardError, type Guard } from '../../src/resource/index.ts';
import { startGuardedResource, type GuardedResource } from './guarded-resource.ts';

let resource: GuardedResource;
let guard: Guard;
let honest: string;
beforeAll(async () => {
  resource = await startGuardedResource();
  guard = createGuard({
    resource: resource.url,
    issuers: [{ url: resource.issuer.url, algs: ['ES256'] }],
  });
  honest = await resource.token({ exp: Math.floor(Date.now() / 1000) + 299 });
});
afterAll(() => resource.close());

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=~+/';

/** Refused with one of the closed answers, which shows nothing of the token. */
async function expectRefused(token: string): Promise<void> {
  const request = { rawHeaders: ['Authorization', `Bearer ${token}`] };
  const answer = await guard.verify(request).catch((error: unknown) => error);
  if (!isGuardError(answer)) expect.fail(`passed: ${token}`);
  expect([400, 401]).toContain(answer.status);
  const shown = inspect(answer, { depth: 9, showHidden: true });
  for (const part of token.split('.').filter((text) => text.length > 8)) {
    expect(shown).not.toContain(part);
  }
  expect(shown).not.toContain('alice');
}

it('lets the honest token pass', async () => {
  const request = { rawHeaders: ['Authorization', `Bearer ${honest}`] };
  await expect(guard.verify(request)).resolves.toMatchObject({ human: { sub: 'alice' } });
});

it('refuses it with one character replaced, removed or added', async () => {
  await assert(
    asyncProperty(
      constantFrom('replace', 'remove', 'add'),
      nat(),
      constantFrom(...CHARACTERS),
      async (edit, at, character) => {
        const n = at % honest.length;
        const rest = honest.slice(edit === 'add' ? n : n + 1);
        const changed = honest.slice(0, n) + (edit === 'remove' ? '' : character) + rest;
        if (changed !== honest) await expectRefused(changed);
      },
    ),
    { numRuns: 300 },
  );
});

it('refuses it with its parts exchanged for those of another honest token', async () => {
  const other = await resource.token({ sub: 'bob' });
  const parts = [honest.split('.'), other.split('.')];
  await assert(
    asyncProperty(tuple(nat(1), nat(1), nat(1)), async ([header, payload, signature]) => {
      const mixed = [parts[header]?.[0], parts[payload]?.[1], parts[signature]?.[2]].join('.');
      if (mixed !== honest && mixed !== other) await expectRefused(mixed);
    }),
    { numRuns: 20 },
  );
});

it('refuses it with any claim changed under the old signature', async () => {
  const [header, , signature] = honest.split('.');
  const claims = decodeJwt(honest);
  await assert(
    asyncProperty(
      constantFrom(...Object.keys(claims), 'extra', '__proto__'),
      string({ maxLength: 12 }),
      async (name, value) => {
        const changed = Object.fromEntries([...Object.entries(claims), [name, value]]);
        const payload = base64url.encode(JSON.stringify(changed));
        await expectRefused(`${header}.${payload}.${signature}`);
      },
    ),
    { numRuns: 100 },
  );
});

it('refuses it with any header member changed under the old signature', async () => {
  const [, payload, signature] = honest.split('.');
  const header = decodeProtectedHeader(honest);
  await assert(
    asyncProperty(
      constantFrom(...Object.keys(header), 'extra', 'x5t'),
      string({ maxLength: 12 }),
      async (name, value) => {
        const changed = base64url.encode(JSON.stringify({ ...header, [name]: value }));
        await expectRefused(`${changed}.${payload}.${signature}`);
      },
    ),
    { numRuns: 100 },
  );
});

it('refuses what is no token at all, without a fault of its own', async () => {
  await assert(
    asyncProperty(string({ unit: 'binary', maxLength: 60 }), async (text) => {
      await expectRefused(text);
      await expectRefused(base64url.encode(text));
      const segment = base64url.encode(text) || 'AA';
      await expectRefused(`${segment}.${segment}.${segment}`);
    }),
    { numRuns: 60 },
  );
});
