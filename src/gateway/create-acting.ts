/**
 * Makes acting agents: the root of a session, unattended jobs, and children of delegations.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { Json } from '../attribution/tool-call.ts';
import { CrumbError } from '../errors.ts';
import {
  registerActing,
  type ActingAgent,
  type ActingState,
  type Invocation,
} from './acting-agent.ts';
import { recordDelegation } from './record-delegation.ts';
import { recordToolCall, type CallRequest, type OpenCall } from './record-tool-call.ts';
import { currentScope, within, type Scope } from './scope.ts';

export function createActing(state: ActingState): ActingAgent {
  const acting: ActingAgent = registerActing(
    {
      name: state.name,
      chain: state.chain,
      run: (fn) => within({ acting }, fn),
      fetch: async (input, init) => {
        const scope = currentScope();
        if (scope?.acting !== acting || scope.call === undefined)
          throw new CrumbError('call_missing');
        return scope.call.fetch(input, init);
      },
      invoke: async (call, fn) => {
        const open = await recordToolCall(acting, requestOf(call));
        return finish(open, { scope: open.scope, signal: call.signal }, fn);
      },
      delegate: async (child, call, fn) => {
        const { call: open, acting: next } = await openDelegation(acting, child, requestOf(call));
        return finish(open, { scope: { acting: next }, signal: call.signal }, (args) =>
          fn(next, args),
        );
      },
    },
    state,
  );
  return acting;
}

/** For hosts that end a delegation themselves, as a stream does. */
export async function openDelegation(
  parent: ActingAgent,
  child: string,
  request: CallRequest,
): Promise<{ readonly call: OpenCall; readonly acting: ActingAgent }> {
  const { call, child: state } = await recordDelegation(parent, child, request);
  return { call, acting: createActing(state) };
}

async function finish<T>(
  open: OpenCall,
  { scope, signal }: { readonly scope: Scope; readonly signal: AbortSignal | undefined },
  fn: (args: Json) => T | Promise<T>,
): Promise<T> {
  let result: T;
  try {
    // Inside an async function, so that a throw before the first await is an outcome like any other.
    result = await within(scope, async () => fn(open.args));
  } catch (error) {
    await open.close(signal?.aborted === true ? 'aborted' : 'error', { error });
    throw error;
  }
  await open.close('ok', { result });
  return result;
}

function requestOf(call: Invocation): CallRequest {
  const { id = randomUUID(), tool, args, decision, signal } = call;
  return { id, tool, args, origin: 'model', decision, signal };
}
