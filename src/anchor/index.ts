/**
 * `crumb-ai/anchor`: third parties that fix a ledger's checkpoints in time, so that a rewrite shows even when
 * the operator made it.
 *
 * @module
 */
export type {
  Anchor,
  AnchorCheckpoint,
  AnchorPlace,
  AnchorRequest,
  AnchorVerdict,
  UnverifiedReceipt,
} from '../ledger/anchor.ts';
export type { AnchorKeyInput, AnchorSigner } from './anchor-key.ts';
export { rekor, type RekorOptions } from './rekor.ts';
export { timestamp, type TimestampOptions } from './timestamp.ts';
export { witness, type WitnessEntry, type WitnessOptions } from './witness.ts';
