/**
 * What a tool gave, as the ledger commits to it.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { toJson } from '../attribution/canonical.ts';
import type { Json } from '../attribution/tool-call.ts';
import { commitBytes, commitJson } from '../evidence/commitment.ts';
import type { Opening } from '../vault/vault.ts';

/**
 * Commits to a result: to its JSON, or to the bytes of a `Uint8Array`. Values that JSON can only
 * approximate (dates, instances) are taken as `JSON.stringify` writes them, as a model sees them.
 *
 * @returns undefined when there is nothing that could be committed to.
 */
export function commitResult(
  result: unknown,
  options: { readonly store: boolean; readonly subject: Uint8Array | undefined },
): Opening | undefined {
  const salt = randomBytes(32);
  const subject = options.subject === undefined ? {} : { subject: options.subject };
  if (result instanceof Uint8Array) {
    return {
      commitment: commitBytes(salt, 'result.bytes', result),
      label: 'result.bytes',
      salt,
      ...subject,
    };
  }
  const json = jsonOf(result);
  if (json === undefined) return undefined;
  const value = options.store ? { value: json } : {};
  return {
    commitment: commitJson(salt, 'result', json),
    label: 'result',
    salt,
    ...value,
    ...subject,
  };
}

function jsonOf(result: unknown): Json | undefined {
  if (result === undefined) return undefined;
  try {
    return toJson(result);
  } catch {
    return approximated(result);
  }
}

function approximated(result: unknown): Json | undefined {
  try {
    const text: unknown = JSON.stringify(result);
    return typeof text === 'string' ? toJson(JSON.parse(text)) : undefined;
  } catch {
    return undefined;
  }
}
