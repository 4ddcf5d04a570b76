/**
 * How much may wait to be written.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';

const MAX_DRAFTS = 4_096;
const MAX_BYTES = 16 * 1024 * 1024;

/** What one call weighs. */
export interface Load {
  readonly count: number;
  readonly bytes: number;
}

export interface BackPressure {
  /** @throws {CrumbError} `ledger_overloaded`. A call that finds nothing waiting is always let in. */
  admit(load: Load): void;
  release(load: Load): void;
}

export function createBackPressure(): BackPressure {
  let count = 0;
  let bytes = 0;
  return {
    admit(load) {
      const full = count + load.count > MAX_DRAFTS || bytes + load.bytes > MAX_BYTES;
      if (full && count > 0) throw new CrumbError('ledger_overloaded');
      count += load.count;
      bytes += load.bytes;
    },
    release(load) {
      count -= load.count;
      bytes -= load.bytes;
    },
  };
}
