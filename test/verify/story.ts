/** The story of the demo, as a ledger: Alice, two agents, and a call that nobody authorized. */
import type { JWTPayload } from 'jose';
import type { Actor } from '../../src/attribution/act-chain.ts';
import type { Json } from '../../src/attribution/tool-call.ts';
import { toBase64url } from '../../src/evidence/bytes.ts';
import type {
  CallRecord,
  DirectiveRecord,
  GenesisBody,
  HopBody,
  IntentBody,
  RefusalBody,
  SessionBody,
  TokenRecord,
} from '../../src/evidence/kinds.ts';
import {
  add,
  checkpoint,
  commit,
  createBuilder,
  createIssuer,
  ISS,
  issue,
  keep,
  keepClosed,
  ORIGIN,
  PLANNER,
  RECORDS,
  RESEARCHER,
  seconds,
  vkeyOfBuilder,
  type Builder,
  type Issuer,
} from './build-ledger.ts';

export const ALICE = toBase64url(new Uint8Array(32).fill(0xa1));

/** A ledger with a login in it, ready to go on. */
export interface Scene {
  readonly builder: Builder;
  readonly issuer: Issuer;
  readonly jwks: number;
  readonly session: number;
}

export function genesisBody(builder: Builder, change: Partial<GenesisBody> = {}): GenesisBody {
  return {
    origin: ORIGIN,
    salt: toBase64url(new Uint8Array(32).fill(9)),
    key: vkeyOfBuilder(builder),
    anchorKey: null,
    recoveryKey: null,
    policy: { checkpoint: { entries: 1024, seconds: 60 }, anchor: null },
    maker: { name: 'crumb-ai', version: '0.1.0' },
    continues: null,
    ...change,
  };
}

/** What Alice's token carries: `read_record`, id 42, once. */
export const DETAIL = {
  type: 'crumb_tool_call',
  actions: ['read_record'],
  locations: [RECORDS],
  arguments: { id: { const: 42 } },
  max_uses: 1,
  agents: ['planner', 'researcher'],
};

export function directiveRecord(
  builder: Builder,
  change: Partial<DirectiveRecord> = {},
): DirectiveRecord {
  return {
    source: 'authorization_details',
    actions: ['read_record'],
    resources: [RECORDS],
    args: keep(builder, 'directive', { arguments: { id: { const: 42 } }, optional: [] }),
    agents: ['planner', 'researcher'],
    expires: null,
    maxUses: 1,
    ...change,
  };
}

export interface LoginWish {
  readonly body?: Partial<SessionBody>;
  /** Claims that replace those that would be there. */
  readonly claims?: JWTPayload;
  readonly genesis?: Partial<GenesisBody>;
}

/** Genesis, the issuer's keys and Alice's login. */
export async function logIn({ body = {}, claims = {}, genesis }: LoginWish = {}): Promise<Scene> {
  const builder = createBuilder();
  const issuer = await createIssuer();
  add(builder, 'genesis', genesisBody(builder, genesis));
  await commit(builder);
  const jwks = addKeySet(builder, issuer);
  const session = await addLogin({ builder, issuer, jwks }, { body, claims });
  await commit(builder);
  return { builder, issuer, jwks, session };
}

export function addKeySet(builder: Builder, { digest, raw }: Issuer): number {
  builder.keySets.set(digest, { iss: ISS, raw });
  return add(builder, 'key', {
    role: 'issuer',
    op: 'add',
    key: { iss: ISS, jwks: digest },
    proof: null,
    since: null,
    reason: null,
  });
}

export async function addLogin(
  { builder, issuer, jwks }: Omit<Scene, 'session'>,
  { body = {}, claims = {} }: LoginWish = {},
): Promise<number> {
  const exp = seconds(builder, 3600);
  const jwt = await issuer.sign({
    iss: ISS,
    sub: 'alice',
    aud: 'crumb',
    exp,
    iat: seconds(builder, -60),
    auth_time: seconds(builder, -60),
    sid: 's1',
    scope: 'openid read_record',
    authorization_details: [DETAIL],
    ...claims,
  });
  return add(builder, 'session', {
    op: 'open',
    session: null,
    human: ALICE,
    iss: ISS,
    loginAt: new Date(seconds(builder, -60) * 1000).toISOString(),
    acr: null,
    amr: [],
    expires: new Date(exp * 1000).toISOString(),
    chain: [],
    claims: keep(builder, 'claims', { name: 'Alice' }),
    token: keep(builder, 'token', jwt),
    jwks,
    directives: [directiveRecord(builder)],
    ...body,
  });
}

export function call(builder: Builder, args: Json, change: Partial<CallRecord> = {}): CallRecord {
  return {
    id: 'call_7Qk',
    tool: 'readRecord',
    resource: RECORDS,
    action: 'read_record',
    args: keep(builder, 'args', args),
    origin: 'model',
    ...change,
  };
}

/** What an authorized call of record 42 by the planner says, unless told otherwise. */
export async function attempt(
  { builder, issuer, jwks, session }: Scene,
  change: Partial<IntentBody> & { readonly args?: Json } = {},
): Promise<IntentBody> {
  const { args = { id: 42 }, ...body } = change;
  const chain: readonly Actor[] = body.chain ?? [PLANNER];
  const called = body.call ?? call(builder, args);
  const token: TokenRecord | null =
    body.token === undefined
      ? await issue(builder, issuer, jwks, { aud: called.resource, chain })
      : body.token;
  return {
    session,
    human: ALICE,
    hop: null,
    chain,
    call: called,
    mode: 'enforce',
    verdict: 'authorized',
    reason: null,
    directive: 0,
    approval: null,
    decision: null,
    exchange: token === null ? 'none' : 'fresh',
    ...body,
    token,
  };
}

/** The same for a call that did not run. */
export async function refused(
  scene: Scene,
  change: Partial<RefusalBody> & { readonly args?: Json } = {},
): Promise<RefusalBody> {
  const { code = 'not_authorized', iss = null, profile = null, expected = [], got = null } = change;
  const {
    token: _token,
    exchange: _exchange,
    ...rest
  } = await attempt(scene, { ...change, token: null });
  return { ...rest, code, iss, profile, expected, got };
}

export const NOT_42 = {
  verdict: 'unauthorized',
  reason: { code: 'argument', argument: 'id' },
  directive: 0,
} as const;

export const NO_ACTION = {
  verdict: 'unauthorized',
  reason: { code: 'action', argument: null },
  directive: 0,
} as const;

export async function outcome(builder: Builder, intent: number): Promise<void> {
  const result = keepClosed(builder, 'result', { body: 'hello' });
  add(builder, 'outcome', { intent, status: 'ok', result, error: null, ms: 12 });
  await commit(builder);
}

/** The planner hands over to the researcher. Answers the `hop`. */
export async function delegate(
  scene: Scene,
  at: { hop?: number; chain?: readonly Actor[]; to?: Actor } = {},
): Promise<number> {
  const { builder, session } = scene;
  const { hop = null, chain = [PLANNER], to = RESEARCHER } = at;
  const resource = `urn:agent:${to.sub}`;
  const body = await attempt(scene, {
    hop,
    chain,
    call: call(builder, { task: 'look' }, { tool: 'research', action: 'delegate', resource }),
  });
  const intent = add(builder, 'intent', body);
  const { token } = body;
  if (token === null) throw new TypeError('no token');
  const seq = add(builder, 'hop', { session, intent, parent: hop, chain, token, actorToken: null });
  await commit(builder);
  return seq;
}

/** The agent outlives the token of its hop, and gets another. Answers the renewed `hop`. */
export async function renewHop(
  { builder, issuer, jwks, session }: Scene,
  change: Partial<HopBody> & Pick<HopBody, 'intent'>,
  to = RESEARCHER,
): Promise<number> {
  const { chain = [PLANNER] } = change;
  const token = await issue(builder, issuer, jwks, { aud: `urn:agent:${to.sub}`, chain });
  const body = { session, parent: null, chain, token, actorToken: null, ...change };
  const seq = add(builder, 'hop', body);
  await commit(builder);
  return seq;
}

/**
 * The whole story, 17 crumbs from 0 to 16: a read of 42, a delegation, a read of 43 and an export that nobody authorized,
 * an approved export, a job without a human, and a call whose outcome nobody knows.
 */
export async function tellStory(): Promise<Scene> {
  const scene = await logIn();
  const { builder, session } = scene;
  const read = add(builder, 'intent', await attempt(scene));
  await commit(builder);
  await outcome(builder, read);

  const hop = await delegate(scene);
  await outcome(builder, hop - 1);
  const chain = [PLANNER, RESEARCHER];
  const other = await attempt(scene, { ...NOT_42, hop, chain, args: { id: 43 } });
  const second = add(builder, 'intent', other);
  await commit(builder);
  checkpoint(builder);
  await outcome(builder, second);
  const exported = call(builder, { id: 43 }, { tool: 'exportRecord', action: 'export_record' });
  add(builder, 'refusal', await refused(scene, { ...NO_ACTION, hop, chain, call: exported }));
  await commit(builder);

  const approval = add(builder, 'approval', {
    session,
    human: ALICE,
    call: { ...exported, origin: 'approval-replay' },
    method: 'session-post',
    shown: keep(builder, 'shown', { tool: 'exportRecord', args: { id: 43 } }),
    expires: new Date(builder.now + 600_000).toISOString(),
  });
  const approved = await attempt(scene, {
    call: { ...exported, origin: 'approval-replay' },
    directive: null,
    approval,
  });
  const third = add(builder, 'intent', approved);
  await commit(builder);
  await outcome(builder, third);

  const job = await attempt(scene, {
    session: null,
    human: null,
    verdict: 'unattributed',
    directive: null,
    token: null,
  });
  await outcome(builder, add(builder, 'intent', job));
  add(builder, 'intent', await attempt(scene, { ...NOT_42, args: { id: 1 } }));
  await commit(builder);
  checkpoint(builder);
  return scene;
}
