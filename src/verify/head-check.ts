/**
 * Signed tree heads and published checkpoints, held against the tree as it grows.
 *
 * @module
 */
import { equalBytes, toBase64url, utf8 } from '../evidence/bytes.ts';
import { checkpointText, parseCheckpoint, type Checkpoint } from '../evidence/checkpoint.ts';
import { rangeRoot, type CompactRange } from '../evidence/compact-range.ts';
import { verifyEd25519 } from '../evidence/ed25519.ts';
import { verifyConsistency } from '../evidence/merkle.ts';
import { openNote, parseNote } from '../evidence/note.ts';
import type { CheckpointLine, HeaderLine, HeadLine } from './bundle-lines.ts';
import type { FindingLog } from './finding-log.ts';
import type { InFlight } from './in-flight.ts';
import type { KeyRing } from './key-ring.ts';
import type { VerifyOptions } from './trust.ts';

/** What heads are held against. */
export interface HeadContext {
  readonly header: HeaderLine;
  readonly log: FindingLog;
  readonly keys: KeyRing;
  readonly inFlight: InFlight;
  readonly options: Pick<VerifyOptions, 'full' | 'sha256'>;
}

interface SeenHead {
  readonly size: number;
  readonly signature: Uint8Array;
  readonly tree: CompactRange;
}

/** What has been seen of heads so far. */
export interface Heads extends HeadContext {
  /** Roots that were signed for sizes that the tree has not reached. */
  readonly waiting: Map<number, Uint8Array[]>;
  /** Sizes for which the tree has the root that was signed. */
  readonly agreed: Set<number>;
  /** The root that was signed for a size. */
  readonly roots: Map<number, string>;
  tree: CompactRange | undefined;
  last: SeenHead | undefined;
  /** Size of the last head whose signature was checked or is being checked. */
  lastChecked: number;
  /** A verified head covers entries up to this size. */
  signed: number;
  seen: number;
  checked: number;
  checkpoints: number;
}

/** More sizes are not kept in mind. */
const MOST_SIZES = 4096;

export function startHeads(context: HeadContext): Heads {
  return {
    ...context,
    waiting: new Map(),
    agreed: new Set(),
    roots: new Map(),
    tree: undefined,
    last: undefined,
    lastChecked: -1,
    signed: 0,
    seen: 0,
    checked: 0,
    checkpoints: 0,
  };
}

/** Notes that the tree has grown to this. */
export function growHeads(heads: Heads, tree: CompactRange): void {
  heads.tree = tree;
  if (heads.waiting.size === 0) return;
  const roots = heads.waiting.get(tree.size);
  if (roots === undefined) return;
  heads.waiting.delete(tree.size);
  for (const root of roots) compareRoots(heads, tree, root);
}

/** Takes a head for the tree as it is. If it answers a promise, wait for it. */
export function takeHead(heads: Heads, { size, signature }: HeadLine): Promise<void> | undefined {
  const { header, keys, tree, last, options } = heads;
  heads.seen++;
  if (header.mode === 'selection') return takeOnlyHead(heads, size, signature);
  if (tree === undefined || size !== tree.size || last?.size === size) {
    heads.log.add({ code: 'head_invalid', size, what: 'misplaced' });
    return undefined;
  }
  const head = { size, signature, tree };
  heads.last = head;
  if (options.full === true) return checkHead(heads, head);
  // On the fast path the last head of each key vouches for all before it.
  if (last === undefined || keys.at(last.size)?.vkey === keys.at(size)?.vkey) return undefined;
  return checkHead(heads, last);
}

/** Takes a checkpoint for the tree as it is or will be; false if it comes too late. */
export async function takeCheckpoint(
  heads: Heads,
  { note, proof = [] }: CheckpointLine,
): Promise<boolean> {
  heads.checkpoints++;
  const checkpoint = await openCheckpoint(heads, note);
  if (checkpoint === undefined) return true;
  if (heads.header.mode === 'range') return placeCheckpoint(heads, checkpoint);
  placeInSelection(heads, checkpoint, proof);
  return true;
}

/** Takes a head that the reader kept. */
export async function takeKeptHead(heads: Heads, note: string): Promise<void> {
  const checkpoint = await openCheckpoint(heads, note);
  if (checkpoint === undefined) return;
  if (heads.header.mode === 'range') placeCheckpoint(heads, checkpoint);
  else if (checkpoint.size === heads.header.size) placeInSelection(heads, checkpoint, []);
}

/** Checks the last head now, because what follows is no longer what was signed. */
export async function checkLastHead(heads: Heads): Promise<void> {
  const { last } = heads;
  if (last !== undefined && last.size !== heads.lastChecked) await checkHead(heads, last);
}

/** Checks what is left when all entries were given. */
export async function finishHeads(heads: Heads): Promise<void> {
  const { header, log, inFlight } = heads;
  if (header.mode === 'range') {
    const size = heads.tree?.size ?? header.start;
    if (heads.last?.size !== size && size > header.start) {
      log.add({ code: 'head_invalid', size, what: 'missing' });
    }
    await checkLastHead(heads);
    for (const beyond of heads.waiting.keys()) {
      log.add({ code: 'size_beyond_entries', size: beyond, entries: size });
    }
  }
  await inFlight.settled();
  if (header.mode === 'selection' && heads.signed !== header.size && !log.has('head_invalid')) {
    log.add({ code: 'head_invalid', size: header.size, what: 'missing' });
  }
}

function takeOnlyHead(
  heads: Heads,
  size: number,
  signature: Uint8Array,
): Promise<void> | undefined {
  const { header, log, inFlight } = heads;
  const { root } = header;
  if (size !== header.size || root === null) {
    log.add({ code: 'head_invalid', size, what: 'misplaced' });
    return undefined;
  }
  return inFlight.start(() => verifyHead(heads, { size, root }, signature));
}

function checkHead(heads: Heads, { size, tree, signature }: SeenHead): Promise<void> | undefined {
  heads.lastChecked = size;
  const root = rangeRoot(tree, heads.options.sha256);
  return heads.inFlight.start(() => verifyHead(heads, { size, root }, signature));
}

async function verifyHead(
  heads: Heads,
  { size, root }: { readonly size: number; readonly root: Uint8Array },
  signature: Uint8Array,
): Promise<void> {
  const { keys, log, header } = heads;
  const key = keys.at(size);
  if (key === undefined) return;
  heads.checked++;
  const text = utf8(checkpointText({ origin: keys.origin ?? header.origin, size, root }));
  if (await verifyEd25519(key.publicKey, text, signature)) cover(heads, size);
  else log.add({ code: 'head_invalid', size, what: 'signature' });
}

function cover(heads: Heads, size: number): void {
  heads.signed = Math.max(heads.signed, size);
  heads.keys.signed(size);
}

/** A note of this ledger, signed by the key in force and by nobody else; logs anything else. */
async function openCheckpoint(heads: Heads, note: string): Promise<Checkpoint | undefined> {
  const { keys, header, log } = heads;
  let size: number | null = null;
  try {
    const { text, lines } = parseNote(note);
    const claimed = parseCheckpoint(text);
    size = claimed.size;
    const key = keys.at(size);
    const ours = claimed.origin === (keys.origin ?? header.origin) && lines.length === 1;
    if (key === undefined || !ours) throw new TypeError('not of this ledger');
    await openNote(note, [key.vkey]);
    remember(heads, claimed);
    return claimed;
  } catch {
    log.add({ code: 'checkpoint_invalid', size });
    return undefined;
  }
}

/** Whether the key signed only one root for a size, as far as we have seen. */
function remember({ roots, log }: Heads, { size, root }: Checkpoint): void {
  const encoded = toBase64url(root);
  const earlier = roots.get(size);
  if (earlier !== undefined && earlier !== encoded) {
    log.add({ code: 'checkpoints_inconsistent', size });
  }
  roots.set(size, encoded);
  const [oldest] = roots.keys();
  if (roots.size > MOST_SIZES && oldest !== undefined) roots.delete(oldest);
}

/** Compares now, or when the tree is as large; false if it is larger already. */
function placeCheckpoint(heads: Heads, { size, root }: Checkpoint): boolean {
  const { tree, waiting, header } = heads;
  const now = tree?.size ?? header.start;
  if (size < now) return false;
  if (tree !== undefined && size === now) compareRoots(heads, tree, root);
  else if (waiting.size < MOST_SIZES) waiting.set(size, [...(waiting.get(size) ?? []), root]);
  return true;
}

function agree(heads: Heads, size: number): void {
  heads.agreed.add(size);
  const [oldest] = heads.agreed;
  if (heads.agreed.size > MOST_SIZES && oldest !== undefined) heads.agreed.delete(oldest);
  cover(heads, size);
}

function compareRoots(heads: Heads, tree: CompactRange, root: Uint8Array): void {
  const same = equalBytes(root, rangeRoot(tree, heads.options.sha256));
  if (same) agree(heads, tree.size);
  else heads.log.add({ code: 'root_mismatch', size: tree.size });
}

/** In a selection the tree is not there: the root is the header's, and proofs lead to it. */
function placeInSelection(
  heads: Heads,
  checkpoint: Checkpoint,
  proof: readonly Uint8Array[],
): void {
  const { size, root } = heads.header;
  if (root === null) return;
  const consistent = verifyConsistency({
    oldSize: checkpoint.size,
    newSize: size,
    oldRoot: checkpoint.root,
    newRoot: root,
    proof,
  });
  if (!consistent) heads.log.add({ code: 'checkpoints_inconsistent', size: checkpoint.size });
  else heads.agreed.add(checkpoint.size);
  if (consistent && checkpoint.size === size) cover(heads, size);
}
