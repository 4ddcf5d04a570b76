/** Corruptions and the findings that they must give; see findings.test.ts. */
import { utf8 } from '../../src/evidence/bytes.ts';
import type { Finding } from '../../src/verify/findings.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import type { Trust } from '../../src/verify/trust.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { commit, itemsOf, vkeyOfBuilder, type Builder } from './build-ledger.ts';
import { logIn, type Scene } from './story.ts';

export async function verify(builder: Builder, trust: Trust = {}): Promise<VerifyReport> {
  return verifyBundle(await itemsOf(builder), { key: vkeyOfBuilder(builder), ...trust });
}

export async function verifyLines(
  lines: readonly string[],
  builder: Builder,
): Promise<VerifyReport> {
  return verifyBundle(lines, { key: vkeyOfBuilder(builder) });
}

/** Puts other bytes into a row, as someone with a database tool does. */
export function tamper(builder: Builder, seq: number, change: (text: string) => string): void {
  const row = builder.rows[seq];
  const before = Buffer.from(row?.bytes ?? []).toString();
  const after = change(before);
  if (row === undefined || after === before) throw new TypeError('nothing changed');
  builder.rows[seq] = { ...row, bytes: utf8(after) };
}

export interface Case {
  readonly what: string;
  readonly finding: Finding;
  readonly make: () => Promise<VerifyReport>;
}

export const cases: Case[] = [];

/** A corruption, and the finding that must be among those it gives. */
export function finds(what: string, finding: Finding, make: () => Promise<VerifyReport>): void {
  cases.push({ what, finding, make });
}

/** A ledger with one more entry, made by an operator who signs what he likes. */
export function findsIn(
  what: string,
  finding: Finding,
  change: (scene: Scene) => Promise<unknown>,
  trust?: Trust,
): void {
  finds(what, finding, async () => {
    const scene = await logIn();
    await change(scene);
    await commit(scene.builder);
    return verify(scene.builder, trust);
  });
}
