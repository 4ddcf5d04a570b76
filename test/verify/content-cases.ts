/** Corruptions of what entries say, signed by whoever made them. */
import { toBase64url } from '../../src/evidence/bytes.ts';
import type { Finding } from '../../src/verify/findings.ts';
import {
  add,
  commit,
  createIssuer,
  ISS,
  issue,
  keep,
  PLANNER,
  RECORDS,
  RESEARCHER,
} from './build-ledger.ts';
import { finds, findsIn, verify } from './finding-cases.ts';
import {
  addLogin,
  ALICE,
  attempt,
  call,
  delegate,
  DETAIL,
  logIn,
  NOT_42,
  outcome,
  refused,
  renewHop,
  type Scene,
} from './story.ts';

// References
{
  const broken = (seq: number, member: string, to: number | null): Finding => ({
    code: 'reference_broken',
    seq,
    member,
    to,
  });
  findsIn('a login that is none', broken(3, 'session', 1), async (scene) =>
    add(scene.builder, 'intent', await attempt(scene, { session: 1 })),
  );
  findsIn('a login that comes later', broken(3, 'session', 7), async (scene) =>
    add(scene.builder, 'intent', await attempt(scene, { session: 7 })),
  );
  findsIn('another human than that of the login', broken(3, 'human', 2), async (scene) =>
    add(scene.builder, 'intent', await attempt(scene, { human: toBase64url(new Uint8Array(32)) })),
  );
  findsIn('a human without a login', broken(3, 'human', null), async (scene) =>
    add(
      scene.builder,
      'intent',
      await attempt(scene, {
        session: null,
        verdict: 'unattributed',
        directive: null,
        token: null,
      }),
    ),
  );
  findsIn('a directive that the login does not have', broken(3, 'directive', null), async (scene) =>
    add(scene.builder, 'intent', await attempt(scene, { directive: 1 })),
  );
  findsIn(
    'an outcome of something that is no intent',
    broken(3, 'intent', 2),
    async ({ builder }) => outcome(builder, 2),
  );
  findsIn('a second outcome of one intent', broken(5, 'intent', 3), async (scene) => {
    add(scene.builder, 'intent', await attempt(scene));
    await outcome(scene.builder, 3);
    await outcome(scene.builder, 3);
  });
  findsIn('a key set of another issuer', broken(3, 'jwks', 0), async (scene) => {
    const { builder, issuer } = scene;
    const token = await issue(builder, issuer, 0, { aud: RECORDS, chain: [PLANNER] });
    add(builder, 'intent', await attempt(scene, { token }));
  });
  findsIn('a hop of another login', broken(7, 'hop', 4), async (scene) => {
    const hop = await delegate(scene);
    const jwks = scene.jwks;
    add(scene.builder, 'correction', {
      of: 1,
      about: 'x',
      text: keep(scene.builder, 'text', 'x'),
      by: null,
    });
    const session = await addLogin({ ...scene, jwks });
    const chain = [PLANNER, RESEARCHER];
    add(
      scene.builder,
      'intent',
      await attempt({ ...scene, session }, { ...NOT_42, hop, chain, args: { id: 1 } }),
    );
  });
  findsIn('two hops of one delegation', broken(5, 'intent', 3), async (scene) => {
    const hop = await delegate(scene);
    const bytes = Buffer.from(scene.builder.rows[hop]?.bytes ?? []).toString();
    const body: unknown = JSON.parse(bytes);
    const { body: again } = body as { body: Parameters<typeof add<'hop'>>[2] };
    add(scene.builder, 'hop', again);
  });
  findsIn('a renewed hop of other agents', broken(5, 'intent', 3), async (scene) => {
    await delegate(scene);
    await renewHop(scene, { intent: 3, chain: [RESEARCHER] });
  });
  findsIn('a renewed hop under another parent', broken(5, 'intent', 3), async (scene) => {
    const hop = await delegate(scene);
    await renewHop(scene, { intent: 3, parent: hop });
  });
  findsIn('a renewed hop of another login', broken(6, 'intent', 3), async (scene) => {
    await delegate(scene);
    await renewHop(scene, { intent: 3, session: await addLogin(scene) });
  });
  findsIn('a renewed hop of what is no delegation', broken(4, 'intent', 3), async (scene) => {
    add(scene.builder, 'intent', await attempt(scene));
    await renewHop(scene, { intent: 3 });
  });
  findsIn('a first hop with another token', broken(4, 'intent', 3), async (scene) => {
    const resource = 'urn:agent:researcher';
    const change = { tool: 'research', action: 'delegate', resource };
    const body = await attempt(scene, { call: call(scene.builder, { task: 'look' }, change) });
    add(scene.builder, 'intent', body);
    await renewHop(scene, { intent: 3 });
  });
  findsIn('an approval used twice', broken(5, 'approval', 3), async (scene) =>
    useApproval(scene, 2),
  );
  findsIn('an approval of another call', broken(4, 'approval', 3), async (scene) =>
    useApproval(scene, 1, { id: 'call_other' }),
  );
  findsIn('an approval that has run out', broken(4, 'approval', 3), async (scene) =>
    useApproval(scene, 1, {}, 600_000),
  );
  findsIn(
    'an anchor of more than there was',
    { code: 'anchor_not_monotone', seq: 3 },
    async ({ builder }) => add(builder, 'anchor', anchorOf(9)),
  );
  findsIn(
    'an anchor without its receipt',
    { code: 'receipt_missing', seq: 3 },
    async ({ builder }) => add(builder, 'anchor', anchorOf(2)),
  );
  findsIn('an intent without outcome', { code: 'outcome_unknown', seq: 3 }, async (scene) =>
    add(scene.builder, 'intent', await attempt(scene)),
  );
}

// Verdicts
{
  const wrong = (
    seq: number,
    expected: Extract<Finding, { code: 'verdict_mismatch' }>['expected'],
  ): Finding => ({
    code: 'verdict_mismatch',
    seq,
    expected,
  });
  findsIn('a call whitewashed', wrong(3, 'unauthorized'), async (scene) =>
    add(scene.builder, 'intent', await attempt(scene, { args: { id: 43 } })),
  );
  findsIn('a call blackened', wrong(3, 'authorized'), async (scene) =>
    add(scene.builder, 'intent', await attempt(scene, NOT_42)),
  );
  findsIn('another reason', wrong(3, 'unauthorized'), async (scene) =>
    add(
      scene.builder,
      'intent',
      await attempt(scene, {
        ...NOT_42,
        reason: { code: 'agent', argument: null },
        args: { id: 1 },
      }),
    ),
  );
  findsIn('a refusal that misjudges', wrong(3, 'unauthorized'), async (scene) =>
    add(scene.builder, 'refusal', await refused(scene, { args: { id: 43 } })),
  );
  findsIn('more uses than allowed', wrong(5, 'unauthorized'), async (scene) => {
    add(scene.builder, 'intent', await attempt(scene));
    await outcome(scene.builder, 3);
    add(scene.builder, 'intent', await attempt(scene));
  });
  findsIn('"no use left" where one was', wrong(3, 'authorized'), async (scene) =>
    add(
      scene.builder,
      'intent',
      await attempt(scene, { ...NOT_42, reason: { code: 'uses', argument: null } }),
    ),
  );
  findsIn('a human call called unattributed', wrong(3, 'unauthorized'), async (scene) =>
    add(
      scene.builder,
      'intent',
      await attempt(scene, { verdict: 'unattributed', directive: null, args: { id: 1 } }),
    ),
  );
  findsIn('a job called authorized', wrong(3, 'unattributed'), async (scene) =>
    add(scene.builder, 'intent', await attempt(scene, { session: null, human: null, token: null })),
  );
  finds('directives that the token does not carry', wrong(2, null), async () => {
    const { builder } = await logIn({
      claims: { authorization_details: [{ ...DETAIL, arguments: { id: { const: 1 } } }] },
    });
    return verify(builder);
  });
  finds('a directive more than the token carries', wrong(2, null), async () => {
    const { builder } = await logIn({ claims: { authorization_details: [DETAIL, DETAIL] } });
    return verify(builder);
  });
  findsIn(
    'an opening that does not open',
    { code: 'opening_mismatch', seq: 3, label: 'args' },
    async (scene) => {
      const body = await attempt(scene);
      add(scene.builder, 'intent', body);
      const kept = scene.builder.kept.get(body.call.args);
      if (kept !== undefined)
        scene.builder.kept.set(body.call.args, { ...kept, value: { id: 43 } });
    },
  );
  findsIn(
    'arguments that are not kept',
    { code: 'verdict_not_recomputed', seq: 3, count: 1 },
    async (scene) => {
      const body = await attempt(scene);
      add(scene.builder, 'intent', body);
      scene.builder.kept.delete(body.call.args);
    },
  );
  findsIn(
    'an opening that is gone',
    { code: 'opening_missing', seq: 3, count: 1 },
    async (scene) => {
      const body = await attempt(scene);
      add(scene.builder, 'intent', body);
      scene.builder.kept.delete(body.call.args);
    },
  );
  const erase = async ({ builder }: Scene): Promise<void> => {
    add(builder, 'erasure', {
      humans: [ALICE],
      what: ['identity', 'tokens', 'openings'],
      basis: 'request',
      by: null,
    });
    await commit(builder);
    builder.kept.clear();
  };
  findsIn(
    'openings that were erased',
    { code: 'opening_erased', seq: 2, count: 3 },
    async (scene) => {
      add(scene.builder, 'intent', await attempt(scene));
      await outcome(scene.builder, 3);
      await erase(scene);
    },
  );
  findsIn('an identity that was erased', { code: 'identity_erased', seq: 3, count: 1 }, erase);
  findsIn('tokens that are gone', { code: 'token_unavailable', seq: 2, count: 1 }, erase);
}

// Chains and tokens
{
  const other = (
    seq: number,
    what: Extract<Finding, { code: 'chain_mismatch' }>['what'],
  ): Finding => ({
    code: 'chain_mismatch',
    seq,
    what,
  });
  const withToken = (
    what: Parameters<typeof other>[1],
    wish: Partial<Parameters<typeof issue>[3]>,
  ): void => {
    findsIn(`a token with another ${what}`, other(3, what), async (scene) => {
      const { builder, issuer, jwks } = scene;
      const token = await issue(builder, issuer, jwks, { aud: RECORDS, chain: [PLANNER], ...wish });
      add(builder, 'intent', await attempt(scene, { token }));
    });
  };
  withToken('chain', { chain: [PLANNER, RESEARCHER] });
  withToken('chain', { claims: { act: undefined } });
  withToken('human', { sub: 'bob' });
  withToken('audience', { claims: { aud: 'https://other.example' } });
  withToken('audience', { aud: 'https://other.example' });
  withToken('scope', { claims: { scope: 'read_record export_record' } });
  withToken('issuer', { claims: { iss: 'https://other.example' } });
  withToken('expiry', { claims: { exp: 1 } });
  withToken('claims', { claims: { txn: 't1' } });
  findsIn('a token that the issuer did not sign', other(3, 'signature'), async (scene) => {
    const forger = await createIssuer();
    const token = await issue(scene.builder, forger, scene.jwks, {
      aud: RECORDS,
      chain: [PLANNER],
    });
    add(scene.builder, 'intent', await attempt(scene, { token }));
  });
  findsIn('a token that had expired', other(3, 'expiry'), async (scene) => {
    const body = await attempt(scene);
    scene.builder.now += 300_000;
    add(scene.builder, 'intent', body);
  });
  findsIn('a middle agent left out', other(5, 'growth'), async (scene) => {
    const hop = await delegate(scene);
    add(
      scene.builder,
      'intent',
      await attempt(scene, { ...NOT_42, hop, chain: [RESEARCHER], args: { id: 1 } }),
    );
  });
  findsIn('another agent than was handed over to', other(5, 'growth'), async (scene) => {
    const hop = await delegate(scene);
    const chain = [PLANNER, { iss: ISS, sub: 'mallory' }];
    add(
      scene.builder,
      'intent',
      await attempt(scene, { ...NOT_42, reason: { code: 'agent', argument: null }, hop, chain }),
    );
  });
  finds('a login that is not that of its token', other(2, 'claims'), async () =>
    verify((await logIn({ claims: { acr: 'high' } })).builder),
  );
  finds('an agent upstream of the login that the record leaves out', other(2, 'chain'), async () =>
    verify((await logIn({ claims: { act: { sub: 'upstream' } } })).builder),
  );
  finds(
    'keys that only the recorder kept',
    { code: 'issuer_keys_self_archived', iss: ISS },
    async () => verify((await logIn()).builder),
  );
  finds("an archived key set that is not the issuer's", other(2, 'signature'), async () => {
    const { builder } = await logIn();
    return verify(builder, { issuerKeys: { [ISS]: (await createIssuer()).jwks } });
  });
  findsIn(
    'a chain that the gateway put together',
    { code: 'chain_built_by_gateway', seq: 3 },
    async (scene) => {
      const { builder, issuer, jwks } = scene;
      const token = await issue(builder, issuer, jwks, { aud: RECORDS, chain: [PLANNER] });
      add(builder, 'intent', await attempt(scene, { token: { ...token, nesting: 'actor' } }));
    },
  );
}

function anchorOf(size: number): Parameters<typeof add<'anchor'>>[2] {
  const digest = toBase64url(new Uint8Array(32));
  return {
    type: 'rekor',
    size,
    note: digest,
    receipt: digest,
    log: 'rekor.example',
    index: 1,
    at: null,
    trust: null,
  };
}

async function useApproval(
  scene: Scene,
  times: number,
  change: Parameters<typeof call>[2] = {},
  later = 0,
): Promise<void> {
  const { builder, session } = scene;
  const approved = call(builder, { id: 43 }, { origin: 'approval-replay' });
  const approval = add(builder, 'approval', {
    session,
    human: ALICE,
    call: approved,
    method: 'session-post',
    shown: keep(builder, 'shown', { tool: 'readRecord', args: { id: 43 } }),
    expires: new Date(builder.now + 60_000).toISOString(),
  });
  builder.now += later;
  for (let n = 0; n < times; n++) {
    const body = await attempt(scene, {
      call: { ...approved, ...change },
      directive: null,
      approval,
    });
    add(builder, 'intent', body);
  }
}
