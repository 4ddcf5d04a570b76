/**
 * The text of a tree head, as C2SP tlog-checkpoint has it: origin, size and root, a line each. No
 * extension lines: no monitor could check what stands there.
 *
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-checkpoint.md
 * @module
 */
import { CrumbError } from '../errors.ts';
import { fromBase64, toBase64 } from './bytes.ts';
import { isHash } from './merkle.ts';
import { isKeyName } from './note.ts';

/** How a ledger stands at some size. */
export interface Checkpoint {
  /** Name of the ledger: a URL without scheme, without white space or plus. */
  readonly origin: string;
  /** Number of entries. */
  readonly size: number;
  /** RFC 6962 root over them, 32 bytes. */
  readonly root: Uint8Array;
}

/** The text that is signed. @throws {TypeError} For an origin, size or root that no ledger has. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  if (!isKeyName(origin)) throw new TypeError('the origin has white space or a plus, or is empty');
  if (!Number.isSafeInteger(size) || size < 0) throw new TypeError('the size is no count');
  if (!isHash(root)) throw new TypeError('the root has not 32 bytes');
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/**
 * Reads the text of a note whose signature was checked, see `openNote`: by itself it proves nothing.
 *
 * @throws {CrumbError} `note_malformed`, also for extension lines and for sizes of 2^53 and more.
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', digits = '', encoded = '', ...rest] = text.split('\n');
  const size = /^(?:0|[1-9]\d{0,15})$/.test(digits) ? Number(digits) : Number.NaN;
  const root = fromBase64(encoded);
  if (!isKeyName(origin) || !Number.isSafeInteger(size) || !isHash(root) || rest.join() !== '') {
    throw new CrumbError('note_malformed');
  }
  if (rest.length !== 1) throw new CrumbError('note_malformed');
  return { origin, size, root };
}
