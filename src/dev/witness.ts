/**
 * A development witness: it cosigns a log's checkpoint only if that grows out of the last one it cosigned
 * (C2SP tlog-witness), and says when. It has a folder, a key and (as `crumb dev witness`) a process of its
 * own.
 *
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-witness.md
 * @module
 */
import { join } from 'node:path';
import { CrumbError, isCrumbError } from '../errors.ts';
import { cosign } from '../evidence/cosignature.ts';
import {
  formatNote,
  openNote,
  parseNote,
  parseVkey,
  type SignatureLine,
} from '../evidence/note.ts';
import { PUBLIC, writeDurably } from './transparency/durable-file.ts';
import type { DevWitnessEvent } from './transparency/events.ts';
import type { DevWitnessFault } from './transparency/faults.ts';
import { holdFolder, type HeldFolder } from './transparency/held-folder.ts';
import { newKey, signerOf } from './transparency/log-identity.ts';
import {
  startLoopbackServer,
  type LoopbackHost,
  type LoopbackServer,
  type PlainAnswer,
  type PlainRequest,
  type Reply,
} from './transparency/loopback-server.ts';
import { replyUnder, withBitFlipped } from './transparency/spoil-reply.ts';
import {
  devWitnessPolicy,
  openWitnessIdentity,
  WITNESS_FILES,
  type WitnessIdentity,
} from './transparency/witness-identity.ts';
import { WitnessRecords } from './transparency/witness-records.ts';
import {
  judgeGrowth,
  readAddCheckpoint,
  type AddCheckpoint,
} from './transparency/witness-request.ts';

/** How a development witness is started. */
export interface DevWitnessOptions {
  /** Where its key and its records are kept; made at the first start. Nothing else may write there. */
  readonly folder: string;
  /** Keys of the logs that it knows, as C2SP writes them: the name of a key is the log's origin. */
  readonly logs: readonly string[];
  /** Default 0: any free port. */
  readonly port?: number;
  /** A loopback address; nothing else is served. Default `127.0.0.1`. */
  readonly host?: LoopbackHost;
  /**
   * Name that it signs with, at the first start: a URL without scheme. Default: its address then. The
   * folder keeps it.
   */
  readonly name?: string;
  /** Start in spite of `NODE_ENV=production`. Its policy stays marked as development. */
  readonly force?: boolean;
  /** Is told what happens. */
  readonly log?: (event: DevWitnessEvent) => void;
  /** The fault to start with, for tests. */
  readonly fault?: DevWitnessFault;
  /** Replaces the wall clock in tests. */
  readonly clock?: () => Date;
}

/** A running development witness. */
export interface DevWitness {
  /** Checkpoints go to `/add-checkpoint` below it. */
  readonly url: string;
  /** What its lines begin with. */
  readonly name: string;
  /** Its key, as C2SP writes it. */
  readonly vkey: string;
  /** A C2SP policy that asks for this witness alone, marked as one for development. */
  readonly policy: string;
  /** Path of the policy. */
  readonly policyFile: string;
  /** Knows another log from now on, or another key of one. @throws {CrumbError} `key_invalid` */
  addLog(vkey: string): void;
  /** Makes it wrong in one way from now on; undefined heals it. */
  fault(name: DevWitnessFault | undefined): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const ADD_PATH = '/add-checkpoint';
const CHECKPOINT_PATH = /^\/([0-9a-f]{64})\/checkpoint$/;

const NOTICE = `This is a development witness: it proves nothing outside this machine.

POST /add-checkpoint                       cosigns a checkpoint that grows out of the last one
GET  /<SHA-256 of the origin>/checkpoint   the last one of a log
`;

/**
 * Starts a development witness on a loopback address.
 *
 * @throws {CrumbError} `development_only`: `NODE_ENV` is `production`, and `force` is not set.
 *   `folder_in_use`, `folder_damaged`. `key_invalid`: a key of a log is none, or no witness may have this
 *   name.
 * @throws {TypeError} The host is not loopback.
 */
export async function startDevWitness(options: DevWitnessOptions): Promise<DevWitness> {
  if (process.env['NODE_ENV'] === 'production' && options.force !== true) {
    throw new CrumbError('development_only');
  }
  const { host = '127.0.0.1', port = 0, clock = () => new Date(), log: emit = () => {} } = options;
  const logs = new KnownLogs();
  for (const vkey of options.logs) logs.add(vkey);
  const folder = await holdFolder(options.folder);
  let server: LoopbackServer | undefined;
  try {
    server = await startLoopbackServer({ host, port });
    const name = options.name ?? new URL(server.url).host;
    const identity = await openWitnessIdentity(folder.path, name);
    const records = await WitnessRecords.open(folder.path, identity.vkey);
    const policy = devWitnessPolicy(identity, server.url);
    const policyFile = join(folder.path, WITNESS_FILES.policy);
    await writeDurably({ path: policyFile, text: policy, mode: PUBLIC });
    const parts = { server, folder, identity, records, logs, policy, policyFile, clock, emit };
    return new RunningWitness(parts, options.fault);
  } catch (error) {
    await server?.close();
    await folder.release();
    throw error;
  }
}

/** Keys of logs, by origin. */
class KnownLogs {
  readonly #vkeys = new Map<string, Set<string>>();

  add(vkey: string): void {
    const key = parseVkey(vkey);
    if (key?.algorithm !== 'ed25519') throw new CrumbError('key_invalid');
    const vkeys = this.#vkeys.get(key.name) ?? new Set();
    this.#vkeys.set(key.name, vkeys.add(vkey));
  }

  of(origin: string): readonly string[] | undefined {
    const vkeys = this.#vkeys.get(origin);
    return vkeys === undefined ? undefined : [...vkeys];
  }
}

interface WitnessParts {
  readonly server: LoopbackServer;
  readonly folder: HeldFolder;
  readonly identity: WitnessIdentity;
  readonly records: WitnessRecords;
  readonly logs: KnownLogs;
  readonly policy: string;
  readonly policyFile: string;
  readonly clock: () => Date;
  readonly emit: (event: DevWitnessEvent) => void;
}

class RunningWitness implements DevWitness {
  readonly #parts: WitnessParts;
  #fault: DevWitnessFault | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: WitnessParts, fault: DevWitnessFault | undefined) {
    this.#parts = parts;
    this.#fault = fault;
    parts.server.serve(async (request) => this.#answer(request));
  }

  get url(): string {
    return this.#parts.server.url;
  }

  get name(): string {
    return this.#parts.identity.name;
  }

  get vkey(): string {
    return this.#parts.identity.vkey;
  }

  get policy(): string {
    return this.#parts.policy;
  }

  get policyFile(): string {
    return this.#parts.policyFile;
  }

  addLog(vkey: string): void {
    this.#parts.logs.add(vkey);
  }

  fault(name: DevWitnessFault | undefined): void {
    this.#fault = name;
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
    await this.#parts.records.close();
    await this.#parts.folder.release();
  }

  async #answer(request: PlainRequest): Promise<Reply> {
    const { method, path } = request;
    if (method === 'POST' && path === ADD_PATH) {
      const fault = this.#fault;
      return replyUnder(fault, request, async () => this.#add(request.body, fault));
    }
    if (method === 'GET' || method === 'HEAD') {
      if (path === '/') return { status: 200, body: NOTICE };
      const [, hash = ''] = CHECKPOINT_PATH.exec(path) ?? [];
      const known = this.#parts.records.find(hash);
      if (known !== undefined) return { status: 200, body: known.note };
    }
    return { status: 404, body: 'There is nothing here.\n' };
  }

  async #add(body: Uint8Array, fault: DevWitnessFault | undefined): Promise<PlainAnswer> {
    const { emit } = this.#parts;
    const request = readAddCheckpoint(body);
    if (request === undefined) return plain(400, 'This is no checkpoint with a proof.');
    const { origin, size } = request.checkpoint;
    const refuse = (answer: PlainAnswer, reason: string): PlainAnswer => {
      emit({ kind: 'refused', origin, reason });
      return answer;
    };
    const vkeys = this.#parts.logs.of(origin);
    if (vkeys === undefined) return refuse(plain(404, 'This log is not known here.'), 'not known');
    if (!(await isSigned(request.note, vkeys))) {
      return refuse(plain(403, 'No key of this log signed that.'), 'signature');
    }
    if (fault === 'ahead') return refuse(sizeAnswer(size + 1), 'a fault is set');
    if (fault === 'conflict') return refuse(sizeAnswer(request.oldSize), 'a fault is set');
    let answer = plain(500, 'Something broke.');
    try {
      await this.#parts.records.update(origin, async (known) => {
        const verdict = judgeGrowth(request, known);
        if (verdict.kind !== 'consistent') {
          answer = refuse(verdictAnswer(verdict), verdict.kind);
          return undefined;
        }
        const time = this.#parts.clock();
        const line = await this.#cosign(request, time);
        // What is remembered is right under any fault.
        const shown = await this.#spoil(line, request, { time, fault });
        answer = { status: 200, body: lineOf(request, shown) };
        const lines = [...ownLines(request.note, vkeys), line];
        return { checkpoint: request.checkpoint, note: formatNote(textOf(request), lines) };
      });
    } catch (cause) {
      emit({ kind: 'failed', cause });
      return plain(500, 'The record could not be written.');
    }
    if (answer.status === 200) emit({ kind: 'cosigned', origin, size });
    return answer;
  }

  async #cosign(
    request: AddCheckpoint,
    time: Date,
    signer = this.#parts.identity.signer,
  ): Promise<SignatureLine> {
    const { name, keyId } = this.#parts.identity;
    return { name, id: keyId, signature: await cosign(textOf(request), signer, time) };
  }

  async #spoil(
    line: SignatureLine,
    request: AddCheckpoint,
    { time, fault }: { readonly time: Date; readonly fault: DevWitnessFault | undefined },
  ): Promise<SignatureLine> {
    if (fault === 'wrong-key') return this.#cosign(request, time, signerOf(newKey('ed25519').key));
    if (fault !== 'bad-signature') return line;
    return { ...line, signature: withBitFlipped(line.signature, line.signature.length - 1) };
  }
}

function textOf({ note }: AddCheckpoint): string {
  return parseNote(note).text;
}

function lineOf(request: AddCheckpoint, line: SignatureLine): string {
  const text = textOf(request);
  return formatNote(text, [line]).slice(text.length + 1);
}

async function isSigned(note: string, vkeys: readonly string[]): Promise<boolean> {
  try {
    await openNote(note, vkeys);
    return true;
  } catch (error) {
    if (isCrumbError(error)) return false;
    throw error;
  }
}

/** The lines of the log's own keys: only they were verified. */
function ownLines(note: string, vkeys: readonly string[]): readonly SignatureLine[] {
  const keys = vkeys.map(parseVkey);
  return parseNote(note).lines.filter(({ name, id }) =>
    keys.some((key) => key?.name === name && Buffer.compare(key.id, id) === 0),
  );
}

function verdictAnswer(
  verdict: Exclude<ReturnType<typeof judgeGrowth>, { readonly kind: 'consistent' }>,
): PlainAnswer {
  switch (verdict.kind) {
    case 'backwards':
      return plain(400, 'The old size is beyond the new one.');
    case 'conflict':
      return sizeAnswer(verdict.size);
    case 'inconsistent':
      return plain(422, 'This does not grow out of what was cosigned last.');
    default:
      return verdict satisfies never;
  }
}

function sizeAnswer(size: number): PlainAnswer {
  return { status: 409, type: 'text/x.tlog.size', body: `${size}\n` };
}

function plain(status: number, body: string): PlainAnswer {
  return { status, body: `${body}\n` };
}
