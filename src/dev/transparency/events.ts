/**
 * What the development log and witness tell whoever watches them.
 *
 * @module
 */

/** One thing that happened at the log, or at the authority beside it. */
export type DevLogEvent =
  | { readonly kind: 'logged'; readonly index: number; readonly size: number }
  | { readonly kind: 'duplicate'; readonly index: number }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'timestamp'; readonly time: Date }
  /** Something broke here, such as a disk that is full. */
  | { readonly kind: 'failed'; readonly cause: unknown };

/** One thing that happened at the witness. */
export type DevWitnessEvent =
  | { readonly kind: 'cosigned'; readonly origin: string; readonly size: number }
  | { readonly kind: 'refused'; readonly origin: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly cause: unknown };

/** An event in one line. */
export function describeLogEvent(event: DevLogEvent): string {
  switch (event.kind) {
    case 'logged':
      return `logged entry ${event.index}, the tree has ${event.size}`;
    case 'duplicate':
      return `entry ${event.index} was sent again`;
    case 'refused':
      return `refused: ${event.reason}`;
    case 'timestamp':
      return `gave a timestamp for ${event.time.toISOString()}`;
    case 'failed':
      return `failed: ${wordsOf(event.cause)}`;
    default:
      return event satisfies never;
  }
}

/** An event in one line. */
export function describeWitnessEvent(event: DevWitnessEvent): string {
  switch (event.kind) {
    case 'cosigned':
      return `cosigned ${event.origin} at size ${event.size}`;
    case 'refused':
      return `refused ${event.origin}: ${event.reason}`;
    case 'failed':
      return `failed: ${wordsOf(event.cause)}`;
    default:
      return event satisfies never;
  }
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'for a reason unknown';
}
