/**
 * Ways in which an identity provider can be wrong, at the edge of one that is not: they change the
 * finished answer to an exchange, and sign it again with the real key.
 *
 * They exist so that tests can see the exchange fail closed.
 *
 * @module
 */
import { once } from 'node:events';
import { decodeJwt, SignJWT, type JWTPayload } from 'jose';
import type { Provider } from 'oidc-provider';
import { ID_TOKEN, TOKEN_EXCHANGE } from '../token/token-types.ts';
import type { ClaimsFault, DevIdpFault, EnvelopeFault, TransportFault } from './faults.ts';
import { createSigningKey, type Keyring } from './keyring.ts';

type Koa = Parameters<Parameters<Provider['use']>[0]>[0];

/** The JSON answer of a token endpoint, as far as faults touch it. */
type Answer = Readonly<Record<string, unknown>>;

/** Faults of the connection: there is no usable answer. */
const TRANSPORT: Readonly<Record<TransportFault, (ctx: Koa) => unknown>> = {
  /** Never answers. */
  slow: (ctx) => once(ctx.res, 'close'),
  'server-error': (ctx) => reply(ctx, 500, { error: 'server_error' }),
  html: (ctx) => reply(ctx, 200, '<!doctype html><title>Welcome</title>'),
  redirect: (ctx) => {
    ctx.redirect('/elsewhere');
    ctx.status = 307; // keeps method and body: a client that follows hands over the human's token
  },
  huge: (ctx) => reply(ctx, 200, { access_token: 'a'.repeat(4 * 1024 * 1024) }),
};

/** Faults of the envelope: the token is right, what is said about it is not. */
const ENVELOPE: Readonly<Record<EnvelopeFault, (answer: Answer) => Answer>> = {
  'opaque-token': (answer) => ({ ...answer, access_token: 'x0paque-0000-1111-2222' }),
  'wrong-token-type': (answer) => ({ ...answer, token_type: 'N_A' }),
  'wrong-issued-token-type': (answer) => ({
    ...answer,
    issued_token_type: ID_TOKEN,
  }),
};

/** Faults of the claims: signed by the right key, and false. */
const CLAIMS: Readonly<Record<ClaimsFault, (claims: JWTPayload) => JWTPayload>> = {
  'wrong-issuer': (claims) => ({ ...claims, iss: 'https://issuer.invalid' }),
  'changed-subject': (claims) => ({ ...claims, sub: 'mallory' }),
  'wrong-audience': (claims) => ({ ...claims, aud: 'https://other.example' }),
  'second-audience': (claims) => ({
    ...claims,
    aud: [String(claims.aud), 'https://other.example'],
  }),
  'missing-act': ({ act: _gone, ...claims }) => claims,
  'dropped-actor': (claims) => withActors(claims, (actors) => actors.slice(0, -1)),
  'added-actor': (claims) => withActors(claims, (actors) => [...actors, { sub: 'stranger' }]),
  'reordered-actors': (claims) => withActors(claims, (actors) => actors.toReversed()),
  'widened-scope': (claims) => ({ ...claims, scope: `${String(claims['scope'])} admin` }),
  'widened-details': (claims) => ({
    ...claims,
    authorization_details: [
      { type: 'crumb_tool_call', actions: ['export_record'], locations: [claims.aud] },
    ],
  }),
  'longer-life': (claims) => ({ ...claims, exp: (claims.exp ?? 0) + 86_400 }),
  'left-may-act': (claims) => ({ ...claims, may_act: { sub: 'stranger' } }),
};

/** Middleware that spoils successful exchanges while a fault is set, and nothing else. */
export function spoilExchange(
  present: () => DevIdpFault | undefined,
  keyring: Keyring,
): Parameters<Provider['use']>[0] {
  return async (ctx, next) => {
    await next();
    const fault = present();
    if (fault === undefined || ctx.status !== 200 || !isExchange(ctx)) return;
    if (has(TRANSPORT, fault)) await TRANSPORT[fault](ctx);
    else ctx.body = await spoil(fault, ctx.body as Answer, keyring); // our grant set it
  };
}

async function spoil(
  fault: Exclude<DevIdpFault, TransportFault>,
  answer: Answer,
  keyring: Keyring,
): Promise<Answer> {
  if (has(ENVELOPE, fault)) return ENVELOPE[fault](answer);
  const claims = decodeJwt(String(answer['access_token']));
  const spoilt = has(CLAIMS, fault) ? CLAIMS[fault](claims) : claims;
  const { kid, alg } = keyring.current;
  const { privateKey } = fault === 'wrong-key' ? await createSigningKey(alg) : keyring.current;
  const access_token = await new SignJWT(spoilt)
    .setProtectedHeader({ alg, kid, typ: fault === 'wrong-typ' ? 'JWT' : 'at+jwt' })
    .sign(privateKey);
  return { ...answer, access_token, scope: spoilt['scope'] };
}

function isExchange(ctx: Koa): boolean {
  // The provider sets it, for its own routes only.
  const oidc = ctx['oidc'] as { params?: { grant_type?: unknown } } | undefined;
  return oidc?.params?.grant_type === TOKEN_EXCHANGE;
}

function reply(ctx: Koa, status: number, body: unknown): void {
  ctx.status = status;
  ctx.body = body;
}

interface ActNode {
  readonly sub: string;
  readonly iss?: string;
  readonly act?: ActNode;
}

/** Rebuilds `act` from its actors, the token holder first. */
function withActors(
  { act, ...claims }: JWTPayload,
  change: (actors: readonly ActNode[]) => readonly ActNode[],
): JWTPayload {
  const actors: ActNode[] = [];
  let node = act as ActNode | undefined; // our own grant nested it
  while (node !== undefined) {
    const { act: inner, ...actor } = node;
    actors.push(actor);
    node = inner;
  }
  const nested = change(actors).reduceRight<ActNode | undefined>(
    (inner, actor) => (inner === undefined ? actor : { ...actor, act: inner }),
    undefined,
  );
  return nested === undefined ? claims : { ...claims, act: nested };
}

function has<Table extends object>(table: Table, name: PropertyKey): name is keyof Table {
  return Object.hasOwn(table, name);
}
