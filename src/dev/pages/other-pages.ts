/**
 * Sign-out and error pages.
 *
 * @module
 */
import { Html, markup } from './html.ts';
import type { Page } from './page.ts';

/** Asks whether to sign out. @param form The form with its secret, as `oidc-provider` wrote it. */
export function signOutPage(form: string): Page {
  return {
    title: 'Sign out',
    body: markup`<h1>Sign out?</h1>
      <p class="lead">
        Tokens that agents hold stay valid until they expire; no new ones are given.
      </p>
      ${new Html(form)}
      <div class="actions">
        <button class="go" type="submit" form="op.logoutForm" value="yes" name="logout">
          Sign out
        </button>
        <button type="submit" form="op.logoutForm">Stay signed in</button>
      </div>`,
  };
}

/** After signing out. */
export function signedOutPage(): Page {
  return {
    title: 'Signed out',
    body: markup`<h1>You are signed out</h1>
      <p class="lead">You can close this page.</p>`,
  };
}

/** An error that cannot go back to the application. */
export function errorPage(out: {
  readonly error?: string | undefined;
  readonly error_description?: string | undefined;
}): Page {
  return {
    title: 'Error',
    body: markup`<h1>This did not work</h1>
      <p class="lead">${out.error_description ?? 'The request cannot be answered.'}</p>
      <p><code>${out.error ?? 'error'}</code></p>`,
  };
}
