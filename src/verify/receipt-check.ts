/**
 * Receipts: each is checked by itself behind its checkpoint, and held against the `anchor` entries that
 * speak of it. What they come to together is in anchor-cover.ts.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { toBase64url, utf8 } from '../evidence/bytes.ts';
import { parseCheckpoint } from '../evidence/checkpoint.ts';
import { isKnownKind } from '../evidence/entry.ts';
import type { AnchorBody, Entry, GenesisBody } from '../evidence/kinds.ts';
import { parseNote } from '../evidence/note.ts';
import type {
  AnchorKey,
  ReceiptAccepted,
  ReceiptClaim,
  ReceiptFault,
  ReceiptResult,
  ReceiptTrust,
} from '../evidence/receipt-claim.ts';
import { verifyReceipt } from '../evidence/receipt.ts';
import { parseTrustedRoot } from '../evidence/trusted-root.ts';
import { parseWitnessPolicy } from '../evidence/witness-policy.ts';
import { createAnchorKeys, type AnchorKeys } from './anchor-keys.ts';
import type { CheckpointLine, HeaderLine, ReceiptLine } from './bundle-lines.ts';
import type { PlacedEntry } from './chain-check.ts';
import type { FindingLog } from './finding-log.ts';
import type { InFlight } from './in-flight.ts';
import type { KeyRing } from './key-ring.ts';
import type { Trust } from './trust.ts';

/** What receipts are held against. */
export interface ReceiptContext {
  readonly header: HeaderLine;
  readonly log: FindingLog;
  readonly keys: KeyRing;
  readonly inFlight: InFlight;
  readonly trust: Trust;
  /** Whether the tree, as far as it was given, has the root that was signed for this size. */
  readonly agrees: (size: number) => boolean;
}

/** A checkpoint at its place, and the entries on either side of it. */
export interface Mark {
  readonly size: number;
  readonly note: string;
  /** Time that the last entry before it claims. */
  readonly last: string | null;
  /** The first entry behind it that is no `anchor`. */
  first: { readonly seq: number; readonly time: string } | undefined;
}

/** A receipt that was given; `accepted` once it verified. */
export interface SeenReceipt {
  readonly line: Pick<ReceiptLine, 'size' | 'type'>;
  readonly mark: Mark;
  readonly agreed: boolean;
  accepted: ReceiptAccepted | undefined;
  /** The anchor key that logged it, where that is known. */
  spki: Uint8Array | undefined;
}

/** An `anchor` entry, to be held against its receipt. */
export interface AnchorNote {
  readonly seq: number;
  readonly time: string;
  readonly body: AnchorBody;
}

/** What has been seen of receipts so far. */
export interface Receipts extends ReceiptContext {
  /** Whom the reader trusts, without those for development unless they are allowed. */
  readonly trusted: ReceiptTrust;
  readonly anchorKeys: AnchorKeys;
  /** Receipts by their SHA-256. */
  readonly seen: Map<string, SeenReceipt>;
  readonly anchors: AnchorNote[];
  /** The last checkpoints by size: receipts stand behind them. */
  readonly marks: Map<number, Mark>;
  /** Where the entries begin. */
  readonly begin: Mark;
  /** Marks behind which only `anchor` entries were seen so far. */
  unfilled: Mark[];
  /** In a selection: looked at when all keys are known. */
  readonly deferred: ReceiptLine[];
  /** Entries that claim a time before that of an anchor before them, and that anchor's receipt. */
  readonly early: { readonly seq: number; readonly receipt: string }[];
  /** What the last anchor so far allows as the earliest time. */
  floor: { readonly time: string; readonly receipt: string } | undefined;
  policy: GenesisBody['policy']['anchor'];
  lastTime: string | null;
  /** Whoever covers this many has covered every crumb but `anchor` entries at the end. */
  needed: number;
}

/** What clocks may differ by. */
export const CLOCK_SKEW_MS = 60_000;

const MOST_MARKS = 64;
const MOST_EARLY = 1024;
const MOST_DEFERRED = 4096;

/** @throws {CrumbError} `trust_invalid`: a trust root or witness policy of the reader. */
export function startReceipts(context: ReceiptContext): Receipts {
  const { trust, header } = context;
  const counts = ({ development }: { readonly development: boolean }): boolean =>
    trust.allowDevelopment === true || !development;
  const witnesses = trust.witnesses === undefined ? undefined : parseWitnessPolicy(trust.witnesses);
  const begin: Mark = { size: header.start, note: '', last: null, first: undefined };
  return {
    ...context,
    trusted: {
      roots: (trust.roots ?? []).map((text) => parseTrustedRoot(text)).filter(counts),
      ...(witnesses !== undefined && counts(witnesses) ? { witnesses } : {}),
    },
    anchorKeys: createAnchorKeys(),
    seen: new Map(),
    anchors: [],
    marks: new Map(),
    begin,
    unfilled: [begin],
    deferred: [],
    early: [],
    floor: undefined,
    policy: null,
    lastTime: null,
    needed: 0,
  };
}

/** Takes each entry, so that receipts have a place among them. */
export function noteEntry(receipts: Receipts, { seq, entry }: PlacedEntry): void {
  const known = entry !== undefined && isKnownKind(entry) ? entry : undefined;
  if (known !== undefined) noteKeys(receipts, known);
  if (receipts.header.mode === 'range' && seq < receipts.header.start) return;
  if (known?.kind === 'anchor') noteAnchor(receipts, known);
  else {
    receipts.needed = Math.max(receipts.needed, seq + 1);
    if (entry !== undefined && receipts.unfilled.length > 0) {
      for (const mark of receipts.unfilled) mark.first = { seq, time: entry.time };
      receipts.unfilled = [];
    }
  }
  if (entry === undefined) return;
  const { floor, early } = receipts;
  receipts.lastTime = entry.time;
  if (floor !== undefined && entry.time < floor.time && early.length < MOST_EARLY) {
    early.push({ seq, receipt: floor.receipt });
  }
}

function noteKeys(receipts: Receipts, { kind, seq, body, time }: Entry): void {
  if (kind === 'genesis' && seq === 0) {
    receipts.anchorKeys.genesis(body.anchorKey);
    receipts.policy = body.policy.anchor;
  }
  if (kind === 'key' && body.role === 'anchor') receipts.anchorKeys.change(seq, body, time);
}

function noteAnchor(receipts: Receipts, { seq, body, time }: Entry & { kind: 'anchor' }): void {
  receipts.anchors.push({ seq, body, time });
  if (body.at === null) return;
  const allowed = new Date(Date.parse(body.at) - CLOCK_SKEW_MS).toISOString();
  if (receipts.floor === undefined || allowed > receipts.floor.time) {
    receipts.floor = { time: allowed, receipt: body.receipt };
  }
}

/** Takes a checkpoint that stands where the ledger has `size` entries. */
export function noteCheckpoint(receipts: Receipts, { note }: CheckpointLine, size: number): void {
  const claimed = sizeOf(note);
  if (claimed === undefined) return;
  const { marks, lastTime: last } = receipts;
  const mark: Mark = { size: claimed, note, last, first: undefined };
  marks.set(claimed, mark);
  const [oldest] = marks.keys();
  if (marks.size > MOST_MARKS && oldest !== undefined) marks.delete(oldest);
  if (claimed === size) receipts.unfilled.push(mark);
}

function sizeOf(note: string): number | undefined {
  try {
    return parseCheckpoint(parseNote(note).text).size;
  } catch {
    return undefined;
  }
}

/**
 * Takes a receipt: false if it does not stand behind its checkpoint. If it answers a promise, wait for it.
 */
export function takeReceipt(
  receipts: Receipts,
  line: ReceiptLine,
): Promise<void> | false | undefined {
  const { header, deferred, marks } = receipts;
  const mark = marks.get(line.size);
  if (mark === undefined) return false;
  if (header.mode === 'range') return startCheck(receipts, line, mark);
  if (deferred.length >= MOST_DEFERRED) return false;
  deferred.push(line);
  return undefined;
}

/** Starts what had to wait until all keys are known. */
export async function startDeferred(receipts: Receipts): Promise<void> {
  for (const line of receipts.deferred) {
    const mark = receipts.marks.get(line.size);
    if (mark !== undefined) await startCheck(receipts, line, mark);
  }
}

function startCheck(receipts: Receipts, line: ReceiptLine, mark: Mark): Promise<void> | undefined {
  const { size, type, raw } = line;
  const seen: SeenReceipt = {
    line: { size, type },
    mark,
    agreed: receipts.agrees(size),
    accepted: undefined,
    spki: undefined,
  };
  receipts.seen.set(toBase64url(sha256(utf8(raw))), seen);
  const claim = claimOf(receipts, line, mark);
  return receipts.inFlight.start(async () => {
    const { result, spki } = await resultOf(claim, size);
    if (result.ok) Object.assign(seen, { accepted: result, spki });
    else receipts.log.add({ code: findingOf(result.fault), size });
  });
}

function claimOf(receipts: Receipts, { type, raw, size }: ReceiptLine, mark: Mark): ReceiptClaim {
  const { keys, header, anchorKeys, trusted } = receipts;
  const vkey = keys.at(size)?.vkey;
  return {
    type,
    note: mark.note,
    receipt: raw,
    ledger: {
      origin: keys.origin ?? header.origin,
      vkeys: vkey === undefined ? [] : [vkey],
      anchorKeys: anchorKeys.all(),
    },
    trust: trusted,
  };
}

/** Which of several keys logged it is asked of each, since a later entry may revoke one. */
async function resultOf(
  claim: ReceiptClaim,
  size: number,
): Promise<{ readonly result: ReceiptResult; readonly spki: Uint8Array | undefined }> {
  const result = await verifyReceipt(claim);
  if (!result.ok || claim.type !== 'rekor') return { result, spki: undefined };
  const inForce = claim.ledger.anchorKeys.filter((key) => isInForce(key, size));
  for (const key of inForce.slice(1)) {
    const one = { ...claim, ledger: { ...claim.ledger, anchorKeys: [key] } };
    if ((await verifyReceipt(one)).ok) return { result, spki: key.spki };
  }
  return { result, spki: inForce[0]?.spki };
}

function isInForce({ from, to }: AnchorKey, size: number): boolean {
  return size >= from && (to === null || size < to);
}

type ReceiptFinding = 'receipt_invalid' | 'receipt_key_mismatch' | 'receipt_unknown_log';

function findingOf(fault: ReceiptFault): ReceiptFinding {
  switch (fault) {
    case 'key_mismatch':
    case 'key_not_in_force':
    case 'key_revoked':
      return 'receipt_key_mismatch';
    case 'log_unknown':
    case 'authority_unknown':
    case 'witness_unknown':
    case 'unsupported':
      return 'receipt_unknown_log';
    default:
      return 'receipt_invalid';
  }
}

/** Whether an `anchor` entry says of a receipt what the receipt says itself. */
export function fits({ body }: AnchorNote, { line, mark, accepted }: SeenReceipt): boolean {
  const note = toBase64url(sha256(utf8(mark.note)));
  const same = body.type === line.type && body.size === line.size && body.note === note;
  // Which witnesses count, and so the last of them, is the reader's choice.
  if (!same || accepted === undefined || body.type === 'witness') return same;
  const sameTime = body.at === null || body.at === accepted.at.toISOString();
  return sameTime && (body.index === null || body.index === accepted.index);
}
