/**
 * `crumb-ai/verify`: the offline verifier. A bundle or a database's lines in, findings out; no network,
 * no files, the same answer in Node, browsers and workers.
 *
 * @module
 */
export {
  BUNDLE_FORMAT,
  MAX_LINE_BYTES,
  MAX_RECEIPT_BYTES,
  parseBundleLine,
  type BundleLine,
  type CheckpointLine,
  type ClosedLine,
  type EndLine,
  type EntryLine,
  type HeaderLine,
  type HeadLine,
  type JwksLine,
  type OpeningLine,
  type PeaksLine,
  type PrunedLine,
  type ReceiptLine,
} from './bundle-lines.ts';
export { findEquivocation, type Equivocation } from './equivocation.ts';
export { describeFinding } from './describe-finding.ts';
export {
  SEVERITIES,
  type DamageKind,
  type Finding,
  type FindingCode,
  type Severity,
  type TokenPart,
} from './findings.ts';
export { linesOf } from './lines-of.ts';
export {
  exitCodeOf,
  type AnchoredTo,
  type Level,
  type VerifyReport,
  type VerifyStats,
  type WitnessedTo,
} from './report.ts';
export type { StreamingSha256, Trust, VerifyOptions } from './trust.ts';
export { verifyBundle, type BundleInput, type LineInput } from './verify-bundle.ts';
