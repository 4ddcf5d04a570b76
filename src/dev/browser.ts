/**
 * As much of a browser as a login needs: cookies, forms, and nothing followed by itself.
 *
 * @module
 */
import { CookieJar } from './cookie-jar.ts';
import { readForms, type PageForm } from './page-form.ts';

const PAGE = { Accept: 'text/html' };

/** Talks to one origin. */
export class Browser {
  readonly #cookies = new CookieJar();
  readonly #fetch: typeof globalThis.fetch;
  readonly #timeoutMs: number;

  /** @param options As in `LoginOptions`. */
  constructor(options: { readonly fetch?: typeof globalThis.fetch; readonly timeoutMs?: number }) {
    this.#fetch = options.fetch ?? globalThis.fetch;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
  }

  /** Opens a page. */
  async get(url: string): Promise<Response> {
    return this.#send(url, { headers: PAGE });
  }

  /** Sends a form of a page. */
  async post(url: string, body: URLSearchParams): Promise<Response> {
    return this.#send(url, { method: 'POST', body, headers: PAGE });
  }

  /** Asks the server itself, not for a page. @param form To post; without one it is a GET. */
  async ask(url: string, form?: URLSearchParams): Promise<Response> {
    const init = form === undefined ? {} : { method: 'POST', body: form };
    return this.#send(url, { ...init, headers: { Accept: 'application/json' } });
  }

  /** The first form of a page. */
  async formOf(page: Response): Promise<PageForm | undefined> {
    return readForms(await page.text())[0];
  }

  async #send(
    url: string,
    init: RequestInit & { readonly headers: Record<string, string> },
  ): Promise<Response> {
    const cookie = this.#cookies.header(url);
    const answer = await this.#fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { ...init.headers, ...(cookie === '' ? {} : { Cookie: cookie }) },
      signal: AbortSignal.timeout(this.#timeoutMs),
    });
    this.#cookies.store(url, answer.headers.getSetCookie());
    if (answer.headers.has('location')) await answer.body?.cancel(); // frees the connection
    return answer;
  }
}
