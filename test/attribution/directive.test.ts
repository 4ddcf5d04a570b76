import { describe, expect, it } from 'vitest';
import {
  directiveOfApproval,
  parseDirective,
  parseDirectives,
} from '../../src/attribution/directive.ts';

const detail = {
  type: 'crumb_tool_call',
  actions: ['read_record'],
  locations: ['https://records.example'],
  arguments: { id: { const: 42 }, format: { enum: ['json'] } },
  optional: ['format'],
  expires: 1_795_390_000,
  max_uses: 1,
  agents: ['planner', 'researcher'],
};

const scoped = [
  { scope: 'records.read', resource: 'https://records.example', action: 'read_record' },
  { scope: 'records.export', resource: 'https://records.example', action: 'export_record' },
  { scope: 'openid', resource: 'https://records.example', action: 'delete_record' },
];

describe('a directive of RFC 9396', () => {
  it('is read whole', () => {
    expect(parseDirective(detail)).toEqual({
      source: 'authorization_details',
      actions: ['read_record'],
      resources: ['https://records.example'],
      args: detail.arguments,
      optional: ['format'],
      expires: new Date(1_795_390_000_000),
      maxUses: 1,
      agents: ['planner', 'researcher'],
    });
  });

  it('needs no more than actions and locations', () => {
    const { type, actions, locations } = detail;
    expect(parseDirective({ type, actions, locations })).toEqual({
      source: 'authorization_details',
      actions,
      resources: locations,
      optional: [],
    });
  });

  it.each<[string, object]>([
    ['an unknown member', { privileges: ['admin'] }],
    ['another type', { type: 'payment_initiation' }],
    ['no type', { type: undefined }],
    ['no action', { actions: [] }],
    ['actions that are no list', { actions: 'read_record' }],
    ['an action that is no text', { actions: [42] }],
    ['an empty action', { actions: [''] }],
    ['a lone surrogate', { actions: ['\ud800'] }],
    ['no location', { locations: [] }],
    ['locations that are no list', { locations: 'https://records.example' }],
    ['locations missing', { locations: undefined }],
    ['arguments that are a list', { arguments: [] }],
    ['arguments of null', { arguments: null }],
    ['an argument without schema', { arguments: { id: 42 }, optional: [] }],
    ['a boolean schema', { arguments: { id: true }, optional: [] }],
    ['an unknown keyword', { arguments: { id: { pattern: '^4' } }, optional: [] }],
    ['a reference', { arguments: { id: { $ref: '#/x' } }, optional: [] }],
    [
      'an unknown keyword inside',
      { arguments: { id: { items: { format: 'date' } } }, optional: [] },
    ],
    ['an optional argument without schema', { optional: ['other'] }],
    ['optional without arguments', { arguments: undefined, optional: ['format'] }],
    ['optional of null', { optional: null }],
    ['optional that is no list', { optional: 'format' }],
    ['an expiry that is a text', { expires: '2026-11-22' }],
    ['an expiry that is a fraction', { expires: 1.5 }],
    ['a negative expiry', { expires: -1 }],
    ['an expiry of null', { expires: null }],
    ['an expiry that no date holds', { expires: 1e15 }],
    ['no use', { max_uses: 0 }],
    ['half a use', { max_uses: 0.5 }],
    ['uses of null', { max_uses: null }],
    ['no agent', { agents: [] }],
    ['agents of null', { agents: null }],
    ['an agent that is no text', { agents: [{ sub: 'planner' }] }],
  ])('with %s authorises nothing', (_what, change) => {
    const changed = Object.entries({ ...detail, ...change }).filter(
      ([, value]) => value !== undefined,
    );
    expect(parseDirective(Object.fromEntries(changed))).toBeUndefined();
  });

  it.each([undefined, null, 'crumb_tool_call', 1, [], [detail]])('is not %j', (value) => {
    expect(parseDirective(value)).toBeUndefined();
  });

  it('has __proto__ as an argument like any other', () => {
    const json = '{"id":{"const":1},"__proto__":{"const":2}}';
    const args = parseDirective({ ...detail, arguments: JSON.parse(json), optional: [] })?.args;
    expect(Object.keys(args ?? {}).toSorted()).toEqual(['__proto__', 'id']);
  });
});

describe('what a token authorises', () => {
  it('is its directives alone, if it has any', () => {
    const claims = { authorizationDetails: [detail], scope: 'records.read records.export' };
    const { directives, malformed } = parseDirectives(claims, scoped);
    expect(directives.map((directive) => directive.source)).toEqual(['authorization_details']);
    expect(malformed).toEqual([]);
  });

  it('is nothing for a malformed directive, whose scopes do not step in', () => {
    const damaged = { ...detail, actions: 'read_record' };
    const claims = { authorizationDetails: [damaged], scope: 'records.read' };
    expect(parseDirectives(claims, scoped)).toEqual({ directives: [], malformed: [0] });
  });

  it('keeps the sound ones beside a malformed one', () => {
    const claims = {
      authorizationDetails: [{ ...detail, more: 1 }, detail],
      scope: 'records.read',
    };
    const { directives, malformed } = parseDirectives(claims, scoped);
    expect(directives).toHaveLength(1);
    expect(malformed).toEqual([0]);
  });

  it.each<[string, unknown]>([
    ['no list', detail],
    ['null', null],
    ['a text', JSON.stringify([detail])],
    ['a detail that is no object', ['crumb_tool_call']],
    ['a detail of null', [null]],
    ['a detail without type', [{ ...detail, type: undefined }]],
    ['a detail of another type of type', [{ ...detail, type: ['crumb_tool_call'] }]],
    ['a type that is inherited', [Object.create(detail)]],
  ])('is nothing if the details are %s', (_what, authorizationDetails) => {
    const claims = { authorizationDetails, scope: 'records.read' };
    expect(parseDirectives(claims, scoped)).toEqual({ directives: [], malformed: [0] });
  });

  it('is what its scopes name, without limits on arguments, if no detail is ours', () => {
    for (const authorizationDetails of [undefined, [{ type: 'payment_initiation' }]]) {
      const claims = { authorizationDetails, scope: 'openid profile records.read' };
      expect(parseDirectives(claims, scoped)).toEqual({
        directives: [
          {
            source: 'scope',
            actions: ['read_record'],
            resources: ['https://records.example'],
            optional: [],
          },
        ],
        malformed: [],
      });
    }
  });

  it.each([undefined, null, '', ['records.read'], 42, 'records', 'RECORDS.READ', 'openid'])(
    'is nothing for the scope %j',
    (scope) => {
      expect(parseDirectives({ scope }, scoped)).toEqual({ directives: [], malformed: [] });
    },
  );

  it('is nothing for an empty list of details: the provider says that none is left', () => {
    const claims = { authorizationDetails: [], scope: 'records.read' };
    expect(parseDirectives(claims, scoped)).toEqual({ directives: [], malformed: [] });
  });

  it('is nothing by scope where the fallback is off', () => {
    expect(parseDirectives({ scope: 'records.read' }, [])).toEqual({
      directives: [],
      malformed: [],
    });
  });
});

describe('an approval', () => {
  const call = {
    id: 'call_7Qk',
    resource: 'https://records.example',
    action: 'read_record',
    args: { id: 43, tags: ['a'] },
    expires: new Date('2026-11-22T10:25:30.000Z'),
  };

  it('is a directive for exactly this call, once', () => {
    expect(directiveOfApproval(call)).toEqual({
      source: 'approval',
      actions: ['read_record'],
      resources: ['https://records.example'],
      args: { id: { const: 43 }, tags: { const: ['a'] } },
      optional: [],
      expires: call.expires,
      maxUses: 1,
      callId: 'call_7Qk',
    });
  });

  it('needs arguments with names', () => {
    expect(directiveOfApproval({ ...call, args: [43] })).toBeUndefined();
    expect(directiveOfApproval({ ...call, args: 'id' })).toBeUndefined();
  });
});
