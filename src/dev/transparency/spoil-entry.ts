/**
 * Ways in which a log's word for an entry can be wrong, at the edge of one that is not.
 *
 * @module
 */
import { createPublicKey } from 'node:crypto';
import { checkpointText } from '../../evidence/checkpoint.ts';
import { formatNote, parseNote, signNote } from '../../evidence/note.ts';
import { parseSpki } from '../../evidence/spki.ts';
import { logIdOf } from '../../evidence/trusted-root.ts';
import { spkiOf } from './authority-certificates.ts';
import type { DevLogFault } from './faults.ts';
import type { ProvedEntry } from './log-answers.ts';
import { newKey, signerOf, type LogIdentity } from './log-identity.ts';
import type { LogHead } from './sequencer.ts';
import { withBitFlipped } from './spoil-reply.ts';

/** A head, and the log that it says it is of. */
export type ClaimedHead = Pick<ProvedEntry, 'head' | 'logId'>;

/** Makes a head wrong, if the fault is one of heads. */
export async function spoilHead(
  fault: DevLogFault | undefined,
  head: LogHead,
  { name, id, signer }: LogIdentity,
): Promise<ClaimedHead> {
  switch (fault) {
    case 'bad-root': {
      const root = withBitFlipped(head.root, 0);
      const text = checkpointText({ origin: name, size: head.size, root });
      return { head: { ...head, root, note: await signNote(text, name, signer) }, logId: id };
    }
    case 'bad-signature': {
      const { text, lines } = parseNote(head.note);
      const spoilt = lines.map((line) => ({
        ...line,
        signature: withBitFlipped(line.signature, 0),
      }));
      return { head: { ...head, note: formatNote(text, spoilt) }, logId: id };
    }
    case 'wrong-key':
      return strangersHead(head, name);
    default:
      return { head, logId: id };
  }
}

/** Makes a proof wrong, if the fault is one of proofs. The first entry of all has an empty one. */
export function spoilProof(
  fault: DevLogFault | undefined,
  hashes: readonly Uint8Array[],
): readonly Uint8Array[] {
  if (fault !== 'bad-proof') return hashes;
  const [first, ...rest] = hashes;
  return first === undefined ? [new Uint8Array(32)] : [withBitFlipped(first, 0), ...rest];
}

async function strangersHead(head: LogHead, name: string): Promise<ClaimedHead> {
  const { key } = newKey('ed25519');
  const { text } = parseNote(head.note);
  const parsed = parseSpki(spkiOf(createPublicKey(key)));
  if (parsed === undefined) throw new TypeError('no key'); // cannot be: it was just made
  const note = await signNote(text, name, signerOf(key));
  return { head: { ...head, note }, logId: logIdOf(name, parsed) };
}
