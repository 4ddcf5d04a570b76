/**
 * What the writer thread and its owner say to each other.
 *
 * @module
 */
import type { KeyObject } from 'node:crypto';
import { CrumbError, isCrumbError, type CrumbErrorCode } from '../../errors.ts';
import type { GenesisBody } from '../../evidence/kinds.ts';
import type { LedgerAnchoring } from '../../ledger/anchor-records.ts';
import type { LedgerOpening, PendingApproval } from '../../ledger/ledger.ts';
import type { LedgerCore } from '../../ledger/ledger-core.ts';
import type { PreparedCall } from '../../ledger/prepared-call.ts';
import type { LibsqlLedgerOptions } from './libsql-ledger-options.ts';

/** Options that are data; what is a function stays with the owner. */
export interface WriterThreadData extends Omit<
  LibsqlLedgerOptions,
  'signingKey' | 'clock' | 'onProblem' | 'writer'
> {
  /** The private key, or only the public one of a signer that the owner asks. */
  readonly key: KeyObject | Uint8Array;
  readonly nowMs: number;
}

/** Operations of a core, by name. */
export type Operation =
  | { readonly op: 'append'; readonly call: PreparedCall }
  | { readonly op: 'peek'; readonly key: Uint8Array; readonly max: number }
  | { readonly op: 'pendingPut'; readonly request: PendingApproval }
  | { readonly op: 'pendingFind'; readonly of: Parameters<LedgerCore['pending']['find']>[0] }
  | { readonly op: 'pendingRemove'; readonly key: Uint8Array }
  | AnchoringOperation
  | { readonly op: 'checkpoint' | 'flush' | 'close' };

/** A method of `LedgerAnchoring`, and what it is given. */
export type AnchoringOperation = {
  readonly [Method in keyof LedgerAnchoring]: {
    readonly op: 'anchoring';
    readonly method: Method;
    readonly args: Parameters<LedgerAnchoring[Method]>;
  };
}[keyof LedgerAnchoring];

export interface Request {
  readonly id: number;
  readonly operation: Operation;
}

export type ToWriter =
  /** Time is the owner's clock, for what expires. */
  | { readonly type: 'requests'; readonly requests: readonly Request[]; readonly nowMs: number }
  | { readonly type: 'signed'; readonly id: number; readonly answer: Answer };

/** What a ledger says of itself when it is open. */
export interface OpenedLedger {
  readonly vkey: string;
  readonly genesis: GenesisBody;
  readonly opened: LedgerOpening;
}

export type ToOwner =
  | ({ readonly type: 'opened' } & OpenedLedger)
  | { readonly type: 'failed'; readonly error: SentError }
  | { readonly type: 'answers'; readonly answers: readonly (Answer & { readonly id: number })[] }
  | { readonly type: 'sign'; readonly id: number; readonly message: Uint8Array }
  | { readonly type: 'problem'; readonly error: SentError };

export interface Answer {
  readonly value?: unknown;
  readonly error?: SentError | undefined;
}

/** An error as data: cloning would keep neither class nor code. */
export interface SentError {
  readonly code: CrumbErrorCode;
  readonly message: string;
  readonly cause: string | undefined;
}

export function sendError(error: unknown): SentError {
  if (isCrumbError(error)) {
    return { code: error.code, message: error.message, cause: textOf(error.cause) };
  }
  const unwritable = new CrumbError('ledger_unwritable');
  return { code: unwritable.code, message: unwritable.message, cause: textOf(error) };
}

export function receiveError({ code, message, cause }: SentError): CrumbError {
  const error = new CrumbError(code, cause === undefined ? {} : { cause: new Error(cause) });
  error.message = message; // with the names that were appended
  return error;
}

function textOf(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : 'unknown';
}
