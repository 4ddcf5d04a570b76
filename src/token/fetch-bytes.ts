/**
 * One bounded GET of a JSON document: no redirect, no endless body, no endless wait.
 *
 * @module
 */

/** Limits of a {@link fetchBytes}. */
export interface FetchBytesOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
  /** Largest body taken. */
  readonly maxBytes: number;
}

/** What a server answered: its status, and the body if the status was 200. */
export interface FetchedBytes {
  readonly status: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Fetches a document as bytes.
 *
 * @throws {Error} Unreachable, too slow, redirected, or larger than allowed.
 */
export async function fetchBytes(url: URL, options: FetchBytesOptions): Promise<FetchedBytes> {
  const response = await options.fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error', // keys from wherever a redirect points would be anyone's keys
    signal: AbortSignal.timeout(options.timeoutMs), // covers the body too
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    return { status: response.status, body: new Uint8Array() };
  }
  return { status: 200, body: await readBody(response, options.maxBytes) };
}

async function readBody(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error('the document is too large'); // leaving the loop cancels
    chunks.push(chunk);
  }
  const body = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}
