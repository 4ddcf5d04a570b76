/**
 * A progress bar for long work, on stderr, so that it never stands in what is piped on.
 *
 * @module
 */

/** Where a bar is drawn. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** How far the work is. */
export interface Progress {
  /** @param total Undefined while nobody knows it. */
  update(done: number, total?: number): void;
  /** Takes the bar away. */
  end(): void;
}

export interface ProgressOptions {
  /** How long work may take before a bar shows, in milliseconds. Default 400. */
  readonly delayMs?: number;
  /** Milliseconds from any fixed point. Default `performance.now`. */
  readonly now?: () => number;
}

const EVERY_MS = 80;
const BAR = 24;

/** Draws nothing where nobody looks: pipes, files, continuous integration. */
export function createProgress(
  stream: ProgressStream,
  label: string,
  options: ProgressOptions = {},
): Progress {
  const { delayMs = 400, now = () => performance.now() } = options;
  const start = now();
  let next = start + delayMs;
  let drawn = false;
  return {
    update(done, total) {
      if (stream.isTTY !== true || now() < next) return;
      next = now() + EVERY_MS;
      drawn = true;
      const rate = Math.round((done / Math.max(1, now() - start)) * 1000);
      const line = `${label} ${barOf(done, total)}  ${rate.toLocaleString('en')}/s`;
      stream.write(`\r${line.slice(0, (stream.columns ?? 80) - 1)}\u001b[K`);
    },
    end() {
      if (drawn) stream.write('\r\u001b[K');
      drawn = false;
    },
  };
}

function barOf(done: number, total: number | undefined): string {
  const count = done.toLocaleString('en');
  if (total === undefined || total <= 0) return count;
  const share = Math.min(1, done / total);
  const full = Math.round(share * BAR);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${percent}%  ${count}`;
}
