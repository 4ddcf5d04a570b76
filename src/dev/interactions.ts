/**
 * Login and consent, over HTTP: the pages that a human sees, and what they decide.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthorizationDetail, InteractionResults, Provider } from 'oidc-provider';
import { parseDirective, type Directive } from '../attribution/directive.ts';
import type { DenyList } from './deny-list.ts';
import type { DevIdpEvent } from './events.ts';
import { readForm } from './form.ts';
import { consentPage } from './pages/consent-page.ts';
import { loginPage } from './pages/login-page.ts';
import { errorPage } from './pages/other-pages.ts';
import { pageHeaders, renderPage, type Page } from './pages/page.ts';
import { INTERACTION_PATH, SWITCH_PERSON } from './interaction-policy.ts';
import { OIDC_SCOPES, type Registry } from './registry.ts';

/** What the pages work with. */
export interface InteractionParts {
  readonly registry: Registry;
  readonly denied: DenyList;
  readonly emit: (event: DevIdpEvent) => void;
}

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** One request for one step of one login. */
interface Step {
  readonly provider: Provider;
  readonly parts: InteractionParts;
  readonly details: Interaction;
}

const DENIED: InteractionResults = {
  error: 'access_denied',
  error_description: 'the human said no',
};

/** Answers what lies under {@link INTERACTION_PATH}. */
export async function interact(
  req: IncomingMessage,
  res: ServerResponse,
  { provider, parts }: { readonly provider: Provider; readonly parts: InteractionParts },
): Promise<void> {
  const details = await provider.interactionDetails(req, res).catch(() => undefined);
  // The cookie says which login this is; a link to another one is not followed.
  if (details === undefined || req.url !== INTERACTION_PATH + details.uid) {
    const gone = {
      error: 'invalid_request',
      error_description: 'This login has ended. Start again from the application.',
    };
    return write(res, 400, errorPage(gone));
  }
  const step: Step = { provider, parts, details };
  if (req.method === 'GET') return write(res, 200, pageOf(step));
  if (req.method !== 'POST') return write(res, 405, errorPage({ error: 'method_not_allowed' }));
  const form = await readForm(req);
  if (form === undefined) return write(res, 400, errorPage({ error: 'invalid_request' }));
  // The policy then asks for a login again, for the same request.
  if (form.get('decision') === SWITCH_PERSON) {
    const result = { [SWITCH_PERSON]: true };
    return provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
  }
  const result = await decide(step, form);
  return provider.interactionFinished(req, res, result, {
    mergeWithLastSubmission: details.prompt.name !== 'login',
  });
}

function write(res: ServerResponse, status: number, page: Page): void {
  res.writeHead(status, pageHeaders(page)).end(renderPage(page));
}

function pageOf(step: Step): Page {
  const { parts, details } = step;
  const { registry } = parts;
  const { action, application, formTarget } = frameOf(step);
  if (details.prompt.name === 'login') {
    const people = [...registry.people.values()];
    return loginPage({ action, application, people, formTarget });
  }
  const person = registry.people.get(details.session?.accountId ?? '');
  if (person === undefined) return errorPage({ error: 'login_required' });
  return consentPage({
    action,
    application,
    person,
    formTarget,
    directives: directivesOf(details).map(({ directive }) => directive),
    scopes: resourceScopesOf(details),
    resources: [...registry.resources.values()],
    agents: registry.clients.get(clientOf(details))?.agents,
    knownAgents: [...registry.agents.keys()],
    now: new Date(),
  });
}

function frameOf({ parts, details }: Step): {
  readonly action: string;
  readonly application: string;
  readonly formTarget: string | undefined;
} {
  const client = parts.registry.clients.get(clientOf(details));
  const redirect = URL.parse(text(details.params['redirect_uri']));
  return {
    action: INTERACTION_PATH + details.uid,
    application: client?.name ?? clientOf(details),
    formTarget: redirect === null ? undefined : placeOf(redirect),
  };
}

/** A native scheme has no origin to name. */
function placeOf({ origin, protocol }: URL): string {
  return origin === 'null' ? protocol : origin;
}

async function decide(step: Step, form: URLSearchParams): Promise<InteractionResults> {
  return step.details.prompt.name === 'login' ? logIn(step, form) : consent(step, form);
}

function logIn({ parts, details }: Step, form: URLSearchParams): InteractionResults {
  const person = parts.registry.people.get(form.get('person') ?? '');
  if (person === undefined || parts.denied.has({ sub: person.sub })) return DENIED;
  parts.emit({ kind: 'login', sub: person.sub, client: clientOf(details) });
  const { sub, acr, amr = ['user'] } = person;
  return { login: { accountId: sub, amr: [...amr], ...(acr === undefined ? {} : { acr }) } };
}

async function consent(step: Step, form: URLSearchParams): Promise<InteractionResults> {
  const { provider, parts, details } = step;
  const sub = details.session?.accountId ?? '';
  const client = clientOf(details);
  const asked = directivesOf(details);
  const ticked = form.getAll('directive');
  const granted = asked.filter((_directive, n) => ticked.includes(String(n)));
  // With no directive left the scopes would stand without limits, which nobody was asked about.
  const noneLeft = asked.length > 0 && granted.length === 0;
  if (form.get('decision') !== 'allow' || noneLeft || parts.denied.has({ sub })) {
    parts.emit({ kind: 'consent-denied', sub, client });
    return DENIED;
  }
  const grant = new provider.Grant({ accountId: sub, clientId: client });
  grant.addOIDCScope(scopesOf(details).filter((scope) => OIDC_SCOPES.includes(scope)));
  for (const [indicator, scopes] of missingScopes(details))
    grant.addResourceScope(indicator, scopes);
  for (const { detail } of granted) grant.addRar(detail);
  parts.emit({ kind: 'consent', sub, client, directives: granted.length });
  return { consent: { grantId: await grant.save() } };
}

/** The directives of the request; the authorization endpoint let no malformed one through. */
function directivesOf(
  details: Interaction,
): readonly { readonly directive: Directive; readonly detail: AuthorizationDetail }[] {
  const { rar } = details.prompt.details;
  if (!Array.isArray(rar)) return [];
  return rar.flatMap((detail: AuthorizationDetail) => {
    const directive = parseDirective(detail);
    return directive === undefined ? [] : [{ directive, detail }];
  });
}

function missingScopes(details: Interaction): readonly [indicator: string, scopes: string[]][] {
  const { missingResourceScopes } = details.prompt.details;
  if (typeof missingResourceScopes !== 'object' || missingResourceScopes === null) return [];
  return Object.entries(missingResourceScopes).filter((entry): entry is [string, string[]] =>
    Array.isArray(entry[1]),
  );
}

function resourceScopesOf(details: Interaction): readonly string[] {
  return [...new Set(missingScopes(details).flatMap(([, scopes]) => scopes))];
}

function scopesOf(details: Interaction): readonly string[] {
  return text(details.params['scope']).split(' ');
}

function clientOf(details: Interaction): string {
  return text(details.params['client_id']);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
