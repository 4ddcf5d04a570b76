/**
 * Where an identity provider takes token requests.
 *
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3
 * @module
 */
import { ExchangeError } from '../errors.ts';
import { isSafeTransport } from '../token/safe-transport.ts';
import { UnusableAnswer } from './provider-fetch.ts';

/** What is used of a provider's metadata. */
export interface ProviderMetadata {
  readonly issuer: string;
  readonly token_endpoint: string;
  /** Under which of its two names (RFC 9864) Ed25519 may sign client assertions. */
  readonly ed25519: 'Ed25519' | 'EdDSA';
}

/**
 * Discovers a provider, by OpenID Connect and where there is none by RFC 8414.
 *
 * @param fetch Bounded: see provider-fetch.ts.
 * @throws {ExchangeError} `exchange_unreachable`, also when the metadata is another issuer's.
 */
export async function discoverProvider(
  issuer: string,
  fetch: typeof globalThis.fetch,
): Promise<ProviderMetadata> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/u, '');
  const answer =
    (await get(`${origin}${path}/.well-known/openid-configuration`, fetch)) ??
    (await get(`${origin}/.well-known/oauth-authorization-server${path}`, fetch));
  if (answer === undefined) throw unusable('the issuer has no discovery document');

  // Another issuer's document would send the human's token to another issuer (RFC 8414, section 3.3).
  if (answer['issuer'] !== issuer) throw unusable('the metadata is of another issuer');
  const endpoint = answer['token_endpoint'];
  const url = typeof endpoint === 'string' ? URL.parse(endpoint) : null;
  if (url === null || !isSafeTransport(url)) throw unusable('the metadata has no token endpoint');
  return {
    issuer,
    token_endpoint: url.href,
    ed25519: ed25519Name(answer['token_endpoint_auth_signing_alg_values_supported']),
  };
}

function ed25519Name(supported: unknown): ProviderMetadata['ed25519'] {
  const names: readonly unknown[] = Array.isArray(supported) ? supported : [];
  return names.includes('EdDSA') && !names.includes('Ed25519') ? 'EdDSA' : 'Ed25519';
}

/** The members of the document; undefined if there is none. */
async function get(
  address: string,
  fetch: typeof globalThis.fetch,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const response = await fetch(address, { headers: { accept: 'application/json' } });
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw unusable(`discovery answered ${response.status}`);
  const body: unknown = await response.json().catch(() => undefined);
  if (typeof body !== 'object' || body === null) throw unusable('the metadata is not an object');
  return Object.fromEntries(Object.entries(body));
}

function unusable(why: string): ExchangeError {
  return new ExchangeError('exchange_unreachable', { cause: new UnusableAnswer(why) });
}
