/**
 * The signing keys of one identity provider: found by discovery, kept as they were fetched, and the
 * only keys under which a token of that issuer verifies.
 *
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3
 * @see https://www.rfc-editor.org/rfc/rfc8725 for what a verifier must insist on
 * @module
 */
import { createLocalJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { CrumbError } from '../errors.ts';
import { parseBoundedJson } from './bounded-json.ts';
import { isJsonObject, parseCompactJwt, type JsonObject } from './compact-jwt.ts';
import { fetchBytes, type FetchBytesOptions } from './fetch-bytes.ts';
import { parseHttpsUrl } from './safe-transport.ts';

/** The keys of an issuer as they were fetched, byte for byte. */
export interface KeySetSnapshot {
  readonly iss: string;
  readonly raw: Uint8Array;
}

/** Where an issuer's keys are and how patiently they are fetched. */
export interface IssuerKeysOptions {
  /** The issuer, exactly as its tokens spell it. https, or plain http on loopback. */
  readonly url: string;
  /** Address of the JWK set. Default: what discovery says. */
  readonly jwks?: string;
  /** Replaces the global `fetch`, for a proxy or a test. */
  readonly fetch?: typeof globalThis.fetch;
  /** How long to wait for an answer, in milliseconds. Default 10000. */
  readonly timeoutMs?: number;
  /** How long fetched keys are trusted while the endpoint is down, in seconds. Default 600. */
  readonly maxKeyAgeSeconds?: number;
  /** Least time between two fetches that an unknown `kid` causes, in seconds. Default 30. */
  readonly cooldownSeconds?: number;
  /** Replaces the wall clock in tests. */
  readonly clock?: () => Date;
}

/** What a token must be to verify. Times are always checked; `exp` and `iat` are always required. */
export interface JwtRules {
  /** Accepted `typ` headers, without `application/`; case does not matter. */
  readonly typ: readonly string[];
  /** Accepted `alg` headers, of {@link SIGNATURE_ALGORITHMS}. */
  readonly algs: readonly string[];
  /** Claims that must be present besides `iss`, `exp` and `iat`. */
  readonly requiredClaims?: readonly string[];
  /** How far clocks may differ, in seconds. Default 5. */
  readonly clockTolerance?: number;
  /** Longest life, from `iat` to `exp`, and greatest age, in seconds. Default: no limit but `exp`. */
  readonly maxTokenAge?: number;
}

/** A token whose signature, issuer, type and times hold. */
export interface VerifiedJwt {
  readonly payload: JsonObject;
  readonly header: JsonObject;
  /** The key set that it verified under. */
  readonly keySet: KeySetSnapshot;
}

/** The keys of one issuer. */
export interface IssuerKeys {
  readonly issuer: string;

  /**
   * The key set as last fetched; fetches it if there is none.
   *
   * @throws {CrumbError} `keys_unavailable`
   */
  current(): Promise<KeySetSnapshot>;

  /**
   * Verifies a token of this issuer: signature under its keys, exact `iss`, `alg`, `typ`, and times.
   *
   * @throws {CrumbError} `token_malformed`, `issuer_unknown`, `token_unverifiable`, `token_expired`;
   *   `keys_unavailable` if the keys could not be had, which says nothing about the token.
   */
  verify(jwt: string, rules: JwtRules): Promise<VerifiedJwt>;
}

/** Signatures by a key pair. A shared secret would let every verifier sign. */
export const SIGNATURE_ALGORITHMS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

const MAX_METADATA_BYTES = 64 * 1024;
const MAX_KEY_SET_BYTES = 1024 * 1024;
const MAX_KEYS = 100;

/** One fetched key set. */
interface FetchedKeys {
  readonly snapshot: KeySetSnapshot;
  readonly kids: ReadonlySet<unknown>;
  readonly keyFor: JWTVerifyGetKey;
  readonly fetchedAt: number;
}

/**
 * Keeps the keys of one issuer.
 *
 * A set is fetched once for all who wait, again when an unknown `kid` shows up (at most once per
 * cooldown, or a flood of made-up `kid`s would become a flood of fetches), and in the background at
 * half its age. While the endpoint is down the fetched set stays in use up to `maxKeyAgeSeconds`:
 * longer would keep a withdrawn key alive.
 *
 * @throws {TypeError} For an address that is neither https nor loopback.
 */
export function createIssuerKeys(options: IssuerKeysOptions): IssuerKeys {
  const source = keySource(options);
  const { clock = () => new Date(), maxKeyAgeSeconds = 600, cooldownSeconds = 30 } = options;
  let keys: FetchedKeys | undefined;
  let fetching: Promise<FetchedKeys> | undefined;
  let lastTry = -Infinity;

  const now = (): number => clock().getTime() / 1000;

  const refresh = async (): Promise<FetchedKeys> => {
    lastTry = now();
    fetching ??= source()
      .then(({ raw, jwks }) => {
        keys = fetchedKeys({ iss: options.url, raw }, jwks, now());
        return keys;
      })
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  };

  const usable = async (): Promise<FetchedKeys> => {
    const age = keys === undefined ? Infinity : now() - keys.fetchedAt;
    if (keys === undefined || age >= maxKeyAgeSeconds) return refresh();
    if (age >= maxKeyAgeSeconds / 2 && now() - lastTry >= cooldownSeconds) {
      refresh().catch(() => undefined); // the set at hand is still good; its own age ends it
    }
    return keys;
  };

  const keysWith = async (kid: unknown): Promise<FetchedKeys> => {
    const found = await usable();
    if (found.kids.has(kid) || now() - lastTry < cooldownSeconds) return found;
    return refresh().catch(() => found);
  };

  return {
    issuer: options.url,
    async current() {
      return (await usable()).snapshot;
    },
    async verify(jwt, rules) {
      const unverified = parseCompactJwt(jwt);
      if (unverified.payload['iss'] !== options.url) throw new CrumbError('issuer_unknown');
      checkHeader(unverified.header, rules);
      const { keyFor, snapshot } = await keysWith(unverified.header['kid']);
      const payload = await verifySignature(jwt, keyFor, { rules, now: clock() });
      checkTimes(payload, rules, now());
      return { payload, header: unverified.header, keySet: snapshot };
    },
  };
}

/** Fetches the key set; finds out where it is first, and again after a failure. */
function keySource(options: IssuerKeysOptions): () => Promise<{ raw: Uint8Array; jwks: unknown }> {
  const { fetch = globalThis.fetch, timeoutMs = 10_000 } = options;
  const issuer = parseHttpsUrl(options.url, 'the issuer');
  if (issuer.search !== '' || issuer.hash !== '') {
    throw new TypeError('the issuer has a query or fragment');
  }
  const limits = { fetch, timeoutMs, maxBytes: MAX_METADATA_BYTES };
  const fixed = options.jwks === undefined ? undefined : parseHttpsUrl(options.jwks, 'jwks');
  let found: URL | undefined;

  return async () => {
    try {
      found = fixed ?? found ?? (await discover(options.url, limits));
      const { status, body } = await fetchBytes(found, { ...limits, maxBytes: MAX_KEY_SET_BYTES });
      if (status !== 200) throw new Error(`the key set answered ${status}`);
      return { raw: body, jwks: parseBoundedJson(new TextDecoder().decode(body)) };
    } catch (cause) {
      found = undefined;
      throw new CrumbError('keys_unavailable', { cause });
    }
  };
}

/** OpenID Connect discovery, and where there is none, RFC 8414. */
async function discover(issuer: string, limits: FetchBytesOptions): Promise<URL> {
  const base = new URL(issuer);
  const path = base.pathname.replace(/\/$/, '');
  const addresses = [
    `${base.origin}${path}/.well-known/openid-configuration`,
    `${base.origin}/.well-known/oauth-authorization-server${path}`,
  ];
  for (const address of addresses) {
    const { status, body } = await fetchBytes(new URL(address), limits);
    if (status !== 200) continue;
    const metadata = parseBoundedJson(new TextDecoder().decode(body));
    // Another issuer's document would put another issuer's keys behind this name (RFC 8414, 3.3).
    if (!isJsonObject(metadata) || metadata['issuer'] !== issuer) {
      throw new Error('the discovered issuer is another one');
    }
    if (typeof metadata['jwks_uri'] !== 'string') throw new Error('discovery names no key set');
    return parseHttpsUrl(metadata['jwks_uri'], 'jwks_uri');
  }
  throw new Error('the issuer has no discovery document');
}

function fetchedKeys(snapshot: KeySetSnapshot, jwks: unknown, fetchedAt: number): FetchedKeys {
  const keys = isJsonObject(jwks) ? jwks['keys'] : undefined;
  if (!Array.isArray(keys) || keys.length > MAX_KEYS || !keys.every(isJsonObject)) {
    throw new CrumbError('keys_unavailable', { cause: new Error('this is no JWK set') });
  }
  // jose looks at each member before it uses a key, and a key it cannot use verifies nothing.
  const keyFor = createLocalJWKSet({ keys });
  return { snapshot, kids: new Set(keys.map((key) => key['kid'])), keyFor, fetchedAt };
}

function checkHeader(header: JsonObject, { typ, algs }: JwtRules): void {
  const { alg, kid } = header;
  // RFC 8725 section 3.1: the verifier, not the token, says which algorithms there are.
  const algAllowed = typeof alg === 'string' && algs.includes(alg);
  if (!algAllowed || !SIGNATURE_ALGORITHMS.includes(alg)) throw unverifiable('alg');
  // Section 3.11: without a type, any JWT of this issuer (an ID token, a logout token) would pass.
  if (!typ.some((accepted) => normalType(accepted) === normalType(header['typ']))) {
    throw unverifiable('typ');
  }
  // jose tries the only key when there is no kid; then nobody could say later which key it was.
  if (typeof kid !== 'string' || kid === '') throw unverifiable('kid');
}

/** RFC 7515 section 4.1.9: media types without their `application/`, in any case. */
function normalType(typ: unknown): string | undefined {
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined;
}

async function verifySignature(
  jwt: string,
  keyFor: JWTVerifyGetKey,
  { rules, now }: { readonly rules: JwtRules; readonly now: Date },
): Promise<JsonObject> {
  const { requiredClaims = [], clockTolerance = 5 } = rules;
  try {
    const { payload } = await jwtVerify(jwt, keyFor, {
      algorithms: [...rules.algs],
      requiredClaims: ['iss', 'exp', 'iat', ...requiredClaims],
      clockTolerance,
      currentDate: now,
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new CrumbError('token_expired');
    // Never as the cause itself: jose hangs the claims on its errors, and claims name people.
    throw unverifiable(error instanceof errors.JOSEError ? error.code : 'key');
  }
}

/** jose takes fractions, and an `iat` of tomorrow unless an age is asked for. */
function checkTimes(payload: JsonObject, rules: JwtRules, now: number): void {
  const { exp, iat, nbf } = payload;
  if (!isNumericDate(exp) || !isNumericDate(iat) || !(nbf === undefined || isNumericDate(nbf))) {
    throw unverifiable('times');
  }
  const { clockTolerance = 5, maxTokenAge = Infinity } = rules;
  const fromTheFuture = iat > now + clockTolerance || iat > exp;
  const tooLong = exp - iat > maxTokenAge || now - iat > maxTokenAge + clockTolerance;
  if (fromTheFuture || tooLong) throw new CrumbError('token_expired');
}

/** Whole seconds that a `Date` can hold: `1e99` is a number too. */
export function isNumericDate(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= 8.64e12;
}

function unverifiable(what: string): CrumbError<'token_unverifiable'> {
  return new CrumbError('token_unverifiable', { cause: new Error(what) });
}
