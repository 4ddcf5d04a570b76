/**
 * Whether a Rekor log has an entry: its promise (v1), and its place in a tree whose head the log signed.
 *
 * @see https://github.com/sigstore/rekor/blob/main/openapi.yaml
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-checkpoint.md
 * @module
 */
import { canonicalJson } from '../attribution/canonical.ts';
import { isCrumbError } from '../errors.ts';
import { equalBytes, fromBase64, toBase64, toHex, utf8 } from './bytes.ts';
import { isHash, leafHash, verifyInclusion } from './merkle.ts';
import { parseNote } from './note.ts';
import type { RekorEntry } from './rekor-receipt.ts';
import { verifyWithKey } from './spki.ts';
import type { TrustedLog } from './trusted-root.ts';

/** What the log's word for an entry failed. */
export type LogFault = 'promise_invalid' | 'log_checkpoint_invalid' | 'inclusion_invalid';

/**
 * Checks that a pinned log has an entry.
 *
 * @returns undefined if it does.
 * @throws {CryptoMissingError} Nothing was judged.
 */
export async function verifyLogged(
  entry: RekorEntry,
  log: TrustedLog,
): Promise<LogFault | undefined> {
  const { body, proof, promise } = entry;
  if (promise !== null && !(await isPromised(entry, promise, log))) return 'promise_invalid';
  const tree = await openLogCheckpoint(proof.checkpoint, log);
  if (tree === undefined) return 'log_checkpoint_invalid';
  // Said twice: only what the log signed counts, and what does not agree with it is no honest receipt.
  if (tree.size !== proof.size || !equalBytes(tree.root, proof.root)) return 'inclusion_invalid';
  const isIncluded = verifyInclusion({
    leaf: leafHash(body),
    index: proof.index,
    size: tree.size,
    root: tree.root,
    proof: proof.hashes,
  });
  return isIncluded ? undefined : 'inclusion_invalid';
}

/** The head of a log's tree. */
export interface LogCheckpoint {
  /** First line: in v1 the log's name and the tree's number, in v2 the name. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * Opens a checkpoint of a pinned log; undefined if the log did not sign it. Further lines of the text and
 * other signatures are skipped.
 *
 * @throws {CryptoMissingError} Nothing was judged.
 */
export async function openLogCheckpoint(
  envelope: string,
  log: TrustedLog,
): Promise<LogCheckpoint | undefined> {
  const note = noteOf(envelope);
  const line = note?.lines.find(
    ({ name, id }) => name === log.name && equalBytes(id, log.id.subarray(0, 4)),
  );
  if (note === undefined || line === undefined) return undefined;
  const claim = { message: utf8(note.text), signature: line.signature, hash: 'SHA-256' } as const;
  if (!(await verifyWithKey(log.key, claim))) return undefined;
  return readCheckpoint(note.text, log.name);
}

function noteOf(envelope: string): ReturnType<typeof parseNote> | undefined {
  try {
    return parseNote(envelope);
  } catch (error) {
    if (isCrumbError(error)) return undefined;
    throw error;
  }
}

/** Rekor v1 has several trees under one key, and says in its first line of which one it speaks. */
function readCheckpoint(text: string, name: string): LogCheckpoint | undefined {
  const [origin = '', digits = '', encoded = ''] = text.split('\n');
  const size = /^(?:0|[1-9]\d{0,15})$/.test(digits) ? Number(digits) : Number.NaN;
  const root = fromBase64(encoded);
  const isOurs = origin === name || /^ - \d{1,20}$/.test(origin.slice(name.length));
  if (!isOurs || !origin.startsWith(name)) return undefined;
  return Number.isSafeInteger(size) && isHash(root) ? { origin, size, root } : undefined;
}

async function isPromised(
  { body, logId, index, integratedTime }: RekorEntry,
  signature: Uint8Array,
  log: TrustedLog,
): Promise<boolean> {
  const promised = canonicalJson({
    body: toBase64(body),
    integratedTime,
    logID: toHex(logId),
    logIndex: index,
  });
  return verifyWithKey(log.key, { message: utf8(promised), signature, hash: 'SHA-256' });
}
