/**
 * Verification of a whole ledger or of a bundle: one pass over its lines, in bounded memory, without a
 * network and without anything that writes.
 *
 * @module
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { equalBytes, utf8 } from '../evidence/bytes.ts';
import { finishReceipts, type Cover } from './anchor-cover.ts';
import {
  MAX_LINE_BYTES,
  parseBundleLine,
  type BundleLine,
  type HeaderLine,
} from './bundle-lines.ts';
import {
  startChain,
  takeEntry,
  takePeaks,
  takePruned,
  type Chain,
  type PlacedEntry,
} from './chain-check.ts';
import {
  finishContents,
  startContents,
  takeContent,
  takeGone,
  type Contents,
} from './content-check.ts';
import { createFindingLog, type FindingLog } from './finding-log.ts';
import type { DamageKind, FindingCode } from './findings.ts';
import {
  checkLastHead,
  finishHeads,
  growHeads,
  startHeads,
  takeCheckpoint,
  takeHead,
  takeKeptHead,
  type Heads,
} from './head-check.ts';
import { createInFlight } from './in-flight.ts';
import { createKeyRing, type KeyRing } from './key-ring.ts';
import {
  noteCheckpoint,
  noteEntry,
  startDeferred,
  startReceipts,
  takeReceipt,
  type Receipts,
} from './receipt-check.ts';
import type { Level, VerifyReport } from './report.ts';
import { takeKeySet } from './token-check.ts';
import { takeOpening } from './openings.ts';
import type { StreamingSha256, Trust, VerifyOptions } from './trust.ts';

/** A line as text, or as {@link BundleLine} where a database is read: then nothing is spelled out in between. */
export type LineInput = string | BundleLine;

/** Lines one by one, or many at a time, which is faster. */
export type BundleInput =
  AsyncIterable<LineInput | readonly LineInput[]> | Iterable<LineInput | readonly LineInput[]>;

/**
 * Verifies a bundle. Every finding is in the answer; what the bundle says never makes it throw.
 *
 * On the fast path (default) the tree is recomputed and held against the last signed head and every
 * checkpoint: that covers each crumb, since a head signs all of them. `full` also checks every head.
 *
 * @param lines Lines without their newline; what they throw is thrown.
 * @param trust What the reader knows from elsewhere. Without a key, the level is `none`.
 */
export async function verifyBundle(
  lines: BundleInput,
  trust: Trust = {},
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const log = createFindingLog();
  const file: FileState = {
    log,
    line: 0,
    digest: options.createSha256?.() ?? nobleSha256.create(),
    text: false,
    ended: false,
  };
  const reading: Reading = { file, trust, options, run: undefined, unreadable: false };
  for await (const some of lines) {
    for (const input of isMany(some) ? some : [some]) {
      const wait = takeInput(reading, input);
      if (wait !== undefined) await wait;
    }
    if (reading.unreadable) break;
  }
  return reading.run === undefined ? unreadable(file, options) : finishRun(reading.run);
}

interface Reading {
  readonly file: FileState;
  readonly trust: Trust;
  readonly options: VerifyOptions;
  run: Run | undefined;
  /** Whether the first line is no header: then the rest cannot be read. */
  unreadable: boolean;
}

function takeInput(reading: Reading, input: LineInput): Promise<void> | undefined {
  if (reading.unreadable) return undefined;
  const line = readLine(reading.file, input);
  if (reading.run !== undefined)
    return line === undefined ? undefined : takeLine(reading.run, line);
  if (line?.t === 'bundle') reading.run = startRun(reading, line);
  else reading.unreadable = true;
  return undefined;
}

/** The file around the lines. */
interface FileState {
  readonly log: FindingLog;
  readonly digest: StreamingSha256;
  /** Number of the line at hand, from 1. */
  line: number;
  /** Whether lines come as text, and so need an `end`. */
  text: boolean;
  ended: boolean;
}

interface Run {
  readonly file: FileState;
  readonly header: HeaderLine;
  readonly log: FindingLog;
  readonly keys: KeyRing;
  readonly chain: Chain;
  readonly heads: Heads;
  readonly contents: Contents;
  readonly receipts: Receipts;
  readonly trust: Trust;
  readonly options: VerifyOptions;
  entries: number;
  broken: boolean;
}

const PROGRESS = 4096;

function isMany(some: LineInput | readonly LineInput[]): some is readonly LineInput[] {
  return Array.isArray(some);
}

function damaged({ log, line }: FileState, what: DamageKind): undefined {
  log.add({ code: 'bundle_damaged', line, what });
  return undefined;
}

/** One line read; undefined after saying what is wrong with it. */
function readLine(file: FileState, input: LineInput): BundleLine | undefined {
  file.line++;
  if (file.ended) return damaged(file, 'misplaced_line');
  if (typeof input !== 'string') return input;
  file.text = true;
  const bytes = utf8(input);
  if (bytes.length > MAX_LINE_BYTES) return damaged(file, 'line_too_long');
  const line = parseBundleLine(input);
  if (line === undefined) {
    digest(file, bytes);
    return damaged(file, file.line === 1 ? 'no_header' : 'malformed_line');
  }
  if (line.t !== 'end') digest(file, bytes);
  return line;
}

const NEWLINE = Uint8Array.of(0x0a);

function digest(file: FileState, bytes: Uint8Array): void {
  file.digest.update(bytes);
  file.digest.update(NEWLINE);
}

function startRun({ file, trust, options }: Reading, header: HeaderLine): Run {
  const { log } = file;
  const inFlight = createInFlight();
  const keys = createKeyRing(trust, log);
  const misplaced = (): void => damaged(file, 'misplaced_line');
  const heads = startHeads({ header, log, keys, inFlight, options });
  const agrees = (size: number): boolean => heads.agreed.has(size);
  return {
    file,
    header,
    log,
    keys,
    chain: startChain(header, log, options.sha256),
    heads,
    contents: startContents({ header, log, keys, inFlight, trust, misplaced }),
    receipts: startReceipts({ header, log, keys, inFlight, trust, agrees }),
    trust,
    options,
    entries: 0,
    broken: false,
  };
}

/** Takes one line after the header. If it answers a promise, wait for it. */
function takeLine(run: Run, line: BundleLine): Promise<void> | undefined {
  switch (line.t) {
    case 'entry':
      return placed(run, takeEntry(run.chain, line), takeContent);
    case 'pruned':
      return placed(run, takePruned(run.chain, line), (contents, { seq }) => {
        takeGone(contents, seq);
      });
    case 'head':
      return takeHead(run.heads, line);
    case 'opening':
    case 'closed':
      takeOpening(run.contents.openings, line);
      return undefined;
    case 'jwks':
      takeKeySet(run.contents.tokens, line);
      return undefined;
    case 'checkpoint':
      noteCheckpoint(run.receipts, line, run.chain.tree?.size ?? run.header.start);
      return takeCheckpoint(run.heads, line).then((inTime) => {
        if (!inTime) damaged(run.file, 'misplaced_line');
      });
    case 'receipt': {
      const wait = takeReceipt(run.receipts, line);
      return wait === false ? damaged(run.file, 'misplaced_line') : wait;
    }
    case 'peaks':
      if (!takePeaks(run.chain, line)) damaged(run.file, 'misplaced_line');
      return undefined;
    case 'bundle':
      return damaged(run.file, 'misplaced_line');
    case 'end':
      return takeEnd(run.file, line);
    default:
      return line satisfies never;
  }
}

function placed(
  run: Run,
  entry: PlacedEntry | undefined,
  take: (contents: Contents, entry: PlacedEntry) => Promise<void> | undefined | void,
): Promise<void> | undefined {
  const { chain, heads, options, header } = run;
  if (entry === undefined) return damaged(run.file, 'misplaced_line');
  run.entries++;
  if (run.entries % PROGRESS === 0) {
    options.onProgress?.({ entries: run.entries, size: header.size - header.start });
  }
  // What was signed before the damage still stands, and is worth saying.
  const known = run.broken ? undefined : lastHeadBeforeDamage(run);
  if (chain.begun && chain.tree !== undefined) growHeads(heads, chain.tree);
  const wait = take(run.contents, entry) ?? undefined;
  noteEntry(run.receipts, entry);
  const keptHeads = entry.seq === 0 ? takeKeptHeads(run) : undefined;
  if (known === undefined && keptHeads === undefined) return wait;
  return Promise.all([known, wait, keptHeads]).then(() => undefined);
}

const DAMAGES: readonly FindingCode[] = ['chain_broken', 'entry_malformed', 'entry_order'];

function lastHeadBeforeDamage(run: Run): Promise<void> | undefined {
  if (!DAMAGES.some((code) => run.log.has(code))) return undefined;
  run.broken = true;
  return checkLastHead(run.heads);
}

/** Heads that the reader kept can be opened once genesis said the key. */
async function takeKeptHeads({ heads, trust, log, keys, header }: Run): Promise<void> {
  if (keys.origin !== undefined && keys.origin !== header.origin) {
    log.add({ code: 'key_unknown', what: 'origin', seq: 0 });
  }
  for (const note of trust.heads ?? []) await takeKeptHead(heads, note);
}

function takeEnd(
  file: FileState,
  end: { readonly lines: number; readonly digest: Uint8Array },
): undefined {
  file.ended = true;
  const intact = equalBytes(file.digest.digest(), end.digest);
  return intact && end.lines === file.line - 1 ? undefined : damaged(file, 'digest');
}

async function finishRun(run: Run): Promise<VerifyReport> {
  const { file, header, log, heads, chain, contents } = run;
  if (file.text && !file.ended) damaged(file, 'cut_off');
  await startDeferred(run.receipts);
  await finishHeads(heads);
  finishContents(contents);
  const cover = finishReceipts(run.receipts);
  const size = chain.tree?.size ?? header.start;
  if (header.mode === 'range' && size < header.size) {
    log.add({ code: 'size_beyond_entries', size: header.size, entries: size });
  } else if (header.mode === 'range' && size > header.size) damaged(file, 'misplaced_line');
  if (header.mode === 'selection' || header.start > 0) {
    log.add({ code: 'selection_only', from: header.mode === 'selection' ? 0 : header.start });
  }
  return reportOf(run, cover, header.mode === 'range' ? size : header.size);
}

/** What keeps a crumb from being covered by a signature, whatever the signature says. */
const UNSIGNED: readonly FindingCode[] = [
  'bundle_damaged',
  'entry_malformed',
  'entry_order',
  'chain_broken',
  'head_invalid',
  'checkpoint_invalid',
  'root_mismatch',
  'size_beyond_entries',
  'checkpoints_inconsistent',
  'key_unknown',
  'key_revoked',
];

/** Of all crumbs the lowest, if a head under the reader's key covers them. */
function levelOf({ log, receipts }: Run, { anchored, witnessed }: Cover): Level {
  if (UNSIGNED.some((code) => log.has(code))) return 'none';
  if ((witnessed?.size ?? 0) >= receipts.needed) return 'witnessed';
  return (anchored?.size ?? 0) >= receipts.needed ? 'anchored' : 'signed';
}

function reportOf(run: Run, cover: Cover, size: number): VerifyReport {
  const { header, log, keys, heads, options } = run;
  const { tally, openings, tokens } = run.contents;
  if (!keys.confirmed) log.add({ code: 'key_not_confirmed', vkey: keys.vkey ?? null });
  const from = Math.max(header.start, cover.anchored?.size ?? 0);
  if (size > from) log.add({ code: 'tail_uncovered', from, size });
  const covered = keys.confirmed && size > 0 && heads.signed === size;
  const { seen, checked, checkpoints, inFlight: _inFlight } = heads;
  options.onProgress?.({ entries: run.entries, size: header.size - header.start });
  return {
    ...answersOf(log),
    readable: true,
    level: covered ? levelOf(run, cover) : 'none',
    ...cover,
    origin: keys.origin ?? null,
    key: keys.vkey ?? null,
    start: header.start,
    size,
    mode: header.mode,
    path: options.full === true ? 'full' : 'fast',
    stats: {
      kinds: tally.kinds,
      verdicts: tally.verdicts,
      outcomes: tally.outcomes,
      judged: tally.judged,
      opened: openings.count,
      tokens: tokens.checked,
      heads: { seen, checked },
      checkpoints,
      from: tally.from,
      to: tally.to,
    },
  };
}

function answersOf(
  log: FindingLog,
): Pick<VerifyReport, 'sound' | 'findings' | 'warnings' | 'notEstablished' | 'counts'> {
  const findings = log.of('failing');
  return {
    sound: findings.length === 0,
    findings,
    warnings: log.of('warning'),
    notEstablished: log.of('not_established'),
    counts: log.counts(),
  };
}

function unreadable(file: FileState, options: VerifyOptions): VerifyReport {
  if (!file.log.has('bundle_damaged')) damaged(file, 'no_header');
  return {
    ...answersOf(file.log),
    readable: false,
    level: 'none',
    anchored: null,
    witnessed: null,
    origin: null,
    key: null,
    start: 0,
    size: 0,
    mode: 'range',
    path: options.full === true ? 'full' : 'fast',
    stats: {
      kinds: {},
      verdicts: { authorized: 0, unauthorized: 0, unattributed: 0 },
      outcomes: { ok: 0, error: 0, aborted: 0, refused: 0, unknown: 0 },
      judged: 0,
      opened: 0,
      tokens: 0,
      heads: { seen: 0, checked: 0 },
      checkpoints: 0,
      from: null,
      to: null,
    },
  };
}
