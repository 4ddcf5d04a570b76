import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  actingAgentOf,
  checkActChain,
  extendActChain,
  MAX_ACTORS,
  parseActChain,
  sameChain,
  type Actor,
} from '../../src/attribution/act-chain.ts';

const iss = 'https://idp.example';
const foreign = 'https://other.example';
const alice: Actor = { iss, sub: 'alice' };

/** An act claim of this depth, the outermost agent being `agent-0`. */
function nest(depth: number): unknown {
  let act: object | undefined;
  for (let n = depth - 1; n >= 0; n--) {
    act = { sub: `agent-${n}`, ...(act === undefined ? {} : { act }) };
  }
  return act;
}

const fromJson = (text: string): unknown => JSON.parse(text);
const codeOf = (act: unknown, human = alice): unknown => {
  try {
    parseActChain(act, iss, human);
    return 'accepted';
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
};

it('puts the agent the human directed first and the token holder last', () => {
  const act = { sub: 'researcher', act: { sub: 'planner' } };
  const chain = parseActChain(act, iss, alice);
  expect(chain.map((actor) => actor.sub)).toEqual(['planner', 'researcher']);
  expect(actingAgentOf(chain)).toEqual({ iss, sub: 'researcher' });
});

it('names agents by the issuer of the token until one names another', () => {
  const act = {
    sub: 'reader',
    act: { iss: foreign, sub: 'researcher', act: { iss, sub: 'planner' } },
  };
  expect(parseActChain(act, iss, alice)).toEqual([
    { iss, sub: 'planner' },
    { iss: foreign, sub: 'researcher' },
    { iss, sub: 'reader' },
  ]);
});

describe('depth', () => {
  it.each([
    [1, 'accepted'],
    [MAX_ACTORS, 'accepted'],
    [MAX_ACTORS + 1, 'act_too_deep'],
    [600, 'act_too_deep'],
    [5000, 'act_too_deep'],
    [20_000, 'act_too_deep'],
  ])('%d: %s', (depth, code) => {
    expect(codeOf(nest(depth))).toBe(code);
  });

  it('of a claim that holds itself is too deep, not endless', () => {
    const act: { sub: string; act?: unknown } = { sub: 'planner' };
    act.act = act;
    expect(codeOf(act)).toBe('act_too_deep');
  });
});

describe('what is no chain of agents', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'planner'],
    ['a number', 7],
    ['a list', [{ sub: 'planner' }]],
    ['an empty object', {}],
    ['a subject that is no text', { sub: 42 }],
    ['an empty subject', { sub: '' }],
    ['a list of subjects', { sub: ['planner'] }],
    ['a subject of 513 bytes', { sub: 'é'.repeat(256) + 'a' }],
    ['an issuer that is no text', { iss: 1, sub: 'planner' }],
    ['an issuer of null', { iss: null, sub: 'planner' }],
    ['an empty issuer', { iss: '', sub: 'planner' }],
    ['an inner null', { sub: 'researcher', act: null }],
    ['an inner list', { sub: 'researcher', act: [{ sub: 'planner' }] }],
    ['an inner text', { sub: 'researcher', act: 'planner' }],
    ['an inner undefined', { sub: 'researcher', act: undefined }],
    ['an inner object without subject', { sub: 'researcher', act: { iss } }],
    ['an expiry inside', { sub: 'planner', exp: 1 }],
    ['a start inside', { sub: 'planner', nbf: 1 }],
    ['an audience inside', { sub: 'researcher', act: { sub: 'planner', aud: 'x' } }],
    ['__proto__', fromJson('{"sub":"planner","__proto__":{"sub":"admin"}}')],
    ['a subject by __proto__', fromJson('{"__proto__":{"sub":"planner"}}')],
    ['an inherited subject', Object.create({ sub: 'planner' })],
    [
      'an instance',
      new (class Claim {
        sub = 'planner';
      })(),
    ],
    ['a NUL', { sub: 'plan\0ner' }],
    ['a newline', { sub: 'planner\nadmin' }],
    ['a right-to-left override', { sub: 'planner\u202e' }],
    ['a zero-width space', { sub: 'plan\u200bner' }],
    ['a lone surrogate', { sub: 'planner\ud800' }],
    ['a line separator', { sub: 'planner\u2028' }],
    ['a control character in an issuer', { iss: `${iss}\u0007`, sub: 'planner' }],
  ])('%s', (_what, act) => {
    expect(codeOf(act)).toBe('act_malformed');
  });

  it('does not read what an attacker put into Object.prototype', () => {
    // oxlint-disable-next-line no-extend-native -- what prototype pollution does
    Object.defineProperty(Object.prototype, 'iss', { value: foreign, configurable: true });
    try {
      expect(parseActChain({ sub: 'planner' }, iss, alice)).toEqual([{ iss, sub: 'planner' }]);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'iss');
    }
  });
});

it('accepts what it does not know, and ignores it', () => {
  const act = { sub: 'planner', client_id: 'planner', sub_profile: 'ai_agent', name: 'Planner' };
  expect(parseActChain(act, iss, alice)).toEqual([{ iss, sub: 'planner' }]);
});

it('tells apart names that only look alike', () => {
  const act = { sub: 'planner', act: { sub: 'рlanner' } }; // the inner one begins with a Cyrillic letter
  expect(parseActChain(act, iss, alice)).toHaveLength(2);
});

describe('who stands in a chain', () => {
  it('is named by an issuer behind a foreign one', () => {
    const act = { iss: foreign, sub: 'researcher', act: { sub: 'planner' } };
    expect(codeOf(act)).toBe('act_issuer_missing');
  });

  it('stands there once', () => {
    expect(codeOf({ sub: 'planner', act: { sub: 'planner' } })).toBe('act_repeated');
    const loop = { sub: 'planner', act: { sub: 'researcher', act: { sub: 'planner' } } };
    expect(codeOf(loop)).toBe('act_repeated');
    expect(codeOf({ sub: 'planner', act: { iss, sub: 'planner' } })).toBe('act_repeated');
    expect(codeOf({ sub: 'planner', act: { iss: foreign, sub: 'planner' } })).toBe('accepted');
  });

  it('is not the human', () => {
    expect(codeOf({ sub: 'alice' })).toBe('act_is_subject');
    expect(codeOf({ sub: 'planner', act: { sub: 'alice' } })).toBe('act_is_subject');
    expect(codeOf({ sub: 'planner', act: { iss: foreign, sub: 'alice' } })).toBe('accepted');
  });
});

it('reads any sound chain in order of delegation', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9-]{1,20}$/), {
    minLength: 1,
    maxLength: MAX_ACTORS,
  });
  fc.assert(
    fc.property(names, (subs) => {
      fc.pre(!subs.includes('alice'));
      const act = subs.reduce<object | undefined>(
        (inner, sub) => ({ sub, ...(inner === undefined ? {} : { act: inner }) }),
        undefined,
      );
      expect(parseActChain(act, iss, alice).map((actor) => actor.sub)).toEqual(subs);
    }),
  );
});

describe('chains', () => {
  const planner = { iss, sub: 'planner' };
  const researcher = { iss, sub: 'researcher' };

  it('grow by one at the end', () => {
    expect(extendActChain([], planner)).toEqual([planner]);
    expect(extendActChain([planner], researcher)).toEqual([planner, researcher]);
  });

  it('are the same node by node, issuers included', () => {
    expect(sameChain([planner, researcher], [planner, researcher])).toBe(true);
    expect(sameChain([planner, researcher], [researcher, planner])).toBe(false);
    expect(sameChain([planner], [planner, researcher])).toBe(false);
    expect(sameChain([planner, researcher], [planner])).toBe(false);
    expect(sameChain([planner], [{ iss: foreign, sub: 'planner' }])).toBe(false);
  });

  it('that no token carries are held to the same rules', () => {
    const long = Array.from({ length: 9 }, (_, n) => ({ iss, sub: `agent-${n}` }));
    const check = (chain: readonly Actor[]) => () =>
      checkActChain(extendActChain(chain.slice(0, -1), chain.at(-1) ?? planner), alice);
    expect(check(long)).toThrow(expect.objectContaining({ code: 'act_too_deep' }));
    expect(check([planner, planner])).toThrow(expect.objectContaining({ code: 'act_repeated' }));
    expect(check([planner, alice])).toThrow(expect.objectContaining({ code: 'act_is_subject' }));
    expect(check([planner, researcher])()).toEqual([planner, researcher]);
  });
});
