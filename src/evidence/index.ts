/**
 * `crumb-ai/evidence`: the formats and proof primitives that a third party needs, to check what Crumb
 * recorded without trusting Crumb. Pure, without network, for Node, browsers and workers.
 *
 * @module
 */
export { checkpointText, parseCheckpoint, type Checkpoint } from './checkpoint.ts';
export {
  commit,
  commitBytes,
  commitJson,
  commitMembers,
  openMember,
  opensBytes,
  opensJson,
  verifyMember,
  type JsonOpening,
  type Label,
  type MemberOpening,
} from './commitment.ts';
export {
  appendLeaf,
  EMPTY_RANGE,
  parseRange,
  rangeRoot,
  type CompactRange,
} from './compact-range.ts';
export { cosign, verifyCosignature } from './cosignature.ts';
export { directiveArgs, directiveOf, recordDirective } from './directive-record.ts';
export { checkPublicKey, ed25519Signer, verifyEd25519, type Ed25519Signer } from './ed25519.ts';
export {
  crumbId,
  encodeEntry,
  FORMAT,
  isKnownKind,
  MAX_ENTRY_BYTES,
  parseEntry,
  ZERO_LEAF,
  type UnknownKindEntry,
} from './entry.ts';
export { verifyJws, type VerifiedJws } from './jws.ts';
export type {
  AnchorBody,
  ApprovalBody,
  Bodies,
  CallRecord,
  Commitment,
  CorrectionBody,
  DecisionRecord,
  Digest,
  DirectiveRecord,
  Entry,
  ErasureBody,
  GenesisBody,
  HoldBody,
  HopBody,
  Instant,
  IntentBody,
  KeyBody,
  Kind,
  Mode,
  Nesting,
  ObservedBody,
  OutcomeBody,
  PruneBody,
  Pseudonym,
  RefusalBody,
  ReportBody,
  Seq,
  SessionBody,
  TokenRecord,
} from './kinds.ts';
export {
  leafHash,
  nodeHash,
  rootHash,
  verifyConsistency,
  verifyInclusion,
  type ConsistencyClaim,
  type InclusionClaim,
  type Sha256,
} from './merkle.ts';
export {
  formatNote,
  keyIdOf,
  openNote,
  parseNote,
  parseVkey,
  signNote,
  vkeyOf,
  type NoteKey,
  type NoteSignature,
  type OpenedNote,
  type SignatureLine,
  type UnverifiedNote,
} from './note.ts';
export {
  assembleProof,
  consistencyProof,
  inclusionProof,
  leavesReader,
  planConsistency,
  planInclusion,
  planPeaks,
  type HashReader,
  type ProofPlan,
  type Subtree,
} from './proof.ts';
export { pseudonymOf } from './pseudonym.ts';
export type {
  AnchorKey,
  Cosigner,
  ReceiptAccepted,
  ReceiptClaim,
  ReceiptFault,
  ReceiptLedger,
  ReceiptRefused,
  ReceiptResult,
  ReceiptTrust,
  ReceiptType,
} from './receipt-claim.ts';
export { verifyReceipt } from './receipt.ts';
export { parseTrustedRoot, type TrustedLog, type TrustedRoot } from './trusted-root.ts';
export {
  meetsQuorum,
  parseWitnessPolicy,
  type Quorum,
  type TrustedWitness,
  type WitnessPolicy,
} from './witness-policy.ts';
