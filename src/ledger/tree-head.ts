/**
 * The tree head that each commit signs: a checkpoint's text, and as a note what callers are given.
 *
 * @module
 */
import { CrumbError } from '../errors.ts';
import { utf8 } from '../evidence/bytes.ts';
import { checkpointText } from '../evidence/checkpoint.ts';
import { formatNote, keyIdOf } from '../evidence/note.ts';
import type { Signer } from './ledger.ts';
import { verifyWith } from './signer.ts';
import { edgeRoot, type TreeEdge } from './tree-edge.ts';

/** How long a key service may hold the write lock. */
const SIGN_TIMEOUT_MS = 5_000;

export interface SignedHead {
  readonly signature: Uint8Array;
  /** The same as a signed note. */
  readonly note: string;
}

/** Signs and recognises the heads of one ledger. */
export interface HeadKey {
  /** @throws {CrumbError} `ledger_unwritable` if the signer fails or takes longer than 5 seconds. */
  sign(edge: TreeEdge): Promise<SignedHead>;

  /** The head if the signature is ours and over exactly this tree. */
  open(edge: TreeEdge, signature: Uint8Array): SignedHead | undefined;
}

export function createHeadKey(origin: string, signer: Signer): HeadKey {
  const id = keyIdOf(origin, signer.publicKey);
  const fits = verifyWith(signer.publicKey);
  const textOf = (edge: TreeEdge): string =>
    checkpointText({ origin, size: edge.range.size, root: edgeRoot(edge) });
  const headOf = (text: string, signature: Uint8Array): SignedHead => ({
    signature,
    note: formatNote(text, [{ name: origin, id, signature }]),
  });
  return {
    async sign(edge) {
      const text = textOf(edge);
      return headOf(text, await signInTime(signer, utf8(text)));
    },
    open(edge, signature) {
      const text = textOf(edge);
      return fits(utf8(text), signature) ? headOf(text, signature) : undefined;
    },
  };
}

async function signInTime(signer: Signer, message: Uint8Array): Promise<Uint8Array> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no signature in time')), SIGN_TIMEOUT_MS);
  try {
    return await Promise.race([signer.sign(message), timeout]);
  } catch (cause) {
    throw new CrumbError('ledger_unwritable', { cause });
  } finally {
    clearTimeout(timer);
  }
}
