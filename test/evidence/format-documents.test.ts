import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeEntry, parseEntry } from '../../src/evidence/entry.ts';
import type { Entry, Kind } from '../../src/evidence/kinds.ts';
import { openNote } from '../../src/evidence/note.ts';
import { COMMITS, COMPLETE } from '../vectors/complete-example.ts';
import { BODIES, digest } from '../vectors/sample-bodies.ts';
import { slowLedger } from '../vectors/slow-model.ts';
import { INTENT, ORIGIN, OUTCOME, VKEY } from '../vectors/worked-example.ts';

const document = readFileSync('docs/formats/entry-v1.md', 'utf8');

/** Rows of the table of members below a heading or a name: member and type. */
function membersBelow(start: string): Map<string, string> {
  const [, after] = document.split(`\n${start}\n`);
  if (after === undefined) throw new TypeError(`nothing is called ${start}`);
  const table = /\n\| member +\| type +\| says +\|\n\|[-| ]+\|\n((?:\|.*\|\n)+)/.exec(after);
  const rows = [...(table?.[1] ?? '').matchAll(/^\| `(\w+)` +\| (\S[^|]*?) +\|/gm)];
  return new Map(rows.map(([, name = '', type = '']) => [name, type]));
}

const table = (name: string) => membersBelow(`\`${name}\`:`);
const attempt = membersBelow('### Attempts');

/** Members of each kind as the document lists them, attempts included. */
function membersOf(kind: Kind): Map<string, string> {
  const own = membersBelow(`### \`${kind}\``);
  return kind === 'intent' || kind === 'refusal' ? new Map([...attempt, ...own]) : own;
}

function isAccepted(kind: Kind, body: object): boolean {
  const time = '2026-11-22T10:15:30.123Z';
  const entry = { v: 'crumb/1', seq: 3, prev: digest('prev'), time, kind, body };
  try {
    encodeEntry(entry as Entry);
    return true;
  } catch {
    return false;
  }
}

describe('docs/formats/entry-v1.md', () => {
  it.each(Object.keys(BODIES) as Kind[])(
    'lists every member of %s, and what may be null',
    (kind) => {
      const listed = membersOf(kind);
      expect([...listed.keys()].toSorted()).toEqual(Object.keys(BODIES[kind]).toSorted());
      for (const [name, type] of listed) {
        const isNullable = isAccepted(kind, { ...BODIES[kind], [name]: null });
        expect(isNullable, `${kind}.${name}`).toBe(type.endsWith('?'));
        const isList = type.replace('?', '').endsWith('[]') || type.startsWith('chain');
        expect(isAccepted(kind, { ...BODIES[kind], [name]: [] }), `${kind}.${name}`).toBe(isList);
        const isNumber = type.startsWith('seq') || type.startsWith('count');
        expect(isAccepted(kind, { ...BODIES[kind], [name]: 0 }), `${kind}.${name}`).toBe(isNumber);
      }
    },
  );

  it.each<[string, Kind, object, (part: object) => object]>([
    ['policy', 'genesis', BODIES.genesis.policy, (policy) => ({ policy })],
    [
      'policy.checkpoint',
      'genesis',
      BODIES.genesis.policy.checkpoint,
      (checkpoint) => ({ policy: { ...BODIES.genesis.policy, checkpoint } }),
    ],
    [
      'policy.anchor',
      'genesis',
      BODIES.genesis.policy.anchor ?? {},
      (anchor) => ({ policy: { ...BODIES.genesis.policy, anchor } }),
    ],
    ['maker', 'genesis', BODIES.genesis.maker, (maker) => ({ maker })],
    ['continues', 'genesis', BODIES.genesis.continues ?? {}, (continues) => ({ continues })],
    [
      'directive',
      'session',
      BODIES.session.directives[0] ?? {},
      (directive) => ({ directives: [directive] }),
    ],
    ['call', 'intent', BODIES.intent.call, (call) => ({ call })],
    ['reason', 'intent', BODIES.intent.reason ?? {}, (reason) => ({ reason })],
    ['decision', 'intent', BODIES.intent.decision ?? {}, (decision) => ({ decision })],
    ['token', 'intent', BODIES.intent.token ?? {}, (token) => ({ token })],
    ['actor', 'intent', BODIES.intent.chain[0] ?? {}, (actor) => ({ chain: [actor] })],
    ['key set', 'key', { iss: ORIGIN, jwks: digest('jwks') }, (key) => ({ role: 'issuer', key })],
  ])('lists every member of a %s, and what may be null', (name, kind, sample, place) => {
    const listed = table(name);
    expect([...listed.keys()].toSorted()).toEqual(Object.keys(sample).toSorted());
    expect(isAccepted(kind, { ...BODIES[kind], ...place(sample) })).toBe(true);
    for (const [member, type] of listed) {
      const part = place({ ...sample, [member]: null });
      const isNullable = isAccepted(kind, { ...BODIES[kind], ...part });
      expect(isNullable, `${name}.${member}`).toBe(type.endsWith('?'));
    }
  });

  it('lists every kind', () => {
    const kinds = [...document.matchAll(/^### `(\w+)`$/gm)].map(([, kind = '']) => kind);
    expect(kinds.toSorted()).toEqual(Object.keys(BODIES).toSorted());
  });

  it('shows the complete example as the slow model builds it', () => {
    for (const [n, { bytes, leaf }] of COMPLETE.entries.entries()) {
      expect(document).toContain(
        `\n${bytes.toString()}\nleaf ${n} ${leaf.toString('base64url')}\n`,
      );
    }
    for (const { size, signature } of COMPLETE.heads) {
      expect(document).toContain(`\nhead ${size} ${signature.toString('base64url')}\n`);
    }
    expect(document).toContain(`\nvkey   ${COMPLETE.vkey}\n`);
    expect(document).toContain(`\n\`\`\`text\n${COMPLETE.heads.at(-1)?.note ?? 'no head'}\`\`\`\n`);
  });

  it('shows an example that our own code reads and opens', async () => {
    for (const [seq, { bytes }] of COMPLETE.entries.entries()) {
      expect(parseEntry(bytes)).toMatchObject({ seq });
    }
    for (const { note, text } of COMPLETE.heads) {
      expect((await openNote(note, [VKEY])).text).toBe(text);
    }
  });

  it('has one intent and outcome in both vectors', () => {
    const bodyOf = (bytes: string): unknown => (JSON.parse(bytes) as { body: unknown }).body;
    expect(bodyOf(COMPLETE.entries[3]?.bytes.toString() ?? '')).toEqual(bodyOf(INTENT));
    expect(bodyOf(COMPLETE.entries[4]?.bytes.toString() ?? '')).toEqual(bodyOf(OUTCOME));
    expect(slowLedger(ORIGIN, Buffer.alloc(32, 1), COMMITS)).toEqual(COMPLETE);
  });
});
