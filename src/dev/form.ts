/**
 * Reads a form that a page of ours sent.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';

const MAX_BYTES = 64 * 1024;

/** The fields; undefined if it is no form or too large. */
export async function readForm(req: IncomingMessage): Promise<URLSearchParams | undefined> {
  if (!/^application\/x-www-form-urlencoded\b/i.test(req.headers['content-type'] ?? '')) {
    return undefined;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  // A request on which no encoding is set gives bytes.
  for await (const chunk of req as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
