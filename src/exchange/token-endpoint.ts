/**
 * One provider's token endpoint: sends a grant as an agent, gives the answer unjudged or an error that
 * holds nothing of what was sent or received.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 * @see https://www.rfc-editor.org/rfc/rfc7523#section-2.2
 * @module
 */
import {
  allowInsecureRequests,
  clientCredentialsGrant,
  Configuration,
  customFetch,
  genericGrantRequest,
  modifyAssertion,
  PrivateKeyJwt,
  ResponseBodyError,
  type ClientAuth,
  type DPoPHandle,
} from 'openid-client';
import { ExchangeError, PostConditionError, type CrumbError } from '../errors.ts';
import { reasonOf } from './clean-cause.ts';
import type { Issuer, RegisteredAgent } from './issuer-config.ts';
import { providerFetch } from './provider-fetch.ts';
import { discoverProvider, type ProviderMetadata } from './provider-metadata.ts';
import { TOKEN_EXCHANGE } from '../token/token-types.ts';

/** A success as the provider tells it. Nothing in it is checked. */
export interface TokenAnswer {
  readonly accessToken: string;
  /** In lower case. */
  readonly tokenType: string;
  /** Whatever stands there. */
  readonly issuedTokenType: unknown;
  readonly scope: string | undefined;
  readonly expiresInSeconds: number | undefined;
}

export interface TokenRequest {
  /** Who authenticates. */
  readonly agent: RegisteredAgent;
  readonly grant: typeof TOKEN_EXCHANGE | 'client_credentials';
  readonly parameters: URLSearchParams;
  readonly dpop: DPoPHandle | undefined;
  readonly signal: AbortSignal;
}

/**
 * Sends one request.
 *
 * @throws {ExchangeError} `exchange_refused` with the provider's `oauthError`; `exchange_unreachable`.
 * @throws {PostConditionError} `token_type_mismatch`: a token type that nobody knows.
 */
export type TokenEndpoint = (request: TokenRequest) => Promise<TokenAnswer>;

/** Codes as providers write them: no token looks like that. */
const OAUTH_ERROR = /^[a-z]+(?:[_-][a-z0-9]+)*$/u;
const MAX_OAUTH_ERROR = 64;

/** The endpoint of one provider, found at the first request. */
export function createTokenEndpoint(issuer: Issuer): TokenEndpoint {
  const authentications = new Map<string, Promise<ClientAuth>>();
  let discovery: Promise<ProviderMetadata> | undefined;

  const discover = async (): Promise<ProviderMetadata> => {
    // One for all who wait, and not ended by the one who came first.
    const found = (discovery ??= discoverProvider(issuer.url, providerFetch(issuer)));
    return found.catch((error: unknown) => {
      if (discovery === found) discovery = undefined;
      throw error;
    });
  };

  const authentication = async (
    agent: RegisteredAgent,
    { ed25519 }: ProviderMetadata,
  ): Promise<ClientAuth> => {
    const name = `${ed25519} ${agent.name}`;
    const made =
      authentications.get(name) ??
      agent.key().then((key) =>
        PrivateKeyJwt(key, {
          [modifyAssertion]: (header) => {
            if (header['alg'] === 'Ed25519') header['alg'] = ed25519;
          },
        }),
      );
    authentications.set(name, made);
    return made;
  };

  return async (request) => {
    const metadata = await discover();
    const auth = await authentication(request.agent, metadata);
    request.signal.throwIfAborted();
    try {
      return await send(request, configure({ issuer, metadata, auth, request }));
    } catch (error) {
      if (request.signal.aborted) throw request.signal.reason;
      const failure = translate(error, request.parameters);
      // The endpoint may have moved; the next request looks again.
      if (failure.code === 'exchange_unreachable') discovery = undefined;
      throw failure;
    }
  };
}

/** openid-client keeps `fetch` in its configuration, and the signal is the request's: one for each. */
function configure(parts: {
  readonly issuer: Issuer;
  readonly metadata: ProviderMetadata;
  readonly auth: ClientAuth;
  readonly request: TokenRequest;
}): Configuration {
  const { issuer, metadata, auth, request } = parts;
  const { issuer: iss, token_endpoint } = metadata;
  const server = { issuer: iss, token_endpoint };
  const config = new Configuration(server, request.agent.actor.sub, undefined, auth);
  const bounded = providerFetch(issuer);
  config[customFetch] = async (url, init) =>
    bounded(url, {
      method: init.method,
      headers: init.headers,
      body: init.body as URLSearchParams, // both grants post a form
      signal: request.signal,
    });
  config.timeout = 0; // providerFetch's
  // Which plain HTTP is safe is decided in one place, at each request: provider-fetch.ts.
  // oxlint-disable-next-line typescript/no-deprecated -- deprecated to stand out, says its author
  if (metadata.token_endpoint.startsWith('http:')) allowInsecureRequests(config);
  return config;
}

async function send(request: TokenRequest, config: Configuration): Promise<TokenAnswer> {
  const { grant, parameters, dpop } = request;
  const options = dpop === undefined ? {} : { DPoP: dpop };
  const answer =
    grant === TOKEN_EXCHANGE
      ? await genericGrantRequest(config, grant, parameters, options)
      : await clientCredentialsGrant(config, parameters, options);
  return {
    accessToken: answer.access_token,
    tokenType: answer.token_type,
    issuedTokenType: answer['issued_token_type'],
    scope: answer.scope,
    expiresInSeconds: answer.expires_in,
  };
}

/** Errors of the library carry bodies and parameters, so each is replaced by one of ours. */
function translate(error: unknown, sent: URLSearchParams): CrumbError {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ExchangeError) return at;
    if (at instanceof ResponseBodyError) {
      return new ExchangeError('exchange_refused', { oauthError: oauthErrorOf(at.error, sent) });
    }
  }
  if (error instanceof Error && 'code' in error && error.code === 'OAUTH_UNSUPPORTED_OPERATION')
    return new PostConditionError('token_type_mismatch', { cause: reasonOf(error) });
  return new ExchangeError('exchange_unreachable', { cause: reasonOf(error) });
}

/** The provider's word, unless it may be an echo of what it was sent. */
function oauthErrorOf(word: string, sent: URLSearchParams): string | undefined {
  if (word.length > MAX_OAUTH_ERROR || !OAUTH_ERROR.test(word)) return undefined;
  const echoes = ['subject_token', 'actor_token'].some((name) => sent.get(name)?.includes(word));
  return echoes ? undefined : word;
}
