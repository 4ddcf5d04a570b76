/**
 * What an attacker makes of a ledger: changes what it says, and then mends all that can be mended with what
 * he has, so that only what he lacks can give him away.
 *
 * @module
 */
import { toBase64url } from '../../src/evidence/bytes.ts';
import { EMPTY_RANGE } from '../../src/evidence/compact-range.ts';
import type { Ed25519Signer } from '../../src/evidence/ed25519.ts';
import { encodeEntry, isKnownKind, parseEntry, ZERO_LEAF } from '../../src/evidence/entry.ts';
import type { Bodies, Entry, Kind } from '../../src/evidence/kinds.ts';
import { addBytes, commit, type Builder } from '../verify/build-ledger.ts';

/** What the attacker has and does. */
export interface Means {
  /** The ledger's key. Without it the old signatures stay where they were. */
  readonly signer?: Ed25519Signer;
  /** Whether entries are numbered anew, and what points to them is mended. Default true. */
  readonly renumber?: boolean;
  /** Whether each entry names the one that is before it now. Default true. */
  readonly rechain?: boolean;
  /** Spells the bytes of an entry in another way. */
  readonly spell?: (bytes: Uint8Array, entry: Entry) => Uint8Array;
}

/** Entries that were not there before have this number until they get their own. */
export const NEW = -1;

/** A ledger with other entries in the place of those it had. Published checkpoints are gone. */
export async function forge(
  builder: Builder,
  change: (entries: readonly Entry[]) => readonly Entry[],
  means: Means = {},
): Promise<Builder> {
  const { signer, renumber = true, rechain = true, spell = (bytes) => bytes } = means;
  const entries = change(entriesOf(builder));
  const places = new Map(entries.map(({ seq }, place) => [seq, renumber ? place : seq]));
  const forged: Builder = { ...builder, rows: [], checkpoints: [], tree: EMPTY_RANGE };
  for (const [place, entry] of entries.entries()) {
    const seq = renumber ? place : entry.seq;
    const prev = rechain ? toBase64url(forged.rows.at(-1)?.leaf ?? ZERO_LEAF) : entry.prev;
    const body = pointedAnew(entry.body, places);
    const mended = { ...entry, seq, prev, body } as Entry; // the body of its kind, with other numbers
    addBytes(forged, spell(encodeEntry(mended), mended));
    const head = builder.rows[entry.seq]?.head;
    if (head) await putHead(forged, head, signer);
  }
  const last = builder.rows.findLast(({ head }) => head !== null)?.head;
  if (last && forged.rows.at(-1)?.head === null) await putHead(forged, last, signer);
  return forged;
}

/** What a ledger says, entry by entry. */
export function entriesOf({ rows }: Builder): readonly Entry[] {
  return rows.map(({ bytes }) => {
    const entry = bytes === null ? undefined : parseEntry(bytes);
    if (entry === undefined || !isKnownKind(entry)) throw new TypeError('not an entry of ours');
    return entry;
  });
}

/** Replaces the body of the entry of this number, which must be of this kind. */
export function replaced<K extends Kind>(
  entries: readonly Entry[],
  [seq, kind]: readonly [number, K],
  change: (body: Bodies[K]) => Bodies[K],
): readonly Entry[] {
  const place = entries.findIndex((entry) => entry.seq === seq);
  const entry = entries[place];
  if (entry?.kind !== kind) throw new TypeError(`entry ${seq} is no ${kind}`);
  const body = change(entry.body as Bodies[K]); // its kind was compared
  return entries.with(place, { ...entry, body } as Entry); // and is still that of its body
}

async function putHead(forged: Builder, head: Uint8Array, signer?: Ed25519Signer): Promise<void> {
  if (signer !== undefined) return commit(forged, signer);
  const last = forged.rows.pop();
  if (last !== undefined) forged.rows.push({ ...last, head });
}

/** Members that name another entry by its number. */
const REFERENCES = ['session', 'intent', 'parent', 'hop', 'approval', 'jwks', 'of'];

function pointedAnew(value: unknown, places: ReadonlyMap<number, number>): unknown {
  if (Array.isArray(value)) return value.map((item) => pointedAnew(item, places));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]: [string, unknown]) => [
      name,
      typeof member === 'number' && REFERENCES.includes(name)
        ? (places.get(member) ?? member)
        : pointedAnew(member, places),
    ]),
  );
}
