/**
 * What a receipt is checked against, and what comes of it.
 *
 * @module
 */
import type { TimestampFault } from './timestamp-token.ts';
import type { TrustedRoot } from './trusted-root.ts';
import type { WitnessPolicy } from './witness-policy.ts';

/** Who gave a receipt: a transparency log, a timestamp authority, or witnesses. */
export type ReceiptType = 'rekor' | 'timestamp' | 'witness';

/** A key that logs checkpoints, and for which of them. */
export interface AnchorKey {
  /** ECDSA P-256, SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** Smallest size that it may log: 0 for that of genesis. */
  readonly from: number;
  /** First size that it may not log any more; null: still in force. */
  readonly to: number | null;
  /** From when on what it signed counts for nothing; null: not revoked. */
  readonly revokedSince: Date | null;
}

/** The ledger that the checkpoint must be of. */
export interface ReceiptLedger {
  readonly origin: string;
  /** vkeys that sign its heads at that size: usually one. */
  readonly vkeys: readonly string[];
  readonly anchorKeys: readonly AnchorKey[];
}

/** Whom the reader trusts. What is missing here makes receipts unknown, not wrong. */
export interface ReceiptTrust {
  readonly roots?: readonly TrustedRoot[];
  readonly witnesses?: WitnessPolicy;
}

/** What is to be checked. */
export interface ReceiptClaim {
  readonly type: ReceiptType;
  /** The checkpoint: the signed note with the ledger's line only, exactly as it was sent. */
  readonly note: string;
  /** The receipt's text: a Sigstore bundle, base64 of a timestamp token, or cosignature lines. */
  readonly receipt: string;
  readonly ledger: ReceiptLedger;
  readonly trust: ReceiptTrust;
}

/** Why a receipt counts for nothing. docs/formats/receipt-v1.md explains each. */
export const RECEIPT_FAULTS = [
  /** Not of the form that docs/formats/receipt-v1.md has. */
  'malformed',
  /** The note is no checkpoint of this ledger, signed by its key. */
  'note_invalid',
  /** It is for another note. */
  'note_mismatch',
  /** Logged under a key that is not the anchor key, be it one that the signature also fits. */
  'key_mismatch',
  /** Logged under an anchor key that was not in force at this size. */
  'key_not_in_force',
  /** Made after the anchor key was revoked. */
  'key_revoked',
  /** The anchor key did not sign this note. */
  'signature_invalid',
  /** What the log stores is not exactly digest, signature and anchor key. */
  'body_mismatch',
  /** Of a log, authority or witness that the reader did not pin. */
  'log_unknown',
  'authority_unknown',
  'witness_unknown',
  /** Made while the pinned log was not in use. */
  'outside_validity',
  'promise_invalid',
  'log_checkpoint_invalid',
  'inclusion_invalid',
  'timestamp_mismatch',
  'timestamp_invalid',
  'certificate_invalid',
  'cosignature_invalid',
  /** This platform has no Web Crypto: nothing was judged. */
  'unsupported',
] as const;

/** One of {@link RECEIPT_FAULTS}. */
export type ReceiptFault = (typeof RECEIPT_FAULTS)[number];

/** A witness that signed, and when it says it did. */
export interface Cosigner {
  /** Its key's name. */
  readonly name: string;
  readonly vkey: string;
  readonly at: Date;
}

/** A receipt that holds. */
export interface ReceiptAccepted {
  readonly ok: true;
  readonly type: ReceiptType;
  /** Size of the checkpoint. */
  readonly size: number;
  readonly root: Uint8Array;
  /** Name of the log or authority; of witnesses their names. */
  readonly log: string;
  /** Place in the log, where the log signed it or it was proved. */
  readonly index: number | null;
  /** The note existed by then, says the log, authority or the last of the witnesses. */
  readonly at: Date;
  /** Whether anyone it rests on is one for development: then it proves nothing elsewhere. */
  readonly development: boolean;
  /** Witnesses of the policy that signed; none for other receipts. */
  readonly cosigners: readonly Cosigner[];
  /** Whether these alone are enough for the policy. False for other receipts. */
  readonly quorum: boolean;
  /** SHA-256 of the pinned file that it rests on, in base64url. */
  readonly trust: string;
}

/** A receipt that counts for nothing. */
export interface ReceiptRefused {
  readonly ok: false;
  readonly fault: ReceiptFault;
}

/** What became of a receipt. */
export type ReceiptResult = ReceiptAccepted | ReceiptRefused;

/** A claim whose note is a checkpoint of its ledger. */
export interface CheckedClaim extends ReceiptClaim {
  /** What the ledger signed. */
  readonly text: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** A refusal for this reason. */
export function refused(fault: ReceiptFault): ReceiptRefused {
  return { ok: false, fault };
}

/** What is the same for all; the rest is filled in. */
export function accepted(
  { type, size, root }: CheckedClaim,
  trust: string,
): Omit<ReceiptAccepted, 'log' | 'index' | 'at' | 'development'> {
  return { ok: true, type, size, root, cosigners: [], quorum: false, trust };
}

const TIMESTAMP_FAULTS: Readonly<Record<TimestampFault, ReceiptFault>> = {
  imprint: 'timestamp_mismatch',
  authority: 'authority_unknown',
  certificate: 'certificate_invalid',
  signature: 'timestamp_invalid',
};

/** What is wrong with a receipt whose timestamp has this fault. */
export function timestampFault(fault: TimestampFault): ReceiptFault {
  return TIMESTAMP_FAULTS[fault];
}
