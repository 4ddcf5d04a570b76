/**
 * Lines out of a stream of bytes.
 *
 * @module
 */
import { MAX_LINE_BYTES } from './bundle-lines.ts';

/** A longer line is cut: that it is too long is seen without keeping it. */
const MOST = MAX_LINE_BYTES + 1;

/**
 * Splits a file into its lines, without their newlines, in bounded memory: a line beyond the limit of
 * the format is cut just behind it.
 *
 * Bytes that are no UTF-8 become U+FFFD, and a byte order mark stays: both are then found by the
 * verifier.
 *
 * @param chunks A file or body as it is read; a `ReadableStream` of bytes is one where it can be iterated.
 * @returns All lines that end in each chunk, together.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncIterable<readonly string[]> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = (lines.pop() ?? '').slice(0, MOST);
    if (lines.length > 0) yield lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield [rest];
}
