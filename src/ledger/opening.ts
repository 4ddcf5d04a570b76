/**
 * Opening a ledger: genesis if it is new; else everything that must hold before a head may be signed.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { CrumbError } from '../errors.ts';
import { equalBytes, toBase64url } from '../evidence/bytes.ts';
import { isKnownKind, parseEntry, ZERO_LEAF } from '../evidence/entry.ts';
import type { Entry, GenesisBody } from '../evidence/kinds.ts';
import { forkedAt } from './follow.ts';
import type { LedgerReads, LedgerTx, StoredEntry } from './ledger-store.ts';
import { prepareGenesis } from './prepared-call.ts';
import { checkGuard, edgeAt } from './publication.ts';
import type { GuardMark, RollbackGuard } from './rollback-guard.ts';
import { sealCalls, type WriterState } from './seal.ts';
import { EMPTY_EDGE } from './tree-edge.ts';
import type { HeadKey, SignedHead } from './tree-head.ts';

export interface OpeningOptions {
  readonly origin: string;
  readonly vkey: string;
  readonly key: HeadKey;
  readonly guard: RollbackGuard | undefined;
  /** What genesis says when this call makes it. */
  readonly genesis: Omit<GenesisBody, 'origin' | 'key' | 'salt'>;
  readonly clock: () => Date;
}

export interface OpenedState {
  readonly state: WriterState;
  readonly head: SignedHead;
  readonly genesis: GenesisBody;
  readonly created: boolean;
  /** Size of the last checkpoint; 0 if there is none. */
  readonly published: number;
  /** The guard's, which the ledger was held against. */
  readonly mark: GuardMark | undefined;
  readonly tilesRepaired: number;
}

/**
 * Opens under the write lock: two processes that start together make one genesis.
 *
 * @throws {CrumbError} `ledger_invalid`: another origin, or no genesis where it should be.
 *   `ledger_key_unknown`: another key. `ledger_forked`: the tree is not the one that the last head signs, or
 *   not the one that the guard remembers.
 */
export async function openState(tx: LedgerTx, options: OpeningOptions): Promise<OpenedState> {
  const { origin, guard } = options;
  const { size, leaf } = await tx.end();
  const mark = await guard?.read();
  if (size === 0) {
    await checkGuard(tx, mark, { origin, size });
    return create(tx, options);
  }

  const genesis = await readGenesis(tx);
  if ((await tx.origin()) !== origin || genesis.origin !== origin) {
    throw new CrumbError('ledger_invalid', { names: ['origin'] });
  }
  if (genesis.key !== options.vkey) throw new CrumbError('ledger_key_unknown');

  const { edge, repaired } = await edgeAt(tx, size);
  const [last] = await tx.page(size - 1, size);
  const head = last?.head ? options.key.open(edge, last.head) : undefined;
  if (last === undefined || head === undefined || !equalBytes(last.leaf, leaf)) {
    throw forkedAt(size - 1);
  }
  await checkGuard(tx, mark, { origin, size });

  const published = (await tx.checkpoint())?.size ?? 0;
  const state = { edge, leaf, timeMs: timeOf(last) };
  return { state, head, genesis, created: false, published, mark, tilesRepaired: repaired };
}

async function create(tx: LedgerTx, options: OpeningOptions): Promise<OpenedState> {
  const { origin, vkey } = options;
  const salt = toBase64url(randomBytes(32));
  const genesis: GenesisBody = { ...options.genesis, origin, key: vkey, salt };
  const call = prepareGenesis(genesis, options.clock().getTime());
  const empty = { edge: EMPTY_EDGE, leaf: ZERO_LEAF, timeMs: 0 };
  const sealed = await sealCalls(empty, [call], async () => true);
  const head = await options.key.sign(sealed.next.edge);
  await tx.name(origin);
  await tx.insert(sealed.entries, head.signature, sealed.tiles);
  const found = { created: true, published: 0, mark: undefined, tilesRepaired: 0 };
  return { state: sealed.next, head, genesis, ...found };
}

/** @throws {CrumbError} `ledger_invalid` if there is none. */
export async function readGenesis(reads: LedgerReads): Promise<GenesisBody> {
  const [row] = await reads.page(0, 1);
  const entry = row === undefined ? undefined : knownEntry(row);
  if (entry?.kind !== 'genesis') throw new CrumbError('ledger_invalid', { names: ['genesis'] });
  return entry.body;
}

/** The entry as its bytes say it; undefined if they were pruned or are not an entry that we know. */
export function knownEntry({ bytes }: StoredEntry): Entry | undefined {
  if (bytes === null) return undefined;
  try {
    const entry = parseEntry(bytes);
    return isKnownKind(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** A time that cannot be read stops nobody: the writer's own clock goes on. */
function timeOf({ bytes }: StoredEntry): number {
  if (bytes === null) return 0;
  try {
    return Date.parse(parseEntry(bytes).time);
  } catch {
    return 0;
  }
}

/**
 * Intents without outcome among the last entries, as a crash leaves them.
 *
 * @param looked How many entries back to look.
 */
export async function intentsWithoutOutcome(
  reads: LedgerReads,
  range: { readonly size: number; readonly looked: number },
): Promise<readonly number[]> {
  const open = new Set<number>();
  for (const row of await reads.page(range.size - range.looked, range.size)) {
    const entry = knownEntry(row);
    if (entry?.kind === 'intent') open.add(entry.seq);
    if (entry?.kind === 'outcome') open.delete(entry.body.intent);
  }
  return [...open];
}
