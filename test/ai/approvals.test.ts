import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bind } from '../../src/ai/bind.ts';
import type { ActingAgent } from '../../src/gateway/acting-agent.ts';
import { openWorld, READ_42, RECORDS, type CrumbWorld } from '../world.ts';
import {
  answered,
  ask,
  edited,
  FORGED,
  FORMS,
  forget,
  post,
  ran,
  readRecord,
  WAYS,
  type Turn,
} from './approval-turns.ts';
import { host7, say } from './hosts.ts';
import { audit } from './audit.ts';
import { beginTrail } from './trail.ts';

let world: CrumbWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world.close());

async function plannerOf(person: string, directives: readonly object[] = []): Promise<ActingAgent> {
  return (await world.loginAs(person, directives, { scope: 'openid read_record' })).agent(
    'planner',
  );
}

const CASES = FORMS.flatMap(({ host, form }) =>
  WAYS.map((way) => ({ host, form, way, title: `${host.name}, ${form}, ${way}` })),
);

describe.each(CASES)('an approval ($title)', (turn) => {
  it('lets exactly the call run that was asked about, once, and is on record', async () => {
    const planner = await plannerOf('alice');
    const trail = await beginTrail(world);
    forget();
    const first = await ask(planner, turn);
    expect(ran).toEqual([]);
    expect(await trail.lines()).toEqual([]);
    const messages = answered(first.messages, true);
    const second = await post(planner, turn, messages);
    expect(second.text).toBe('answered');
    expect(ran).toEqual([{ id: 42 }]);
    expect(await trail.lines()).toEqual([
      'approval readRecord',
      'intent readRecord authorized',
      'outcome readRecord ok',
    ]);
    const entries = await trail.entries();
    const [approval] = entries.filter(({ kind }) => kind === 'approval');
    const [intent] = await trail.attempts();
    expect(intent).toMatchObject({ approval: approval?.seq, directive: null, reason: null });
    expect(intent?.call).toMatchObject({ origin: 'approval-replay' });
    expect(approval?.body).toMatchObject({
      human: intent?.human,
      call: { args: intent?.call.args },
    });

    // The browser strips the result and posts the yes again.
    await post(planner, turn, messages).catch(() => {});
    expect(ran).toEqual([{ id: 42 }]);
    expect((await trail.lines()).at(-1)).toBe('refusal readRecord approval_unverified');
  });

  it('that says no lets nothing run', async () => {
    const planner = await plannerOf('alice');
    forget();
    const first = await ask(planner, turn);
    await post(planner, turn, answered(first.messages, false));
    expect(ran).toEqual([]);
  });
});

describe.each(
  CASES.flatMap((turn) =>
    (['only the record', 'only the secret'] as const).map((locks) => ({
      ...turn,
      locks,
      title: `${turn.title}, ${locks}`,
    })),
  ),
)('an approval does not hold ($title)', (turn) => {
  /** Posts a history; nothing may run, and with the record the refusal is a crumb. */
  async function expectRefused(acting: ActingAgent, messages: readonly unknown[]): Promise<void> {
    const trail = await beginTrail(world);
    forget();
    const result = await post(acting, turn, messages).catch((error: unknown) => error);
    expect(ran).toEqual([]);
    if (turn.locks === 'only the record') {
      expect(await trail.lines()).toEqual(['refusal readRecord approval_unverified']);
    } else {
      expect(result).toMatchObject({ name: 'AI_InvalidToolApprovalSignatureError' });
      expect(await trail.lines()).toEqual([]);
    }
  }

  it('when it is forged', async () => {
    await expectRefused(await plannerOf('alice'), FORGED);
  });

  it('for another human', async () => {
    const { messages } = await ask(await plannerOf('alice'), turn);
    await expectRefused(await plannerOf('bob'), answered(messages, true));
  });

  it('for another session of the same human', async () => {
    const { messages } = await ask(await plannerOf('alice'), turn);
    await expectRefused(await plannerOf('alice'), answered(messages, true));
  });

  it('for another agent of the same session', async () => {
    const session = await world.loginAs('alice', []);
    const { messages } = await ask(session.agent('planner'), turn);
    await expectRefused(session.agent('researcher'), answered(messages, true));
  });

  it('for other arguments', async () => {
    const planner = await plannerOf('alice');
    const { messages } = await ask(planner, turn);
    await expectRefused(planner, edited(answered(messages, true), '{"id":42}', '{"id":43}'));
  });

  it('for another call id', async () => {
    const planner = await plannerOf('alice');
    const { messages } = await ask(planner, turn);
    await expectRefused(planner, edited(answered(messages, true), '"c1"', '"c2"'));
  });
});

const RECORD_ONLY = CASES.map((turn) => ({ ...turn, locks: 'only the record' as const }));

describe.each(RECORD_ONLY)('the record alone ($title)', (turn) => {
  it('lets one of two posts run that arrive at once', async () => {
    const planner = await plannerOf('alice');
    const { messages } = await ask(planner, turn);
    const trail = await beginTrail(world);
    forget();
    await Promise.all([1, 2, 3].map(() => post(planner, turn, answered(messages, true))));
    expect(ran).toEqual([{ id: 42 }]);
    expect((await trail.lines()).toSorted()).toEqual([
      'approval readRecord',
      'intent readRecord authorized',
      'outcome readRecord ok',
      'refusal readRecord approval_unverified',
      'refusal readRecord approval_unverified',
    ]);
  });

  it('forgets a question after ten minutes', async () => {
    let lateMs = 0;
    const clock = (): Date => new Date(Date.now() + lateMs);
    await using world = await openWorld({ crumb: { clock } });
    const planner = (await world.loginAs('alice', [])).agent('planner');
    const { messages } = await ask(planner, turn);
    const trail = await beginTrail(world);
    forget();
    lateMs = 10 * 60_000 + 1;
    await post(planner, turn, answered(messages, true));
    expect(ran).toEqual([]);
    expect(await trail.lines()).toEqual(['refusal readRecord approval_unverified']);
  });
});

it('is spent by a process that dies after the intent; asking again helps', async () => {
  await using world = await openWorld();
  const token = await world.tokenOf('alice', []);
  const turn: Turn = { host: host7, way: 'generate', form: 'a map', locks: 'only the record' };
  const trail = await beginTrail(world);
  const first = (await world.crumb.session(token)).agent('planner');
  const { messages } = await ask(first, turn);
  const yes = answered(messages, true);

  // The first process hangs in the tool: its intent is on record, and nothing else will be.
  const hung = Promise.withResolvers<void>();
  const hanging = bind(first, {
    tools: { readRecord: { ...readRecord, execute: () => new Promise(() => hung.resolve()) } },
    toolApproval: { readRecord: 'user-approval' },
  });
  const { experimental_toolApprovalSecret: _off, ...settings } = hanging;
  void host7.generate({ model: host7.script(say('never')), ...settings, messages: yes });
  await hung.promise;

  const other = await world.openAgain();
  try {
    const second = (await other.session(token)).agent('planner');
    forget();
    await post(second, turn, yes);
    expect(ran).toEqual([]);
    const again = await ask(second, turn);
    await post(second, turn, answered(again.messages, true));
    expect(ran).toEqual([{ id: 42 }]);
  } finally {
    await other.close();
  }
  expect(await trail.lines()).toEqual([
    'approval readRecord',
    'intent readRecord authorized',
    'refusal readRecord approval_unverified',
    'approval readRecord',
    'intent readRecord authorized',
    'outcome readRecord ok',
  ]);
});

it('holds in another process that shares the approval key', async () => {
  const token = await world.tokenOf('alice', []);
  const turn: Turn = { host: host7, way: 'stream', form: 'a map' };
  const { messages } = await ask((await world.crumb.session(token)).agent('planner'), turn);
  const other = await world.openAgain();
  try {
    forget();
    await post((await other.session(token)).agent('planner'), turn, answered(messages, true));
    expect(ran).toEqual([{ id: 42 }]);
  } finally {
    await other.close();
  }
});

it('holds over a renewal of the token', async () => {
  // A browser that keeps its cookies is given a second token of the same login.
  const cookies = new Map<string, string>();
  const browser: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    for (const pair of request.headers.get('cookie')?.split('; ') ?? []) {
      cookies.set(pair.slice(0, pair.indexOf('=')), pair);
    }
    request.headers.set('cookie', [...cookies.values()].join('; '));
    const response = await fetch(request);
    for (const cookie of response.headers.getSetCookie()) {
      cookies.set(cookie.slice(0, cookie.indexOf('=')), cookie.split(';')[0] ?? '');
    }
    return response;
  };
  const turn: Turn = { host: host7, way: 'generate', form: 'a map' };
  const login = await world.loginAs('alice', [], { fetch: browser });
  const { messages } = await ask(login.agent('planner'), turn);
  const renewed = await login.renew(await world.tokenOf('alice', [], { fetch: browser }));
  forget();
  await post(renewed.agent('planner'), turn, answered(messages, true));
  expect(ran).toEqual([{ id: 42 }]);
});

it('counts once when the same call is asked about twice', async () => {
  const planner = await plannerOf('alice');
  const turn: Turn = { host: host7, way: 'generate', form: 'a map', locks: 'only the record' };
  await ask(planner, turn);
  const { messages } = await ask(planner, turn);
  forget();
  await post(planner, turn, answered(messages, true));
  await post(planner, turn, answered(messages, true));
  expect(ran).toEqual([{ id: 42 }]);
});

it("runs an unverified approval in mode 'record', and the intent says that none was", async () => {
  await using recording = await openWorld({ crumb: { mode: 'record' } });
  const acting = (await recording.loginAs('alice', [READ_42])).agent('planner');
  const trail = await beginTrail(recording);
  forget();
  const { experimental_toolApprovalSecret: _off, ...bound } = bind(acting, {
    tools: { readRecord },
    toolApproval: { readRecord: 'user-approval' },
  });
  await host7.generate({ model: host7.script(say('x')), ...bound, messages: FORGED });
  expect(ran).toEqual([{ id: 42 }]);
  const [intent] = await trail.attempts();
  expect(intent).toMatchObject({ approval: null, call: { origin: 'approval-replay' } });
});

it('is refused for a directive of somebody else at the provider, as any call', async () => {
  // The human says yes, but never granted the scope: the provider still decides.
  const planner = (
    await world.loginAs(
      'alice',
      [{ type: 'crumb_tool_call', actions: ['x'], locations: [RECORDS] }],
      {
        scope: 'openid export_record',
      },
    )
  ).agent('planner');
  const turn: Turn = { host: host7, way: 'generate', form: 'a map' };
  const { messages } = await ask(planner, turn);
  const trail = await beginTrail(world);
  forget();
  await post(planner, turn, answered(messages, true));
  expect(ran).toEqual([]);
  expect(await trail.lines()).toEqual(['refusal readRecord exchange_refused']);
});

it('leaves a ledger in which every verdict and token verifies', async () => {
  expect(await audit(world)).toEqual([]);
});
