/** What honest ledgers look like in their odd corners, and where dishonest ones begin. */
import { createHash, hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toBase64url, utf8 } from '../../src/evidence/bytes.ts';
import { ed25519Signer } from '../../src/evidence/ed25519.ts';
import { vkeyOf } from '../../src/evidence/note.ts';
import type { Trust, VerifyOptions } from '../../src/verify/trust.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import {
  add,
  commit,
  createIssuer,
  ISS,
  itemsOf,
  keepClosed,
  noteOf,
  ORIGIN,
  PLANNER,
  RECORDS,
  RESEARCHER,
  vkeyOfBuilder,
  type Builder,
} from './build-ledger.ts';
import {
  addLogin,
  attempt,
  call,
  delegate,
  DETAIL,
  directiveRecord,
  logIn,
  NOT_42,
  refused,
  renewHop,
  tellStory,
  type Scene,
} from './story.ts';

const NO_USE = { ...NOT_42, reason: { code: 'uses', argument: null } } as const;

async function verify(builder: Builder, trust: Trust = {}, options: VerifyOptions = {}) {
  const lines = await itemsOf(builder);
  return verifyBundle(lines, { key: vkeyOfBuilder(builder), ...trust }, options);
}

/** The codes of what is wrong with a ledger that gets these entries. */
async function wrongWith(
  change: (scene: Scene) => Promise<unknown>,
  login?: Parameters<typeof logIn>[0],
): Promise<readonly string[]> {
  const scene = await logIn(login);
  await change(scene);
  await commit(scene.builder);
  return (await verify(scene.builder)).findings.map(({ code }) => code);
}

describe('judging again', () => {
  it('grants that a directive expired between judging and writing, but no longer than that takes', async () => {
    const expires = Date.parse('2026-11-22T10:15:31.000Z');
    const body = { directives: [] as ReturnType<typeof directiveRecord>[] };
    const login = async (later: number): Promise<readonly string[]> => {
      const scene = await logIn({
        claims: { authorization_details: [{ ...DETAIL, expires: expires / 1000 }] },
        body,
      });
      const { builder } = scene;
      const directives = [directiveRecord(builder, { expires: new Date(expires).toISOString() })];
      const session = await addLogin(scene, {
        body: { directives },
        claims: { authorization_details: [{ ...DETAIL, expires: expires / 1000 }] },
      });
      builder.now = expires + later;
      add(builder, 'intent', await attempt({ ...scene, session }));
      await commit(builder);
      return (await verify(builder)).findings.flatMap((one) =>
        'seq' in one && one.seq > 3 ? one.code : [],
      );
    };
    expect(await login(5_000)).toEqual([]);
    expect(await login(600_000)).toEqual(['verdict_mismatch']);
  });

  it('counts uses as the recorder does', async () => {
    const honest = await wrongWith(async (scene) => {
      add(scene.builder, 'intent', await attempt(scene));
      add(scene.builder, 'intent', await attempt(scene, NO_USE));
      add(scene.builder, 'refusal', await refused(scene, NO_USE));
    });
    expect(honest).toEqual([]);
  });

  it('takes no use for what did not run', async () => {
    const honest = await wrongWith(async (scene) => {
      add(scene.builder, 'refusal', await refused(scene, { code: 'exchange_unreachable' }));
      add(scene.builder, 'intent', await attempt(scene));
    });
    expect(honest).toEqual([]);
  });

  it('grants that another process took the use, under a session entry of its own', async () => {
    const honest = await wrongWith(async (scene) => {
      const session = await addLogin(scene);
      add(scene.builder, 'intent', await attempt({ ...scene, session }));
      add(scene.builder, 'intent', await attempt(scene, NO_USE));
    });
    expect(honest).toEqual([]);
  });

  it('needs no arguments where it does not depend on them', async () => {
    const scene = await logIn();
    const { builder } = scene;
    const closed = (change: object) =>
      call(builder, {}, { args: keepClosed(builder, 'args', { id: 42 }), ...change });
    const reason = { code: 'action', argument: null } as const;
    const exported = closed({ tool: 'exportRecord', action: 'export_record' });
    add(builder, 'intent', await attempt(scene, { ...NOT_42, reason, call: exported }));
    await commit(builder);
    const report = await verify(builder);
    expect(report.findings).toEqual([]);
    expect(report.stats.judged).toBe(1);
    add(builder, 'intent', await attempt(scene, { call: closed({}) }));
    await commit(builder);
    expect((await verify(builder)).counts).toMatchObject({ verdict_not_recomputed: 1 });
  });

  it('judges a scope directive without arguments', async () => {
    const scene = await logIn({
      claims: { authorization_details: undefined },
      body: {
        directives: [
          {
            source: 'scope',
            actions: ['read_record'],
            resources: [RECORDS],
            args: null,
            agents: null,
            expires: null,
            maxUses: null,
          },
        ],
      },
    });
    const { builder } = scene;
    const args = keepClosed(builder, 'args', { id: 43 });
    add(builder, 'intent', await attempt(scene, { call: call(builder, {}, { args }) }));
    await commit(builder);
    const report = await verify(builder);
    expect(report).toMatchObject({ findings: [], stats: { judged: 1 } });
  });

  it('knows that arguments which are no JSON were judged as none', async () => {
    const scene = await logIn();
    const body = await refused(scene, {
      ...NOT_42,
      reason: { code: 'argument', argument: null },
      code: 'arguments_not_json',
    });
    scene.builder.kept.delete(body.call.args);
    add(scene.builder, 'refusal', body);
    await commit(scene.builder);
    const report = await verify(scene.builder);
    expect(report.findings).toEqual([]);
    expect(report.counts).not.toHaveProperty('opening_missing');
  });

  it('cannot say whether an approved call was approved, once the provider refused it', async () => {
    const scene = await logIn();
    const { builder } = scene;
    const approved = call(builder, { id: 43 }, { origin: 'approval-replay' });
    const body = await refused(scene, {
      call: approved,
      directive: null,
      code: 'exchange_refused',
    });
    add(builder, 'refusal', body);
    await commit(builder);
    const report = await verify(builder);
    expect(report.findings).toEqual([]);
    expect(report.counts).toMatchObject({ verdict_not_recomputed: 1 });
  });

  it('judges delegation by agents alone, over three levels', async () => {
    const fetcher = { iss: ISS, sub: 'fetcher' };
    const detail = { ...DETAIL, agents: ['planner', 'researcher', 'fetcher'] };
    const agents = detail.agents;
    const scene = await logIn({ claims: { authorization_details: [detail] } });
    const { builder } = scene;
    const session = await addLogin(scene, {
      claims: { authorization_details: [detail] },
      body: { directives: [directiveRecord(builder, { agents })] },
    });
    const deep = { ...scene, session };
    const first = await delegate(deep);
    const hop = await delegate(deep, { hop: first, chain: [PLANNER, RESEARCHER], to: fetcher });
    add(builder, 'intent', await attempt(deep, { hop, chain: [PLANNER, RESEARCHER, fetcher] }));
    await commit(builder);
    const { findings } = await verify(builder);
    expect(findings.filter((one) => 'seq' in one && one.seq > 2)).toEqual([]);
  });
});

describe('hops', () => {
  it('are renewed for agents that outlive them, whichever hop of its parent was in use', async () => {
    const fetcher = { iss: ISS, sub: 'fetcher' };
    const chain = [PLANNER, RESEARCHER];
    const reason = { code: 'agent', argument: null } as const;
    const honest = await wrongWith(async (scene) => {
      const { builder } = scene;
      const first = await delegate(scene);
      const intent = first - 1;
      const child = { intent: first + 1, chain };
      const body = await attempt(scene, {
        ...NOT_42,
        reason,
        hop: first,
        chain,
        call: call(
          builder,
          { task: 'look' },
          { tool: 'fetch', action: 'delegate', resource: 'urn:agent:fetcher' },
        ),
      });
      add(builder, 'intent', body);
      if (body.token === null) throw new TypeError('no token');
      await renewHop(scene, { ...child, parent: first, token: body.token }, fetcher);
      builder.now += 200_000;
      await renewHop(scene, { ...child, parent: first }, fetcher);
      const parent = await renewHop(scene, { intent });
      builder.now += 200_000;
      const last = await renewHop(scene, { ...child, parent }, fetcher);
      await renewHop(scene, { intent });
      for (const hop of [last, last - 2]) {
        const actors = [...chain, fetcher];
        add(builder, 'intent', await attempt(scene, { ...NOT_42, reason, hop, chain: actors }));
      }
    });
    expect(honest).toEqual([]);
  });
});

describe('logins', () => {
  it('goes on through renewals, with their own directives', async () => {
    const honest = await wrongWith(async (scene) => {
      const { builder, session } = scene;
      builder.now += 1000;
      const renewed = await addLogin(scene, { body: { op: 'renew', session } });
      const hop = await delegate(scene);
      const chain = [PLANNER, RESEARCHER];
      add(
        builder,
        'intent',
        await attempt({ ...scene, session: renewed }, { ...NOT_42, hop, chain, args: { id: 1 } }),
      );
    });
    expect(honest).toEqual([]);
  });

  it('starts with the agents that stood upstream of it', async () => {
    const upstream = { iss: ISS, sub: 'planner' };
    const honest = await wrongWith(
      async (scene) =>
        add(scene.builder, 'intent', await attempt(scene, { chain: [upstream, RESEARCHER] })),
      { claims: { act: { sub: 'planner' } }, body: { chain: [upstream] } },
    );
    expect(honest).toEqual([]);
  });

  it("uses the reader's key set, and the archived one only for keys that it does not have", async () => {
    const { builder, issuer } = await tellStory();
    const own = await verify(builder, { issuerKeys: { [ISS]: issuer.jwks } });
    expect(own.counts).not.toHaveProperty('issuer_keys_self_archived');
    const rotated = await verify(builder, { issuerKeys: { [ISS]: { keys: [] } } });
    expect(rotated).toMatchObject({ sound: true, counts: { issuer_keys_self_archived: 1 } });
    const forged = await verify(builder, { issuerKeys: { [ISS]: (await createIssuer()).jwks } });
    expect(forged.counts).toMatchObject({ chain_mismatch: 7 });
  });
});

describe('keys of the ledger', () => {
  const next = ed25519Signer(new Uint8Array(32).fill(2));
  const recovery = ed25519Signer(new Uint8Array(32).fill(3));
  const nextKey = vkeyOf(ORIGIN, next.publicKey);
  const proofBy = async (signer: typeof next, seq: number): Promise<string> =>
    toBase64url(await signer.sign(utf8(`crumb/1 key\n${ORIGIN}\n${seq}\n${nextKey}`)));
  const change = { role: 'ledger', key: nextKey, proof: null, since: null, reason: null } as const;

  it('are handed over by a key entry that the old key signs and the new one proves', async () => {
    const scene = await logIn();
    const { builder } = scene;
    add(builder, 'key', { ...change, op: 'add', proof: await proofBy(next, 3) });
    await commit(builder);
    add(builder, 'intent', await attempt(scene));
    await commit(builder, next);
    for (const full of [false, true]) {
      const report = await verify(builder, {}, { full });
      expect(report).toMatchObject({ findings: [], level: 'signed' });
      expect(report.stats.heads.checked).toBe(full ? 4 : 2);
    }
  });

  it('are not used before they were handed over to', async () => {
    const { builder } = await logIn();
    add(builder, 'key', { ...change, op: 'add', proof: await proofBy(next, 3) });
    await commit(builder, next);
    expect((await verify(builder)).findings).toContainEqual({
      code: 'head_invalid',
      size: 4,
      what: 'signature',
    });
  });

  it('are recovered by the recovery key after a revocation, and by nothing else', async () => {
    for (const [by, codes] of [
      [recovery, []],
      [next, ['key_unknown']],
    ] as const) {
      const scene = await logIn({ genesis: { recoveryKey: vkeyOf(ORIGIN, recovery.publicKey) } });
      const { builder } = scene;
      add(builder, 'key', { ...change, op: 'revoke', key: vkeyOfBuilder(builder) });
      add(builder, 'key', { ...change, op: 'add', proof: await proofBy(by, 4) });
      await commit(builder, next);
      const report = await verify(builder);
      expect(report.findings.map(({ code }) => code)).toEqual(codes);
    }
  });

  it('can be trusted by the leaf of genesis', async () => {
    const { builder } = await logIn();
    const key = toBase64url(builder.rows[0]?.leaf ?? new Uint8Array());
    expect((await verify(builder, { key })).level).toBe('signed');
    const other = toBase64url(builder.rows[1]?.leaf ?? new Uint8Array());
    expect((await verify(builder, { key: other })).level).toBe('none');
  });

  it('vouch for a head that somebody kept, so that a cut end shows', async () => {
    const { builder } = await tellStory();
    const heads = [noteOf(builder)];
    expect((await verify(builder, { heads })).sound).toBe(true);
    builder.rows.splice(9);
    builder.checkpoints.splice(0);
    expect((await verify(builder)).sound).toBe(true); // nobody can see it without
    const report = await verify(builder, { heads });
    expect(report.findings).toEqual([{ code: 'size_beyond_entries', size: 17, entries: 9 }]);
  });
});

describe('the report', () => {
  it('stays small for a ledger that is wrong everywhere', async () => {
    const { builder } = await logIn();
    for (let n = 0; n < 500; n++) {
      add(builder, 'outcome', { intent: 1, status: 'ok', result: null, error: null, ms: 1 });
    }
    await commit(builder);
    const report = await verify(builder);
    expect(report.counts).toMatchObject({ reference_broken: 500 });
    expect(report.findings).toHaveLength(20);
    expect(report.findings[0]).toMatchObject({ seq: 3 });
  });

  it('is the same with any SHA-256, and tells how far it got', async () => {
    const { builder } = await tellStory();
    const seen: number[] = [];
    const native: VerifyOptions = {
      sha256: (bytes) => hash('sha256', bytes, 'buffer'),
      createSha256: () => createHash('sha256'),
      onProgress: ({ entries, size }) => seen.push(entries / size),
    };
    expect(await verify(builder, {}, native)).toEqual(await verify(builder));
    expect(seen.at(-1)).toBe(1);
  });

  it('says of the level what a broken ledger leaves of it', async () => {
    const { builder } = await tellStory();
    const row = builder.rows[8];
    if (row) builder.rows[8] = { ...row, bytes: utf8('{}') };
    const report = await verify(builder);
    expect(report.level).toBe('none');
    expect(report.stats.heads.checked).toBeGreaterThan(1); // what stood before the damage was checked
  });
});
