/**
 * What a C2SP witness is sent: the size it knows, a proof from there, and a checkpoint.
 *
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-witness.md#add-checkpoint
 * @module
 */
import { isCrumbError } from '../../errors.ts';
import { equalBytes, fromBase64, fromUtf8 } from '../../evidence/bytes.ts';
import { parseCheckpoint, type Checkpoint } from '../../evidence/checkpoint.ts';
import { emptyRoot, isHash, verifyConsistency } from '../../evidence/merkle.ts';
import { parseNote } from '../../evidence/note.ts';

/** A request whose form is sound. Nothing has been verified. */
export interface AddCheckpoint {
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  /** The signed note. */
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

const MAX_PROOF = 63;

/** Reads a request; undefined if it is none. */
export function readAddCheckpoint(body: Uint8Array): AddCheckpoint | undefined {
  const text = fromUtf8(body) ?? '';
  const end = text.indexOf('\n\n');
  const [first = '', ...lines] = text.slice(0, Math.max(end, 0)).split('\n');
  const [, digits] = /^old (0|[1-9]\d{0,15})$/.exec(first) ?? [];
  const proof = lines.map(fromBase64).filter(isHash);
  if (digits === undefined || proof.length < lines.length || proof.length > MAX_PROOF) {
    return undefined;
  }
  const note = text.slice(end + 2);
  const checkpoint = readCheckpoint(note);
  const oldSize = Number(digits);
  if (checkpoint === undefined || !Number.isSafeInteger(oldSize)) return undefined;
  return { oldSize, proof, note, checkpoint };
}

/** What a witness knows of a log. */
export type KnownHead = Pick<Checkpoint, 'size' | 'root'>;

/** What a witness says to a request whose signature it has verified. */
export type WitnessVerdict =
  | { readonly kind: 'consistent' }
  /** 400: the old size is beyond the new. */
  | { readonly kind: 'backwards' }
  /** 409: it knows another size than the client thinks. */
  | { readonly kind: 'conflict'; readonly size: number }
  /** 422: this does not grow out of what it knows. */
  | { readonly kind: 'inconsistent' };

/** Compares a request with what was cosigned last; undefined: nothing yet. */
export function judgeGrowth(
  { oldSize, proof, checkpoint }: AddCheckpoint,
  known: KnownHead | undefined,
): WitnessVerdict {
  const { size, root } = checkpoint;
  if (oldSize > size) return { kind: 'backwards' };
  const knownSize = known?.size ?? 0;
  if (oldSize !== knownSize) return { kind: 'conflict', size: knownSize };
  if (size === 0 && !equalBytes(root, emptyRoot())) return { kind: 'inconsistent' };
  // Everything grows out of nothing: there is nothing to prove, and no proof to send.
  if (oldSize === 0) return { kind: proof.length === 0 ? 'consistent' : 'inconsistent' };
  const holds =
    known !== undefined &&
    verifyConsistency({ oldSize, newSize: size, oldRoot: known.root, newRoot: root, proof });
  return { kind: holds ? 'consistent' : 'inconsistent' };
}

/** Size and root of a note. Extension lines are cosigned with the rest and mean nothing here. */
export function readCheckpoint(note: string): Checkpoint | undefined {
  try {
    const [origin, size, root, ...extensions] = parseNote(note).text.trimEnd().split('\n');
    if (extensions.includes('')) return undefined;
    return parseCheckpoint(`${origin}\n${size}\n${root}\n`);
  } catch (error) {
    if (isCrumbError(error)) return undefined;
    throw error;
  }
}
