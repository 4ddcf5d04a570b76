import { createClient } from '@libsql/client';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { openWorld, READ_42, type CrumbWorld } from '../world.ts';
import type { CrashOrder } from './crash-in-tool.ts';

let world: CrumbWorld;
beforeEach(async () => {
  world = await openWorld({ crumb: { ledger: { busyTimeoutMs: 300 } } });
});
afterEach(async () => world.close());

const FREE = { ...READ_42, max_uses: undefined };
const read = { tool: 'readRecord', args: { id: 42 } };

/** Holds the ledger's write lock, as another process would. */
async function lock(): Promise<{ release(): Promise<void> }> {
  const client = createClient({ url: `file:${world.ledgerFile}` });
  const held = await client.transaction('write');
  return {
    async release() {
      await held.rollback();
      client.close();
    },
  };
}

describe('a ledger that another process holds', () => {
  it('stops the tool from running, and the next call works', async () => {
    const planner = (await world.loginAs('alice', [FREE])).agent('planner');
    await planner.invoke(read, () => null);
    const { release } = await lock();
    let ran = false;
    const call = planner.invoke(read, () => (ran = true));
    await expect(call).rejects.toMatchObject({
      code: 'intent_unrecorded',
      cause: { code: 'ledger_busy' },
    });
    expect(ran).toBe(false);
    await release();
    await expect(planner.invoke(read, () => 'ran')).resolves.toBe('ran');
    expect((await verifyBundle(world.crumb.bundle())).sound).toBe(true);
  });

  it('does not turn success into an error: the outcome is written when it can be', async () => {
    const planner = (await world.loginAs('alice', [FREE])).agent('planner');
    let held: Awaited<ReturnType<typeof lock>> | undefined;
    const answer = await planner.invoke(read, async () => {
      held = await lock();
      return 'done';
    });
    expect(answer).toBe('done');
    expect(await world.crumbsOf('outcome')).toEqual([]);
    await held?.release();
    await vi.waitFor(
      async () => {
        expect(await world.crumbsOf('outcome')).toMatchObject([
          { body: { status: 'ok', intent: 3 } },
        ]);
      },
      { timeout: 10_000 },
    );
  });

  it('is named at the end, with the outcomes that it never took', async () => {
    const other = await world.openAgain({ ledger: { busyTimeoutMs: 300 } });
    const session = await other.session(await world.tokenOf('alice', [FREE]));
    let held: Awaited<ReturnType<typeof lock>> | undefined;
    await session.agent('planner').invoke(read, async () => {
      held = await lock();
    });
    await expect(other.close()).rejects.toMatchObject({ code: expect.stringMatching(/^ledger_/u) });
    await held?.release();
    const report = await verifyBundle(world.crumb.bundle());
    expect(report.warnings.map(({ code }) => code)).toContain('outcome_unknown');
  });
});

it('leaves an intent without an outcome when it is killed inside a tool, and the next start says so', async () => {
  const token = await world.tokenOf('alice', [FREE]);
  const order: CrashOrder = { options: world.plainOptions, token };
  const child = fork(new URL('./crash-in-tool.ts', import.meta.url), { stdio: 'inherit' });
  child.send(order);
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');

  const again = await world.openAgain();
  const intents = await world.crumbsOf('intent');
  expect(intents).toHaveLength(1);
  expect(again.ledger.opened.outcomeUnknown).toEqual([intents[0]?.seq]);
  const report = await verifyBundle(again.bundle());
  expect(report.sound).toBe(true);
  expect(report.stats.outcomes.unknown).toBe(1);
  expect(report.warnings).toContainEqual(expect.objectContaining({ code: 'outcome_unknown' }));
  await again.close();
});

it('makes one chain of the calls of two processes', async () => {
  const planner = (await world.loginAs('alice', [FREE])).agent('planner');
  const order: CrashOrder = {
    options: world.plainOptions,
    token: await world.tokenOf('bob', [FREE]),
    calls: 20,
  };
  const child = fork(new URL('./crash-in-tool.ts', import.meta.url), { stdio: 'inherit' });
  const exited = once(child, 'exit');
  child.send(order);
  for (let n = 0; n < 20; n += 1) await planner.invoke(read, () => null);
  expect((await exited)[0]).toBe(0);
  const report = await verifyBundle(world.crumb.bundle(), {}, { full: true });
  expect(report.findings).toEqual([]);
  expect(report.stats.outcomes.ok).toBe(40);
});

describe('a vault that cannot be written', () => {
  it('stops the tool from running: a commitment that nobody can open is no evidence', async () => {
    const planner = (await world.loginAs('alice', [FREE])).agent('planner');
    await planner.invoke(read, () => null);
    const vault = createClient({ url: `file:${world.folder}/vault.db` });
    const held = await vault.transaction('write');
    let ran = false;
    const call = planner.invoke(read, () => (ran = true));
    await expect(call).rejects.toMatchObject({ code: 'intent_unrecorded' });
    expect(ran).toBe(false);
    await held.rollback();
    vault.close();
  });
});
