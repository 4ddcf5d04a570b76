/**
 * Requests to anchors: bounded in time and size, and to no other place than the one configured.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';

/** How an anchor is reached. */
export interface AnchorFetchOptions {
  /** How long to wait for an answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Replaces the global `fetch`, for a proxy or a test. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

export interface AnchorCall {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal | undefined;
}

/** What was answered, whatever the status. */
export interface AnchorAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** A receipt has a few kilobytes. */
const MAX_BODY_BYTES = 1 << 20;

/** Asks an anchor. @throws {CrumbError} `anchor_unreachable`: no answer, none in time, or one that never ends. */
export type AnchorFetch = (url: string, call: AnchorCall) => Promise<AnchorAnswer>;

export function anchorFetch({
  timeoutMs,
  fetch = globalThis.fetch,
}: AnchorFetchOptions): AnchorFetch {
  return async (url, { signal, ...init }) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(url, {
        ...init,
        redirect: 'error', // whoever answers there was not configured
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      const { status, headers } = response;
      return { status, headers, body: await readBounded(response) };
    } catch (cause) {
      throw new CrumbError('anchor_unreachable', { cause });
    }
  };
}

/**
 * A URL as configured, without its last slashes.
 *
 * @throws {CrumbError} `config_invalid`: not http or https, or with user, query or fragment.
 */
export function anchorUrl(text: string, name: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url !== undefined &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.username + url.password + url.search + url.hash === '';
  if (!isPlain) throw new CrumbError('config_invalid', { names: [name] });
  return url.href.replace(/\/+$/, '');
}

/**
 * An answer that is no receipt. Its body is not quoted: it may be anything.
 *
 * @returns `anchor_frozen` for 405, `anchor_unreachable` for what may pass, else `anchor_refused`.
 */
export function refusedBy({ status }: AnchorAnswer): CrumbError {
  const cause = new Error(`answered with status ${status}`);
  if (status === 405) return new CrumbError('anchor_frozen', { cause });
  const mayPass =
    status >= 500 || status === 408 || status === 425 || status === 429 || status === 499;
  return new CrumbError(mayPass ? 'anchor_unreachable' : 'anchor_refused', { cause });
}

/** An answer that makes no sense: it may be another one the next time. */
export function unreadable(what: string): CrumbError {
  return new CrumbError('anchor_unreachable', { cause: new Error(`not readable: ${what}`) });
}

async function readBounded(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(parts);
    length += value.length;
    if (length > MAX_BODY_BYTES) {
      await reader.cancel();
      throw new Error(`more than ${MAX_BODY_BYTES} bytes`);
    }
    parts.push(value);
  }
}
