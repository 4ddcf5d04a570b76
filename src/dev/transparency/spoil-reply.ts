/**
 * Faults of the connection, which log and witness have in common.
 *
 * @module
 */
import { concatBytes, utf8 } from '../../evidence/bytes.ts';
import type { PlainAnswer, PlainRequest, Reply } from './loopback-server.ts';

const FOLLOWED = 'followed';
const PADDING = 4 * 1024 * 1024;

/**
 * Answers a request under a fault. What is done stays done: only the word about it is lost.
 *
 * @param act What the service does; its answer is right, or wrong by itself.
 */
export async function replyUnder(
  fault: string | undefined,
  request: PlainRequest,
  act: () => Promise<PlainAnswer>,
): Promise<Reply> {
  switch (fault) {
    case 'drop-before':
      return 'drop';
    case 'server-error':
      return { status: 500, body: 'Something broke.\n' };
    case 'redirect':
      // Whoever follows gets the answer: a client that must not is caught by having one.
      if (request.query === FOLLOWED) return act();
      return { status: 307, headers: { location: `${request.path}?${FOLLOWED}` }, body: '' };
    case 'drop-after':
      await act();
      return 'drop';
    case 'slow':
      await act();
      return 'silence';
    case 'huge': {
      const answer = await act();
      const body = typeof answer.body === 'string' ? utf8(answer.body) : answer.body;
      return { ...answer, body: concatBytes(body, new Uint8Array(PADDING).fill(0x20)) };
    }
    default:
      return act();
  }
}

/** The same bytes but for the lowest bit of one of them. */
export function withBitFlipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, n) => (n === at ? byte ^ 1 : byte));
}
