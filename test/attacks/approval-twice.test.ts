/**
 * Claim: one yes lets one call run, the one that was asked about: however often it is sent, at the same time
 * or later, to one process or to two.
 */
import { createClient } from '@libsql/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { noteApprovalRequest } from '../../src/gateway/approvals.ts';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import type { Crumb } from '../../src/gateway/create-crumb.ts';
import { recordToolCall } from '../../src/gateway/record-tool-call.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { itemsOf, vkeyOfBuilder, type Builder } from '../verify/build-ledger.ts';
import { tellStory } from '../verify/story.ts';
import { openWorld, type CrumbWorld } from '../world.ts';
import { forge, NEW, replaced } from './forge.ts';
import { expectOnly } from './weakened.ts';

const ARGS = { id: 42 };

let world: CrumbWorld;
let other: Crumb;
beforeAll(async () => {
  world = await openWorld({ crumb: { unauthorized: 'ask' } });
  other = await world.openAgain({ unauthorized: 'ask' });
});
afterAll(async () => {
  await other.close();
  await world.close();
});
afterEach(() => database('DROP TRIGGER IF EXISTS forgetful'));

/** A statement past everything of ours. */
async function database(sql: string): Promise<void> {
  const client = createClient({ url: `file:${world.ledgerFile}`, timeout: 2000 });
  await client.execute(sql);
  client.close();
}

/** Alice's planner, once in each of two processes, and a call of hers that waits for her yes. */
async function asked(id: string): Promise<readonly [ActingAgent, ActingAgent]> {
  const token = await world.tokenOf('alice', [], { scope: 'openid read_record' });
  const agents = await Promise.all(
    [world.crumb, other].map(async (crumb) => (await crumb.session(token)).agent('planner')),
  );
  const [here, there] = agents;
  if (here === undefined || there === undefined) throw new TypeError('no agents');
  await noteApprovalRequest(here, { id, tool: 'readRecord', args: ARGS });
  return [here, there];
}

/** The yes comes back with the call. Answers whether the tool ran, or why not. */
async function replay(agent: ActingAgent, id: string, args: unknown = ARGS): Promise<string> {
  const request = { id, tool: 'readRecord', args, origin: 'approval-replay' as const };
  try {
    const call = await recordToolCall(agent, request);
    await call.close('ok', { result: null });
    return 'ran';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'failed';
  }
}

/** What is on record about calls of this id, approvals aside. */
async function recorded(id: string): Promise<readonly string[]> {
  return (await world.readCrumbs()).flatMap(({ kind, body }) =>
    (kind === 'intent' || kind === 'refusal') && body.call.id === id
      ? [kind === 'intent' ? `intent ${body.verdict}` : `refusal ${body.code}`]
      : [],
  );
}

describe('one yes, sent twice at once', () => {
  it('lets both calls run where uses are not counted', async () => {
    await database(
      'CREATE TRIGGER forgetful AFTER INSERT ON uses BEGIN DELETE FROM uses WHERE key = NEW.key; END',
    );
    const [here] = await asked('weak');
    expect(await Promise.all([replay(here, 'weak'), replay(here, 'weak')])).toEqual(['ran', 'ran']);
    expect(await recorded('weak')).toEqual(['intent authorized', 'intent authorized']);
  });

  it.each(['one process', 'two processes'])('lets one call run (%s)', async (where) => {
    const id = where.replace(' ', '-');
    const [here, there] = await asked(id);
    const second = where === 'one process' ? here : there;
    const results = await Promise.all([replay(here, id), replay(second, id)]);
    expect(results.toSorted()).toEqual(['approval_unverified', 'ran']);
    expect((await recorded(id)).toSorted()).toEqual([
      'intent authorized',
      'refusal approval_unverified',
    ]);
  });

  it('and again later, lets none run', async () => {
    const [here, there] = await asked('later');
    expect(await replay(here, 'later')).toBe('ran');
    expect(await replay(here, 'later')).toBe('approval_unverified');
    expect(await replay(there, 'later')).toBe('approval_unverified');
  });
});

it('a yes to other arguments lets nothing run, and the right call still can', async () => {
  const [here] = await asked('edited');
  expect(await replay(here, 'edited', { id: 43 })).toBe('approval_unverified');
  expect(await replay(here, 'edited')).toBe('ran');
});

describe('a recorder that lets it happen, and signs it,', () => {
  /** In the story: an approval (11), the call that rests on it (12), and its outcome (13). */
  const [APPROVED, OUTCOME] = [12, 13];

  let builder: Builder;
  beforeAll(async () => {
    ({ builder } = await tellStory());
  });
  async function audit(ledger: Builder): Promise<VerifyReport> {
    return verifyBundle(await itemsOf(ledger), { key: vkeyOfBuilder(builder) }, { full: true });
  }

  it('is found by the second use', async () => {
    const twice = await forge(
      builder,
      (entries) => {
        const again = entries.slice(APPROVED, OUTCOME + 1).map((entry, n) => {
          const seq = NEW - n;
          return entry.kind === 'outcome'
            ? { ...entry, seq, body: { ...entry.body, intent: NEW } }
            : { ...entry, seq, time: entries[OUTCOME]?.time ?? entry.time };
        });
        return [...entries.slice(0, OUTCOME + 1), ...again, ...entries.slice(OUTCOME + 1)];
      },
      { signer: builder.signer },
    );
    expectOnly('use of an approval', await audit(twice), await audit(builder));
  });

  it('is found by a call that is not the one that was approved', async () => {
    const exchanged = await forge(
      builder,
      (entries) => {
        const read = entries[3];
        if (read?.kind !== 'intent') throw new TypeError('another story');
        return replaced(entries, [APPROVED, 'intent'], (body) => ({
          ...body,
          call: { ...body.call, args: read.body.call.args },
        }));
      },
      { signer: builder.signer },
    );
    expectOnly('use of an approval', await audit(exchanged), await audit(builder));
  });
});
