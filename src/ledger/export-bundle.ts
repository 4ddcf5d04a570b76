/**
 * A ledger, with what opens it, as lines of `crumb-bundle/1`: for a file that is handed to an auditor, or
 * straight into the verifier.
 *
 * Nothing is checked here: a bundle shows what is stored, and verification says what it is worth.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../attribution/canonical.ts';
import type { Json } from '../attribution/tool-call.ts';
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '../evidence/bytes.ts';
import type { Label } from '../evidence/commitment.ts';
import type { ReceiptType } from '../evidence/receipt-claim.ts';
import type { StoredEntry } from './ledger-store.ts';

/** One line, with bytes as bytes. The verifier takes these as they are. */
export type BundleItem =
  | {
      readonly t: 'bundle';
      readonly v: 'crumb-bundle/1';
      readonly origin: string;
      readonly mode: 'range';
      readonly start: number;
      readonly size: number;
      readonly root: null;
      readonly vault: boolean;
      readonly made: string | null;
      readonly maker: { readonly name: string; readonly version: string } | null;
      readonly query: null;
    }
  | {
      readonly t: 'entry';
      readonly bytes: Uint8Array;
      /** What the database keeps beside it; it goes into no file. */
      readonly stored: { readonly leaf: Uint8Array; readonly prev: Uint8Array };
    }
  | { readonly t: 'pruned'; readonly seq: number; readonly leaf: Uint8Array }
  | { readonly t: 'head'; readonly size: number; readonly signature: Uint8Array }
  | { readonly t: 'checkpoint'; readonly note: string }
  | {
      readonly t: 'receipt';
      readonly size: number;
      readonly type: ReceiptType;
      readonly raw: string;
    }
  | { readonly t: 'jwks'; readonly iss: string; readonly raw: string }
  | {
      readonly t: 'opening';
      readonly seq: number;
      readonly c: string;
      readonly label: Label;
      readonly r: Uint8Array;
      readonly value: Json;
    }
  | { readonly t: 'closed'; readonly seq: number; readonly c: string; readonly label: Label };

/** What is kept of a commitment. A value that is not kept is absent. */
export interface KeptOpening {
  readonly commitment: string;
  readonly label: Label;
  readonly salt: Uint8Array;
  readonly value?: Json;
}

/** The erasable side of a ledger, as far as a bundle shows it; a vault is one. */
export interface EvidenceSource {
  /** What is kept of these commitments, in any order; tokens have label `token` and their text as value. */
  findOpenings(commitments: readonly string[]): Promise<readonly KeptOpening[]>;
  findKeySet(
    digest: Uint8Array,
  ): Promise<{ readonly iss: string; readonly raw: Uint8Array } | undefined>;
}

/** A ledger to be shown, whole. */
export interface BundleSource {
  readonly origin: string;
  /** Number of entries; the end of a commit. */
  readonly size: number;
  /** All entries in order, some at a time. */
  readonly pages: AsyncIterable<readonly StoredEntry[]>;
  /** Published heads, by size. */
  readonly checkpoints?: readonly { readonly size: number; readonly note: string }[];
  /** What third parties gave for them. */
  readonly receipts?: readonly BundleReceipt[];
  readonly evidence?: EvidenceSource;
}

/** A receipt as it is kept. */
export interface BundleReceipt {
  /** Of its checkpoint. */
  readonly size: number;
  readonly type: ReceiptType;
  readonly text: string;
}

/** What goes into a bundle. */
export interface BundleOptions {
  /** The signed head of every commit, not only the last one's. Default true. */
  readonly heads?: boolean;
  /** What opens identity claims: names, e-mail addresses. Default false. */
  readonly identities?: boolean;
  readonly made?: Date;
  readonly maker?: { readonly name: string; readonly version: string };
}

/** The ledger as items, page by page. Each stored page is in memory only while it is passed on. */
export async function* bundleItems(
  source: BundleSource,
  options: BundleOptions = {},
): AsyncIterable<readonly BundleItem[]> {
  const { origin, size, evidence, checkpoints = [], receipts = [] } = source;
  const { made, maker = null, heads = true } = options;
  yield [
    {
      t: 'bundle',
      v: 'crumb-bundle/1',
      origin,
      mode: 'range',
      start: 0,
      size,
      root: null,
      vault: evidence !== undefined,
      made: made?.toISOString() ?? null,
      maker,
      query: null,
    },
  ];
  const published = checkpoints.toSorted((a, b) => a.size - b.size);
  const given = Map.groupBy(receipts, (receipt) => receipt.size);
  const shown = new Set<string>();
  for await (const page of source.pages) {
    const items: BundleItem[] = [];
    const proofs = evidence === undefined ? undefined : await proofsOf(page, evidence, options);
    for (const row of page) {
      if (proofs !== undefined) items.push(...proofs.before(row, shown));
      items.push(entryItem(row));
      const now = row.seq + 1;
      if (row.head !== null && (heads || now === size)) {
        items.push({ t: 'head', size: now, signature: row.head });
      }
      for (let next = published[0]; next !== undefined && next.size <= now; next = published[0]) {
        items.push(...checkpointItems(next, given));
        published.shift();
      }
    }
    yield items;
  }
  // Of more entries than there are: that is what a reader must see.
  yield published.flatMap((one) => checkpointItems(one, given));
}

/** A published head, and behind it what was given for it. */
function checkpointItems(
  { size, note }: { readonly size: number; readonly note: string },
  given: ReadonlyMap<number, readonly BundleReceipt[]>,
): readonly BundleItem[] {
  const receipts = given.get(size) ?? [];
  return [
    { t: 'checkpoint', note },
    ...receipts.map(({ type, text }) => ({ t: 'receipt' as const, size, type, raw: text })),
  ];
}

/** The ledger as the lines of a file, without their newlines, `end` included. */
export async function* bundleLines(
  source: BundleSource,
  options: BundleOptions = {},
): AsyncIterable<string> {
  const digest = createHash('sha256');
  let lines = 0;
  for await (const items of bundleItems(source, options)) {
    for (const item of items) {
      const line = lineOf(item);
      digest.update(`${line}\n`);
      lines++;
      yield line;
    }
  }
  yield canonicalJson({ t: 'end', lines, digest: digest.digest('base64url') });
}

function entryItem({ seq, bytes, leaf, prev }: StoredEntry): BundleItem {
  return bytes === null
    ? { t: 'pruned', seq, leaf }
    : { t: 'entry', bytes, stored: { leaf, prev } };
}

function lineOf(item: BundleItem): string {
  switch (item.t) {
    case 'entry':
      return `{"raw":${JSON.stringify(textOf(item.bytes))},"t":"entry"}`;
    case 'pruned':
      return canonicalJson({ ...item, leaf: toBase64url(item.leaf) });
    case 'head':
      return canonicalJson({ ...item, signature: toBase64url(item.signature) });
    case 'opening':
      return canonicalJson({ ...item, r: toBase64url(item.r) });
    case 'bundle':
    case 'checkpoint':
    case 'receipt':
    case 'jwks':
    case 'closed':
      return canonicalJson({ ...item });
    default:
      return item satisfies never;
  }
}

/**
 * Bytes that are no text cannot be an entry. What stands here instead may look like one, but has another
 * hash. A byte order mark stays, since it too makes an entry none.
 */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** An opening is shown again when so many others have passed since: readers keep the last 256. */
const SHOWN_AGAIN = 128;

/** Longest value that still fits a line of 512 KiB. */
const MAX_VALUE_BYTES = 500 * 1024;

interface PageProofs {
  /** What must stand before this entry. */
  before(row: StoredEntry, shown: Set<string>): readonly BundleItem[];
}

/** Looks up everything that a page of entries commits to, at once. */
async function proofsOf(
  page: readonly StoredEntry[],
  evidence: EvidenceSource,
  { identities = false }: BundleOptions,
): Promise<PageProofs> {
  const named = new Map(page.map((row) => [row.seq, namedBy(row)]));
  const wanted = new Set([...named.values()].flatMap(({ commitments }) => commitments));
  const kept = new Map<string, KeptOpening>();
  for (const one of await evidence.findOpenings([...wanted])) {
    if (identities || one.label !== 'claims') kept.set(one.commitment, one);
  }
  const keySets = new Map<string, BundleItem>();
  for (const digest of new Set([...named.values()].flatMap(({ keySet }) => keySet ?? []))) {
    const bytes = fromBase64url(digest);
    const found = bytes === undefined ? undefined : await evidence.findKeySet(bytes);
    const raw = found === undefined ? undefined : fromUtf8(found.raw);
    if (found !== undefined && raw !== undefined && raw.length <= MAX_VALUE_BYTES) {
      keySets.set(digest, { t: 'jwks', iss: found.iss, raw });
    }
  }
  return {
    before({ seq }, shown) {
      const { commitments, keySet } = named.get(seq) ?? { commitments: [], keySet: undefined };
      const items: BundleItem[] = [];
      const jwks = keySet === undefined ? undefined : keySets.get(keySet);
      if (jwks !== undefined) items.push(jwks);
      for (const c of commitments) {
        const opening = kept.get(c);
        if (opening === undefined || shown.has(c)) continue;
        remember(shown, c);
        items.push(openingItem(seq, opening));
      }
      return items;
    },
  };
}

function openingItem(seq: number, { commitment, label, salt, value }: KeptOpening): BundleItem {
  const fits = value !== undefined && utf8(canonicalJson(value)).length <= MAX_VALUE_BYTES;
  return fits
    ? { t: 'opening', seq, c: commitment, label, r: salt, value }
    : { t: 'closed', seq, c: commitment, label };
}

function remember(shown: Set<string>, c: string): void {
  shown.add(c);
  const [oldest] = shown;
  if (shown.size > SHOWN_AGAIN && oldest !== undefined) shown.delete(oldest);
}

interface Named {
  readonly commitments: readonly string[];
  /** Digest of the key set that a `key` entry commits to. */
  readonly keySet: string | undefined;
}

/** Members of bodies that are commitments themselves; others hold one, see below. */
const COMMITMENTS = ['claims', 'token', 'shown', 'result', 'actorToken', 'recipient', 'text'];

/** What an entry commits to, read without checking: bytes that are no entry name nothing. */
function namedBy({ bytes }: StoredEntry): Named {
  const body = memberOf(parse(bytes), 'body');
  const directives = memberOf(body, 'directives');
  const all = [
    ...COMMITMENTS.map((name) => memberOf(body, name)),
    memberOf(memberOf(body, 'call'), 'args'),
    memberOf(memberOf(body, 'token'), 'c'),
    ...(Array.isArray(directives) ? directives.map((one) => memberOf(one, 'args')) : []),
  ];
  const digest = memberOf(memberOf(body, 'key'), 'jwks');
  return {
    commitments: [...new Set(all.filter(isCommitment))],
    keySet: typeof digest === 'string' ? digest : undefined,
  };
}

function parse(bytes: Uint8Array | null): unknown {
  try {
    return bytes === null ? undefined : JSON.parse(textOf(bytes));
  } catch {
    return undefined;
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

function isCommitment(value: unknown): value is string {
  return typeof value === 'string' && /^[hf]1\.[\w-]{43}$/.test(value);
}
