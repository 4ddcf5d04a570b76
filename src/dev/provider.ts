/**
 * The configuration of `oidc-provider` that makes a strict, small, development identity provider.
 *
 * @module
 */
import type { EventEmitter } from 'node:events';
import {
  errors,
  Provider,
  type AuthorizationDetail,
  type ClientMetadata,
  type Configuration,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { DIRECTIVE_TYPE, parseDirective } from '../attribution/directive.ts';
import { TOKEN_EXCHANGE } from '../token/token-types.ts';
import type { DevIdpEvent } from './events.ts';
import { RefusedExchangeError, registerExchange, type ExchangeParts } from './exchange-grant.ts';
import { devPolicy, INTERACTION_PATH } from './interaction-policy.ts';
import { memoryAdapter, type MemoryStore } from './memory-adapter.ts';
import { errorPage, signedOutPage, signOutPage } from './pages/other-pages.ts';
import { sendPage } from './pages/page.ts';
import type { DevClient, Person } from './registry.ts';
import { sessionClaims } from './session-claims.ts';

/** What every provider of one development identity provider shares, across rotations. */
export interface ProviderParts extends ExchangeParts {
  readonly issuer: string;
  readonly store: MemoryStore;
  readonly cookieKey: string;
  /** Life of what a login gives, in seconds. */
  readonly sessionSeconds: number;
}

/** A provider over the present keys. A rotation builds another over the same store. */
export function createProvider(parts: ProviderParts): Provider {
  const provider = new Provider(parts.issuer, configurationOf(parts));
  registerExchange(provider, parts);
  reportErrors(provider, parts.emit);
  return provider;
}

/** Answers mask what went wrong, such as which check a client assertion failed; developers need it. */
function reportErrors(provider: Provider, emit: (event: DevIdpEvent) => void): void {
  const report = (error: Error): void => {
    if (error instanceof RefusedExchangeError) return; // it has an event of its own
    const told = ['error_description', 'error_detail'].map((name): unknown =>
      Reflect.get(error, name),
    );
    const detail = told.filter((part) => typeof part === 'string').join('; ');
    emit({ kind: 'error', error: error.message, detail });
  };
  provider.on('grant.error', (_ctx, error) => report(error));
  provider.on('authorization.error', (_ctx, error) => report(error));
  provider.on('server_error', (_ctx, error) => report(error));
  const koa: EventEmitter = provider;
  koa.on('error', report); // without a listener Koa writes to the console
}

function configurationOf(parts: ProviderParts): Configuration {
  const { registry, keyring, store, cookieKey, tokenSeconds, sessionSeconds } = parts;
  return {
    // With these three of our own, the library has nothing to warn of at start.
    adapter: memoryAdapter(store),
    jwks: { keys: keyring.keys.map(({ privateJwk }) => privateJwk) },
    interactions: { policy: devPolicy(), url: (_ctx, { uid }) => INTERACTION_PATH + uid },
    clients: [
      ...[...registry.clients.values()].map((client) => applicationMetadata(client)),
      ...[...registry.agents.values()].map(({ id, jwks }): ClientMetadata => {
        const grant_types = ['client_credentials', TOKEN_EXCHANGE];
        return { ...keyed(id, jwks), grant_types, redirect_uris: [], response_types: [] };
      }),
    ],
    clientDefaults: { id_token_signed_response_alg: keyring.alg },
    cookies: { keys: [cookieKey], names: cookieNames(parts.issuer) },
    // Resource scopes stay out of `scopes`: listed there, consent would ask until both kinds are granted.
    scopes: ['openid'],
    claims: { openid: ['sub', 'crumb_dev'], profile: ['name'], email: ['email'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    clientAuthMethods: ['private_key_jwt', 'none'],
    responseTypes: ['code'],
    discovery: {
      crumb_dev: true,
      development_only: 'Not for production: nobody proves who they are.',
    },
    features: featuresOf(parts),
    findAccount: (_ctx, sub) => accountOf(registry.people.get(sub)),
    // Each consent is a grant of its own: what was allowed at an earlier login never joins this one.
    loadExistingGrant: async (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId);
    },
    issueRefreshToken: async () => false,
    extraTokenClaims: (ctx, token) => ({ ...sessionClaims(ctx, token, registry), crumb_dev: true }),
    renderError: async (ctx, out) => sendPage(ctx, errorPage(out)),
    ttl: {
      AccessToken: sessionSeconds,
      IdToken: sessionSeconds,
      ClientCredentials: tokenSeconds,
      AuthorizationCode: 60,
      Interaction: 3600,
      Session: 14 * 24 * 3600,
      Grant: 14 * 24 * 3600,
    },
  };
}

/** Cookies know no ports: those of the application, and of a second provider, live beside ours. */
function cookieNames(issuer: string): NonNullable<Configuration['cookies']>['names'] {
  const mine = `crumb_dev_idp_${new URL(issuer).port}`;
  return { session: mine, interaction: `${mine}_interaction`, resume: `${mine}_resume` };
}

function featuresOf(parts: ProviderParts): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false }, // tokens are for the application, which finds name and e-mail in them
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client) => homeOf(parts, ctx, client.clientId),
      useGrantedResource: async () => true,
      getResourceServerInfo: async (ctx, indicator, client) =>
        resourceServer(parts, ctx, { indicator, clientId: client.clientId }),
    },
    richAuthorizationRequests: {
      enabled: true,
      types: { [DIRECTIVE_TYPE]: { validate: (_ctx, detail) => validateDirective(detail) } },
      authorizationDetailsForGrantSource: async (ctx) => ctx.oidc.grant?.rar,
      authorizationDetailsForAccessToken: async (ctx, _token, source) => {
        // Here it could only ask for less than the consent; nobody needs that, so nobody gets it wrong.
        if (ctx.oidc.params?.['authorization_details'] !== undefined) {
          throw new errors.InvalidAuthorizationDetails('only at the authorization endpoint');
        }
        return source?.rar;
      },
      authorizationDetailsForIntrospection: async () => undefined, // introspection is off
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: async (ctx, form) => sendPage(ctx, signOutPage(form)),
      postLogoutSuccessSource: async (ctx) => sendPage(ctx, signedOutPage()),
    },
  };
}

function applicationMetadata({ id, jwks, redirectUris, name }: DevClient): ClientMetadata {
  const auth: ClientMetadata =
    jwks === undefined ? { client_id: id, token_endpoint_auth_method: 'none' } : keyed(id, jwks);
  return {
    ...auth,
    client_name: name ?? id,
    redirect_uris: [...redirectUris],
    post_logout_redirect_uris: [],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    authorization_details_types: [DIRECTIVE_TYPE],
  };
}

function keyed(id: string, { keys }: NonNullable<DevClient['jwks']>): ClientMetadata {
  return {
    client_id: id,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: keys.map((key) => withoutAlias(key)) },
  };
}

/** Ed25519 goes by two names in `alg`. A key that names one refuses a signature that names the other. */
function withoutAlias<Key extends { alg?: string; crv?: string }>(key: Key): Key {
  const { alg: _named, ...rest } = key;
  return key.crv === 'Ed25519' ? (rest as Key) : key; // `alg` is optional in every JWK
}

function accountOf(person: Person | undefined) {
  if (person === undefined) return undefined;
  const { sub, name, email } = person;
  return {
    accountId: sub,
    claims: async () => ({ sub, name, crumb_dev: true, ...(email === undefined ? {} : { email }) }),
  };
}

/** A token is for whom it was asked: the application itself, or, of an agent, this provider. */
function homeOf(
  { registry, issuer }: ProviderParts,
  _ctx: KoaContextWithOIDC,
  clientId: string,
): string {
  const client = registry.clients.get(clientId);
  return client === undefined ? issuer : registry.indicatorOf(client);
}

/** Services are reached by exchange only, so a login or a self token never names one. */
function resourceServer(
  parts: ProviderParts,
  ctx: KoaContextWithOIDC,
  { indicator, clientId }: { readonly indicator: string; readonly clientId: string },
) {
  if (indicator !== homeOf(parts, ctx, clientId)) throw new errors.InvalidTarget();
  const client = parts.registry.clients.get(clientId);
  return {
    scope: client === undefined ? '' : parts.registry.scopes().join(' '),
    audience: client === undefined ? parts.issuer : parts.registry.audienceOf(client),
    accessTokenTTL: client === undefined ? parts.tokenSeconds : parts.sessionSeconds,
    accessTokenFormat: 'jwt' as const,
    jwt: { sign: { alg: parts.keyring.current.alg, kid: parts.keyring.current.kid } },
  };
}

/** What the human could not be shown exactly is not asked of her. */
function validateDirective(detail: AuthorizationDetail): void {
  if (parseDirective(detail) === undefined) {
    throw new errors.InvalidAuthorizationDetails(`not a ${DIRECTIVE_TYPE} directive`);
  }
}
