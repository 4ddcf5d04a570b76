import { describe, expect, it } from 'vitest';
import type { ActChain, Actor } from '../../src/attribution/act-chain.ts';
import { profileOf } from '../../src/exchange/issuer-profile.ts';
import {
  checkPostConditions,
  type ExchangeAnswer,
  type ExpectedToken,
} from '../../src/exchange/post-conditions.ts';
import {
  NOW,
  seconds,
  actor,
  planner,
  researcher,
  EXPECTED,
  nest,
  CLAIMS,
  ANSWER,
  generic,
  codeOf,
} from './post-condition-cases.ts';

it('keeps what the token says, when every row holds', () => {
  expect(checkPostConditions(ANSWER, EXPECTED, generic)).toEqual({
    aud: 'https://records.example',
    scope: ['read'],
    exp: new Date(NOW.getTime() + 120_000),
    txn: 't1',
    jti: 'j1',
    details: undefined,
  });
});

describe('each row has its code', () => {
  const directive = {
    type: 'crumb_tool_call',
    actions: ['read'],
    locations: ['https://records.example', 'https://mail.example'],
    arguments: { id: { const: 42 } },
    agents: ['planner', 'researcher'],
    expires: seconds(600),
    max_uses: 2,
  };
  const other = { type: 'payment', amount: 5 };
  const details = [directive, other];
  const narrowed = { ...directive, locations: ['https://records.example'], max_uses: 1 };

  it.each<[string, string, Readonly<Record<string, unknown>>, Partial<ExpectedToken>?]>([
    ['subject_changed', 'another human', { sub: 'mallory' }],
    ['subject_changed', 'no human', { sub: undefined }],
    ['subject_changed', 'a number', { sub: 7 }],
    [
      'subject_changed',
      'a human of another issuer',
      {},
      { human: actor('alice', 'https://b.example') },
    ],
    ['subject_changed', 'a token of another issuer', { iss: 'https://b.example' }],

    ['chain_mismatch', 'no act', { act: undefined }],
    ['chain_mismatch', 'null', { act: null }],
    ['chain_mismatch', 'a list', { act: [{ sub: 'researcher' }] }],
    ['chain_mismatch', 'text', { act: 'researcher' }],
    ['chain_mismatch', 'a dropped actor', { act: nest([researcher]) }],
    ['chain_mismatch', 'a dropped holder', { act: nest([planner]) }],
    ['chain_mismatch', 'another order', { act: nest([researcher, planner]) }],
    ['chain_mismatch', 'one more inside', { act: nest([actor('x'), planner, researcher]) }],
    ['chain_mismatch', 'one more outside', { act: nest([planner, researcher, actor('x')]) }],
    [
      'chain_mismatch',
      'a namesake elsewhere',
      { act: nest([planner, actor('researcher', 'https://b.example')]) },
    ],
    ['chain_mismatch', 'the same twice', { act: nest([planner, researcher, researcher]) }],
    ['chain_mismatch', 'the human inside', { act: nest([actor('alice'), planner, researcher]) }],
    [
      'chain_mismatch',
      'claims of its own inside',
      { act: { sub: 'researcher', exp: 1, act: { sub: 'planner' } } },
    ],

    ['audience_mismatch', 'another resource', { aud: 'https://mail.example' }],
    ['audience_mismatch', 'a prefix', { aud: 'https://records.example/' }],
    ['audience_mismatch', 'none', { aud: undefined }],
    ['audience_mismatch', 'no audience at all', { aud: [] }],
    ['audience_mismatch', 'two', { aud: ['https://records.example', 'https://mail.example'] }],
    [
      'audience_mismatch',
      'the same twice',
      { aud: ['https://records.example', 'https://records.example'] },
    ],

    ['scope_widened', 'one scope more', { scope: 'read admin' }],
    ['scope_widened', 'a scope where none was asked for', { scope: 'read' }, { scope: [] }],
    ['scope_widened', 'a scope that is no text', { scope: { read: true } }],
    ['scope_widened', 'another case', { scope: 'Read' }],
    ['scope_widened', 'details out of nothing', { authorization_details: [other] }],
    [
      'scope_widened',
      'details that are no list',
      { authorization_details: directive },
      { details },
    ],
    [
      'scope_widened',
      'another detail',
      { authorization_details: [{ ...other, amount: 6 }] },
      { details },
    ],
    [
      'scope_widened',
      'a directive with another action',
      { authorization_details: [{ ...directive, actions: ['read', 'export'] }] },
      { details },
    ],
    [
      'scope_widened',
      'with another place',
      { authorization_details: [{ ...directive, locations: ['https://x.example'] }] },
      { details },
    ],
    [
      'scope_widened',
      'with any arguments',
      { authorization_details: [{ ...directive, arguments: undefined }] },
      { details },
    ],
    [
      'scope_widened',
      'with another argument',
      { authorization_details: [{ ...directive, arguments: { id: { const: 43 } } }] },
      { details },
    ],
    [
      'scope_widened',
      'with an optional argument',
      { authorization_details: [{ ...directive, optional: ['id'] }] },
      { details },
    ],
    [
      'scope_widened',
      'for any agent',
      { authorization_details: [{ ...directive, agents: undefined }] },
      { details },
    ],
    [
      'scope_widened',
      'for one agent more',
      { authorization_details: [{ ...directive, agents: ['planner', 'x'] }] },
      { details },
    ],
    [
      'scope_widened',
      'for ever',
      { authorization_details: [{ ...directive, expires: undefined }] },
      { details },
    ],
    [
      'scope_widened',
      'for longer',
      { authorization_details: [{ ...directive, expires: seconds(601) }] },
      { details },
    ],
    [
      'scope_widened',
      'any number of times',
      { authorization_details: [{ ...directive, max_uses: undefined }] },
      { details },
    ],
    [
      'scope_widened',
      'once more',
      { authorization_details: [{ ...directive, max_uses: 3 }] },
      { details },
    ],
    [
      'scope_widened',
      'with a member that nobody knows',
      { authorization_details: [{ ...narrowed, extra: 1 }] },
      { details },
    ],

    [
      'lifetime_widened',
      'longer than the subject',
      { exp: seconds(61) },
      { subjectExpires: new Date(NOW.getTime() + 60_000) },
    ],
    ['lifetime_widened', 'longer than our limit', { exp: seconds(306) }],
    ['lifetime_widened', 'no end', { exp: undefined }],
    ['lifetime_widened', 'an end that is text', { exp: String(seconds(10)) }],
    ['lifetime_widened', 'an end without end', { exp: Infinity }],

    ['binding_missing', 'no binding', {}, { jkt: 'thumb' }],
    ['binding_missing', 'a binding that nobody asked for', { cnf: { jkt: 'thumb' } }],
    ['binding_missing', 'a binding to a certificate', { cnf: { 'x5t#S256': 'thumb' } }],

    ['may_act_left', 'permission for a stranger', { may_act: { sub: 'x' } }],
    ['may_act_left', 'permission for the holder', { may_act: { sub: 'researcher' } }],
    ['may_act_left', 'a list', { may_act: [{ sub: 'researcher' }] }],
    ['may_act_left', 'null', { may_act: null }],
    [
      'may_act_left',
      'permission for a namesake',
      { may_act: { iss: 'https://b.example', sub: 'next' } },
      { next: actor('next') },
    ],

    ['token_unverifiable', 'a transaction that is no text', { txn: 7 }],

    ['accepted', 'details left out', {}, { details }],
    ['accepted', 'details as they were', { authorization_details: details }, { details }],
    [
      'accepted',
      'the same in another order',
      { authorization_details: [{ amount: 5, type: 'payment' }] },
      { details },
    ],
    [
      'accepted',
      'a directive narrowed to its target',
      { authorization_details: [narrowed] },
      { details },
    ],
    ['accepted', 'no scope', { scope: undefined }],
    ['accepted', 'actors that name their issuer', { act: nest([planner, researcher], true) }],
    ['accepted', 'the audience as a list of one', { aud: ['https://records.example'] }],
    [
      'accepted',
      'permission for the agent that it is for',
      { may_act: { sub: 'next' } },
      { next: actor('next') },
    ],
    ['accepted', 'a clock a little ahead', { exp: seconds(304) }],
  ])('%s: %s', (code, _what, claims, expected) => {
    expect(codeOf(claims, expected)).toBe(code);
  });

  it.each<[string, Partial<ExchangeAnswer>, Partial<ExpectedToken>, string]>([
    ['no access', { tokenType: 'n_a' }, {}, 'token_type_mismatch'],
    ['unasked proof', { tokenType: 'dpop' }, {}, 'token_type_mismatch'],
    [
      'a type of token that is not one',
      { issuedTokenType: 'urn:ietf:params:oauth:token-type:id_token' },
      {},
      'token_type_mismatch',
    ],
    ['no type of token', { issuedTokenType: undefined }, {}, 'token_type_mismatch'],
    ['a null type of token', { issuedTokenType: null }, {}, 'token_type_mismatch'],
    ['more scope beside the token', { scope: 'read admin' }, {}, 'scope_widened'],
    ['a JWT', { issuedTokenType: 'urn:ietf:params:oauth:token-type:jwt' }, {}, 'accepted'],
    ['bearer instead of proof', {}, { jkt: 'thumb' }, 'binding_missing'],
  ])('an answer with %s', (_what, answer, expected, code) => {
    expect(codeOf({ scope: 'read' }, expected, { answer })).toBe(code);
  });

  it('a token bound as asked is accepted', () => {
    const claims = { cnf: { jkt: 'thumb' } };
    expect(codeOf(claims, { jkt: 'thumb' }, { answer: { tokenType: 'dpop' } })).toBe('accepted');
    expect(codeOf(claims, { jkt: 'other' }, { answer: { tokenType: 'dpop' } })).toBe(
      'binding_missing',
    );
    expect(codeOf(claims, { jkt: 'thumb' })).toBe('token_type_mismatch');
    const two = { cnf: { jkt: 'thumb', 'x5t#S256': 'c' } };
    expect(codeOf(two, { jkt: 'thumb' }, { answer: { tokenType: 'dpop' } })).toBe(
      'binding_missing',
    );
  });
});

describe('a profile', () => {
  it('that asks for a JWT takes N_A, and nothing but a JWT', () => {
    const profile = profileOf('zitadel');
    const jwt = { issuedTokenType: 'urn:ietf:params:oauth:token-type:jwt', tokenType: 'n_a' };
    expect(codeOf({}, {}, { profile, answer: jwt })).toBe('accepted');
    expect(codeOf({}, {}, { profile })).toBe('token_type_mismatch');
  });

  it('that writes the application innermost has it checked, and left out', () => {
    const profile = profileOf('auth0');
    const app = actor('app');
    const withApp = { act: nest([app, planner, researcher]) };
    expect(codeOf(withApp, {}, { profile })).toBe('accepted');
    expect(codeOf({}, {}, { profile })).toBe('chain_mismatch');
    expect(codeOf({ act: nest([actor('x'), planner, researcher]) }, {}, { profile })).toBe(
      'chain_mismatch',
    );
    // Upstream it stands in the session already, so nothing is added.
    const chain: ActChain = [app, planner, researcher];
    expect(codeOf(withApp, { chain }, { profile })).toBe('accepted');
    expect(codeOf(withApp)).toBe('chain_mismatch');
  });

  it('that names actors otherwise is translated', () => {
    const profile = {
      ...generic,
      actorId: ({ iss, sub }: Actor): Actor => ({ iss, sub: sub.replace(/@clients$/u, '') }),
    };
    const act = nest([actor('planner@clients'), actor('researcher@clients')]);
    expect(codeOf({ act }, {}, { profile })).toBe('accepted');
  });
});

it('gives the chain that came with every refusal, if it can be read', () => {
  const got = [actor('x')];
  const check = (claims: object) => () =>
    checkPostConditions({ ...ANSWER, claims: { ...CLAIMS, ...claims } }, EXPECTED, generic);
  expect(check({ act: nest(got) })).toThrow(
    expect.objectContaining({ code: 'chain_mismatch', got }),
  );
  expect(check({ act: nest(got), sub: 'm' })).toThrow(
    expect.objectContaining({ code: 'subject_changed', got }),
  );
  expect(check({ act: [] })).toThrow(
    expect.objectContaining({ code: 'chain_mismatch', got: undefined }),
  );
});
