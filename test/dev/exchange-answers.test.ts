import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DevIdpEvent } from '../../src/dev/events.ts';
import { RECORDS, startWorld, type World } from './world.ts';

const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';

let world: World;
let events: DevIdpEvent[] = [];
/** A login of Alice. */
let session: string;

beforeAll(async () => {
  world = await startWorld({ log: (event) => events.push(event) });
});
afterAll(() => world.close());
beforeEach(async () => {
  session = (await world.loginAs('alice')).accessToken;
  events = [];
});

/** The rule that refused, which the client is told only as a class of error. */
function refusal(): string | undefined {
  return events.filter((event) => event.kind === 'refusal').at(-1)?.reason;
}

/** An exchange that holds, except for what `more` changes. */
async function tryExchange(more: Record<string, string | undefined>): Promise<void> {
  const answer = await world.exchange('planner', {
    subject: session,
    target: RECORDS,
    scope: 'read_record',
    more,
  });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.token).toBe('');
}

it.each([ID_TOKEN, 'urn:ietf:params:oauth:token-type:refresh_token'])(
  'rule 11 refuses to issue %s',
  async (requested_token_type) => {
    await tryExchange({ requested_token_type });
    expect(refusal()).toBe('type_unsupported');
  },
);

it('tells a client the class of error and no token', async () => {
  const answer = await world.exchange('researcher', {
    subject: session,
    target: RECORDS,
    scope: 'read_record',
  });
  expect(answer.body['error']).toBe('invalid_grant');
  expect(JSON.stringify(answer.body)).not.toContain(session);
  expect(JSON.stringify(events)).not.toContain(session.slice(0, 40));
});

describe('with DPoP', () => {
  async function proof(claims: Record<string, unknown> = {}): Promise<[string, string]> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const iat = Math.floor(Date.now() / 1000);
    const htu = `${world.issuer}/token`;
    const jwt = await new SignJWT({ jti: randomUUID(), htm: 'POST', htu, iat, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(privateKey);
    return [jwt, await calculateJwkThumbprint(jwk)];
  }

  it('binds the token to the key that was proven', async () => {
    const [dpop, jkt] = await proof();
    const call = { subject: session, target: RECORDS, scope: 'read_record', dpop };
    const { claims, body } = await world.exchange('planner', call);
    expect(claims['cnf']).toEqual({ jkt });
    expect(body['token_type']).toBe('DPoP');
  });

  it.each([
    ['for another method', { htm: 'GET' }],
    ['for another address', { htu: 'https://records.example/token' }],
    ['that is old', { iat: Math.floor(Date.now() / 1000) - 120 }],
    ['from the future', { iat: Math.floor(Date.now() / 1000) + 120 }],
    ['without an id', { jti: undefined }],
  ])('refuses a proof %s', async (_what, claims) => {
    const [dpop] = await proof(claims);
    const call = { subject: session, target: RECORDS, scope: 'read_record', dpop };
    expect((await world.exchange('planner', call)).body['error']).toBe('invalid_dpop_proof');
    expect(refusal()).toBe('proof_invalid');
  });

  it('refuses a proof that was used', async () => {
    const [dpop] = await proof();
    const call = { subject: session, target: RECORDS, scope: 'read_record', dpop };
    expect((await world.exchange('planner', call)).status).toBe(200);
    expect((await world.exchange('planner', call)).status).toBe(400);
    expect(refusal()).toBe('proof_invalid');
  });

  it('refuses an actor token that is bound to another key', async () => {
    const [selfProof] = await proof();
    const bound = await world.selfToken('planner', selfProof);
    expect(decodeJwt(bound)).toHaveProperty('cnf.jkt');
    await tryExchange({ actor_token: bound });
    expect(refusal()).toBe('actor_bound_elsewhere');
  });
});
