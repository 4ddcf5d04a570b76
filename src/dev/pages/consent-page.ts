/**
 * The consent page: each directive in plain words, and a way to say no.
 *
 * @module
 */
import type { Directive } from '../../attribution/directive.ts';
import { SWITCH_PERSON } from '../interaction-policy.ts';
import type { DevResource, Person } from '../registry.ts';
import {
  describeDirective,
  type ArgumentWords,
  type DirectiveWords,
} from './describe-directive.ts';
import { markup, type Html, type HtmlPart } from './html.ts';
import { face } from './login-page.ts';
import type { Page } from './page.ts';

/** What the consent page shows. Directives and scopes come from the application and may be hostile. */
export interface ConsentView {
  /** Where its form goes. */
  readonly action: string;
  readonly application: string;
  readonly person: Person;
  readonly directives: readonly Directive[];
  /** Scopes of resources; those of OpenID Connect are said in words. */
  readonly scopes: readonly string[];
  readonly resources: readonly DevResource[];
  /** Agents that the application registered; undefined if it left that to the directives. */
  readonly agents: readonly string[] | undefined;
  readonly knownAgents: readonly string[];
  readonly formTarget: string | undefined;
  readonly now: Date;
}

/** Lists what is asked for. Each directive can be refused alone; all can be refused at once. */
export function consentPage(view: ConsentView): Page {
  const { action, application, person, directives, formTarget } = view;
  return {
    title: 'Allow access',
    formTarget,
    body: markup`<div class="who">
        ${face(person)}
        <div>
          Signed in as <strong><bdi>${person.name}</bdi></strong>
          <br />
          <button class="quiet" type="submit" form="${SWITCH_PERSON}" name="decision" value="${SWITCH_PERSON}">
            Not you?
          </button>
        </div>
      </div>
      <h1>Let ${application} act for you?</h1>
      <p class="lead">${lead(directives.length, agentsOf(view))}</p>
      <form method="post" action="${action}">
        ${directives.map((directive, n) => directiveCard(view, directive, n))} ${scopeSection(view)}
        <h3>About you</h3>
        <p>
          ${application} learns your name${person.email === undefined ? '' : ' and e-mail address'}.
        </p>
        <div class="actions">
          <button class="go" type="submit" name="decision" value="allow">Allow</button>
          <button type="submit" name="decision" value="deny">Deny</button>
        </div>
      </form>
      <form method="post" action="${action}" id="${SWITCH_PERSON}"></form>`,
  };
}

function agentsOf({ agents, directives }: ConsentView): readonly string[] {
  return agents ?? [...new Set(directives.flatMap((directive) => directive.agents ?? []))];
}

function lead(count: number, agents: readonly string[]): HtmlPart {
  const what =
    count === 0
      ? 'It asks for access'
      : `It asks for ${count === 1 ? 'one permission' : `${count} permissions`}`;
  if (agents.length === 0) return markup`${what}.`;
  return markup`${what}, to be used by ${agents.length === 1 ? 'the agent' : 'the agents'}
  ${list(agents)} and by agents they hand work to.`;
}

function directiveCard(view: ConsentView, directive: Directive, n: number): Html {
  const words = describeDirective(directive, view.now);
  return markup`<section class="card">
    <div class="pick">
      <input type="checkbox" id="directive-${n}" name="directive" value="${n}" checked />
      <label for="directive-${n}"><h2>Use ${list(words.actions)}</h2></label>
    </div>
    <dl>
      <dt>Where</dt>
      <dd>
        ${words.places.map((place) => markup`<div>${known(place, isPlace(view, place))}</div>`)}
      </dd>
      <dt>Arguments</dt>
      <dd>${argumentRows(words)}</dd>
      <dt>How often</dt>
      <dd>${words.often}</dd>
      <dt>Until</dt>
      <dd>${words.until}</dd>
      <dt>By</dt>
      <dd>${agentRow(view, words)}</dd>
    </dl>
  </section>`;
}

function argumentRows({ args }: DirectiveWords): HtmlPart {
  if (args === undefined) return markup`<span class="warn">any arguments at all</span>`;
  if (args.length === 0) return 'none';
  return markup`<ul>
    ${args.map((argument) => markup`<li>${argumentRow(argument)}</li>`)}
  </ul>`;
}

function argumentRow({ name, rule, optional }: ArgumentWords): Html {
  const said = rule.map((part) =>
    typeof part === 'string' ? part : markup`<code>${part.json}</code>`,
  );
  return markup`<code>${name}</code> ${optional ? markup`<small>optional</small> ` : ''}${said}`;
}

function agentRow({ knownAgents }: ConsentView, { agents }: DirectiveWords): HtmlPart {
  if (agents === undefined) return 'any agent that is handed the work';
  return agents.map((agent, n) => [n === 0 ? '' : ', ', known(agent, knownAgents.includes(agent))]);
}

function isPlace({ resources }: ConsentView, place: string): boolean {
  return place === 'local' || resources.some(({ resource }) => resource === place);
}

function known(name: string, isKnown: boolean): Html {
  return markup`<code>${name}</code
    >${isKnown ? '' : markup` <span class="warn">(not registered here)</span>`}`;
}

function scopeSection({ scopes, resources, directives }: ConsentView): HtmlPart {
  if (scopes.length === 0) return undefined;
  const placesOf = (scope: string): readonly string[] =>
    resources.filter((one) => one.scopes.includes(scope)).map(({ resource }) => resource);
  return markup`<h3>Scopes</h3>
    ${
      directives.length === 0
        ? markup`<p class="note">
            Scopes set no limit on arguments, number or time within the session.
          </p>`
        : markup`<p>
            Services accept calls within these scopes. Crumb compares each call with what you allow
            above.
          </p>`
    }
    <ul class="card">
      ${scopes.map((scope) => markup`<li><code>${scope}</code> <small>${placesOf(scope).join(', ')}</small></li>`)}
    </ul>`;
}

function list(names: readonly string[]): HtmlPart {
  return names.map((name, n) => {
    const separator = n === names.length - 1 ? ' or ' : ', ';
    return [n === 0 ? '' : separator, markup`<code>${name}</code>`];
  });
}
