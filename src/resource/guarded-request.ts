/**
 * A request to a resource, as `fetch`-style and as `node:http` servers hand it over.
 *
 * @module
 */
import type { RequestHead } from '../token/authorization-header.ts';

/** The head of a `node:http` `IncomingMessage`, also as Express passes it on. */
export interface NodeRequestHead {
  readonly rawHeaders: readonly string[];
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Where a router has shortened `url`. */
  readonly originalUrl?: string | undefined;
}

/** A fetch `Request` or a `node:http` `IncomingMessage`. */
export type GuardedRequest = NodeRequestHead | Request;

/** Method and address, for proofs and for tokens where none belongs. */
export interface RequestLine {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

/**
 * Reads method and path. The host is left out: whoever sends a request chooses its Host header.
 *
 * @returns undefined for an address that cannot be read.
 */
export function requestLineOf(request: GuardedRequest): RequestLine | undefined {
  const address = 'rawHeaders' in request ? (request.originalUrl ?? request.url) : request.url;
  const target = address ?? '/';
  // Not as a relative reference: in one, `//a/b` would be a host and a path.
  const url = URL.parse(target.startsWith('/') ? `http://host${target}` : target);
  if (url === null) return undefined;
  return { method: request.method ?? 'GET', path: url.pathname, query: url.searchParams };
}

/** Where the headers are. */
export function headOf(request: GuardedRequest): RequestHead {
  return request;
}
