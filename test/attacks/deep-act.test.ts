/** Claim: a chain of more than eight agents is refused before anything recurses into it. */
import { expect, it } from 'vitest';
import { createGuard } from '../../src/resource/index.ts';
import { startGuardedResource, type GuardedResource } from './guarded-resource.ts';
import { headerText, signText } from './test-issuer.ts';

/** `{"sub":"a0","act":{"sub":"a1", ...}}`, made as text: no recursion on our side either. */
function nested(depth: number): string {
  const open = Array.from({ length: depth }, (_value, n) => `{"sub":"a${n}"`).join(',"act":');
  return open + '}'.repeat(depth);
}

async function tokenOfDepth(resource: GuardedResource, depth: number): Promise<string> {
  const text = JSON.stringify(resource.claims({ act: 'ACT', client_id: 'a0' }));
  const { key } = resource.issuer;
  return signText(headerText(key), text.replace('"ACT"', nested(depth)), key);
}

it('lets eight agents pass, and no ninth', async () => {
  const resource = await startGuardedResource();
  expect(await resource.send(await tokenOfDepth(resource, 8))).toMatchObject({ status: 200 });
  expect(await resource.send(await tokenOfDepth(resource, 9))).toMatchObject({
    status: 401,
    code: 'act_too_deep',
  });
  await resource.close();
});

it('lets as many pass as it was told, and no more', async () => {
  const resource = await startGuardedResource({ maxDepth: 2 });
  expect(await resource.send(await tokenOfDepth(resource, 2))).toMatchObject({ status: 200 });
  expect(await resource.send(await tokenOfDepth(resource, 3))).toMatchObject({
    code: 'act_too_deep',
  });
  await resource.close();
});

it('refuses 60, 100 and 300 that fit into a header', async () => {
  const resource = await startGuardedResource();
  expect(await resource.send(await tokenOfDepth(resource, 60))).toMatchObject({
    status: 401,
    code: 'act_too_deep',
  });
  for (const depth of [100, 300]) {
    expect(await resource.send(await tokenOfDepth(resource, depth))).toMatchObject({
      status: 401,
      code: 'token_malformed',
    });
  }
  await resource.close();
});

it.each([600, 5000, 20_000])('refuses %d handed over without HTTP limits', async (depth) => {
  const resource = await startGuardedResource();
  const guard = createGuard({
    resource: resource.url,
    issuers: [{ url: resource.issuer.url, algs: ['ES256'] }],
  });
  const request = async (levels: number) => ({
    rawHeaders: ['Authorization', `Bearer ${await tokenOfDepth(resource, levels)}`],
  });
  await expect(guard.verify(await request(8))).resolves.toMatchObject({ clientId: 'a0' });
  await expect(guard.verify(await request(depth))).rejects.toMatchObject({
    code: 'token_malformed',
    status: 401,
  });
  await resource.close();
});

it('refuses depth anywhere else in the token, and in its header', async () => {
  const resource = await startGuardedResource();
  const { key } = resource.issuer;
  const claims = JSON.stringify(resource.claims({ note: 'DEEP' }));
  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  const inClaims = (levels: number) =>
    signText(headerText(key), claims.replace('"DEEP"', deep(levels)), key);
  expect(await resource.send(await inClaims(60))).toMatchObject({ status: 200 });
  expect(await resource.send(await inClaims(2000))).toMatchObject({ code: 'token_malformed' });
  const inHeader = headerText(key, `"note":${deep(2000)}`);
  expect(await resource.send(await signText(inHeader, claims, key))).toMatchObject({
    code: 'token_malformed',
  });
  await resource.close();
});

it('refuses a token of more than 8 KB', async () => {
  const resource = await startGuardedResource();
  const ofSize = (letters: number) => resource.token({ note: 'a'.repeat(letters) });
  expect(await resource.send(await ofSize(4500))).toMatchObject({ status: 200 });
  expect(await resource.send(await ofSize(6000))).toMatchObject({
    status: 401,
    code: 'token_malformed',
  });
  await resource.close();
});
