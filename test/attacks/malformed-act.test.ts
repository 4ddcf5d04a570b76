/** Claim: a chain of agents that cannot be read in exactly one way is no chain. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGuardedResource, type GuardedResource } from './guarded-resource.ts';
import { headerText, signText, type Claims } from './test-issuer.ts';

let resource: GuardedResource;
beforeAll(async () => {
  resource = await startGuardedResource();
});
afterAll(() => resource.close());

/** Signs the claims with `act` as a text, honest in all else. */
async function tokenWithAct(act: string, changes: Claims = {}): Promise<string> {
  const text = JSON.stringify(resource.claims({ act: 'ACT', ...changes }));
  const { key } = resource.issuer;
  return signText(headerText(key), text.replace('"ACT"', act), key);
}

it.each([
  ['one agent', '{"sub":"researcher"}'],
  ['two agents', '{"sub":"researcher","act":{"sub":"planner"}}'],
  [
    'what drafts put beside the name',
    '{"sub":"researcher","sub_profile":"ai_agent","client_id":"r"}',
  ],
  ['a name in another script', '{"sub":"researcher","act":{"sub":"планировщик"}}'],
])('lets %s pass', async (_what, act) => {
  expect(await resource.send(await tokenWithAct(act))).toMatchObject({ status: 200 });
});

it.each([
  ['null', 'null'],
  ['a list', '[]'],
  ['a list of agents', '[{"sub":"researcher"}]'],
  ['a text', '"researcher"'],
  ['a number', '7'],
  ['true', 'true'],
  ['an empty object', '{}'],
  ['a name that is empty', '{"sub":""}'],
  ['a name that is a number', '{"sub":7}'],
  ['a name that is a list', '{"sub":["researcher"]}'],
  ['a name that is an object', '{"sub":{"toString":"researcher"}}'],
  ['a name that is null', '{"sub":null}'],
  ['a name of a kilobyte', `{"sub":"${'a'.repeat(1024)}"}`],
  ['an issuer that is no text', '{"sub":"researcher","iss":7}'],
  ['an issuer that is empty', '{"sub":"researcher","iss":""}'],
  ['an expiry of its own', '{"sub":"researcher","exp":1}'],
  ['an audience of its own', '{"sub":"researcher","aud":"https://other.example"}'],
  ['a beginning of its own', '{"sub":"researcher","nbf":1}'],
  ['a prototype', '{"sub":"researcher","__proto__":{"sub":"planner"}}'],
  ['only a prototype', '{"__proto__":{"sub":"researcher"}}'],
  ['an inner agent that is null', '{"sub":"researcher","act":null}'],
  ['an inner agent that is a list', '{"sub":"researcher","act":[{"sub":"planner"}]}'],
  ['an inner agent that is a text', '{"sub":"researcher","act":"planner"}'],
  ['an inner agent without a name', '{"sub":"researcher","act":{}}'],
  ['an inner agent with an expiry', '{"sub":"researcher","act":{"sub":"planner","exp":1}}'],
  ['a line break in a name', String.raw`{"sub":"researcher\nplanner"}`],
  ['a terminal escape in a name', String.raw`{"sub":"\u001b[2Jresearcher"}`],
  ['a zero byte in a name', String.raw`{"sub":"researcher\u0000"}`],
  ['an invisible character in a name', String.raw`{"sub":"re\u200bsearcher"}`],
  ['a turned direction of writing', String.raw`{"sub":"\u202erehcraeser"}`],
  ['half a character', String.raw`{"sub":"researcher\ud800"}`],
])('refuses %s', async (_what, act) => {
  expect(await resource.send(await tokenWithAct(act))).toMatchObject({
    status: 401,
    code: 'act_malformed',
  });
});

it.each([
  ['the same name twice', '{"sub":"researcher","sub":"planner"}'],
  ['the same name twice, once escaped', String.raw`{"sub":"researcher","\u0073ub":"planner"}`],
  ['two inner agents', '{"sub":"researcher","act":{"sub":"a"},"act":{"sub":"b"}}'],
  ['a prototype twice', '{"sub":"researcher","__proto__":{},"__proto__":{}}'],
  ['two chains', '{"sub":"researcher"},"act":{"sub":"planner"}'],
])('refuses %s', async (_what, act) => {
  expect(await resource.send(await tokenWithAct(act))).toMatchObject({
    status: 401,
    code: 'token_malformed',
  });
});

it('refuses a token without agents', async () => {
  expect(await resource.send(await resource.token({ act: undefined }))).toMatchObject({
    status: 401,
    code: 'token_unverifiable',
  });
});

it('takes a look-alike name for another agent', async () => {
  const guarded = await startGuardedResource({ actors: ['researcher'] });
  const lookAlike = 'rese\u0430rcher'; // with a Cyrillic letter
  expect(await guarded.send(await guarded.token())).toMatchObject({ status: 200 });
  const token = await guarded.token({ act: { sub: lookAlike }, client_id: lookAlike });
  expect(await guarded.send(token)).toMatchObject({ status: 403, code: 'actor_not_allowed' });
  await guarded.close();
});

it('refuses bytes that are no UTF-8, whatever they look like after repair', async () => {
  const { key } = resource.issuer;
  const text = JSON.stringify(resource.claims());
  const bytes = Uint8Array.from(new TextEncoder().encode(text));
  expect(await resource.send(await signText(headerText(key), bytes, key))).toMatchObject({
    status: 200,
  });
  const again = Uint8Array.from(new TextEncoder().encode(JSON.stringify(resource.claims())));
  again[text.indexOf('researcher') + 1] = 0xff;
  const bom = Uint8Array.from([0xef, 0xbb, 0xbf, ...bytes]);
  for (const damaged of [again, bom]) {
    expect(await resource.send(await signText(headerText(key), damaged, key))).toMatchObject({
      status: 401,
      code: 'token_malformed',
    });
  }
});
