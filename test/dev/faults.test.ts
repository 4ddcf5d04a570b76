import { createRemoteJWKSet, decodeJwt, jwtVerify, type JWTPayload } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FAULTS, type DevIdpFault } from '../../src/dev/faults.ts';
import { RECORDS, startWorld, type ExchangeAnswer, type World } from './world.ts';

let world: World;
let hop: string;
beforeAll(async () => {
  world = await startWorld({ algorithm: 'ES256' });
});
afterAll(() => world.close());
beforeEach(async () => {
  const subject = (await world.loginAs('alice')).accessToken;
  const target = 'urn:agent:researcher';
  hop = (await world.exchange('planner', { subject, target, scope: 'read_record' })).token;
});
afterEach(() => world.idp.fault(undefined));

/** The second hop: its right answer has two actors. */
async function exchange(fault: DevIdpFault | undefined): Promise<ExchangeAnswer> {
  world.idp.fault(fault);
  return world.exchange('researcher', { subject: hop, target: RECORDS, scope: 'read_record' });
}

async function isSigned(token: string): Promise<boolean> {
  const keys = createRemoteJWKSet(new URL(`${world.issuer}/jwks`));
  return jwtVerify(token, keys, { typ: 'at+jwt' }).then(
    () => true,
    () => false,
  );
}

describe('each fault of the claims is signed by the right key and changes one thing', () => {
  it.each<[DevIdpFault, (claims: JWTPayload) => unknown, unknown]>([
    ['wrong-issuer', ({ iss }) => iss, 'https://issuer.invalid'],
    ['changed-subject', ({ sub }) => sub, 'mallory'],
    ['wrong-audience', ({ aud }) => aud, 'https://other.example'],
    ['second-audience', ({ aud }) => aud, [RECORDS, 'https://other.example']],
    ['missing-act', (claims) => claims['act'], undefined],
    ['dropped-actor', (claims) => subsOf(claims), ['researcher']],
    ['added-actor', (claims) => subsOf(claims), ['researcher', 'planner', 'stranger']],
    ['reordered-actors', (claims) => subsOf(claims), ['planner', 'researcher']],
    ['widened-scope', (claims) => claims['scope'], 'read_record admin'],
    ['widened-details', (claims) => claims['authorization_details'], [expect.any(Object)]],
    ['longer-life', ({ exp = 0, iat = 0 }) => exp - iat > 86_400, true],
    ['left-may-act', (claims) => claims['may_act'], { sub: 'stranger' }],
  ])('%s', async (fault, view, expected) => {
    const { claims, token } = await exchange(fault);
    expect(view(claims)).toEqual(expected);
    expect(await isSigned(token)).toBe(true);
    const right = (await exchange(undefined)).claims;
    expect(Object.keys({ ...right, ...claims }).filter((name) => differs(name))).toHaveLength(1);

    function differs(name: string): boolean {
      const changing = ['jti', 'iat', ...(fault === 'longer-life' ? [] : ['exp'])];
      return (
        !changing.includes(name) && JSON.stringify(right[name]) !== JSON.stringify(claims[name])
      );
    }
  });

  function subsOf(claims: JWTPayload): string[] {
    const subs: string[] = [];
    let node = claims['act'] as { sub: string; act?: never } | undefined; // as the provider nests it
    while (node !== undefined) {
      subs.push(node.sub);
      node = node.act;
    }
    return subs;
  }
});

describe('each fault of the envelope leaves the token alone', () => {
  it.each<[DevIdpFault, string, unknown]>([
    ['wrong-token-type', 'token_type', 'N_A'],
    ['wrong-issued-token-type', 'issued_token_type', expect.stringContaining('id_token')],
  ])('%s', async (fault, member, expected) => {
    const { body, token } = await exchange(fault);
    expect(body[member]).toEqual(expected);
    expect(await isSigned(token)).toBe(true);
  });

  it('opaque-token', async () => {
    world.idp.fault('opaque-token');
    const { body } = await world.raw('researcher', hop);
    const { access_token } = JSON.parse(body) as { access_token: string }; // of this server
    expect(() => decodeJwt(access_token)).toThrow();
  });
});

it.each<DevIdpFault>(['wrong-key', 'wrong-typ'])('%s does not verify', async (fault) => {
  expect(await isSigned((await exchange(fault)).token)).toBe(false);
});

describe('each fault of the connection gives no usable answer', () => {
  it.each<[DevIdpFault, number, RegExp]>([
    ['server-error', 500, /server_error/],
    ['html', 200, /<!doctype html>/],
    ['redirect', 307, /^/],
    ['huge', 200, /^.{4000000}/],
  ])('%s', async (fault, status, body) => {
    world.idp.fault(fault);
    const answer = await world.raw('researcher', hop);
    expect([answer.status, body.test(answer.body)]).toEqual([status, true]);
  });

  it('slow', async () => {
    world.idp.fault('slow');
    const asked = world.raw('researcher', hop, AbortSignal.timeout(200));
    await expect(asked).rejects.toThrow(expect.objectContaining({ name: 'TimeoutError' }));
  });
});

it('spoils exchanges only, and heals', async () => {
  for (const fault of FAULTS) {
    world.idp.fault(fault);
    expect((await world.loginAs('bob')).accessToken).not.toBe('');
    expect(await world.selfToken('planner')).not.toBe('');
  }
  const { claims, status } = await exchange(undefined);
  expect([status, claims.sub]).toEqual([200, 'alice']);
});
