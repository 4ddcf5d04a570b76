/**
 * Symmetric secrets as a configuration gives them.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { fromBase64url } from '../evidence/bytes.ts';

/** 32 bytes: as they are, as base64url text, or the path of a file that holds such text. */
export type SecretInput = Uint8Array | string;

/** @throws {TypeError} It is not 32 bytes; says where, never what. */
export function readSecret(input: SecretInput, where: string): Uint8Array {
  const bytes = typeof input === 'string' ? fromText(input) : input;
  if (bytes?.length !== 32) {
    throw new TypeError(
      `${where} must be 32 bytes, as bytes, base64url text or a file path; \`crumb keygen\` makes one`,
    );
  }
  return bytes;
}

function fromText(text: string): Uint8Array | undefined {
  const direct = fromBase64url(text.trim());
  if (direct?.length === 32) return direct;
  try {
    return fromBase64url(readFileSync(text, 'utf8').trim());
  } catch {
    return undefined; // the caller's error names the option; this one could name the secret
  }
}
