/**
 * Ledgers for tests of the verifier, made by hand: what the recorder would write, and, since every key is
 * at hand, also what a dishonest operator could.
 */
import { createHash, randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import type { Actor } from '../../src/attribution/act-chain.ts';
import type { Json } from '../../src/attribution/tool-call.ts';
import { fromBase64url, toBase64url, utf8 } from '../../src/evidence/bytes.ts';
import { checkpointText } from '../../src/evidence/checkpoint.ts';
import { commitBytes, commitJson, type Label } from '../../src/evidence/commitment.ts';
import {
  appendLeaf,
  EMPTY_RANGE,
  rangeRoot,
  type CompactRange,
} from '../../src/evidence/compact-range.ts';
import { ed25519Signer, type Ed25519Signer } from '../../src/evidence/ed25519.ts';
import { encodeEntry, ZERO_LEAF } from '../../src/evidence/entry.ts';
import type { Bodies, Entry, Kind, TokenRecord } from '../../src/evidence/kinds.ts';
import { leafHash } from '../../src/evidence/merkle.ts';
import { formatNote, keyIdOf, vkeyOf } from '../../src/evidence/note.ts';
import {
  bundleItems,
  bundleLines,
  type BundleOptions,
  type BundleSource,
  type KeptOpening,
} from '../../src/ledger/export-bundle.ts';
import type { StoredEntry } from '../../src/ledger/ledger-store.ts';
import type { BundleLine } from '../../src/verify/bundle-lines.ts';

export const ORIGIN = 'acme.example/crumb';
export const ISS = 'https://idp.example';
export const RECORDS = 'https://records.example';
export const KID = 'k1';
const START = Date.parse('2026-11-22T10:15:30.000Z');

/** A ledger under construction. */
export interface Builder {
  readonly signer: Ed25519Signer;
  readonly rows: StoredEntry[];
  readonly checkpoints: { readonly size: number; readonly note: string }[];
  readonly kept: Map<string, KeptOpening>;
  readonly keySets: Map<string, { readonly iss: string; readonly raw: Uint8Array }>;
  /** Milliseconds since 1970 of the next entry. */
  now: number;
  tree: CompactRange;
}

export function createBuilder(seed = new Uint8Array(32).fill(1)): Builder {
  return {
    signer: ed25519Signer(seed),
    rows: [],
    checkpoints: [],
    kept: new Map(),
    keySets: new Map(),
    now: START,
    tree: EMPTY_RANGE,
  };
}

export function vkeyOfBuilder({ signer }: Builder): string {
  return vkeyOf(ORIGIN, signer.publicKey);
}

/** Adds an entry and answers its seq. It is in no commit yet. */
export function add<K extends Kind>(builder: Builder, kind: K, body: Bodies[K]): number {
  const seq = builder.rows.length;
  const time = new Date(builder.now).toISOString();
  builder.now += 100;
  const prev = toBase64url(builder.rows.at(-1)?.leaf ?? ZERO_LEAF);
  const entry = { v: 'crumb/1', seq, prev, time, kind, body };
  return addBytes(builder, encodeEntry(entry as Entry)); // body is that of kind
}

/** Adds whatever bytes as an entry. */
export function addBytes(builder: Builder, bytes: Uint8Array): number {
  const seq = builder.rows.length;
  const leaf = leafHash(bytes);
  const prev = builder.rows.at(-1)?.leaf ?? ZERO_LEAF;
  builder.rows.push({ seq, prev, leaf, head: null, bytes });
  builder.tree = appendLeaf(builder.tree, leaf);
  return seq;
}

/** Signs the head after the last entry. */
export async function commit(builder: Builder, signer = builder.signer): Promise<void> {
  const last = builder.rows.at(-1);
  if (last === undefined) throw new TypeError('nothing to commit');
  const head = await signer.sign(utf8(headText(builder)));
  builder.rows[builder.rows.length - 1] = { ...last, head };
}

/** The last head as a note. */
export function noteOf(builder: Builder): string {
  const signature = builder.rows.at(-1)?.head;
  if (!signature) throw new TypeError('no head');
  const id = keyIdOf(ORIGIN, builder.signer.publicKey);
  return formatNote(headText(builder), [{ name: ORIGIN, id, signature }]);
}

export function checkpoint(builder: Builder): void {
  builder.checkpoints.push({ size: builder.tree.size, note: noteOf(builder) });
}

function headText({ tree }: Builder): string {
  return checkpointText({ origin: ORIGIN, size: tree.size, root: rangeRoot(tree) });
}

/** Commits to a value and keeps what opens it. */
export function keep(builder: Builder, label: Label, value: Json, salt = randomSalt()): string {
  const text = label === 'token' && typeof value === 'string' ? value : undefined;
  const bytes =
    label.endsWith('.bytes') && typeof value === 'string' ? fromBase64url(value) : undefined;
  const raw = text === undefined ? bytes : utf8(text);
  const commitment =
    raw === undefined ? commitJson(salt, label, value) : commitBytes(salt, label, raw);
  builder.kept.set(commitment, { commitment, label, salt, value });
  return commitment;
}

/** Commits to a value and keeps only the salt. */
export function keepClosed(builder: Builder, label: Label, value: Json): string {
  const salt = randomSalt();
  const commitment = commitJson(salt, label, value);
  builder.kept.set(commitment, { commitment, label, salt });
  return commitment;
}

export function randomSalt(): Uint8Array {
  return Uint8Array.from(randomBytes(32));
}

export function sourceOf(
  builder: Builder,
  options: { readonly vault?: boolean } = {},
): BundleSource {
  const { rows, checkpoints, kept, keySets } = builder;
  const evidence = {
    async findOpenings(commitments: readonly string[]) {
      return commitments.flatMap((c) => kept.get(c) ?? []);
    },
    async findKeySet(digest: Uint8Array) {
      return keySets.get(toBase64url(digest));
    },
  };
  return {
    origin: ORIGIN,
    size: rows.length,
    pages: pagesOf(rows),
    checkpoints,
    ...(options.vault === false ? {} : { evidence }),
  };
}

async function* pagesOf(rows: readonly StoredEntry[]): AsyncIterable<readonly StoredEntry[]> {
  for (let from = 0; from < rows.length; from += 1000) yield rows.slice(from, from + 1000);
}

/** As the verifier takes it from a database. */
export async function itemsOf(
  builder: Builder,
  options: BundleOptions & { readonly vault?: boolean } = {},
): Promise<BundleLine[]> {
  const items: BundleLine[] = [];
  for await (const some of bundleItems(sourceOf(builder, options), options)) items.push(...some);
  return items;
}

/** As the verifier takes it from a file. */
export async function linesOf(
  builder: Builder,
  options: BundleOptions & { readonly vault?: boolean } = {},
): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of bundleLines(sourceOf(builder, options), options)) lines.push(line);
  return lines;
}

/** The lines with an `end` that fits them, as whoever changed them would write it. */
export function sealLines(lines: readonly string[]): string[] {
  const before = lines.filter((line) => !line.endsWith('"t":"end"}'));
  const digest = createHash('sha256')
    .update(before.map((line) => `${line}\n`).join(''))
    .digest('base64url');
  return [...before, `{"digest":"${digest}","lines":${before.length},"t":"end"}`];
}

/** An identity provider with one key. */
export interface Issuer {
  readonly jwks: { readonly keys: readonly object[] };
  readonly raw: Uint8Array;
  readonly digest: string;
  sign(claims: JWTPayload, kid?: string): Promise<string>;
}

export async function createIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: KID, alg: 'EdDSA', use: 'sig' };
  const jwks = { keys: [jwk] };
  const raw = Uint8Array.from(Buffer.from(`${JSON.stringify(jwks)}\n`));
  return {
    jwks,
    raw,
    digest: createHash('sha256').update(raw).digest('base64url'),
    sign: (claims, kid = KID) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid }).sign(privateKey),
  };
}

/** `act` of a token for a chain: the token holder outside. */
export function actOf(chain: readonly Actor[]): Json {
  return chain.reduce<Json>(
    (inner, { sub }) => (inner === null ? { sub } : { sub, act: inner }),
    null,
  );
}

export const PLANNER: Actor = { iss: ISS, sub: 'planner' };
export const RESEARCHER: Actor = { iss: ISS, sub: 'researcher' };

/** Seconds since 1970, as tokens have them. */
export function seconds(builder: Builder, plus = 0): number {
  return Math.floor(builder.now / 1000) + plus;
}

export interface TokenWish {
  readonly aud: string;
  readonly chain: readonly Actor[];
  readonly sub?: string;
  readonly scope?: string;
  /** Claims that replace those that would be there. */
  readonly claims?: JWTPayload;
}

/** Lets the issuer make a delegation token, keeps it, and answers what the recorder would write. */
export async function issue(
  builder: Builder,
  issuer: Issuer,
  jwks: number,
  wish: TokenWish,
): Promise<TokenRecord> {
  const { aud, chain, sub = 'alice', scope = 'read_record' } = wish;
  const exp = seconds(builder, 120);
  const act = actOf(chain);
  const claims = { iss: ISS, sub, aud, act, scope, exp, iat: seconds(builder, -1), ...wish.claims };
  const jwt = await issuer.sign(claims);
  return {
    iss: ISS,
    profile: 'dev',
    nesting: 'subject',
    kid: KID,
    jwks,
    aud,
    scope: scope.split(' '),
    exp: new Date(exp * 1000).toISOString(),
    txn: null,
    c: keep(builder, 'token', jwt),
  };
}
