/**
 * The `fetch` of one tool call.
 *
 * @module
 */

/** What a resource thought of the call's token, as its last answer told. */
export interface Denial {
  denied: boolean;
}

export interface CallFetchParts {
  readonly token: string | undefined;
  /** Address under which requests carry the token; undefined if the resource has none. */
  readonly base: URL | undefined;
  readonly denial: Denial;
  /** What sends. */
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Carries the token under the resource's address and nowhere else: hosts use the same `fetch` for
 * discovery, and a redirect would hand the token to another origin.
 */
export function callFetch({ token, base, denial, fetch }: CallFetchParts): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    if (token === undefined || base === undefined || !isUnder(new URL(request.url), base)) {
      return fetch(request);
    }
    const headers = new Headers(request.headers);
    headers.set('authorization', `Bearer ${token}`);
    const response = await fetch(new Request(request, { headers, redirect: 'error' }));
    denial.denied = response.status === 401 || response.status === 403;
    return response;
  };
}

/** The address of a resource, if its name or its configured URL is one. */
export function addressOf(name: string): URL | undefined {
  const url = URL.parse(name);
  return url !== null && /^https?:$/u.test(url.protocol) ? url : undefined;
}

function isUnder(url: URL, base: URL): boolean {
  const path = base.pathname.replace(/\/+$/u, '');
  return (
    url.origin === base.origin && (url.pathname === path || url.pathname.startsWith(`${path}/`))
  );
}
