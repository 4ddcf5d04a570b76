/**
 * Form, order and chain: what each entry is, where it stands, and the tree that they make.
 *
 * @module
 */
import { equalBytes } from '../evidence/bytes.ts';
import {
  appendLeaf,
  EMPTY_RANGE,
  parseRange,
  type CompactRange,
} from '../evidence/compact-range.ts';
import { parseEntry, ZERO_LEAF, type UnknownKindEntry } from '../evidence/entry.ts';
import type { Entry } from '../evidence/kinds.ts';
import { leafHash, verifyInclusion, type Sha256 } from '../evidence/merkle.ts';
import type { EntryLine, HeaderLine, PeaksLine, PrunedLine } from './bundle-lines.ts';
import type { FindingLog } from './finding-log.ts';

/** An entry at its place; `entry` is undefined if its bytes are none, or gone. */
export interface PlacedEntry {
  readonly seq: number;
  readonly leaf: Uint8Array;
  readonly entry: Entry | UnknownKindEntry | undefined;
}

/** How far the chain has been followed. */
export interface Chain {
  readonly header: HeaderLine;
  readonly log: FindingLog;
  readonly sha256: Sha256 | undefined;
  /** The tree so far; undefined until the tree below the start is known. */
  tree: CompactRange | undefined;
  /** Whether the run of entries from the start on has begun. */
  begun: boolean;
  jumps: number;
  /** The last entry given. */
  last: { readonly seq: number; readonly leaf: Uint8Array } | undefined;
}

/** After so many jumps in the numbering it is no longer believed; the count goes on instead. */
const MOST_JUMPS = 100;

export function startChain(header: HeaderLine, log: FindingLog, sha256?: Sha256): Chain {
  const tree = header.mode === 'range' && header.start === 0 ? EMPTY_RANGE : undefined;
  return { header, log, sha256, tree, begun: false, jumps: 0, last: undefined };
}

/** Takes the tree below the start; false if that does not belong here. */
export function takePeaks(chain: Chain, { hashes }: PeaksLine): boolean {
  const { mode, start } = chain.header;
  const below = parseRange(start, hashes);
  if (mode !== 'range' || chain.tree !== undefined || below === undefined) return false;
  chain.tree = below;
  return true;
}

/** Takes an entry; undefined if it does not belong here. */
export function takeEntry(chain: Chain, line: EntryLine): PlacedEntry | undefined {
  return line.proof === undefined ? takeInRun(chain, line) : takeAlone(chain, line, line.proof);
}

/** Takes an entry whose bytes are gone. */
export function takePruned(chain: Chain, { seq, leaf }: PrunedLine): PlacedEntry | undefined {
  if (chain.tree === undefined) return undefined;
  const place = placeInRun(chain, seq);
  extend(chain, chain.tree, { seq: place, leaf });
  return { seq: place, leaf, entry: undefined };
}

function takeInRun(chain: Chain, { bytes, stored }: EntryLine): PlacedEntry | undefined {
  if (chain.tree === undefined) return undefined;
  const entry = readEntry(bytes);
  const leaf = leafHash(bytes, chain.sha256);
  const seq = placeInRun(chain, entry?.seq);
  if (entry === undefined) chain.log.add({ code: 'entry_malformed', seq });
  else checkPrev(chain, seq, entry.prev);
  if (stored !== undefined && !equalBytes(stored.leaf, leaf)) {
    chain.log.add({ code: 'chain_broken', seq, what: 'stored' });
  }
  extend(chain, chain.tree, { seq, leaf });
  return { seq, leaf, entry };
}

/** An entry that is shown alone, with its proof. */
function takeAlone(
  chain: Chain,
  { bytes }: EntryLine,
  proof: readonly Uint8Array[],
): PlacedEntry | undefined {
  const { header, log, last } = chain;
  const { root, size } = header;
  const entry = readEntry(bytes);
  const seq = entry?.seq ?? (last === undefined ? 0 : last.seq + 1);
  const end = header.mode === 'range' ? header.start : size;
  if (chain.begun || root === null || seq >= end || (last !== undefined && seq <= last.seq)) {
    return undefined;
  }
  const leaf = leafHash(bytes, chain.sha256);
  if (entry === undefined) log.add({ code: 'entry_malformed', seq });
  else {
    checkPrev(chain, seq, entry.prev);
    const proven = verifyInclusion({ leaf, index: seq, size, root, proof });
    if (!proven) log.add({ code: 'chain_broken', seq, what: 'proof' });
  }
  chain.last = { seq, leaf };
  return { seq, leaf, entry };
}

/** Where an entry of the run stands: as it says itself, unless it jumps too often. */
function placeInRun(chain: Chain, claimed: number | undefined): number {
  const { begun, last, header, log } = chain;
  const next = begun && last !== undefined ? last.seq + 1 : header.start;
  if (claimed === undefined || claimed === next) return next;
  log.add({ code: 'entry_order', seq: next, found: claimed });
  chain.jumps++;
  return chain.jumps > MOST_JUMPS ? next : claimed;
}

function checkPrev(chain: Chain, seq: number, prev: string): void {
  const expected = expectedPrev(chain, seq);
  if (expected !== undefined && !spells(prev, expected)) {
    chain.log.add({ code: 'chain_broken', seq, what: 'prev' });
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const CODES = Uint8Array.from(ALPHABET, (letter) => letter.charCodeAt(0));

/** Whether a text is the base64url of 32 bytes: compared in place, since it is asked for each entry. */
function spells(text: string, bytes: Uint8Array): boolean {
  if (text.length !== 43) return false;
  for (let n = 0, at = 0; n < 43; n += 4, at += 3) {
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const same =
      text.charCodeAt(n) === CODES[bits >> 18] &&
      text.charCodeAt(n + 1) === CODES[(bits >> 12) & 63] &&
      text.charCodeAt(n + 2) === CODES[(bits >> 6) & 63] &&
      (n === 40 || text.charCodeAt(n + 3) === CODES[bits & 63]);
    if (!same) return false;
  }
  return true;
}

/** What an entry must name as the one before it; undefined if that one was not given. */
function expectedPrev({ begun, last, header }: Chain, seq: number): Uint8Array | undefined {
  if (begun || (last !== undefined && last.seq === seq - 1)) return last?.leaf;
  const first = seq === 0 || (header.mode === 'range' && header.start === 0);
  return first ? ZERO_LEAF : undefined;
}

function extend(
  chain: Chain,
  tree: CompactRange,
  last: { readonly seq: number; readonly leaf: Uint8Array },
): void {
  chain.tree = appendLeaf(tree, last.leaf, chain.sha256);
  chain.begun = true;
  chain.last = last;
}

function readEntry(bytes: Uint8Array): PlacedEntry['entry'] {
  try {
    return parseEntry(bytes);
  } catch {
    return undefined;
  }
}
