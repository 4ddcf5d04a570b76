/**
 * Where tokens and keys may travel: over HTTPS, or over plain HTTP that does not leave the machine.
 *
 * @module
 */

/** Whether tokens may travel to this address. */
export function isSafeTransport(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

/**
 * Takes the address of an identity provider or resource: absolute, safe to travel to, naming no user.
 * Whether it may have a query or a fragment is for the caller to say.
 *
 * @throws {TypeError} Anything else; `what` names the option.
 */
export function parseHttpsUrl(text: string, what: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new TypeError(`${what} is not an absolute URL`);
  if (!isSafeTransport(url))
    throw new TypeError(`${what} must use https; plain http only on loopback`);
  if (url.username !== '' || url.password !== '') throw new TypeError(`${what} names a user`);
  return url;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
