/**
 * What Sigstore's own software says of a receipt. It sees neither which key a log stores nor whose note it
 * is: our checks are the ones that count, and this guards against a mistake in them.
 *
 * @module
 */
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { createPublicKey } from 'node:crypto';
import { utf8 } from '../evidence/bytes.ts';

/** A receipt of a Rekor log, and what it must be of. */
export interface OpinionRequest {
  readonly note: string;
  /** The Sigstore bundle. */
  readonly receipt: string;
  /** SPKI of the anchor key. */
  readonly spki: Uint8Array;
  /** The text of the trust root. */
  readonly trust: string;
}

/** Whether `@sigstore/verify` accepts it. */
export function sigstoreAccepts({ note, receipt, spki, trust }: OpinionRequest): boolean {
  try {
    const root: unknown = JSON.parse(trust);
    const bundle: unknown = JSON.parse(receipt);
    const publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    const material = toTrustMaterial(TrustedRoot.fromJSON(root), () => ({
      publicKey,
      validFor: () => true,
    }));
    const entity = toSignedEntity(bundleFromJSON(bundle), Buffer.from(utf8(note)));
    const options = { ctlogThreshold: 0, tlogThreshold: 1, timestampThreshold: 1 };
    new Verifier(material, options).verify(entity);
    return true;
  } catch {
    return false;
  }
}
