/**
 * The guard around `execute`: the one place that every server-side execution of every version passes,
 * whether it is parallel, dynamic, approved on a later turn, or nested in code.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { CrumbError } from '../errors.ts';
import type { ActingAgent } from '../gateway/acting-agent.ts';
import { recordDenial } from '../gateway/approvals.ts';
import type { OutcomeStatus } from '../gateway/close-call.ts';
import type { CallRequest } from '../gateway/record-tool-call.ts';
import { currentScope, within, type Scope } from '../gateway/scope.ts';
import { noteGuarded } from '../gateway/watched-call.ts';
import { isApprovalReplay } from './approval-replay.ts';
import { markGuarded, type Execute, type Guarded, type Running } from './guarded.ts';
import { member, textIn } from './member.ts';
import { isSameActing } from './same-acting.ts';

/**
 * Makes the guarded `execute` of some work.
 *
 * The host looks for an async iterable before it awaits: an async function around a generator would make
 * it report success while the body never ran. So a generator stays one.
 */
export function guard(guarded: Guarded): Execute {
  const hostCall = (args: unknown, options: unknown): HostCall => {
    return { args, options, here: currentScope() };
  };
  if (!guarded.work.streams) {
    return markGuarded(async (args, options) => once(guarded, hostCall(args, options)), guarded);
  }
  // The scope is that of the call: a generator's own body only runs once somebody reads, maybe elsewhere.
  const execute: Execute = (args, options) => streamed(guarded, hostCall(args, options));
  Object.defineProperty(execute, Symbol.toStringTag, { value: 'AsyncGeneratorFunction' });
  return markGuarded(execute, guarded);
}

/** One call of a guarded `execute`, and the scope it was made in. */
interface HostCall {
  readonly args: unknown;
  readonly options: unknown;
  readonly here: Scope | undefined;
}

async function once(guarded: Guarded, call: HostCall): Promise<unknown> {
  const { options } = call;
  const running = await open(guarded, call);
  let result: unknown;
  try {
    result = await within(running.scope, async () => lastOf(await running.run(options)));
  } catch (error) {
    await running.close(failureOf(options), { error });
    throw error;
  }
  await running.close('ok', { result });
  return result;
}

async function* streamed(
  guarded: Guarded,
  call: HostCall,
): AsyncGenerator<unknown, void, undefined> {
  const { options } = call;
  const running = await open(guarded, call);
  let status: OutcomeStatus = 'aborted'; // until it comes to an end of its own
  let ending: { result?: unknown; error?: unknown } = {};
  try {
    for await (const part of inScope(running.scope, () => running.run(options))) {
      ending = { result: part };
      yield part;
    }
    status = 'ok';
  } catch (error) {
    status = failureOf(options);
    ending = { error };
    throw error;
  } finally {
    await running.close(status, ending);
  }
}

/**
 * Goes through an iterable whose code runs in a scope, wherever its reader is: a generator's body resumes
 * in the context of whoever asks for the next value.
 */
async function* inScope(
  scope: Scope,
  start: () => unknown,
): AsyncGenerator<unknown, void, undefined> {
  const parts = within(scope, () => iteratorOf(start()));
  let open = true;
  const next = async (): Promise<IteratorResult<unknown>> => {
    open = false; // an iterator that throws has ended
    const step = await within(scope, async () => parts.next());
    open = step.done !== true;
    return step;
  };
  try {
    for (let step = await next(); step.done !== true; step = await next()) yield step.value;
  } finally {
    if (open) await within(scope, async () => parts.return?.());
  }
}

/** Reads the arguments before anything is waited for: later changes to them are too late. */
async function open(guarded: Guarded, call: HostCall): Promise<Running> {
  requireAsked(guarded, call.options);
  const request = requestOf(guarded, call);
  noteGuarded(request.id);
  const acting = guarded.acting ?? call.here?.acting;
  if (acting === undefined) throw new CrumbError('session_missing');
  // A guard that is bound to one agent never acts for another that happens to be around.
  if (call.here !== undefined && !isSameActing(call.here.acting, acting)) {
    await refuse(guarded, acting, request);
  }
  return guarded.work.open(acting, request);
}

/** Earlier versions of the host know no `toolApproval` and say nothing: the tool would run unasked. */
function requireAsked({ hasPolicy, name }: Guarded, options: unknown): void {
  const isEarlier =
    typeof options === 'object' && options !== null && 'experimental_context' in options;
  if (hasPolicy === true && isEarlier) {
    throw new TypeError(
      `toolApproval needs AI SDK 7: give "${name}" a needsApproval, which version 6 asks`,
    );
  }
}

async function refuse(
  { work: { delegateTo } }: Guarded,
  acting: ActingAgent,
  { id, tool, args, origin }: CallRequest,
): Promise<never> {
  const call = { id, tool, args, origin, ...(delegateTo === undefined ? {} : { delegateTo }) };
  await recordDenial(acting, call, 'actor_mismatch');
  throw new CrumbError('actor_mismatch');
}

/** What is read of the host's options: nothing in them says who. */
function requestOf(guarded: Guarded, { args, options }: HostCall): CallRequest {
  const id = textIn(options, 'toolCallId') ?? randomUUID();
  return {
    id,
    tool: guarded.name,
    args,
    origin: isApprovalReplay(member(options, 'messages'), id) ? 'approval-replay' : 'model',
    decision: guarded.decisionOf?.(id),
    signal: signalOf(options),
  };
}

/** The host's abort signal, if there is one. */
export function signalOf(options: unknown): AbortSignal | undefined {
  const signal = member(options, 'abortSignal');
  return signal instanceof AbortSignal ? signal : undefined;
}

function failureOf(options: unknown): OutcomeStatus {
  return signalOf(options)?.aborted === true ? 'aborted' : 'error';
}

/** A plain function may return an iterable; the host would have taken its last value. */
async function lastOf(result: unknown): Promise<unknown> {
  if (!isAsyncIterable(result)) return result;
  let last: unknown;
  for await (const part of result) last = part;
  return last;
}

function iteratorOf(result: unknown): AsyncIterator<unknown> {
  if (!isAsyncIterable(result)) throw new TypeError('a tool that yields returned no iterable');
  return result[Symbol.asyncIterator]();
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Symbol.asyncIterator in value &&
    typeof value[Symbol.asyncIterator] === 'function'
  );
}
