/**
 * A ledger below its public face: drafts are already checked and encoded. It runs in the process's own
 * thread or in the writer thread.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';
import type { GenesisBody } from '../evidence/kinds.ts';
import { isKeyName, vkeyOf } from '../evidence/note.ts';
import type { LedgerAnchoring } from './anchor-records.ts';
import { createAnchoring } from './anchoring.ts';
import { createAppendQueue, type AppendQueue } from './append-queue.ts';
import type { AppendResult, LedgerOpening, PendingApprovals, Signer } from './ledger.ts';
import type { LedgerStore } from './ledger-store.ts';
import { createLedgerWriter } from './ledger-writer.ts';
import { intentsWithoutOutcome, openState, type OpenedState } from './opening.ts';
import type { PreparedCall } from './prepared-call.ts';
import { createPublisher } from './publication.ts';
import type { RollbackGuard } from './rollback-guard.ts';
import { createHeadKey } from './tree-head.ts';

/** Name and version that genesis records. A test keeps them equal to package.json. */
export const MAKER = { name: 'crumb-ai', version: '0.1.0' } as const;

/** What genesis declares where nothing is said. */
export const DEFAULT_POLICY = { checkpoint: { entries: 1024, seconds: 60 }, anchor: null } as const;

/** How far back opening looks for intents without outcome. */
const LOOKED = 1_000;

export interface LedgerOptions {
  /** Closed together with the ledger. */
  readonly store: LedgerStore;
  /** Name of the ledger: a URL without scheme. Fixed at genesis. */
  readonly origin: string;
  /** The key that genesis names. See `createSigner`. */
  readonly signer: Signer;
  /** Remembers outside of the store where the ledger stood. Closed together with the ledger. */
  readonly guard?: RollbackGuard | undefined;
  /**
   * What genesis declares when the ledger is new; later only what stands there counts. Default: a
   * checkpoint every 1,024 entries or 60 seconds, no anchors.
   */
  readonly policy?: GenesisBody['policy'] | undefined;
  /** SPKI of the anchor key in base64url, for genesis. */
  readonly anchorKey?: string | undefined;
  /** vkey of the recovery key, for genesis. */
  readonly recoveryKey?: string | undefined;
  /** The ledger that this one replaces, for genesis. */
  readonly continues?: GenesisBody['continues'] | undefined;
  /** Default: the system's clock. A clock that goes back does not take the ledger with it. */
  readonly clock?: (() => Date) | undefined;
  /** Told about scheduled checkpoints that failed. They are tried again. */
  readonly onProblem?: ((problem: CrumbError) => void) | undefined;
}

export interface LedgerCore {
  readonly vkey: string;
  readonly genesis: GenesisBody;
  readonly opened: LedgerOpening;
  readonly pending: PendingApprovals;
  readonly anchoring: LedgerAnchoring;
  append(call: PreparedCall): Promise<AppendResult>;
  peek(key: Uint8Array, max: number): Promise<boolean>;
  checkpoint(): Promise<string>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** @throws {CrumbError} As `openLedger`. The store and the guard are closed then. */
export async function openLedgerCore(options: LedgerOptions): Promise<LedgerCore> {
  const { store, guard } = options;
  try {
    return await openCore(options);
  } catch (error) {
    await Promise.allSettled([store.close(), guard?.close()]);
    throw error;
  }
}

async function openCore(options: LedgerOptions): Promise<LedgerCore> {
  const { store, origin, signer, guard, clock = () => new Date() } = options;
  if (!isKeyName(origin)) throw new CrumbError('config_invalid', { names: ['origin'] });
  const vkey = vkeyOf(origin, signer.publicKey);
  const key = createHeadKey(origin, signer);
  const found = await store.write((tx) =>
    openState(tx, { origin, vkey, key, guard, clock, genesis: genesisOf(options) }),
  );
  const opened = await openingOf(store, found);
  const publisher = createPublisher(origin, guard, found.mark);
  const writer = createLedgerWriter({ store, key, publisher, ...found });
  const queue = createAppendQueue({
    writer,
    policy: found.genesis.policy.checkpoint,
    published: found.published,
    onProblem: options.onProblem,
  });
  return {
    vkey,
    genesis: found.genesis,
    opened,
    pending: store.pending,
    anchoring: createAnchoring(store, store.anchors),
    append: (call) => queue.append(call),
    peek: (use, max) => store.peek(use, max),
    checkpoint: () => queue.checkpoint(),
    flush: () => queue.flush(),
    close: () => closeAll(queue, options),
  };
}

function genesisOf(options: LedgerOptions): Omit<GenesisBody, 'origin' | 'key' | 'salt'> {
  const {
    policy = DEFAULT_POLICY,
    anchorKey = null,
    recoveryKey = null,
    continues = null,
  } = options;
  return { policy, anchorKey, recoveryKey, continues, maker: MAKER };
}

async function openingOf(store: LedgerStore, found: OpenedState): Promise<LedgerOpening> {
  const { size } = found.state.edge.range;
  const looked = Math.min(size, LOOKED);
  return {
    created: found.created,
    size,
    unpublished: size - found.published,
    outcomeUnknown: await intentsWithoutOutcome(store, { size, looked }),
    looked,
    tilesRepaired: found.tilesRepaired,
  };
}

/** Whatever fails on the way, the file is closed. */
async function closeAll(queue: AppendQueue, { store, guard }: LedgerOptions): Promise<void> {
  try {
    await queue.close();
  } finally {
    await Promise.all([store.close(), guard?.close()]);
  }
}
