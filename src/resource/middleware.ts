/**
 * A guard around a whole handler, for `fetch`-style and for `node:http` servers. The handler only sees
 * requests that passed; the metadata document is served beside it.
 *
 * @module
 */
import { CrumbError, isCrumbError } from '../errors.ts';
import type { GuardedCall } from './checks.ts';
import type { Delegation } from './delegation.ts';
import { isGuardError } from './guard-error.ts';
import { requestLineOf, type GuardedRequest, type NodeRequestHead } from './guarded-request.ts';

/**
 * Says what a request is about to do. It runs once the token holds, and only then; a throw is
 * answered with 400. Required with `directives: 'enforce'`.
 */
export interface Wrapping<Req> {
  readonly call?: (request: Req) => GuardedCall | Promise<GuardedCall>;
}

/** Serves a request that passed. */
export type FetchHandler = (
  request: Request,
  delegation: Delegation,
) => Response | Promise<Response>;

/**
 * Wraps a fetch-style handler. `call` gets a copy of the request, so that the body can be read twice.
 *
 * @throws {TypeError} Directives are enforced, and `call` is missing.
 */
export type FetchGuard = (
  handler: FetchHandler,
  wrapping?: Wrapping<Request>,
) => (request: Request) => Promise<Response>;

/** What is needed of a `ServerResponse`. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/**
 * Wraps a `node:http` or Express handler. What the handler throws is its own: the promise rejects.
 *
 * @throws {TypeError} Directives are enforced, and `call` is missing.
 */
export type NodeGuard = <Req extends NodeRequestHead, Res extends NodeResponse>(
  handler: (request: Req, response: Res, delegation: Delegation) => unknown,
  wrapping?: Wrapping<Req>,
) => (request: Req, response: Res) => Promise<void>;

/** What both forms need of a guard. */
export interface WrappedGuard {
  readonly enforced: boolean;
  readonly metadataUrl: string;
  /** The document, as JSON. */
  readonly metadata: string;
  admit(request: GuardedRequest, callOf?: () => Promise<GuardedCall>): Promise<Delegation>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Makes the fetch-style form. */
export function guardFetch(guard: WrappedGuard): FetchGuard {
  return (handler, { call } = {}) => {
    checkWrapping(guard, call);
    return async (request) => {
      const callOf = call === undefined ? undefined : async () => call(request.clone());
      const passed = await passOrAnswer(guard, request, callOf);
      if ('delegation' in passed) return handler(request, passed.delegation);
      const { body, status, headers } = passed.answer;
      return new Response(request.method === 'HEAD' ? null : body, { status, headers });
    };
  };
}

/** Makes the node-style form. */
export function guardNode(guard: WrappedGuard): NodeGuard {
  return (handler, { call } = {}) => {
    checkWrapping(guard, call);
    return async (request, response) => {
      const callOf = call === undefined ? undefined : async () => call(request);
      const passed = await passOrAnswer(guard, request, callOf);
      if ('delegation' in passed) {
        await handler(request, response, passed.delegation);
        return;
      }
      const { status, headers, body } = passed.answer;
      response.statusCode = status;
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      response.end(body);
    };
  };
}

function checkWrapping(guard: WrappedGuard, call: unknown): void {
  if (guard.enforced && call === undefined) {
    throw new TypeError('directives are enforced, so the wrapper needs `call`');
  }
}

async function passOrAnswer(
  guard: WrappedGuard,
  request: GuardedRequest,
  callOf: (() => Promise<GuardedCall>) | undefined,
): Promise<{ readonly delegation: Delegation } | { readonly answer: Answer }> {
  if (isMetadataRequest(guard, request)) return { answer: metadataAnswer(guard.metadata) };
  try {
    const reading = callOf === undefined ? undefined : async () => callOf().catch(unreadable);
    return { delegation: await guard.admit(request, reading) };
  } catch (error) {
    if (!isGuardError(error)) throw error;
    return { answer: error };
  }
}

/** A request that cannot be read as a call is the caller's mistake, not ours. */
function unreadable(cause: unknown): never {
  throw isCrumbError(cause) ? cause : new CrumbError('request_malformed', { cause });
}

function isMetadataRequest({ metadataUrl }: WrappedGuard, request: GuardedRequest): boolean {
  const line = requestLineOf(request);
  const isRead = line?.method === 'GET' || line?.method === 'HEAD';
  return isRead && line.path === new URL(metadataUrl).pathname;
}

function metadataAnswer(body: string): Answer {
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'max-age=300',
    'access-control-allow-origin': '*', // it is public, and browsers' MCP clients read it
  };
  return { status: 200, headers, body };
}
