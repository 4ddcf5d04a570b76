import fc from 'fast-check';
import { expect, it } from 'vitest';
import { REASON_CODES } from '../../src/attribution/judge.ts';
import { encodeEntry } from '../../src/evidence/entry.ts';
import type { Entry } from '../../src/evidence/kinds.ts';
import { plainBody } from '../../src/ledger/plain-body.ts';
import { HASH, INTENT_BODY } from './fixtures.ts';

/** What the format says a body is, or undefined if it has no such body. */
function slowBody(kind: 'intent' | 'outcome', body: object): string | undefined {
  const place = { v: 'crumb/1', seq: 7, prev: HASH, time: '2026-11-22T10:15:30.123Z' } as const;
  try {
    const text = new TextDecoder().decode(encodeEntry({ ...place, kind, body } as Entry));
    return text.slice('{"body":'.length, text.lastIndexOf(',"kind":"'));
  } catch {
    return undefined;
  }
}

const words = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
  fc.constantFrom(
    '',
    'a"b',
    'a\\b',
    'a\nb',
    'é',
    '\u2028',
    '\ud800',
    'x'.repeat(256),
    'x'.repeat(257),
  ),
);
const uri = fc.oneof(words, fc.constantFrom('https://a.example', 'x'.repeat(512), 'x'.repeat(513)));
const number = fc.oneof(
  fc.nat(),
  fc.constantFrom(0, -0, -1, 1.5, Number.NaN, 2 ** 53 - 1, 2 ** 53, Infinity, '7', null),
);
const digest = fc.constantFrom(HASH, `${HASH}A`, `${HASH.slice(0, -1)}B`, '', null);
const commitment = fc.constantFrom(`h1.${HASH}`, `f1.${HASH}`, `h2.${HASH}`, HASH, null);
const code = fc.constantFrom(
  'fresh',
  'exchange_refused',
  'Fresh',
  '',
  'a'.repeat(64),
  'a'.repeat(65),
);
const instant = fc.constantFrom(
  '2026-11-22T10:20:30.000Z',
  '2026-02-29T10:20:30.000Z',
  '2024-02-29T10:20:30.000Z',
  '2026-04-31T00:00:00.000Z',
  '2026-12-31T23:59:59.999Z',
  '2026-13-01T00:00:00.000Z',
  '2026-11-22T24:00:00.000Z',
  '2026-11-22T10:20:30Z',
);
const list = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> =>
  fc.array(item, { maxLength: 9 });
const extra = fc.constantFrom({}, {}, {}, { extra: 1 }, { __proto__: null });
const made = (members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> =>
  fc.tuple(fc.record(members), extra).map(([a, b]) => ({ ...a, ...b }));

const actor = made({ iss: uri, sub: uri });
const call = made({
  tool: words,
  resource: uri,
  origin: fc.constantFrom('model', 'approval-replay', 'user'),
  id: words,
  args: commitment,
  action: words,
});
const token = made({
  txn: fc.option(words),
  scope: list(uri),
  profile: words,
  nesting: fc.constantFrom('subject', 'actor', 'none', 'other'),
  kid: fc.option(words),
  jwks: number,
  iss: uri,
  exp: instant,
  c: commitment,
  aud: uri,
});
const reason = made({
  code: fc.constantFrom(...REASON_CODES, 'other'),
  argument: fc.option(words),
});
const intentMembers: Record<string, fc.Arbitrary<unknown>> = {
  verdict: fc.constantFrom('authorized', 'unauthorized', 'unattributed', 'fine'),
  token: fc.option(token),
  session: number,
  reason: fc.option(reason),
  mode: fc.constantFrom('enforce', 'record', 'off'),
  human: digest,
  hop: number,
  exchange: code,
  directive: number,
  decision: fc.constantFrom(null, null, { by: 'opa', id: 'p', effect: 'permit' }),
  chain: list(actor),
  call,
  approval: number,
};
const outcomeBody = made({
  status: fc.constantFrom('ok', 'error', 'aborted', 'refused'),
  result: commitment,
  ms: number,
  intent: number,
  error: fc.option(code),
});

/** A sound intent with at most two members that may be anything: else hardly one would be sound. */
const intentBody = fc
  .tuple(fc.record(intentMembers), fc.subarray(Object.keys(intentMembers), { maxLength: 2 }), extra)
  .map(([any, names, more]) => {
    const changed = Object.fromEntries(names.map((name) => [name, any[name]]));
    return { ...INTENT_BODY, ...changed, ...more };
  });

it('writes an intent as the format does, or leaves it to the format', () => {
  let fast = 0;
  fc.assert(
    fc.property(intentBody, (body) => {
      const text = plainBody('intent', body);
      if (text === undefined) return;
      fast++;
      expect(text).toBe(slowBody('intent', body));
    }),
    { numRuns: 3000 },
  );
  expect(fast).toBeGreaterThan(500);
});

it('writes an outcome as the format does, or leaves it to the format', () => {
  let fast = 0;
  fc.assert(
    fc.property(outcomeBody, (body) => {
      const text = plainBody('outcome', body);
      if (text === undefined) return;
      fast++;
      expect(text).toBe(slowBody('outcome', body));
    }),
    { numRuns: 2000 },
  );
  expect(fast).toBeGreaterThan(50);
});

it('takes the common intent the fast way', () => {
  expect(plainBody('intent', INTENT_BODY)).toBe(slowBody('intent', INTENT_BODY));
  expect(
    plainBody('intent', {
      ...INTENT_BODY,
      token: null,
      reason: { code: 'action', argument: null },
    }),
  ).toBeDefined();
});

it('takes no member from a prototype', () => {
  const { verdict, ...rest } = INTENT_BODY;
  const body: object = Object.assign(Object.create({ verdict }), { ...rest, other: 1 });
  expect(plainBody('intent', body)).toBeUndefined();
});

it.each(['session', 'genesis', 'refusal'] as const)('leaves %s to the format', (kind) => {
  expect(plainBody(kind, INTENT_BODY)).toBeUndefined();
});
