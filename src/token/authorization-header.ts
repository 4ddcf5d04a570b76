/**
 * The one place where a token enters: the `Authorization` header, exactly once.
 *
 * Never the query, the body, or anything a model may have written.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-7.1
 * @module
 */

/** The head of a fetch `Request`, or of a `node:http` `IncomingMessage`. */
export type RequestHead =
  | { readonly headers: { get(name: string): string | null } }
  | { readonly rawHeaders: readonly string[] };

/** What stands in the header. `malformed`: more than one, or no `Bearer` or `DPoP` token. */
export type Authorization =
  | { readonly kind: 'token'; readonly scheme: 'bearer' | 'dpop'; readonly token: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed' };

/** RFC 6750 `b64token`. It has no comma, which is how `fetch` joins repeated headers. */
const CREDENTIALS = /^(bearer|dpop) +([A-Za-z0-9._~+/-]+=*)$/i;

/** Reads the header of a request. */
export function readAuthorization(request: RequestHead): Authorization {
  const [value, ...more] = headerValues(request, 'authorization');
  if (value === undefined) return { kind: 'absent' };
  const match = CREDENTIALS.exec(value);
  const [, scheme, token] = match ?? [];
  if (more.length > 0 || scheme === undefined || token === undefined) return { kind: 'malformed' };
  return { kind: 'token', scheme: scheme.toLowerCase() === 'dpop' ? 'dpop' : 'bearer', token };
}

/**
 * Every value of a header. From `rawHeaders` where there are any: `node:http` keeps only the first
 * `Authorization` in `headers`, so that a second one would pass unseen.
 */
export function headerValues(request: RequestHead, name: string): readonly string[] {
  if (!('rawHeaders' in request)) {
    const value = request.headers.get(name);
    return value === null ? [] : [value];
  }
  return request.rawHeaders.filter(
    (_value, n, raw) => n % 2 === 1 && raw[n - 1]?.toLowerCase() === name,
  );
}
