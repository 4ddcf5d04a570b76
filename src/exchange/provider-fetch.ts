/**
 * A `fetch` for one identity provider: bounded in time and size, JSON only, no redirects, and errors
 * that hold nothing of what was sent or received.
 *
 * @module
 */
import { ExchangeError } from '../errors.ts';
import { isSafeTransport } from '../token/safe-transport.ts';
import { reasonOf } from './clean-cause.ts';

/** Where and how an identity provider is reached. */
export interface ProviderFetchOptions {
  /** How long to wait for a whole answer, in milliseconds. Default 10000. */
  readonly timeoutMs?: number;
  /** Largest answer, in bytes. Default 65536. */
  readonly maxBytes?: number;
  /** Replaces the global `fetch`, for a proxy or a test. */
  readonly fetch?: typeof globalThis.fetch;
}

/** What the caller reads of an answer. No `WWW-Authenticate`: the OAuth error is in the body. */
const KEPT_HEADERS = ['content-type', 'dpop-nonce'];

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/iu;

/**
 * Wraps `fetch` for requests that carry tokens and client assertions.
 *
 * What it resolves with was read to its end and says it is JSON. An aborted `signal` of the caller
 * rejects with the signal's own reason; everything else that goes wrong is `exchange_unreachable`.
 *
 * @throws {ExchangeError} `exchange_unreachable`: down, too slow, 5xx, a redirect, not JSON, too large,
 *   or plain HTTP to another machine.
 */
export function providerFetch(options: ProviderFetchOptions = {}): typeof globalThis.fetch {
  const { timeoutMs = 10_000, maxBytes = 65_536, fetch = globalThis.fetch } = options;
  return async (input, init) => {
    const caller = init?.signal ?? undefined;
    caller?.throwIfAborted();
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = caller === undefined ? timeout : AbortSignal.any([caller, timeout]);
    try {
      requireSafeTransport(input);
      // A redirect would hand the human's token to another origin.
      const exchange = (async () => {
        const response = await fetch(input, { ...init, redirect: 'error', signal });
        return buffered(response, maxBytes);
      })();
      // A `fetch` that was passed in may not watch the signal.
      return await Promise.race([exchange, aborted(signal)]);
    } catch (error) {
      if (caller?.aborted === true) throw caller.reason;
      throw unreachable(error);
    }
  };
}

function requireSafeTransport(input: string | URL | Request): void {
  const url = new URL(input instanceof Request ? input.url : input);
  if (!isSafeTransport(url)) throw new UnusableAnswer('plain HTTP to another machine');
}

async function buffered(response: Response, maxBytes: number): Promise<Response> {
  const { status } = response;
  const refuse = async (why: string): Promise<never> => {
    // Free the connection; that it fails does not matter any more.
    await response.body?.cancel().catch(() => undefined);
    throw new UnusableAnswer(`${why}, HTTP ${status}`);
  };
  if (status >= 500) return refuse('server error');
  if (status === 404) return notFound(response);
  if (response.redirected || (status >= 300 && status < 400)) return refuse('redirect');
  if (!JSON_TYPE.test(response.headers.get('content-type') ?? '')) return refuse('not JSON');
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) return refuse('too large');

  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    // The header may lie or be absent: count what really comes. Leaving the loop cancels the body.
    if (size > maxBytes) throw new UnusableAnswer(`too large, HTTP ${status}`);
    chunks.push(chunk);
  }
  const headers = new Headers();
  for (const name of KEPT_HEADERS) {
    const value = response.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  // A Response with these statuses must have no body.
  const body = status === 204 || status === 205 ? null : new Blob(chunks);
  return new Response(body, { status, headers });
}

/** Nothing is there: whoever asked knows whether that is an answer. The page that says so is not read. */
async function notFound(response: Response): Promise<Response> {
  await response.body?.cancel().catch(() => undefined);
  return new Response(null, { status: 404 });
}

/** Text of our own about an answer; shown as the cause. */
export class UnusableAnswer extends Error {
  override readonly name = 'UnusableAnswer';
}

function unreachable(error: unknown): ExchangeError {
  // Errors of `fetch` may carry what was sent: only their codes go on.
  const cause = error instanceof UnusableAnswer ? error : reasonOf(error);
  return new ExchangeError('exchange_unreachable', { cause });
}

async function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(toError(signal.reason));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted');
}
