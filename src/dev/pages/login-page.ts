/**
 * The login page: who are you today?
 *
 * @module
 */
import type { Person } from '../registry.ts';
import { markup, type Html } from './html.ts';
import type { Page } from './page.ts';

/** What the login page shows. */
export interface LoginView {
  /** Where its form goes. */
  readonly action: string;
  readonly application: string;
  readonly people: readonly Person[];
  readonly formTarget: string | undefined;
}

/** One button for each person. */
export function loginPage({ action, application, people, formTarget }: LoginView): Page {
  return {
    title: 'Sign in',
    formTarget,
    body: markup`<h1>Who are you?</h1>
      <p class="lead">Sign in to <strong>${application}</strong> as one of these people.</p>
      <form method="post" action="${action}">
        <ul class="people">
          ${people.map((person) => markup`<li>${personButton(person)}</li>`)}
        </ul>
        <p class="leave">
          <button class="quiet" type="submit" name="cancel" value="yes">Cancel</button>
        </p>
      </form>`,
  };
}

function personButton(person: Person): Html {
  return markup`<button class="person" type="submit" name="person" value="${person.sub}">
    ${face(person)}
    <span>
      <b><bdi>${person.name}</bdi></b>
      <small>${person.email ?? person.sub}</small>
    </span>
  </button>`;
}

/** Initials on a colour that stays with the person. */
export function face({ sub, name }: Person): Html {
  const initials = name
    .split(/\s+/)
    .map((word) => [...word][0] ?? '')
    .slice(0, 2)
    .join('');
  const hash = [...sub].reduce((sum, char) => (sum * 7 + (char.codePointAt(0) ?? 0)) % 997, 0);
  return markup`<span class="face f${hash % 6}" aria-hidden="true">${initials.toUpperCase()}</span>`;
}
