/**
 * Cookies for one origin, as far as a login needs them: path and expiry count, the rest does not.
 *
 * @module
 */

interface Cookie {
  readonly name: string;
  readonly path: string;
  readonly value: string;
}

/** Keeps what one server set and gives it back where it belongs. */
export class CookieJar {
  #cookies: readonly Cookie[] = [];

  /** Takes the `Set-Cookie` lines of an answer. */
  store(url: string, lines: readonly string[]): void {
    for (const line of lines) this.#put(line, new URL(url).pathname);
  }

  /** The `Cookie` header for a request; empty when there is none to send. */
  header(url: string): string {
    const { pathname } = new URL(url);
    return this.#cookies
      .filter(({ path }) => isUnder(pathname, path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  #put(line: string, pathname: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const at = pair.indexOf('=');
    const attribute = (wanted: string): string | undefined =>
      attributes
        .map((text) => text.split('='))
        .find(([name]) => name?.toLowerCase() === wanted)?.[1];
    const cookie = {
      name: pair.slice(0, at),
      value: pair.slice(at + 1),
      path: attribute('path') ?? pathname,
    };
    const expires = Date.parse(attribute('expires') ?? '');
    const others = this.#cookies.filter(
      ({ name, path }) => name !== cookie.name || path !== cookie.path,
    );
    this.#cookies = expires <= Date.now() ? others : [...others, cookie];
  }
}

/** RFC 6265 section 5.1.4. */
function isUnder(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
}
