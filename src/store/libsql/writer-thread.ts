/**
 * The owner's side of the writer thread: a ledger core whose queue, signer and store run elsewhere.
 *
 * @module
 */
import { Worker } from 'node:worker_threads';
import { CrumbError } from '../../errors.ts';
import type { LedgerAnchoring } from '../../ledger/anchor-records.ts';
import type { Signer } from '../../ledger/ledger.ts';
import type { LedgerCore } from '../../ledger/ledger-core.ts';
import { createSigner, isSigner, privateKeyOf } from '../../ledger/signer.ts';
import type { LibsqlLedgerOptions } from './libsql-ledger-options.ts';
import {
  receiveError,
  sendError,
  type AnchoringOperation,
  type Answer,
  type OpenedLedger,
  type Operation,
  type Request,
  type ToOwner,
  type ToWriter,
  type WriterThreadData,
} from './writer-messages.ts';

/** @throws {CrumbError} As `openLibsqlLedger`. */
export async function openWriterThread(options: LibsqlLedgerOptions): Promise<LedgerCore> {
  const { signingKey, clock = () => new Date(), onProblem, writer: _writer, ...data } = options;
  const signer = createSigner(signingKey);
  const workerData: WriterThreadData = {
    ...data,
    key: isSigner(signingKey) ? signer.publicKey : privateKeyOf(signingKey),
    nowMs: clock().getTime(),
  };
  const worker = new Worker(workerUrl(), { workerData, name: 'crumb-writer' });
  const thread = createThread(worker, { signer, clock, onProblem });
  try {
    const found = await thread.opened;
    worker.unref(); // from here on it keeps the process alive only while someone waits for it
    return coreOver(thread, { ...found, worker });
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

/** The file beside this one: `.ts` from the sources, `.js` once built. */
function workerUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./writer-worker.${extension}`, import.meta.url);
}

interface Thread {
  readonly opened: Promise<OpenedLedger>;
  ask(operation: Operation): Promise<unknown>;
}

interface Owner {
  readonly signer: Signer;
  readonly clock: () => Date;
  readonly onProblem: ((problem: CrumbError) => void) | undefined;
}

function createThread(worker: Worker, { signer, clock, onProblem }: Owner): Thread {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const opening = Promise.withResolvers<OpenedLedger>();
  let outbox: Request[] = [];
  let lastId = 0;
  let gone: CrumbError | undefined;

  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  const post = (message: ToWriter): void => worker.postMessage(message);

  function settle(answers: readonly (Answer & { readonly id: number })[]): void {
    for (const { id, value, error } of answers) {
      const asked = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) asked?.resolve(value);
      else asked?.reject(receiveError(error));
    }
    if (waiting.size === 0) worker.unref();
  }

  function end(cause: unknown): void {
    gone ??= new CrumbError('ledger_unwritable', { cause });
    opening.reject(gone);
    for (const asked of waiting.values()) asked.reject(gone);
    waiting.clear();
  }

  worker.on('message', (message: ToOwner) => {
    if (message.type === 'answers') settle(message.answers);
    else if (message.type === 'opened') opening.resolve(message);
    else if (message.type === 'failed') opening.reject(receiveError(message.error));
    else if (message.type === 'problem') onProblem?.(receiveError(message.error));
    else void sign(signer, message).then(post);
  });
  worker.on('error', end);
  worker.on('exit', (code) => end(new Error(`the writer thread ended with code ${code}`)));

  return {
    opened: opening.promise,
    ask(operation) {
      if (gone !== undefined) return Promise.reject(gone);
      const asked = Promise.withResolvers<unknown>();
      if (waiting.size === 0) worker.ref();
      waiting.set(++lastId, asked);
      // One message for all that is asked in this turn: each costs as much as copying a dozen drafts.
      if (outbox.push({ id: lastId, operation }) === 1) {
        queueMicrotask(() => {
          post({ type: 'requests', requests: outbox, nowMs: clock().getTime() });
          outbox = [];
        });
      }
      return asked.promise;
    },
  };
}

async function sign(
  signer: Signer,
  { id, message }: { readonly id: number; readonly message: Uint8Array },
): Promise<ToWriter> {
  try {
    return { type: 'signed', id, answer: { value: await signer.sign(message) } };
  } catch (error) {
    return { type: 'signed', id, answer: { error: sendError(error) } };
  }
}

interface OpenedThread extends OpenedLedger {
  readonly worker: Worker;
}

function coreOver(thread: Thread, { vkey, genesis, opened, worker }: OpenedThread): LedgerCore {
  // The thread runs the same operations on the same types, so each answer has the type of its question.
  const ask = <T>(operation: Operation): Promise<T> => thread.ask(operation) as Promise<T>;
  return {
    vkey,
    genesis,
    opened,
    anchoring: anchoringOver(thread),
    pending: {
      put: (request) => ask({ op: 'pendingPut', request }),
      find: (of) => ask({ op: 'pendingFind', of }),
      remove: (key) => ask({ op: 'pendingRemove', key }),
    },
    append: (call) => ask({ op: 'append', call }),
    peek: (key, max) => ask({ op: 'peek', key, max }),
    checkpoint: () => ask({ op: 'checkpoint' }),
    flush: () => ask({ op: 'flush' }),
    async close() {
      try {
        await ask({ op: 'close' });
      } finally {
        await worker.terminate(); // it has nothing left to do
      }
    },
  };
}

function anchoringOver(thread: Thread): LedgerAnchoring {
  const forward =
    <Method extends keyof LedgerAnchoring>(method: Method) =>
    (...args: Parameters<LedgerAnchoring[Method]>): ReturnType<LedgerAnchoring[Method]> =>
      // The thread runs this method on these arguments, so the answer is what it answers.
      thread.ask({ op: 'anchoring', method, args } as AnchoringOperation) as ReturnType<
        LedgerAnchoring[Method]
      >;
  return {
    plan: forward('plan'),
    take: forward('take'),
    retry: forward('retry'),
    jobs: forward('jobs'),
    keep: forward('keep'),
    receipt: forward('receipt'),
    lastReceipt: forward('lastReceipt'),
    finish: forward('finish'),
    note: forward('note'),
    anchorKeys: forward('anchorKeys'),
    unseen: forward('unseen'),
    published: forward('published'),
    proof: forward('proof'),
  };
}
