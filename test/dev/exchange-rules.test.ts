import { beforeAll, describe, expect, it } from 'vitest';
import {
  describeRefusal,
  judgeExchange,
  type ExchangeQuestion,
} from '../../src/dev/exchange-rules.ts';
import { devKeyPair } from '../../src/dev/keyring.ts';
import { Registry } from '../../src/dev/registry.ts';

// What the provider never issues, and must refuse all the same: claims as a wrong key holder could sign.

const ISS = 'http://127.0.0.1:1';
const TYPE = 'urn:ietf:params:oauth:token-type:access_token';

let registry: Registry;
beforeAll(async () => {
  const { jwks } = await devKeyPair();
  registry = new Registry({
    people: [{ sub: 'alice', name: 'Alice' }],
    clients: [{ id: 'app', redirectUris: [], agents: ['planner'] }],
    agents: ['planner', 'researcher'].map((id) => ({ id, jwks })),
    resources: [{ resource: 'https://records.example', scopes: ['read_record'] }],
  });
});

function question(
  subjectClaims: Record<string, unknown>,
  more: Partial<ExchangeQuestion> = {},
): ExchangeQuestion {
  const present = (claims: Record<string, unknown>, aud: string, sha256: string) => ({
    declaredType: TYPE,
    sha256,
    token: {
      kind: 'access_token' as const,
      sub: String(claims['sub']),
      aud,
      exp: 2_000_000_000,
      claims,
    },
  });
  const client = more.client ?? 'researcher';
  const delegated = {
    sub: 'alice',
    client_id: 'planner',
    scope: 'read_record',
    act: { sub: 'planner' },
    ...subjectClaims,
  };
  return {
    iss: ISS,
    client,
    subject: present(delegated, `urn:agent:${client}`, 'subject'),
    actor: present({ sub: client, client_id: client }, ISS, 'actor'),
    target: 'https://records.example',
    audience: undefined,
    scope: 'read_record',
    requestedType: undefined,
    jkt: undefined,
    signedIn: true,
    isDenied: () => false,
    ...more,
  };
}

function listOf(sub: string): unknown {
  return [{ sub }];
}

function nest(depth: number): object {
  let act: object = { sub: 'agent-0' };
  for (let n = 1; n < depth; n += 1) act = { sub: `agent-${n}`, act };
  return act;
}

it('accepts the delegation that the other tests damage', () => {
  expect(judgeExchange(registry, question({})).claims).toMatchObject({
    act: { iss: ISS, sub: 'researcher', act: { iss: ISS, sub: 'planner' } },
  });
});

describe('refuses', () => {
  it.each([
    ['act that is null', { act: null }, 'chain_malformed'],
    ['act that is a list', { act: listOf('planner') }, 'chain_malformed'],
    ['act that is text', { act: 'planner' }, 'chain_malformed'],
    ['act without sub', { act: { iss: ISS } }, 'chain_malformed'],
    ['expiry inside act', { act: { sub: 'planner', exp: 1 } }, 'chain_malformed'],
    ['an agent twice', { act: { sub: 'planner', act: { sub: 'planner' } } }, 'chain_repeated'],
    ['the agent itself', { act: { sub: 'researcher' } }, 'chain_repeated'],
    ['the human as an agent', { act: { sub: 'alice' } }, 'chain_has_human'],
    ['eight agents before it', { act: nest(8) }, 'chain_too_deep'],
    ['twenty thousand agents', { act: nest(20_000) }, 'chain_too_deep'],
    ['another party in may_act', { may_act: { sub: 'planner' } }, 'may_act_other'],
    ['a list in may_act', { may_act: listOf('researcher') }, 'may_act_other'],
    ['may_act of another issuer', { may_act: { iss: 'x', sub: 'researcher' } }, 'may_act_other'],
    ['null in may_act', { may_act: null }, 'may_act_other'],
    ['nobody as subject', { sub: 'mallory' }, 'human_unknown'],
    ['no scope in the subject', { scope: undefined }, 'scope_wider'],
    ['a scope that is a list', { scope: ['read_record'] }, 'scope_wider'],
    ['a session of no application', { act: undefined, client_id: 'x' }, 'subject_not_for_client'],
    ['a session for an agent', { act: undefined, client_id: 'app' }, 'subject_not_for_client'],
  ])('%s', (_what, claims, reason) => {
    expect(() => judgeExchange(registry, question(claims))).toThrow(
      expect.objectContaining({ reason }),
    );
  });

  it('an actor token whose client is another than its subject', () => {
    const { actor, ...rest } = question({});
    const token = { ...actor.token, claims: { sub: 'researcher', client_id: 'planner' } };
    expect(() => judgeExchange(registry, { ...rest, actor: { ...actor, token } })).toThrow(
      expect.objectContaining({ reason: 'actor_not_client' }),
    );
  });
});

it('has an OAuth error for a refusal, and a sentence', () => {
  expect(describeRefusal('denied')).toEqual({
    error: 'access_denied',
    description: expect.stringMatching(/\w/),
  });
});
