/** What the recorder really writes, held against the verifier: the two must agree on every rule. */
import { createClient } from '@libsql/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noteApprovalRequest } from '../../src/gateway/approvals.ts';
import { recordToolCall } from '../../src/gateway/record-tool-call.ts';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import { bundleItems, bundleLines } from '../../src/ledger/export-bundle.ts';
import { bundleSource } from '../../src/store/libsql/bundle-source.ts';
import { openLibsqlReader } from '../../src/store/libsql/libsql-reader.ts';
import { openVault } from '../../src/vault/open-vault.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import type { Trust } from '../../src/verify/trust.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { fromBase64url } from '../../src/evidence/bytes.ts';
import { openWorld, READ_42, type CrumbWorld } from '../world.ts';

let world: CrumbWorld;
let heads: string[];
beforeAll(async () => {
  world = await openWorld({ tools: { think: { resource: 'local', action: 'think' } } });
  heads = await tell(world);
});
afterAll(async () => world.close());

const use = async (acting: ActingAgent, tool: string, args: object): Promise<unknown> =>
  acting.invoke({ tool, args }, async () => ({ done: args })).catch((error: unknown) => error);

/** Two humans, delegation two deep, every verdict, refusals, errors, a job, a renewed and an ended session. */
async function tell(of: CrumbWorld): Promise<string[]> {
  const { crumb } = of;
  const alice = await of.loginAs('alice', [READ_42]);
  const bob = await of.loginAs('bob');
  const planner = alice.agent('planner');
  await Promise.all([
    use(planner, 'readRecord', { id: 42 }),
    use(planner, 'readRecord', { id: 42 }), // one of them finds no use left
    use(bob.agent('planner'), 'readRecord', { id: 7 }),
    use(bob.agent('planner'), 'exportRecord', { id: 7, note: 'x'.repeat(2000) }),
  ]);
  await planner.delegate(
    'researcher',
    { tool: 'research', args: { task: 'look' } },
    async (child) => {
      await use(child, 'readRecord', { id: 43 });
      await use(child, 'exportRecord', { id: 43 }); // refused at the provider: the scope does not cover it
      await use(child, 'think', { about: { __proto__: null, deep: [1, null, 'ü'] } });
    },
  );
  await planner
    .invoke({ tool: 'think', args: {} }, async () => {
      throw new Error('tool failed');
    })
    .catch(() => undefined);
  await planner.invoke({ tool: 'think', args: new Date() }, async () => 1).catch(() => undefined);
  await use(crumb.unattended('planner'), 'think', { job: true });
  const renewed = await alice.renew(await of.tokenOf('alice', [READ_42])).catch(() => undefined);
  if (renewed !== undefined) await use(renewed.agent('planner'), 'readRecord', { id: 42 });
  await use(bob.agent('researcher'), 'readRecord', { id: 8 });
  await approve(planner, 'think', { secret: 1 });
  await approve(planner, 'exportRecord', { id: 44 });
  await bob.end();
  return [await crumb.checkpoint()];
}

/** A call that a human said yes to, sent twice: the second time nobody has said yes. */
async function approve(acting: ActingAgent, tool: string, args: object): Promise<void> {
  const id = `call_${tool}`;
  await noteApprovalRequest(acting, { id, tool, args });
  for (let n = 0; n < 2; n++) {
    const request = { id, tool, args, origin: 'approval-replay' } as const;
    const call = await recordToolCall(acting, request).catch(() => undefined);
    await call?.close('ok', { result: new Uint8Array([1, 2, 3]) });
  }
}

async function check(
  trust: Trust,
  options: { vault?: boolean; file?: boolean } = {},
): Promise<VerifyReport> {
  const { vault: vaultOptions } = world.plainOptions;
  const key = fromBase64url(String(vaultOptions.key)) ?? new Uint8Array();
  const vault =
    options.vault === false ? undefined : await openVault({ url: vaultOptions.url, key });
  const reader = await openLibsqlReader({ url: `file:${world.ledgerFile}` });
  try {
    const source = await bundleSource(reader, vault);
    if (options.file !== true)
      return await verifyBundle(bundleItems(source), trust, { full: true });
    return await verifyBundle(bundleLines(source), trust, { full: true });
  } finally {
    await reader.close();
    await vault?.close();
  }
}

async function trustOf(): Promise<Trust> {
  const [genesis] = await world.crumbsOf('genesis');
  return { key: genesis?.body.key ?? '', origin: genesis?.body.origin ?? '', heads };
}

describe('a ledger as it is recorded', () => {
  it('is sound, with every verdict judged again and every token checked', async () => {
    const report = await check(await trustOf());
    const kinds = (await world.readCrumbs()).map(({ kind }) => kind);
    const attempts = kinds.filter((kind) => kind === 'intent' || kind === 'refusal').length;
    expect(report.findings).toEqual([]);
    expect(report.warnings.map(({ code }) => code)).toEqual(['issuer_keys_self_archived']);
    expect(report.notEstablished.map(({ code }) => code)).toEqual(['tail_uncovered']);
    expect(report).toMatchObject({ level: 'signed', size: kinds.length });
    expect(report.stats.judged).toBe(attempts);
    expect(report.stats.tokens).toBeGreaterThan(8);
    expect(report.stats.verdicts.unauthorized).toBeGreaterThan(2);
    expect(report.stats.outcomes.error).toBeGreaterThan(0);
  });

  it('is the same from a file', async () => {
    expect(await check(await trustOf(), { file: true })).toEqual(await check(await trustOf()));
  });

  it('is sound for a stranger without the vault, who is told what that leaves open', async () => {
    const report = await check({}, { vault: false });
    expect(report.findings).toEqual([]);
    expect(report.level).toBe('none');
    expect(report.notEstablished.map(({ code }) => code).toSorted()).toEqual([
      'key_not_confirmed',
      'tail_uncovered',
      'token_unavailable',
      'verdict_not_recomputed',
    ]);
  });

  it('names the row that somebody changed with a database tool', async () => {
    const client = createClient({ url: `file:${world.ledgerFile}` });
    const intent = (await world.readCrumbs()).find(
      ({ kind, body }) => kind === 'intent' && body.verdict === 'unauthorized',
    );
    const { rows: triggers } = await client.execute(
      "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'entry'",
    );
    for (const { name } of triggers) {
      if (typeof name === 'string') await client.execute(`DROP TRIGGER ${name}`);
    }
    const sql = `UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT), '"unauthorized"', '"authorized"') AS BLOB) WHERE seq = ?`;
    await client.execute({ sql, args: [intent?.seq ?? -1] });
    client.close();
    const report = await check(await trustOf());
    const seq = intent?.seq ?? -1;
    expect(report.sound).toBe(false);
    expect(report.findings).toContainEqual({ code: 'chain_broken', seq, what: 'stored' });
    expect(report.findings).toContainEqual({ code: 'chain_broken', seq: seq + 1, what: 'prev' });
    expect(report.findings).toContainEqual(
      expect.objectContaining({ code: 'verdict_mismatch', seq }),
    );
    expect(report.counts).toHaveProperty('root_mismatch');
  });
});
