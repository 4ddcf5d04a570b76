import { decodeJwt, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DevIdpEvent } from '../../src/dev/events.ts';
import { MAIL, READ_42, RECORDS, sha256, startWorld, type World } from './world.ts';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const TO_RESEARCHER = 'urn:agent:researcher';

/** Nine agents in a row: one more than a chain may have. */
const ROW = Array.from({ length: 9 }, (_none, n) => `agent-${n}`);

let world: World;
let events: DevIdpEvent[] = [];
/** Alice's login at the application, whose one first agent is the planner. */
let session: string;

beforeAll(async () => {
  world = await startWorld({ log: (event) => events.push(event), moreAgents: ROW });
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

async function hopTo(agent: string, scope = 'read_record'): Promise<string> {
  const hop = await world.exchange('planner', {
    subject: session,
    target: `urn:agent:${agent}`,
    scope,
  });
  expect(hop.status).toBe(200);
  return hop.token;
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

/** The same claims, signed by somebody else. */
async function resigned(token: string, change: (claims: Record<string, unknown>) => void) {
  const claims: Record<string, unknown> = decodeJwt(token);
  change(claims);
  const { privateKey } = await generateKeyPair('RS256');
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: world.idp.kid, typ: 'at+jwt' })
    .sign(privateKey);
}

describe('an exchange', () => {
  it('puts the human in sub and both agents in act, the token holder outside', async () => {
    const hop = await hopTo('researcher');
    const { claims, body } = await world.exchange('researcher', {
      subject: hop,
      target: RECORDS,
      scope: 'read_record',
    });
    expect(claims).toMatchObject({
      iss: world.issuer,
      sub: 'alice',
      aud: RECORDS,
      client_id: 'researcher',
      scope: 'read_record',
      crumb_dev: true,
      act: { iss: world.issuer, sub: 'researcher', act: { iss: world.issuer, sub: 'planner' } },
    });
    expect(body).toMatchObject({ token_type: 'Bearer', issued_token_type: ACCESS_TOKEN });
  });

  it('names the exact token that it came from', async () => {
    const hop = await hopTo('researcher');
    const call = await world.exchange('researcher', {
      subject: hop,
      target: RECORDS,
      scope: 'read_record',
    });
    expect(decodeJwt(hop)['prev#S256']).toBe(sha256(session));
    expect(call.claims['prev#S256']).toBe(sha256(hop));
  });

  it('keeps login and session, and drops name, e-mail and may_act', async () => {
    const hop = decodeJwt(await hopTo('researcher'));
    const login = decodeJwt(session);
    expect(hop).toMatchObject({ sid: login['sid'], auth_time: login['auth_time'] });
    expect(login).toMatchObject({ may_act: { sub: 'planner' }, name: 'Alice Lindqvist' });
    for (const gone of ['may_act', 'name', 'email']) expect(hop).not.toHaveProperty(gone);
  });

  it('gives nothing but one access token', async () => {
    const { body } = await world.exchange('planner', {
      subject: session,
      target: RECORDS,
      scope: 'read_record',
    });
    expect(Object.keys(body).toSorted()).toEqual([
      'access_token',
      'expires_in',
      'issued_token_type',
      'scope',
      'token_type',
    ]);
  });

  it('lives 120 seconds, and never beyond its subject', async () => {
    const hop = decodeJwt(await hopTo('researcher'));
    expect((hop.exp ?? 0) - (hop.iat ?? 0)).toBe(120);

    await using brief = await startWorld({ sessionSeconds: 30, tokenSeconds: 300 });
    const short = (await brief.loginAs('alice')).accessToken;
    const { claims, body } = await brief.exchange('planner', {
      subject: short,
      target: RECORDS,
      scope: 'read_record',
    });
    expect(claims.exp).toBe(decodeJwt(short).exp);
    expect(body['expires_in']).toBeLessThanOrEqual(30);
  });

  it('reaches eight agents and not nine', async () => {
    let token = await hopTo('agent-0');
    for (let n = 0; n < 7; n += 1) {
      const params = { subject: token, target: `urn:agent:agent-${n + 1}`, scope: 'read_record' };
      const next = await world.exchange(`agent-${n}`, params);
      expect(next.status).toBe(200);
      token = next.token;
    }
    // The planner and seven agents stand in the chain now. The next is the ninth.
    const ninth = { subject: token, target: 'urn:agent:agent-8', scope: 'read_record' };
    const answer = await world.exchange('agent-7', ninth);
    expect([answer.status, refusal()]).toEqual([400, 'chain_too_deep']);
  });

  it('narrows directives to those of the service', async () => {
    const mail = { type: 'crumb_tool_call', actions: ['send_mail'], locations: [MAIL] };
    const login = await world.loginAs('alice', { directives: [READ_42, mail] });
    const exchange = async (target: string, scope: string) =>
      world.exchange('planner', { subject: login.accessToken, target, scope });
    expect((await exchange(RECORDS, 'read_record')).claims['authorization_details']).toEqual([
      READ_42,
    ]);
    expect((await exchange(MAIL, 'send_mail')).claims['authorization_details']).toEqual([mail]);
  });

  it('narrows directives to those that admit the next agent', async () => {
    const mine = { ...READ_42, agents: ['planner'] };
    const ours = { ...READ_42, agents: ['planner', 'researcher'] };
    const login = await world.loginAs('alice', { directives: [mine, ours, READ_42] });
    const hop = await world.exchange('planner', {
      subject: login.accessToken,
      target: TO_RESEARCHER,
      scope: 'read_record',
    });
    expect(hop.claims['authorization_details']).toEqual([ours, READ_42]);
  });

  it('says that no directive is left, instead of saying nothing', async () => {
    const login = await world.loginAs('alice', { directives: [READ_42] });
    const elsewhere = { subject: login.accessToken, target: MAIL, scope: 'send_mail' };
    const { claims } = await world.exchange('planner', elsewhere);
    expect(claims['authorization_details']).toEqual([]);
    expect(decodeJwt(await hopTo('researcher'))).not.toHaveProperty('authorization_details');
  });

  it('accepts a token declared as a JWT, and the target named twice alike', async () => {
    const answer = await world.exchange('planner', {
      subject: session,
      target: RECORDS,
      scope: 'read_record',
      more: { subject_token_type: JWT, audience: RECORDS, requested_token_type: ACCESS_TOKEN },
    });
    expect(answer.status).toBe(200);
  });
});

describe('rule 1 refuses', () => {
  it('an exchange without an actor token', async () => {
    await tryExchange({ actor_token: undefined });
    expect(refusal()).toBe('actor_missing');
    await tryExchange({ actor_token_type: undefined });
    expect(refusal()).toBe('actor_missing');
  });

  it.each([
    ['of another agent', async () => world.selfToken('researcher'), 'actor_not_client'],
    ['that is a human session', async () => session, 'actor_is_subject_token'],
    ['that is another session', async () => sessionOf('bob'), 'actor_invalid'],
    ['that is a delegation', async () => hopTo('researcher'), 'actor_delegated'],
    ['that is no token', async () => 'eyJhbGciOiJub25lIn0.e30.', 'actor_invalid'],
    ['signed by somebody else', async () => forgedSelf(), 'actor_invalid'],
  ])('an actor token %s', async (_what, actorToken, reason) => {
    await tryExchange({ actor_token: await actorToken() });
    expect(refusal()).toBe(reason);
  });

  async function sessionOf(person: string): Promise<string> {
    return (await world.loginAs(person)).accessToken;
  }

  async function forgedSelf(): Promise<string> {
    return resigned(await world.selfToken('planner'), () => {});
  }
});

describe('rule 2 refuses', () => {
  it.each([
    ['a session called an ID token', { subject_token_type: ID_TOKEN }, 'type_unsupported'],
    ['an actor token called an ID token', { actor_token_type: ID_TOKEN }, 'type_unsupported'],
    ['an unknown type', { subject_token_type: 'urn:example:saml' }, 'type_unsupported'],
  ])('%s', async (_what, more, reason) => {
    await tryExchange(more);
    expect(refusal()).toBe(reason);
  });

  it.each([ACCESS_TOKEN, JWT])('an ID token declared as %s', async (declared) => {
    const { idToken } = await world.loginAs('alice');
    await tryExchange({ subject_token: idToken, subject_token_type: declared });
    expect(refusal()).toBe('type_mismatch');
  });
});

describe('rule 3 refuses', () => {
  it('a delegation that was issued for another agent', async () => {
    const hop = await hopTo('researcher');
    const stolen = { subject: hop, target: RECORDS, scope: 'read_record' };
    const answer = await world.exchange('fetcher', stolen);
    expect([answer.status, refusal()]).toEqual([400, 'subject_not_for_client']);
  });

  it('a delegation that was issued for a service', async () => {
    const call = { subject: session, target: RECORDS, scope: 'read_record' };
    const { token } = await world.exchange('planner', call);
    await tryExchange({ subject_token: token, resource: MAIL, scope: 'send_mail' });
    // The planner stands in that chain already, which is looked at first; another agent sees rule 3.
    expect(refusal()).toBe('chain_repeated');
    const taken = { subject: token, target: MAIL, scope: 'send_mail' };
    expect((await world.exchange('fetcher', taken)).status).toBe(400);
    expect(refusal()).toBe('subject_not_for_client');
  });

  it('a session whose application did not register the agent', async () => {
    await using two = await startWorld({
      rootAgents: ['planner', 'researcher'],
      log: (event) => events.push(event),
    });
    const subject = (await two.loginAs('alice')).accessToken;
    expect(decodeJwt(subject)).not.toHaveProperty('may_act');
    const call = { subject, target: RECORDS, scope: 'read_record' };
    expect((await two.exchange('researcher', call)).status).toBe(200);
    expect((await two.exchange('fetcher', call)).status).toBe(400);
    expect(refusal()).toBe('subject_not_for_client');
  });

  it('an agent that no consented directive names, if the application registered none', async () => {
    await using open = await startWorld({
      rootAgents: undefined,
      log: (event) => events.push(event),
    });
    const directives = [{ ...READ_42, agents: ['planner'] }];
    const subject = (await open.loginAs('alice', { directives })).accessToken;
    const call = { subject, target: RECORDS, scope: 'read_record' };
    expect((await open.exchange('planner', call)).status).toBe(200);
    expect((await open.exchange('fetcher', call)).status).toBe(400);
    expect(refusal()).toBe('subject_not_for_client');

    const nobody = (await open.loginAs('alice')).accessToken;
    expect((await open.exchange('planner', { ...call, subject: nobody })).status).toBe(400);
    expect(refusal()).toBe('subject_not_for_client');
  });

  it('a subject token that is missing, foreign or rewritten', async () => {
    await tryExchange({ subject_token: undefined });
    expect(refusal()).toBe('subject_missing');
    await using other = await startWorld();
    await tryExchange({ subject_token: (await other.loginAs('alice')).accessToken });
    expect(refusal()).toBe('subject_invalid');
    await tryExchange({
      subject_token: await resigned(session, (claims) => {
        claims['scope'] = 'read_record admin';
      }),
    });
    expect(refusal()).toBe('subject_invalid');
  });

  it('a chain whose middle actor was rewritten and signed again', async () => {
    const hop = await hopTo('researcher');
    const forged = await resigned(hop, (claims) => {
      claims['act'] = { iss: world.issuer, sub: 'fetcher' };
    });
    const call = { subject: forged, target: RECORDS, scope: 'read_record' };
    expect((await world.exchange('researcher', call)).status).toBe(400);
    expect(refusal()).toBe('subject_invalid');
  });
});

it('rule 4 refuses an agent that may_act does not name', async () => {
  const call = { subject: session, target: RECORDS, scope: 'read_record' };
  expect((await world.exchange('researcher', call)).status).toBe(400);
  expect(refusal()).toBe('may_act_other');
});

describe('rule 5 refuses', () => {
  it.each([
    ['no target', { resource: undefined }, 'target_missing'],
    [
      'a target named by audience alone',
      { resource: undefined, audience: RECORDS },
      'target_missing',
    ],
    ['an unknown service', { resource: 'https://other.example' }, 'target_unknown'],
    ['a service by almost its name', { resource: `${RECORDS}/` }, 'target_unknown'],
    ['an unknown agent', { resource: 'urn:agent:nobody' }, 'target_unknown'],
    ['two opinions about the target', { audience: MAIL }, 'target_mismatch'],
    ['the agent itself', { resource: 'urn:agent:planner' }, 'target_in_chain'],
  ])('%s', async (_what, more, reason) => {
    await tryExchange(more);
    expect(refusal()).toBe(reason);
  });

  it('two targets', async () => {
    const body = new URLSearchParams([
      ['resource', RECORDS],
      ['resource', MAIL],
    ]);
    const answer = await world.exchange('planner', {
      subject: session,
      target: RECORDS,
      scope: 'read_record',
      repeat: body,
    });
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
  });
});

describe('rule 6 refuses', () => {
  it.each([
    ['no scope', undefined, 'scope_missing'],
    ['a scope that the human did not allow', 'admin', 'scope_wider'],
    ['a scope of another service', 'send_mail', 'scope_wider'],
    ['a scope more than allowed', 'read_record admin', 'scope_wider'],
  ])('%s', async (_what, scope, reason) => {
    await tryExchange({ scope });
    expect(refusal()).toBe(reason);
  });

  it('a scope that an earlier hop gave up', async () => {
    const hop = await hopTo('researcher', 'read_record');
    const wider = { subject: hop, target: RECORDS, scope: 'read_record export_record' };
    expect((await world.exchange('researcher', wider)).status).toBe(400);
    expect(refusal()).toBe('scope_wider');
  });

  it('a scope that a directive names and the session does not have', async () => {
    const exporting = { ...READ_42, actions: ['export_record'] };
    const login = await world.loginAs('alice', {
      directives: [exporting],
      scope: 'openid read_record',
    });
    await tryExchange({ subject_token: login.accessToken, scope: 'export_record' });
    expect(refusal()).toBe('scope_wider');
  });
});

it('rule 7 refuses a subject that has expired', async () => {
  await using brief = await startWorld({
    sessionSeconds: 1,
    log: (event) => events.push(event),
  });
  const subject = (await brief.loginAs('alice')).accessToken;
  const call = { subject, target: RECORDS, scope: 'read_record' };
  await expect
    .poll(async () => (await brief.exchange('planner', call)).status, { timeout: 5000 })
    .toBe(400);
  expect(refusal()).toBe('subject_invalid');
});

describe('rule 9 refuses', () => {
  afterEach(() => {
    for (const sub of ['alice', 'planner', 'researcher']) world.idp.allow({ sub });
  });

  it('a human who has signed out', async () => {
    await world.idp.endSession(String(decodeJwt(session)['sid']));
    await tryExchange({});
    expect(refusal()).toBe('signed_out');
  });

  it('a later hop of a login that has ended', async () => {
    const hop = await hopTo('researcher');
    await world.idp.endSession(String(decodeJwt(session)['sid']));
    const call = { subject: hop, target: RECORDS, scope: 'read_record' };
    expect((await world.exchange('researcher', call)).status).toBe(400);
    expect(refusal()).toBe('signed_out');
  });

  it.each([
    ['human', () => ({ sub: 'alice' })],
    ['agent', () => ({ sub: 'planner' })],
    ['login', () => ({ sid: String(decodeJwt(session)['sid']) })],
    ['token', () => ({ jti: String(decodeJwt(session).jti) })],
  ])('a denied %s', async (_what, denial) => {
    world.idp.deny(denial());
    await tryExchange({});
    expect(refusal()).toBe('denied');
  });

  it('an agent earlier in the chain that was denied meanwhile', async () => {
    const hop = await hopTo('researcher');
    world.idp.deny({ sub: 'planner' });
    const call = { subject: hop, target: RECORDS, scope: 'read_record' };
    expect((await world.exchange('researcher', call)).status).toBe(400);
    expect(refusal()).toBe('denied');
  });

  it('one of two humans, and not the other', async () => {
    const bob = (await world.loginAs('bob')).accessToken;
    world.idp.deny({ sub: 'alice' });
    await tryExchange({});
    const call = { subject: bob, target: RECORDS, scope: 'read_record' };
    expect((await world.exchange('planner', call)).claims.sub).toBe('bob');
  });

  it('an agent as its own human', async () => {
    await tryExchange({ subject_token: await world.selfToken('planner') });
    expect(refusal()).toBe('human_unknown');
  });
});
