/**
 * The names of the faults that a development identity provider can play.
 *
 * @module
 */

const TRANSPORT = ['slow', 'server-error', 'html', 'redirect', 'huge'] as const;

const ENVELOPE = ['opaque-token', 'wrong-token-type', 'wrong-issued-token-type'] as const;

const CLAIMS = [
  'wrong-issuer',
  'changed-subject',
  'wrong-audience',
  'second-audience',
  'missing-act',
  'dropped-actor',
  'added-actor',
  'reordered-actors',
  'widened-scope',
  'widened-details',
  'longer-life',
  'left-may-act',
] as const;

const SIGNATURE = ['wrong-key', 'wrong-typ'] as const;

/** There is no usable answer. */
export type TransportFault = (typeof TRANSPORT)[number];

/** The token is right; what is said about it is not. */
export type EnvelopeFault = (typeof ENVELOPE)[number];

/** Signed by the right key, and false. */
export type ClaimsFault = (typeof CLAIMS)[number];

/** The claims are right, and prove nothing. */
export type SignatureFault = (typeof SIGNATURE)[number];

/** One way to be wrong. */
export type DevIdpFault = TransportFault | EnvelopeFault | ClaimsFault | SignatureFault;

/** All faults, for tests that try each. */
export const FAULTS: readonly DevIdpFault[] = [...TRANSPORT, ...ENVELOPE, ...CLAIMS, ...SIGNATURE];
