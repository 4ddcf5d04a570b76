/**
 * ECDSA over a digest whose message is not at hand: what a log of digests is sent. `node:crypto` and Web
 * Crypto hash whatever they are given, so this takes `@noble/curves`, an optional peer.
 *
 * @module
 */
import { CrumbError } from '../../errors.ts';
import { codeOf } from './durable-file.ts';

/** What is checked: no more than P-256 under SHA-256. */
export interface SignedDigest {
  readonly digest: Uint8Array;
  /** DER. */
  readonly signature: Uint8Array;
  /** SubjectPublicKeyInfo of a P-256 key, the point uncompressed. */
  readonly spki: Uint8Array;
}

export interface BareDigest {
  /** Whether the signature fits. */
  verify(signed: SignedDigest): boolean;
  /** Another key that it fits also, if there is one; for nearly all signatures there is. */
  otherKey(signed: SignedDigest): Uint8Array | undefined;
}

const POINT_BYTES = 65;

/** @throws {CrumbError} `package_missing`: `@noble/curves` is not installed. */
export async function loadBareDigest(): Promise<BareDigest> {
  const { p256 } = await import('@noble/curves/nist.js').catch((cause: unknown) => {
    if (codeOf(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new CrumbError('package_missing', { cause, names: ['@noble/curves'] });
  });
  return {
    verify({ digest, signature, spki }) {
      // `lowS` is a rule of currencies: half of all P-256 signatures break it.
      const options = { prehash: false, lowS: false, format: 'der' } as const;
      try {
        return p256.verify(signature, digest, spki.subarray(-POINT_BYTES), options);
      } catch {
        return false; // a point that is not on the curve
      }
    },
    otherKey({ digest, signature, spki }) {
      const parsed = p256.Signature.fromBytes(signature, 'der');
      const head = spki.subarray(0, -POINT_BYTES);
      return [0, 1]
        .map((bit) => parsed.addRecoveryBit(bit).recoverPublicKey(digest).toBytes(false))
        .map((point) => new Uint8Array([...head, ...point]))
        .find((other) => Buffer.compare(other, spki) !== 0);
    },
  };
}
