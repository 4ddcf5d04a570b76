/**
 * The names of the faults that the development log, authority and witness can play.
 *
 * @module
 */

const TRANSPORT = [
  /** The connection ends; nothing was done. */
  'drop-before',
  /** It was done; then the connection ends. */
  'drop-after',
  /** 500. */
  'server-error',
  /** It was done; the answer never comes. */
  'slow',
  /** The right answer, and 4 MiB of white space behind it. */
  'huge',
  /** 307 to an address that would answer rightly. */
  'redirect',
] as const;

const LOG = [
  /** 503, as a log that cannot keep up. */
  'full',
  /** 405: the log takes no more entries. It still can be read. */
  'frozen',
  /** It was logged; the answer is 409, as if somebody had logged it before. */
  'duplicate',
  /** The log signs a root to which the proof does not lead. */
  'bad-root',
  /** One bit of the proof is wrong. */
  'bad-proof',
  /** One bit of the signature below the checkpoint is wrong. */
  'bad-signature',
  /** Another log under the same name: everything fits, under a key of its own. */
  'wrong-key',
  /** Logged under the other key that the signature also fits. */
  'recovered-key',
  /** The checkpoint is from before the entry; the log reads as it was then. */
  'stale',
  /** A second history, in which what was logged last never was. Each receipt from it holds by itself. */
  'fork',
] as const;

const TIMESTAMP = [
  'timestamp-server-error',
  /** A response that grants nothing. */
  'timestamp-refused',
  'timestamp-wrong-imprint',
  'timestamp-wrong-nonce',
  'timestamp-bad-signature',
  /** Signed by a key that is not the certificate's. */
  'timestamp-wrong-key',
] as const;

const WITNESS = [
  /** One bit of the cosignature is wrong. */
  'bad-signature',
  /** Signed by another key, under the name and id of the real one. */
  'wrong-key',
  /** 409 with a size beyond what was sent: somebody else showed it a longer history. */
  'ahead',
  /** 409 with the size that was sent, again and again. */
  'conflict',
] as const;

/** There is no usable answer. */
export type TransportFault = (typeof TRANSPORT)[number];

/** The authority beside the log is wrong; the log is not. */
export type TimestampFault = (typeof TIMESTAMP)[number];

/** One way in which a development log can be wrong. */
export type DevLogFault = TransportFault | (typeof LOG)[number] | TimestampFault;

/** One way in which a development witness can be wrong. */
export type DevWitnessFault = TransportFault | (typeof WITNESS)[number];

/** All faults of the log and the authority beside it, for tests that try each. */
export const LOG_FAULTS: readonly DevLogFault[] = [...TRANSPORT, ...LOG, ...TIMESTAMP];

/** All faults of the witness. */
export const WITNESS_FAULTS: readonly DevWitnessFault[] = [...TRANSPORT, ...WITNESS];
