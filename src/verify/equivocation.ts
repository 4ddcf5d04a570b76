/**
 * Two signed histories of one ledger: proof, to anyone, that its key lied.
 *
 * @module
 */
import { equalBytes } from '../evidence/bytes.ts';
import { parseCheckpoint, type Checkpoint } from '../evidence/checkpoint.ts';
import { openNote, parseVkey } from '../evidence/note.ts';

/** What two notes prove together. */
export interface Equivocation {
  readonly origin: string;
  /** Both were signed for this many entries. */
  readonly size: number;
  /** 32 bytes each, and not the same. */
  readonly roots: readonly [Uint8Array, Uint8Array];
}

/**
 * Holds two signed tree heads against each other.
 *
 * Undefined proves nothing: heads of two sizes may contradict each other as well, but to see that takes
 * the entries, or a consistency proof that nobody can give.
 *
 * @param noteA A signed note; lines of others under it do not count.
 * @param key vkey of the ledger.
 * @throws {CrumbError} `note_malformed`, `note_unverified`: one is no head under this key. `key_invalid`.
 */
export async function findEquivocation(
  noteA: string,
  noteB: string,
  key: string,
): Promise<Equivocation | undefined> {
  const [a, b] = await Promise.all([openHead(noteA, key), openHead(noteB, key)]);
  const { origin, size } = a;
  const isOurs = origin === parseVkey(key)?.name && b.origin === origin;
  if (!isOurs || b.size !== size || equalBytes(a.root, b.root)) return undefined;
  return { origin, size, roots: [a.root, b.root] };
}

async function openHead(note: string, key: string): Promise<Checkpoint> {
  return parseCheckpoint((await openNote(note, [key])).text);
}
