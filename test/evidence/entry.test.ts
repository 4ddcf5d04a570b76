import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/evidence/bytes.ts';
import {
  crumbId,
  encodeEntry,
  isKnownKind,
  MAX_ENTRY_BYTES,
  parseEntry,
  ZERO_LEAF,
} from '../../src/evidence/entry.ts';
import { ed25519Signer } from '../../src/evidence/ed25519.ts';
import type { Entry, Kind } from '../../src/evidence/kinds.ts';
import { vkeyOf } from '../../src/evidence/note.ts';
import { arbitraryEntry } from '../vectors/arbitrary-entry.ts';
import { BODIES, commitment, digest } from '../vectors/sample-bodies.ts';
import { slowJson } from '../vectors/slow-model.ts';
import { INTENT, OUTCOME } from '../vectors/worked-example.ts';

const kinds = Object.keys(BODIES) as Kind[];
const malformed: unknown = expect.objectContaining({ code: 'entry_malformed' });

function entryOf(kind: Kind, body: unknown = BODIES[kind]): Entry {
  const time = '2026-11-22T10:15:30.123Z';
  return { v: 'crumb/1', seq: 3, prev: digest('prev'), time, kind, body } as Entry;
}

/** An entry with one member replaced, by its path. */
function withMember(kind: Kind, path: readonly string[], value: unknown): Entry {
  const entry = structuredClone(entryOf(kind)) as unknown as Record<string, unknown>;
  const holder = path.slice(0, -1).reduce<Record<string, unknown>>((at, name) => {
    return at[name] as Record<string, unknown>;
  }, entry);
  const name = path.at(-1) ?? '';
  if (value === undefined) delete holder[name];
  else holder[name] = value;
  return entry as unknown as Entry;
}

/** Paths of all members of a sample, those of members of lists included. */
function pathsIn(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const path = [...at, name];
    return [...(Array.isArray(value) ? [] : [path]), ...pathsIn(member, path)];
  });
}

describe.each(kinds)('an entry of kind %s', (kind) => {
  it('comes back as it was written, in RFC 8785 form', () => {
    const bytes = encodeEntry(entryOf(kind));
    expect(parseEntry(bytes)).toEqual(entryOf(kind));
    expect(Buffer.from(bytes).toString()).toBe(slowJson(entryOf(kind)));
    expect(Buffer.from(bytes).toString()).toBe(canonicalize(entryOf(kind)));
  });

  it('needs every member, knows no other, and takes none of another type', () => {
    for (const path of pathsIn(entryOf(kind))) {
      const wrong = [undefined, true, { a: 1 }, ['a', 1], -1, 1.5, 'x'.repeat(3000)];
      for (const value of wrong) {
        const entry = withMember(kind, path, value);
        expect(() => encodeEntry(entry), path.join('.')).toThrow(malformed);
        expect(() => parseEntry(utf8(slowJson(entry))), path.join('.')).toThrow(malformed);
      }
      const more = withMember(kind, [...path.slice(0, -1), 'more'], null);
      expect(() => encodeEntry(more), path.join('.')).toThrow(malformed);
      expect(() => parseEntry(utf8(slowJson(more))), path.join('.')).toThrow(malformed);
    }
  });
});

describe('members that may be empty', () => {
  /** From ledger.md, section 1: what has a question mark. */
  const attempt = 'session human hop reason reason.argument directive approval decision';
  const nullable: Readonly<Record<Kind, string>> = {
    genesis: 'anchorKey recoveryKey policy.anchor continues',
    session:
      'session loginAt acr expires claims token jwks directives.0.args directives.0.agents ' +
      'directives.0.expires directives.0.maxUses',
    approval: '',
    hop: 'parent actorToken token.kid token.txn',
    intent: `${attempt} token token.kid token.txn`,
    outcome: 'result error',
    refusal: `${attempt} iss profile got`,
    observed: 'session human call verdict result purpose by',
    anchor: 'index at trust',
    key: 'proof since reason',
    erasure: 'by',
    hold: 'start end by',
    report: 'recipient',
    prune: '',
    correction: 'by',
  };

  it.each(kinds)('are exactly those of the format, in %s', (kind) => {
    const empty = pathsIn(BODIES[kind]).filter((path) => {
      try {
        encodeEntry(withMember(kind, ['body', ...path], null));
        return true;
      } catch {
        return false;
      }
    });
    const expected = nullable[kind].split(' ').filter((path) => path !== '');
    expect(empty.map((path) => path.join('.')).toSorted()).toEqual(expected.toSorted());
  });
});

const { publicKey } = ed25519Signer(new Uint8Array(32).fill(1));
const WITNESS_VKEY = vkeyOf(BODIES.genesis.origin, publicKey, 'cosignature');
const OTHER_VKEY = vkeyOf('acme.example/other', publicKey);

describe('caps', () => {
  const chainOf = (length: number): unknown =>
    Array.from({ length }, (_, n) => ({ iss: 'https://idp.example', sub: `agent-${n}` }));

  it.each<[string, Kind, readonly string[], unknown, unknown]>([
    ['text in bytes', 'intent', ['call', 'tool'], 'é'.repeat(128), 'é'.repeat(128) + 'a'],
    ['text of pairs', 'intent', ['call', 'id'], '😀'.repeat(64), '😀'.repeat(64) + 'a'],
    ['URI', 'intent', ['call', 'resource'], 'u'.repeat(512), 'u'.repeat(513)],
    ['code', 'outcome', ['error'], 'e'.repeat(64), 'e'.repeat(65)],
    ['code letters', 'outcome', ['error'], 'resource_denied', 'Resource denied'],
    ['chain', 'intent', ['chain'], chainOf(8), chainOf(9)],
    ['chain asked for', 'refusal', ['expected'], chainOf(8), chainOf(9)],
    ['number', 'outcome', ['ms'], 2 ** 53 - 1, 2 ** 53],
    ['minus zero', 'outcome', ['ms'], 0, -0],
    ['commitment', 'intent', ['call', 'args'], commitment('a'), commitment('a').slice(0, -1)],
    ['commitment scheme', 'intent', ['call', 'args'], `f1.${digest('a')}`, `g1.${digest('a')}`],
    [
      'commitment spelling',
      'intent',
      ['call', 'args'],
      `h1.${'A'.repeat(43)}`,
      `h1.${'A'.repeat(42)}B`,
    ],
    ['leap day', 'session', ['expires'], '2024-02-29T00:00:00.000Z', '2026-02-29T00:00:00.000Z'],
    ['leap second', 'session', ['expires'], '2026-12-31T23:59:59.999Z', '2026-12-31T23:59:60.000Z'],
    ['milliseconds', 'session', ['expires'], '2026-12-31T00:00:00.000Z', '2026-12-31T00:00:00Z'],
    ['month', 'session', ['expires'], '2026-04-30T00:00:00.000Z', '2026-04-31T00:00:00.000Z'],
    ['origin', 'genesis', ['continues', 'origin'], 'acme.example/old', 'acme example'],
    ['the signing key', 'genesis', ['key'], BODIES.genesis.key, WITNESS_VKEY],
    ['the name of the signing key', 'genesis', ['key'], BODIES.genesis.key, OTHER_VKEY],
    ['reason', 'intent', ['reason', 'code'], 'argument_extra', 'other'],
  ])('hold for %s', (_what, kind, path, most, beyond) => {
    const of = (value: unknown): Entry => withMember(kind, ['body', ...path], value);
    expect(parseEntry(encodeEntry(of(most)))).toEqual(of(most));
    expect(() => encodeEntry(of(beyond))).toThrow(malformed);
  });

  it('hold for the whole entry, of which nothing is cut', () => {
    const scope = Array.from({ length: 140 }, (_, n) => String(n).padEnd(460, 's'));
    const large = withMember('hop', ['body', 'token', 'scope'], scope.slice(0, 130));
    expect(encodeEntry(large).length).toBeLessThanOrEqual(MAX_ENTRY_BYTES);
    const larger = withMember('hop', ['body', 'token', 'scope'], [...scope, ...scope]);
    expect(() => encodeEntry(larger)).toThrow(expect.objectContaining({ code: 'entry_too_large' }));
    expect(() => parseEntry(utf8(slowJson(larger)))).toThrow(malformed);
  });

  it.each([
    ['ledger', { iss: 'https://idp.example', jwks: digest('jwks') }],
    ['issuer', 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE'],
    ['recovery', 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE'],
    ['anchor', BODIES.genesis.key],
  ])('hold a key to its role: %s', (role, key) => {
    expect(() => encodeEntry(entryOf('key', { ...BODIES.key, role, key }))).toThrow(malformed);
  });

  it('take an issuer key by the digest of its set, and an anchor key as SPKI', () => {
    const issuer = { iss: 'https://idp.example', jwks: digest('jwks') };
    for (const [role, key] of [
      ['issuer', issuer],
      ['anchor', 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE'],
    ]) {
      const entry = entryOf('key', { ...BODIES.key, role, key });
      expect(parseEntry(encodeEntry(entry))).toEqual(entry);
    }
  });
});

describe('any entry', () => {
  it('comes back as it was written, in RFC 8785 form', () => {
    fc.assert(
      fc.property(arbitraryEntry, (entry) => {
        const bytes = encodeEntry(entry);
        expect(Buffer.from(bytes).toString()).toBe(slowJson(entry));
        expect(parseEntry(bytes)).toEqual(entry);
      }),
      { numRuns: 400 },
    );
  });

  it('has one spelling: whatever else is accepted is another entry', () => {
    const change = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 2 }),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc.constantFrom(' ', '\n', '\\u0041', '0', 'e0', '-', '\\/', '"', ',', '\ufeff').map(utf8),
      ),
    });
    fc.assert(
      fc.property(arbitraryEntry, change, (entry, { at, remove, insert }) => {
        const bytes = Buffer.from(encodeEntry(entry));
        const from = at % bytes.length;
        const other = Buffer.concat([
          bytes.subarray(0, from),
          insert,
          bytes.subarray(from + remove),
        ]);
        let read: ReturnType<typeof parseEntry>;
        try {
          read = parseEntry(other);
        } catch {
          return;
        }
        expect(slowJson(read)).toBe(other.toString());
        if (other.equals(bytes)) expect(read).toEqual(entry);
        else expect(read).not.toEqual(entry);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('another spelling of the same entry', () => {
  const replaced = (what: string, by: string): string => {
    if (!OUTCOME.includes(what)) throw new TypeError(`nothing to replace: ${what}`);
    return OUTCOME.replace(what, by);
  };

  it.each([
    ['a member twice', replaced('"ms":264', '"ms":264,"ms":264')],
    ['a member twice, hidden by an escape', replaced('"ms":264', '"ms":264,"\\u006ds":264')],
    ['kind twice', replaced('"kind":"outcome"', '"kind":"intent","kind":"outcome"')],
    ['white space', replaced('"ms":264', '"ms": 264')],
    ['a newline at the end', `${OUTCOME}\n`],
    ['an escaped letter', replaced('"status":"ok"', '"status":"\\u006fk"')],
    ['an escaped slash', replaced('crumb/1', 'crumb\\/1')],
    ['members in another order', replaced('"error":null,"intent":3', '"intent":3,"error":null')],
    ['a byte order mark', `\ufeff${OUTCOME}`],
    ['a lone surrogate, escaped', INTENT.replace('call_7Qk', '\\ud800')],
    ['minus zero', replaced('"ms":264', '"ms":-0')],
    ['an exponent', replaced('"ms":264', '"ms":264e0')],
    ['a fraction', replaced('"ms":264', '"ms":264.0')],
    ['a leading zero', replaced('"ms":264', '"ms":0264')],
    ['2^53', replaced('"ms":264', '"ms":9007199254740992')],
    ['an integer that rounds', replaced('"ms":264', '"ms":9007199254740993')],
    ['an integer beyond a double', replaced('"ms":264', `"ms":${'9'.repeat(400)}`)],
    ['__proto__', replaced('"ms":264', '"__proto__":null,"ms":264')],
    ['padding', replaced('dnZg"', 'dnZg="')],
    ['base64 instead of base64url', replaced('-dnZg', '+dnZg')],
    ['a tail that carries no bits', replaced('1nls60l8"', '1nls60l9"')],
    ['a single-quoted name', replaced('"ms"', "'ms'")],
    ['another format', replaced('crumb/1', 'crumb/2')],
  ])('is refused: %s', (_what, text) => {
    expect(() => parseEntry(utf8(text))).toThrow(malformed);
  });

  it.each([
    ['bytes that are not UTF-8', Buffer.from(OUTCOME.replace('ok', '\xff\xfe'), 'latin1')],
    ['an overlong slash', Buffer.from(OUTCOME.replace('/', '\xc0\xaf'), 'latin1')],
    ['a surrogate in UTF-8', Buffer.from(OUTCOME.replace('ok', '\xed\xa0\x80'), 'latin1')],
    ['UTF-16', Buffer.from(OUTCOME, 'utf16le')],
    ['nothing', new Uint8Array()],
    ['a number', utf8('1')],
    ['null', utf8('null')],
    ['a list', utf8('[]')],
    ['deep nesting', utf8('['.repeat(30_000) + ']'.repeat(30_000))],
  ])('is refused: %s', (_what, bytes) => {
    expect(() => parseEntry(bytes)).toThrow(malformed);
  });
});

describe('an entry of a kind that we do not know', () => {
  const unknown = (body: unknown, kind = 'tomorrow'): Uint8Array =>
    utf8(slowJson({ ...entryOf('outcome'), kind, body }));

  it('is returned as such', () => {
    const body = { list: [1, { deep: null }], text: 'ü' };
    const entry = parseEntry(unknown(body));
    expect(isKnownKind(entry)).toBe(false);
    expect(entry).toMatchObject({ kind: 'tomorrow', seq: 3, body });
  });

  it('keeps the rules that hold for all', () => {
    const nest = (levels: number): unknown => (levels === 0 ? 1 : { a: nest(levels - 1) });
    expect(parseEntry(unknown(nest(7)))).toMatchObject({ kind: 'tomorrow' });
    for (const body of [nest(8), [], null, 1, { a: 1.5 }, { a: -1 }, { a: 2 ** 53 }]) {
      expect(() => parseEntry(unknown(body))).toThrow(malformed);
    }
    expect(() => parseEntry(utf8(`${unknown({}).toString()} `))).toThrow(malformed);
    for (const kind of ['', 'Tomorrow', 'to morrow', 'x'.repeat(65), '__proto__', 'toString']) {
      expect(() => parseEntry(unknown({}, kind))).toThrow(malformed);
    }
    const text = Buffer.from(unknown({ a: 'b' })).toString();
    for (const other of [
      text.replace('"a":"b"', '"a":"\\ud800"'),
      text.replace('"a":"b"', '"b":1,"a":1'),
      text.replace('"a":"b"', '"a":1,"a":1'),
    ]) {
      expect(() => parseEntry(utf8(other))).toThrow(malformed);
    }
  });

  it('cannot be written', () => {
    expect(() => encodeEntry(entryOf('outcome', {}))).toThrow(malformed);
    const entry = { ...entryOf('outcome'), kind: 'tomorrow', body: {} } as unknown as Entry;
    expect(() => encodeEntry(entry)).toThrow(malformed);
  });
});

describe('writing', () => {
  it('names the member that does not fit, and never its value', () => {
    const entry = withMember('intent', ['body', 'call', 'args'], 'SECRET');
    expect(() => encodeEntry(entry)).toThrow(/: body\.call\.args$/);
    expect(() => encodeEntry(entry)).not.toThrow(/SECRET/);
  });

  it('takes own members only', () => {
    const { ms, ...rest } = BODIES.outcome;
    const body = Object.assign(Object.create({ ms }) as object, rest, { more: 1 });
    expect(() => encodeEntry(entryOf('outcome', body))).toThrow(malformed);
  });

  it('does not care in which order members come', () => {
    const reversed = Object.fromEntries(Object.entries(entryOf('intent')).toReversed());
    expect(encodeEntry(reversed as unknown as Entry)).toEqual(encodeEntry(entryOf('intent')));
  });
});

it('names an entry by its number and ten digits of its leaf hash', () => {
  expect(crumbId(0, ZERO_LEAF)).toBe('0-0000000000');
});
