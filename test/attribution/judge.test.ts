import { describe, expect, it } from 'vitest';
import {
  directiveOfApproval,
  parseDirectives,
  type Directive,
} from '../../src/attribution/directive.ts';
import {
  judge,
  judgeDelegation,
  REASON_CODES,
  spentUses,
  UNATTRIBUTED,
  type Judgement,
} from '../../src/attribution/judge.ts';
import type { ActChain } from '../../src/attribution/act-chain.ts';
import type { Json, ToolCall } from '../../src/attribution/tool-call.ts';

const iss = 'https://idp.example';
const resource = 'https://records.example';
const now = new Date('2026-11-22T10:15:30.123Z');
const context = { iss, now };
const chain: ActChain = [
  { iss, sub: 'planner' },
  { iss, sub: 'researcher' },
];

function callOf(args: Json, action = 'read_record', more: Partial<ToolCall> = {}): ToolCall {
  return { id: 'call_7Qk', tool: 'readRecord', resource, action, args, origin: 'model', ...more };
}

function directivesOf(...details: object[]): readonly Directive[] {
  const authorizationDetails = details.map((detail) => ({
    type: 'crumb_tool_call',
    actions: ['read_record'],
    locations: [resource],
    ...detail,
  }));
  const { directives, malformed } = parseDirectives({ authorizationDetails }, []);
  expect(malformed).toEqual([]);
  return directives;
}

const onlyOnce = directivesOf({ arguments: { id: { const: 42 } }, max_uses: 1 });
const byScope = parseDirectives({ scope: 'records.read' }, [
  { scope: 'records.read', resource, action: 'read_record' },
]).directives;

const authorized = (directive = 0): Judgement => ({
  verdict: 'authorized',
  directive,
  reason: null,
});
const unauthorized = (code: string, argument: string | null = null, directive: number | null = 0) =>
  ({ verdict: 'unauthorized', directive, reason: { code, argument } }) as Judgement;

/** The table of the design: the session authorises `read_record`, id 42, once. */
describe('a session that authorises to read record 42', () => {
  it.each<[string, ToolCall, Judgement]>([
    ['read_record({id:42})', callOf({ id: 42 }), authorized()],
    ['read_record({id:43})', callOf({ id: 43 }), unauthorized('argument', 'id')],
    ['read_record({id:"42"})', callOf({ id: '42' }), unauthorized('argument', 'id')],
    [
      'read_record({id:42,fields:"all"})',
      callOf({ id: 42, fields: 'all' }),
      unauthorized('argument_extra', 'fields'),
    ],
    ['read_record({})', callOf({}), unauthorized('argument_missing', 'id')],
    ['export_record({id:42})', callOf({ id: 42 }, 'export_record'), unauthorized('action')],
  ])('judges %s', (_what, call, judgement) => {
    expect(judge(onlyOnce, call, chain, context)).toEqual(judgement);
  });

  it('judges the second time by the uses that are left', () => {
    const first = judge(onlyOnce, callOf({ id: 42 }), chain, context);
    expect(spentUses(first)).toEqual(unauthorized('uses'));
  });

  it('judges 43 as authorised where only a scope says so', () => {
    expect(judge(byScope, callOf({ id: 43 }), chain, context)).toEqual(authorized());
    expect(byScope[0]?.source).toBe('scope');
  });

  it('judges without a session not at all', () => {
    expect(UNATTRIBUTED).toEqual({ verdict: 'unattributed', directive: null, reason: null });
  });
});

describe('matching', () => {
  it.each<[string, Partial<ToolCall>, string]>([
    ['an action in capitals', { action: 'Read_Record' }, 'action'],
    ['an action with a space', { action: 'read_record ' }, 'action'],
    ['a resource with a slash', { resource: `${resource}/` }, 'resource'],
    ['a resource in capitals', { resource: 'https://RECORDS.example' }, 'resource'],
    ['a resource with its port', { resource: `${resource}:443` }, 'resource'],
    ['a resource below', { resource: `${resource}/42` }, 'resource'],
  ])('normalises nothing: %s', (_what, change, reason) => {
    const call = callOf({ id: 42 }, 'read_record', change);
    expect(judge(onlyOnce, call, chain, context)).toEqual(unauthorized(reason));
  });

  it('does not look at the name of the tool, which is only the name for the model', () => {
    const call = callOf({ id: 42 }, 'read_record', { tool: 'export_record' });
    expect(judge(onlyOnce, call, chain, context)).toEqual(authorized());
  });

  it('never merges directives: one must cover the whole call', () => {
    const directives = directivesOf(
      { arguments: { id: { const: 1 }, to: { const: 'a' } } },
      { arguments: { id: { const: 2 }, to: { const: 'b' } } },
    );
    expect(judge(directives, callOf({ id: 1, to: 'a' }), chain, context)).toEqual(authorized(0));
    expect(judge(directives, callOf({ id: 2, to: 'b' }), chain, context)).toEqual(authorized(1));
    expect(judge(directives, callOf({ id: 1, to: 'b' }), chain, context)).toEqual(
      unauthorized('argument', 'to'),
    );
  });

  it('lets optional arguments be absent, but not be wrong', () => {
    const directives = directivesOf({
      arguments: { id: { const: 42 }, format: { enum: ['json'] } },
      optional: ['format'],
    });
    expect(judge(directives, callOf({ id: 42 }), chain, context)).toEqual(authorized());
    expect(judge(directives, callOf({ id: 42, format: 'json' }), chain, context)).toEqual(
      authorized(),
    );
    expect(judge(directives, callOf({ id: 42, format: 'csv' }), chain, context)).toEqual(
      unauthorized('argument', 'format'),
    );
  });

  it.each<[string, Json]>([
    ['a list', [42]],
    ['a text', '{"id":42}'],
    ['null', null],
    ['a number', 42],
  ])('has no names in arguments that are %s', (_what, args) => {
    expect(judge(onlyOnce, callOf(args), chain, context)).toEqual(unauthorized('argument'));
    expect(judge(directivesOf({}), callOf(args), chain, context)).toEqual(authorized());
  });

  it('does not take an inherited name for a given one', () => {
    const directives = directivesOf({ arguments: { toString: {} } });
    expect(judge(directives, callOf({}), chain, context)).toEqual(
      unauthorized('argument_missing', 'toString'),
    );
    expect(judge(onlyOnce, callOf({ id: 42, constructor: 1 }), chain, context)).toEqual(
      unauthorized('argument_extra', 'constructor'),
    );
    const odd = JSON.parse('{"id":42,"__proto__":{"id":43}}') as Json;
    expect(judge(onlyOnce, callOf(odd), chain, context)).toEqual(
      unauthorized('argument_extra', '__proto__'),
    );
  });

  it('keeps integers beyond 2^53 out: their spelling is lost', () => {
    const directives = directivesOf({ arguments: { id: { const: 2 ** 53 } } });
    const call = callOf(JSON.parse('{"id":9007199254740993}') as Json);
    expect(judge(directives, call, chain, context)).toEqual(unauthorized('argument', 'id'));
  });
});

describe('agents of a directive', () => {
  it('must list every actor of the chain', () => {
    const both = directivesOf({ agents: ['planner', 'researcher'] });
    const one = directivesOf({ agents: ['researcher'] });
    expect(judge(both, callOf({}), chain, context)).toEqual(authorized());
    expect(judge(one, callOf({}), chain, context)).toEqual(unauthorized('agent'));
  });

  it('are agents of the session issuer: a foreign one of the same name is none', () => {
    const both = directivesOf({ agents: ['planner', 'researcher'] });
    const foreign: ActChain = [{ iss: 'https://other.example', sub: 'planner' }];
    expect(judge(both, callOf({}), foreign, context)).toEqual(unauthorized('agent'));
    expect(judge(directivesOf({}), callOf({}), foreign, context)).toEqual(authorized());
  });
});

describe('expiry', () => {
  const directives = directivesOf({ expires: 1_795_342_530 });
  const at = new Date(1_795_342_530_000);

  it('comes at its second, not after it', () => {
    const before = new Date(at.getTime() - 1);
    expect(judge(directives, callOf({}), chain, { iss, now: before })).toEqual(authorized());
    expect(judge(directives, callOf({}), chain, { iss, now: at })).toEqual(unauthorized('expired'));
  });
});

describe('the reason', () => {
  it('is that of the directive that passed most checks, and of two the first', () => {
    const directives = directivesOf(
      { actions: ['export_record'] },
      { locations: ['https://other.example'] },
      { agents: ['nobody'] },
      { arguments: { id: { const: 1 } } },
      { arguments: { id: { const: 2 } } },
    );
    const call = callOf({ id: 42 });
    expect(judge(directives, call, chain, context)).toEqual(unauthorized('argument', 'id', 3));
    expect(judge(directives.slice(0, 3), call, chain, context)).toEqual(
      unauthorized('agent', null, 2),
    );
    expect(judge(directives.slice(0, 2), call, chain, context)).toEqual(
      unauthorized('resource', null, 1),
    );
    expect(judge(directives.slice(0, 1), call, chain, context)).toEqual(unauthorized('action'));
    expect(judge([], call, chain, context)).toEqual(unauthorized('no_directive', null, null));
  });

  it('follows the order of the list, for each pair of reasons', () => {
    const missing: Readonly<Record<string, object>> = {
      action: { actions: ['export_record'] },
      resource: { locations: ['https://other.example'] },
      agent: { agents: ['nobody'] },
      expired: { expires: 1 },
      argument_missing: { arguments: { id: {}, other: {} } },
      argument_extra: { arguments: {} },
      argument: { arguments: { id: { const: 1 } } },
    };
    const order = REASON_CODES.filter((code) => Object.hasOwn(missing, code));
    expect(order).toEqual(Object.keys(missing));
    for (const [n, later] of order.entries()) {
      for (const earlier of order.slice(0, n)) {
        const directives = directivesOf(missing[later] ?? {}, missing[earlier] ?? {});
        const judged = judge(directives, callOf({ id: 42 }), chain, context);
        expect(judged.reason?.code).toBe(later);
        expect(judged.directive).toBe(0);
      }
    }
  });

  it('names the first argument in RFC 8785 order, whatever order they were written in', () => {
    const directives = directivesOf({
      arguments: { b: { const: 1 }, a: { const: 1 }, é: {}, Z: { const: 1 } },
    });
    const wrong = callOf({ é: 0, b: 0, a: 0, Z: 0 });
    expect(judge(directives, wrong, chain, context)).toEqual(unauthorized('argument', 'Z'));
    expect(judge(directives, callOf({}), chain, context)).toEqual(
      unauthorized('argument_missing', 'Z'),
    );
    const extra = callOf({ y: 1, é: 1, x: 1, a: 1, b: 1, Z: 1 });
    expect(judge(directives, extra, chain, context)).toEqual(unauthorized('argument_extra', 'x'));
  });

  it('names an argument, and never its value', () => {
    const judged = judge(onlyOnce, callOf({ id: 'SECRET' }), chain, context);
    expect(JSON.stringify(judged)).not.toContain('SECRET');
  });
});

describe('an approval', () => {
  const args = { id: 43 };
  const expires = new Date(now.getTime() + 600_000);
  const approved = directiveOfApproval({
    id: 'call_7Qk',
    resource,
    action: 'read_record',
    args,
    expires,
  });
  const directives = approved === undefined ? [] : [...onlyOnce, approved];

  it('covers the one call that was approved', () => {
    expect(judge(directives, callOf(args), chain, context)).toEqual(authorized(1));
  });

  it.each<[string, ToolCall]>([
    ['another call', callOf(args, 'read_record', { id: 'call_other' })],
    ['other arguments', callOf({ id: 44 })],
    ['another action', callOf(args, 'export_record')],
  ])('does not cover %s', (_what, call) => {
    expect(judge(directives, call, chain, context).verdict).toBe('unauthorized');
  });

  it('is not even a near miss for another call', () => {
    const call = callOf(args, 'export_record', { id: 'call_other' });
    expect(judge(directives.slice(1), call, chain, context)).toEqual(
      unauthorized('no_directive', null, null),
    );
  });

  it('ends after ten minutes', () => {
    expect(judge(directives, callOf(args), chain, { iss, now: expires }).verdict).toBe(
      'unauthorized',
    );
  });
});

describe('a delegation', () => {
  const planner: ActChain = [{ iss, sub: 'planner' }];
  const child = { iss, sub: 'researcher' };

  it('is authorised by a directive without agents, or one that lists the chain and the child', () => {
    expect(judgeDelegation(directivesOf({}), planner, child, context)).toEqual(authorized());
    expect(
      judgeDelegation(directivesOf({ agents: ['planner', 'researcher'] }), planner, child, context),
    ).toEqual(authorized());
    expect(judgeDelegation(byScope, planner, child, context)).toEqual(authorized());
  });

  it.each([
    ['the child is not listed', ['planner']],
    ['the parent is not listed', ['researcher']],
  ])('is not where %s', (_what, agents) => {
    expect(judgeDelegation(directivesOf({ agents }), planner, child, context)).toEqual(
      unauthorized('agent'),
    );
  });

  it('is not for a foreign child of the same name', () => {
    const directives = directivesOf({ agents: ['planner', 'researcher'] });
    const foreign = { iss: 'https://other.example', sub: 'researcher' };
    expect(judgeDelegation(directives, planner, foreign, context)).toEqual(unauthorized('agent'));
  });

  it('looks neither at the action nor at arguments nor at uses', () => {
    const directives = directivesOf({
      actions: ['other'],
      arguments: { id: { const: 1 } },
      max_uses: 1,
    });
    expect(judgeDelegation(directives, planner, child, context)).toEqual(authorized());
  });

  it('is not by a directive that has ended, nor by an approval, nor by nothing', () => {
    expect(judgeDelegation(directivesOf({ expires: 1 }), planner, child, context)).toEqual(
      unauthorized('expired'),
    );
    expect(judgeDelegation([], planner, child, context)).toEqual(
      unauthorized('no_directive', null, null),
    );
    const approval = directiveOfApproval({
      id: 'c',
      resource,
      action: 'delegate',
      args: {},
      expires: new Date(now.getTime() + 1000),
    });
    const directives = approval === undefined ? [] : [approval];
    expect(judgeDelegation(directives, planner, child, context)).toEqual(
      unauthorized('no_directive', null, null),
    );
  });
});
