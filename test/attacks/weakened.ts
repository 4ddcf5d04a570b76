/**
 * The real verifier with exactly one check left out. An attack is real if it gets past that, and what it
 * names is then the one thing that stands in its way.
 *
 * @module
 */
import { expect } from 'vitest';
import type { Finding } from '../../src/verify/findings.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import type { VerifyOptions } from '../../src/verify/trust.ts';

/** What can be left out, and which findings a verifier without it would not have. */
const CHECKS = {
  'strict read': ({ code }) => code === 'entry_malformed',
  'sequence numbers': ({ code }) => code === 'entry_order',
  'hash of the entry before': (one) => one.code === 'chain_broken' && one.what === 'prev',
  'stored hash': (one) => one.code === 'chain_broken' && one.what === 'stored',
  'head signature': (one) => one.code === 'head_invalid' && one.what === 'signature',
  'size of a kept head': ({ code }) => code === 'size_beyond_entries',
  'root of a kept head': ({ code }) => code === 'root_mismatch',
  'one root for one size': ({ code }) => code === 'checkpoints_inconsistent',
  'expected key': (one) => one.code === 'key_unknown' && one.what === 'pinned',
  'expected origin': (one) => one.code === 'key_unknown' && one.what === 'origin',
  'proof of a new key': (one) => one.code === 'key_unknown' && one.what === 'proof',
  revocation: ({ code }) => code === 'key_revoked',
  'note of a receipt': ({ code }) => code === 'receipt_invalid',
  'logged key': ({ code }) => code === 'receipt_key_mismatch',
  'time without an anchor': ({ code }) => code === 'anchor_gap',
  'use of an approval': (one) => one.code === 'reference_broken' && one.member === 'approval',
} as const satisfies Record<string, (finding: Finding) => boolean>;

/** A check of the verifier, by name. */
export type Check = keyof typeof CHECKS;

/** The answer of a verifier that lacks one check. */
export function without(check: Check, report: VerifyReport): VerifyReport {
  const isItsFinding: (finding: Finding) => boolean = CHECKS[check];
  const findings = report.findings.filter((finding) => !isItsFinding(finding));
  return { ...report, findings, sound: findings.length === 0 };
}

/**
 * An attack that succeeds where one check is left out, and fails where it is not.
 *
 * @param honest The same reader's answer about the ledger as it was recorded: whoever lacks the check must
 *   not be able to tell the two apart by anything else that is said.
 */
export function expectOnly(check: Check, attack: VerifyReport, honest: VerifyReport): void {
  expect(honest).toMatchObject({ readable: true, sound: true, findings: [] });
  const fooled = without(check, attack);
  expect(fooled).toMatchObject({ readable: true, sound: true, findings: [] });
  expect(remarksOf(fooled).filter((code) => !remarksOf(honest).includes(code))).toEqual([]);

  expect(attack.sound).toBe(false);
}

function remarksOf({ warnings, notEstablished }: VerifyReport): readonly string[] {
  return [...warnings, ...notEstablished].map(({ code }) => code);
}

/**
 * Makes the verifier take the hash of an entry from the column beside it, as if that were evidence, in
 * place of hashing the bytes.
 */
export function hashesFromColumns(
  rows: readonly { readonly bytes: Uint8Array | null; readonly leaf: Uint8Array }[],
  sha256: NonNullable<VerifyOptions['sha256']>,
): NonNullable<VerifyOptions['sha256']> {
  const columns = new Map(
    rows.map(({ bytes, leaf }) => [Buffer.from(bytes ?? []).toString('latin1'), leaf]),
  );
  // RFC 6962 puts a zero byte before what a leaf hash is taken of.
  return (bytes) => {
    const leaf =
      bytes[0] === 0 ? columns.get(Buffer.from(bytes.subarray(1)).toString('latin1')) : undefined;
    return leaf ?? sha256(bytes);
  };
}
