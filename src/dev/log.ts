/**
 * A development transparency log: Rekor v2's wire shape over a real growing tree, with a timestamp authority
 * beside it. It has a folder, keys and (as `crumb dev log`) a process of its own, keeps what it took before
 * it answers, and has no way to forget: who rewrites a ledger does not reach it.
 *
 * @see https://github.com/sigstore/rekor-tiles/blob/main/CLIENTS.md
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-tiles.md
 * @module
 */
import { join } from 'node:path';
import { CrumbError } from '../errors.ts';
import { inclusionProof } from '../evidence/proof.ts';
import { rekorBodyV2 } from '../evidence/rekor-body.ts';
import { loadBareDigest, type BareDigest } from './transparency/bare-digest.ts';
import type { DevLogEvent } from './transparency/events.ts';
import type { DevLogFault, TimestampFault } from './transparency/faults.ts';
import { ForkedLog } from './transparency/forked-log.ts';
import { holdFolder, type HeldFolder } from './transparency/held-folder.ts';
import {
  duplicateAnswer,
  failedAnswer,
  frozenAnswer,
  fullAnswer,
  loggedAnswer,
  refusedAnswer,
} from './transparency/log-answers.ts';
import { FILES, openLogIdentity, type LogIdentity } from './transparency/log-identity.ts';
import { readLog, type LogView } from './transparency/log-reads.ts';
import {
  startLoopbackServer,
  type LoopbackHost,
  type LoopbackServer,
  type PlainAnswer,
  type PlainRequest,
  type Reply,
} from './transparency/loopback-server.ts';
import { Sequencer, type LogHead, type Sequenced } from './transparency/sequencer.ts';
import { spoilHead, spoilProof } from './transparency/spoil-entry.ts';
import { replyUnder } from './transparency/spoil-reply.ts';
import { readSubmission } from './transparency/submission.ts';
import { answerQuery } from './transparency/timestamp-authority.ts';

/** How a development log is started. */
export interface DevLogOptions {
  /** Where its keys and entries are kept; made at the first start. Nothing else may write there. */
  readonly folder: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** A loopback address; nothing else is served. Default `127.0.0.1`. */
  readonly host?: LoopbackHost;
  /**
   * Name that it signs with, at the first start: a URL without scheme. Default: its address then. The
   * folder keeps it.
   */
  readonly name?: string;
  /** How many entries may wait to be written before it answers 503. Default 1024. */
  readonly maxWaiting?: number;
  /** Start in spite of `NODE_ENV=production`. Its trust root stays marked as development. */
  readonly force?: boolean;
  /** Is told what happens. */
  readonly log?: (event: DevLogEvent) => void;
  /** The fault to start with, for tests. */
  readonly fault?: DevLogFault;
  /** Replaces the wall clock in tests. */
  readonly clock?: () => Date;
}

/** A running development log. */
export interface DevLog {
  /** Such as `http://127.0.0.1:4282`. Entries go to `/api/v2/log/entries` below it. */
  readonly url: string;
  /** Where timestamps are to be had: RFC 3161 by HTTP. */
  readonly timestampUrl: string;
  /** First line of its checkpoints. */
  readonly name: string;
  /** The key of its checkpoints, as C2SP writes it. */
  readonly vkey: string;
  /**
   * Text of its trust root, in Sigstore's `trusted_root.json` format and marked `development`. It never
   * changes, and also lies in {@link trustRootFile}.
   */
  readonly trustRoot: string;
  /** Path of the trust root. */
  readonly trustRootFile: string;
  /** Number of entries that its last checkpoint covers. */
  readonly size: number;
  /** Its last checkpoint, as a signed note. */
  readonly checkpoint: string;
  /** Makes it wrong in one way from now on; undefined heals it. */
  fault(name: DevLogFault | undefined): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const ENTRIES_PATH = '/api/v2/log/entries';
const TIMESTAMP_PATH = '/api/v1/timestamp';

/**
 * Starts a development log on a loopback address.
 *
 * @throws {CrumbError} `development_only`: `NODE_ENV` is `production`, and `force` is not set.
 *   `folder_in_use`, `folder_damaged`. `package_missing`: it needs `@noble/curves`. `key_invalid`: no log
 *   may have this name.
 * @throws {TypeError} The host is not loopback.
 */
export async function startDevLog(options: DevLogOptions): Promise<DevLog> {
  if (process.env['NODE_ENV'] === 'production' && options.force !== true) {
    throw new CrumbError('development_only');
  }
  const { host = '127.0.0.1', port = 0, clock = () => new Date(), maxWaiting = 1024 } = options;
  const bareDigest = await loadBareDigest();
  const folder = await holdFolder(options.folder);
  let server: LoopbackServer | undefined;
  try {
    // The name at the first start is its address, which is known only once the port is.
    server = await startLoopbackServer({ host, port });
    const identity = await openLogIdentity(folder.path, {
      name: options.name ?? new URL(server.url).host,
      timestampUrl: server.url + TIMESTAMP_PATH,
      now: clock(),
    });
    const sequencer = await Sequencer.open({ identity, folder: folder.path, maxWaiting });
    const emit = options.log ?? (() => {});
    const parts = { server, folder, identity, sequencer, bareDigest, clock, emit };
    return new RunningLog(parts, options.fault);
  } catch (error) {
    await server?.close();
    await folder.release();
    throw error;
  }
}

interface LogParts {
  readonly server: LoopbackServer;
  readonly folder: HeldFolder;
  readonly identity: LogIdentity;
  readonly sequencer: Sequencer;
  readonly bareDigest: BareDigest;
  readonly clock: () => Date;
  readonly emit: (event: DevLogEvent) => void;
}

class RunningLog implements DevLog {
  readonly #parts: LogParts;
  #fault: DevLogFault | undefined;
  /** The head that a stale log knows. */
  #before: LogHead;
  #fork: Promise<ForkedLog> | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: LogParts, fault: DevLogFault | undefined) {
    this.#parts = parts;
    this.#fault = fault;
    this.#before = parts.sequencer.head;
    parts.server.serve(async (request) => this.#answer(request));
  }

  get url(): string {
    return this.#parts.server.url;
  }

  get timestampUrl(): string {
    return this.url + TIMESTAMP_PATH;
  }

  get name(): string {
    return this.#parts.identity.name;
  }

  get vkey(): string {
    return this.#parts.identity.vkey;
  }

  get trustRoot(): string {
    return this.#parts.identity.trustRoot;
  }

  get trustRootFile(): string {
    return join(this.#parts.folder.path, FILES.trustRoot);
  }

  get size(): number {
    return this.#parts.sequencer.head.size;
  }

  get checkpoint(): string {
    return this.#parts.sequencer.head.note;
  }

  fault(name: DevLogFault | undefined): void {
    this.#fault = name;
    this.#before = this.#parts.sequencer.head;
    this.#fork = undefined;
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#parts.server.close();
    await this.#parts.sequencer.close();
    await this.#parts.folder.release();
  }

  async #answer(request: PlainRequest): Promise<Reply> {
    const { method, path } = request;
    const fault = this.#fault;
    if (method === 'POST' && path === ENTRIES_PATH) {
      return replyUnder(fault, request, async () => this.#add(request.body, fault));
    }
    if (method === 'POST' && path === TIMESTAMP_PATH) {
      const own = fault === 'timestamp-server-error' ? 'server-error' : undefined;
      return replyUnder(own, request, async () => this.#timestamp(request.body, fault));
    }
    const isRead = method === 'GET' || method === 'HEAD';
    const found = isRead ? await readLog(path, await this.#view(fault)) : undefined;
    return found ?? { status: 404, body: 'There is nothing here.\n' };
  }

  async #add(request: Uint8Array, fault: DevLogFault | undefined): Promise<PlainAnswer> {
    const { bareDigest, emit } = this.#parts;
    if (fault === 'frozen') return frozenAnswer();
    if (fault === 'full') return fullAnswer();
    const submission = readSubmission(request, bareDigest);
    if ('refused' in submission) {
      emit({ kind: 'refused', reason: submission.refused });
      return refusedAnswer(submission.refused);
    }
    const spki = fault === 'recovered-key' ? bareDigest.otherKey(submission) : undefined;
    const body = rekorBodyV2(spki === undefined ? submission : { ...submission, spki });
    try {
      return await this.#answerFor(body, await this.#log(body, fault), fault);
    } catch (cause) {
      emit({ kind: 'failed', cause });
      return failedAnswer();
    }
  }

  async #log(body: Uint8Array, fault: DevLogFault | undefined): Promise<Sequenced> {
    return fault === 'fork'
      ? (await this.#forked()).submit(body)
      : this.#parts.sequencer.submit(body);
  }

  async #answerFor(
    body: Uint8Array,
    sequenced: Sequenced,
    fault: DevLogFault | undefined,
  ): Promise<PlainAnswer> {
    const { emit, identity } = this.#parts;
    if (sequenced.kind === 'full') return fullAnswer();
    const { index } = sequenced;
    if (sequenced.kind === 'duplicate') {
      emit({ kind: 'duplicate', index });
      return duplicateAnswer(index);
    }
    const { size } = sequenced.head;
    emit({ kind: 'logged', index, size });
    if (fault === 'duplicate') return duplicateAnswer(index);
    const tree = fault === 'fork' ? (await this.#forked()).tree : this.#parts.sequencer.tree;
    const hashes = inclusionProof({ index, size }, (level, n) => tree.hash(level, n));
    const told = fault === 'stale' ? this.#before : sequenced.head;
    const { head, logId } = await spoilHead(fault, told, identity);
    return loggedAnswer({ body, logId, index, head, hashes: spoilProof(fault, hashes) });
  }

  async #timestamp(query: Uint8Array, fault: DevLogFault | undefined): Promise<PlainAnswer> {
    const { identity, clock, emit } = this.#parts;
    const time = clock();
    const own = isTimestampFault(fault) ? fault : undefined;
    const body = answerQuery(query, identity.authority, { time, fault: own });
    if (body === undefined) return { status: 400, body: 'This is no timestamp query.\n' };
    emit({ kind: 'timestamp', time });
    return { status: 201, type: 'application/timestamp-reply', body }; // 201, as Sigstore's answers
  }

  async #view(fault: DevLogFault | undefined): Promise<LogView> {
    const { sequencer, identity } = this.#parts;
    if (fault === 'fork') {
      const fork = await this.#forked();
      const read = async (from: number, to: number): Promise<readonly Uint8Array[]> =>
        fork.read(from, to);
      return { head: await fork.head(), tree: fork.tree, read };
    }
    const told = fault === 'stale' ? this.#before : sequencer.head;
    const { head } = await spoilHead(fault, told, identity);
    const read = async (from: number, to: number): Promise<readonly Uint8Array[]> =>
      sequencer.read(from, to);
    return { head, tree: sequencer.tree, read };
  }

  async #forked(): Promise<ForkedLog> {
    const { sequencer, identity } = this.#parts;
    this.#fork ??= ForkedLog.from(sequencer, identity);
    return this.#fork;
  }
}

function isTimestampFault(fault: DevLogFault | undefined): fault is TimestampFault {
  return fault?.startsWith('timestamp-') === true;
}
