/**
 * Logs a person in the way a browser does: authorization code with PKCE, cookies, forms. For tests,
 * demos and scripts against the development identity provider.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1 and https://www.rfc-editor.org/rfc/rfc7636
 * @module
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { decodeJwt, importJWK, SignJWT, type JWK } from 'jose';
import { CrumbError } from '../errors.ts';
import { Browser } from './browser.ts';
import type { PageForm } from './page-form.ts';

/** Which login to make. */
export interface LoginOptions {
  /** Issuer URL of a development identity provider. */
  readonly issuer: string;
  readonly clientId: string;
  /** As registered. Nothing is ever sent there. */
  readonly redirectUri: string;
  /** `sub` of the person to choose. */
  readonly person: string;
  /** Default `openid`. Scopes of resources are added to it: `openid read_record`. */
  readonly scope?: string;
  /** `authorization_details`: directives of type `crumb_tool_call`. */
  readonly directives?: readonly object[];
  /** Default: the application's own audience. */
  readonly resource?: string;
  /** Private JWK of an application that authenticates; public applications have none. */
  readonly key?: JWK;
  /** What the person answers: everything, nothing, or the directives at these positions. Default all. */
  readonly consent?: 'allow' | 'deny' | readonly number[];
  /** For each request, in milliseconds. Default 10000. */
  readonly timeoutMs?: number;
  /** Replaces the global `fetch`, for a proxy or a test. */
  readonly fetch?: typeof globalThis.fetch;
}

/** What the application holds after a login. */
export interface LoginResult {
  readonly accessToken: string;
  readonly idToken?: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly scope: string;
}

/**
 * The login did not come to a token. `login_refused`: the provider or the person said no, see
 * `oauthError`. `login_failed`: the pages or answers were not what a login looks like.
 */
export class LoginError extends CrumbError<'login_refused' | 'login_failed'> {
  override readonly name = 'LoginError';
  /** `error` of the provider's answer, such as `access_denied`. */
  readonly oauthError: string | undefined;

  constructor(
    code: 'login_refused' | 'login_failed',
    options: { readonly cause?: unknown; readonly oauthError?: string | undefined } = {},
  ) {
    super(code, options.cause === undefined ? {} : { cause: options.cause });
    this.oauthError = options.oauthError;
  }
}

/** Login, consent and what browsers put between them take six requests; more is a loop. */
const MAX_STEPS = 20;

/** Servers take headers, and with them URLs, of some kilobytes. */
const MAX_QUERY = 4096;

/** Logs in. @throws {LoginError} `login_refused`, `login_failed`. */
export async function login(options: LoginOptions): Promise<LoginResult> {
  const browser = new Browser(options);
  try {
    const provider = await discover(browser, options);
    const secrets = {
      state: randomUUID(),
      nonce: randomUUID(),
      verifier: randomBytes(32).toString('base64url'),
    };
    const callback = await authorize(browser, options, { provider, secrets });
    const code = codeOf(callback, { issuer: options.issuer, state: secrets.state });
    return await redeem(browser, options, { provider, secrets, code });
  } catch (error) {
    if (error instanceof LoginError) throw error;
    throw new LoginError('login_failed', { cause: error });
  }
}

interface Endpoints {
  readonly authorization: string;
  readonly pushed: string;
  readonly token: string;
}

interface Secrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

async function discover(browser: Browser, { issuer }: LoginOptions): Promise<Endpoints> {
  const answer = await browser.ask(`${issuer}/.well-known/openid-configuration`);
  const metadata = await json(answer);
  if (metadata['issuer'] !== issuer) throw new LoginError('login_failed');
  // A person who needs no password is what this function plays; elsewhere it has nothing to press.
  if (metadata['crumb_dev'] !== true) throw new LoginError('login_failed');
  return {
    authorization: String(metadata['authorization_endpoint']),
    pushed: String(metadata['pushed_authorization_request_endpoint']),
    token: String(metadata['token_endpoint']),
  };
}

async function authorize(
  browser: Browser,
  options: LoginOptions,
  { provider, secrets }: { readonly provider: Endpoints; readonly secrets: Secrets },
): Promise<URL> {
  const request = new URL(provider.authorization);
  const params = paramsOf(options, secrets);
  const isLong = params.toString().length > MAX_QUERY;
  request.search = (
    isLong ? await push(browser, options, { provider, params }) : params
  ).toString();
  let answer = await browser.get(request.href);
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const location = answer.headers.get('location');
    if (location === null) {
      answer = await submit(browser, answer, options);
      continue;
    }
    const next = new URL(location, answer.url);
    if (isCallback(next, options.redirectUri)) return next;
    // Its cookies are nobody else's business.
    if (next.origin !== request.origin) throw new LoginError('login_failed');
    answer = await browser.get(next.href);
  }
  throw new LoginError('login_failed');
}

function paramsOf(options: LoginOptions, { state, nonce, verifier }: Secrets): URLSearchParams {
  const { clientId, redirectUri, scope = 'openid', directives, resource } = options;
  return new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope,
    state,
    nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(directives === undefined ? {} : { authorization_details: JSON.stringify(directives) }),
    ...(resource === undefined ? {} : { resource }),
  });
}

/** RFC 9126: what is too long for a URL goes ahead of the browser. */
async function push(
  browser: Browser,
  options: LoginOptions,
  { provider, params }: { readonly provider: Endpoints; readonly params: URLSearchParams },
): Promise<URLSearchParams> {
  const form = new URLSearchParams([...params, ...(await authentication(options))]);
  const answer = await browser.ask(provider.pushed, form);
  const body = await json(answer);
  if (!answer.ok) throw new LoginError('login_refused', { oauthError: String(body['error']) });
  const request_uri = String(body['request_uri']);
  return new URLSearchParams({ client_id: options.clientId, request_uri });
}

function isCallback(url: URL, redirectUri: string): boolean {
  const callback = new URL(redirectUri);
  return (
    url.origin === callback.origin &&
    url.protocol === callback.protocol &&
    url.pathname === callback.pathname
  );
}

async function submit(browser: Browser, page: Response, options: LoginOptions): Promise<Response> {
  const form = await browser.formOf(page);
  if (form !== undefined) {
    return browser.post(new URL(form.action, page.url).href, fill(form, options));
  }
  // An error page: the request was so wrong that it may not go back to the application.
  const cause = new Error(`the page has no form, HTTP status ${page.status}`);
  throw new LoginError(page.ok ? 'login_failed' : 'login_refused', { cause });
}

/** Presses the person's button, or ticks and answers; undefined for a form that no person would know. */
function fill(form: PageForm, { person, consent = 'allow' }: LoginOptions): URLSearchParams {
  const fields = new URLSearchParams(form.hidden);
  if (form.buttons.some(({ name }) => name === 'person')) {
    const button = form.buttons.find(({ name, value }) => name === 'person' && value === person);
    if (button === undefined)
      throw new LoginError('login_refused', { oauthError: 'login_required' });
    fields.append(button.name, button.value);
    return fields;
  }
  if (!form.buttons.some(({ name }) => name === 'decision')) throw new LoginError('login_failed');
  const ticked =
    typeof consent === 'string'
      ? form.checkboxes
      : form.checkboxes.filter(({ value }) => consent.includes(Number(value)));
  for (const { name, value } of ticked) fields.append(name, value);
  fields.append('decision', consent === 'deny' ? 'deny' : 'allow');
  return fields;
}

function codeOf(callback: URL, { issuer, state }: { issuer: string; state: string }): string {
  const { searchParams } = callback;
  if (searchParams.get('state') !== state || searchParams.get('iss') !== issuer) {
    throw new LoginError('login_failed');
  }
  const oauthError = searchParams.get('error');
  if (oauthError !== null) {
    const cause = new Error(searchParams.get('error_description') ?? oauthError);
    throw new LoginError('login_refused', { oauthError, cause });
  }
  const code = searchParams.get('code');
  if (code === null) throw new LoginError('login_failed');
  return code;
}

async function redeem(
  browser: Browser,
  options: LoginOptions,
  {
    provider,
    secrets,
    code,
  }: { readonly provider: Endpoints; readonly secrets: Secrets; readonly code: string },
): Promise<LoginResult> {
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: options.clientId,
    redirect_uri: options.redirectUri,
    code,
    code_verifier: secrets.verifier,
  });
  for (const [name, value] of await authentication(options)) form.append(name, value);
  const answer = await browser.ask(provider.token, form);
  const body = await json(answer);
  if (!answer.ok) throw new LoginError('login_refused', { oauthError: String(body['error']) });
  const { access_token, id_token, expires_in, scope } = body;
  if (typeof access_token !== 'string' || typeof expires_in !== 'number') {
    throw new LoginError('login_failed');
  }
  const idToken = typeof id_token === 'string' ? id_token : undefined;
  if (idToken !== undefined && decodeJwt(idToken)['nonce'] !== secrets.nonce) {
    throw new LoginError('login_failed');
  }
  return {
    accessToken: access_token,
    ...(idToken === undefined ? {} : { idToken }),
    expiresIn: expires_in,
    scope: typeof scope === 'string' ? scope : '',
  };
}

/** How the application proves itself, RFC 7523 section 2.2; nothing for a public one. */
async function authentication({
  key,
  clientId,
  issuer,
}: LoginOptions): Promise<readonly [string, string][]> {
  if (key === undefined) return [];
  const alg = key.alg ?? 'EdDSA';
  const assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg, ...(key.kid === undefined ? {} : { kid: key.kid }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(issuer)
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(await importJWK(key, alg));
  return [
    ['client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'],
    ['client_assertion', assertion],
  ];
}

async function json(answer: Response): Promise<Readonly<Record<string, unknown>>> {
  const body: unknown = await answer.json();
  if (typeof body !== 'object' || body === null) throw new LoginError('login_failed');
  return { ...body };
}
