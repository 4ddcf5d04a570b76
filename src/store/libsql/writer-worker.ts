/**
 * Entry of the writer thread; see writer-thread.ts. It runs when it is loaded, as a thread must.
 *
 * @module
 */
import { KeyObject } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { LedgerAnchoring } from '../../ledger/anchor-records.ts';
import type { Signer } from '../../ledger/ledger.ts';
import { openLedgerCore, type LedgerCore } from '../../ledger/ledger-core.ts';
import { createSigner } from '../../ledger/signer.ts';
import { openGuard } from './libsql-guard.ts';
import { openLibsqlStore } from './libsql-store.ts';
import {
  receiveError,
  sendError,
  type AnchoringOperation,
  type Answer,
  type Operation,
  type ToOwner,
  type ToWriter,
  type WriterThreadData,
} from './writer-messages.ts';

const data = workerData as WriterThreadData; // writer-thread.ts starts this file, and nobody else
const owner = parentPort;
if (owner === null) throw new TypeError('this file is the entry of a thread');

let nowMs = data.nowMs;
let lastId = 0;
let answers: (Answer & { readonly id: number })[] = [];
const signatures = new Map<number, PromiseWithResolvers<Uint8Array>>();

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
const post = (message: ToOwner): void => owner.postMessage(message);

/** Asks the owner, who has the key service. */
function remoteSigner(publicKey: Uint8Array): Signer {
  return {
    algorithm: 'ed25519',
    publicKey,
    sign(message) {
      const asked = Promise.withResolvers<Uint8Array>();
      signatures.set(++lastId, asked);
      post({ type: 'sign', id: lastId, message });
      return asked.promise;
    },
  };
}

async function open(): Promise<LedgerCore> {
  const { key, ...options } = data;
  const signer = createSigner(key instanceof KeyObject ? key : remoteSigner(key));
  const clock = (): Date => new Date(nowMs);
  const store = await openLibsqlStore({ ...options, clock });
  const guard = await openGuard(options);
  const onProblem = (problem: unknown): void =>
    post({ type: 'problem', error: sendError(problem) });
  return openLedgerCore({ ...options, store, signer, guard, clock, onProblem });
}

function perform(core: LedgerCore, operation: Operation): Promise<unknown> {
  switch (operation.op) {
    case 'append':
      return core.append(operation.call);
    case 'peek':
      return core.peek(operation.key, operation.max);
    case 'pendingPut':
      return core.pending.put(operation.request);
    case 'pendingFind':
      return core.pending.find(operation.of);
    case 'pendingRemove':
      return core.pending.remove(operation.key);
    case 'anchoring':
      return performAnchoring(core.anchoring, operation);
    case 'checkpoint':
      return core.checkpoint();
    case 'flush':
      return core.flush();
    case 'close':
      return core.close();
    default:
      return operation satisfies never;
  }
}

function performAnchoring(
  anchoring: LedgerAnchoring,
  { method, args }: AnchoringOperation,
): Promise<unknown> {
  // The owner made `args` out of the parameters of this very method.
  const run = anchoring[method] as (...args: readonly unknown[]) => Promise<unknown>;
  return run(...args);
}

/** All answers of a commit in one message. */
function answer(id: number, given: Answer): void {
  if (answers.push({ id, ...given }) > 1) return;
  setImmediate(() => {
    post({ type: 'answers', answers });
    answers = [];
  });
}

async function serve(
  core: LedgerCore,
  { id, operation }: { id: number; operation: Operation },
): Promise<void> {
  try {
    answer(id, { value: await perform(core, operation) });
  } catch (error) {
    answer(id, { error: sendError(error) });
  }
}

function receiveSignature({ id, answer: { value, error } }: { id: number; answer: Answer }): void {
  const asked = signatures.get(id);
  signatures.delete(id);
  if (error !== undefined) asked?.reject(receiveError(error));
  else if (value instanceof Uint8Array) asked?.resolve(value);
  else asked?.reject(new TypeError('a signature is bytes'));
}

owner.on('message', (message: ToWriter) => {
  if (message.type === 'signed') return receiveSignature(message);
  nowMs = message.nowMs;
  void opening.then((core) => {
    for (const request of message.requests) void serve(core, request);
  });
});

const opening = open();
opening.then(
  ({ vkey, genesis, opened }) => post({ type: 'opened', vkey, genesis, opened }),
  (error: unknown) => post({ type: 'failed', error: sendError(error) }),
);
