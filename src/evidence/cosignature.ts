/**
 * C2SP `cosignature/v1`: a witness says that at some time this was the largest consistent tree head it
 * had seen of a log.
 *
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-cosignature.md
 * @module
 */
import { concatBytes, utf8 } from './bytes.ts';
import { verifyEd25519, type Ed25519Signer } from './ed25519.ts';

/** A time of 8 bytes, big-endian, in seconds since 1970; then the Ed25519 signature. */
const TIME_BYTES = 8;
const COSIGNATURE_BYTES = TIME_BYTES + 64;

/** The last second that a `Date` can hold. The specification allows more, but no clock does. */
const LAST_SECOND = 8_640_000_000_000n;

/**
 * Checks a witness's signature over the text of a checkpoint.
 *
 * @param text The whole text of the note, its last newline included.
 * @param cosignature What follows the key id in the note's line.
 * @returns When the witness says it saw the checkpoint; undefined if the signature does not fit.
 */
export async function verifyCosignature(
  text: string,
  cosignature: Uint8Array,
  publicKey: Uint8Array,
): Promise<Date | undefined> {
  if (cosignature.length !== COSIGNATURE_BYTES) return undefined;
  const seconds = timeOf(cosignature);
  if (seconds > LAST_SECOND) return undefined;
  const signature = cosignature.subarray(TIME_BYTES);
  const fits = await verifyEd25519(publicKey, cosignedMessage(text, seconds), signature);
  return fits ? new Date(Number(seconds) * 1000) : undefined;
}

/** Makes what {@link verifyCosignature} checks. Only a witness, after its own checks, may do this. */
export async function cosign(text: string, signer: Ed25519Signer, time: Date): Promise<Uint8Array> {
  const seconds = BigInt(Math.floor(time.getTime() / 1000));
  const bytes = new Uint8Array(TIME_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, seconds);
  return concatBytes(bytes, await signer.sign(cosignedMessage(text, seconds)));
}

function cosignedMessage(text: string, seconds: bigint): Uint8Array {
  return utf8(`cosignature/v1\ntime ${seconds}\n${text}`);
}

function timeOf(cosignature: Uint8Array): bigint {
  const { buffer, byteOffset } = cosignature;
  return new DataView(buffer, byteOffset, TIME_BYTES).getBigUint64(0);
}
