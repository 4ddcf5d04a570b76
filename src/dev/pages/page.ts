/**
 * The frame of every page: banner, style, and headers that let nothing else run.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { Html, markup } from './html.ts';
import { STYLE } from './style.ts';

/** A page to send. */
export interface Page {
  readonly title: string;
  readonly body: Html;
  /** Where its form may end up, besides here: browsers hold redirects after a form to `form-action`. */
  readonly formTarget?: string | undefined;
}

/** Something that takes an answer: a Koa context, or the few lines around `node:http`. */
export interface PageSink {
  body: unknown;
  set(name: string, value: string): void;
}

/** In one piece: the hash covers every character between the tags. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const STYLE_HASH = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/** Writes a page and its headers. */
export function sendPage(sink: PageSink, page: Page): void {
  for (const [name, value] of Object.entries(pageHeaders(page))) sink.set(name, value);
  sink.body = renderPage(page);
}

/** Headers of a page: no script, no frame, no cache, no trace in a referrer. */
export function pageHeaders({ formTarget }: Page): Readonly<Record<string, string>> {
  const formAction = ["'self'", ...(formTarget === undefined ? [] : [formTarget])].join(' ');
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': `default-src 'none'; style-src ${STYLE_HASH}; img-src data:; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  };
}

/** The whole document. */
export function renderPage({ title, body }: Page): string {
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Crumb development identity provider</title>
        <link rel="icon" href="data:," />
        ${STYLE_ELEMENT}
      </head>
      <body>
        <p class="banner" role="note">
          <strong>Development only.</strong> This identity provider asks for no password: anyone who
          reaches it can be anyone. Never use it in production.
        </p>
        <main>${body}</main>
        <footer>Crumb development identity provider</footer>
      </body>
    </html> `.toString();
}
