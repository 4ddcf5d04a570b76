import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDirective, type Directive } from '../../src/attribution/directive.ts';
import { Browser } from '../../src/dev/browser.ts';
import { readForms } from '../../src/dev/page-form.ts';
import { consentPage } from '../../src/dev/pages/consent-page.ts';
import {
  describeDirective,
  describeSchema,
  type Words,
} from '../../src/dev/pages/describe-directive.ts';
import { markup, visible } from '../../src/dev/pages/html.ts';
import { loginPage } from '../../src/dev/pages/login-page.ts';
import { errorPage, signedOutPage, signOutPage } from '../../src/dev/pages/other-pages.ts';
import { pageHeaders, renderPage, type Page } from '../../src/dev/pages/page.ts';
import { MAIL, READ_42, RECORDS, startWorld, type World } from './world.ts';

const NOW = new Date('2026-11-24T12:00:00Z');
const ALICE = { sub: 'alice', name: 'Alice', email: 'alice@example.com' };

function directive(detail: object): Directive {
  const parsed = parseDirective({ ...READ_42, ...detail });
  if (parsed === undefined) throw new TypeError('no directive');
  return parsed;
}

function consent(
  details: readonly object[],
  more: { readonly scopes?: readonly string[] } = {},
): string {
  const page = consentPage({
    action: '/interaction/x',
    application: 'Example app',
    person: ALICE,
    directives: details.map((detail) => directive(detail)),
    scopes: more.scopes ?? [],
    resources: [{ resource: RECORDS, scopes: ['read_record'] }],
    agents: ['planner'],
    knownAgents: ['planner', 'researcher'],
    formTarget: 'https://app.example',
    now: NOW,
  });
  return renderPage(page);
}

/** What a reader sees. */
function textOf(page: string): string {
  return page
    .replace(/<(style|title)>[^]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

function say(words: Words): string {
  return words.map((part) => (typeof part === 'string' ? part : part.json)).join('');
}

describe('an argument in plain words', () => {
  it.each([
    [{ const: 42 }, 'is exactly 42'],
    [{ const: '42' }, 'is exactly "42"'],
    [{ const: { a: [1, null] } }, 'is exactly {"a":[1,null]}'],
    [{ enum: ['json'] }, 'is "json"'],
    [{ enum: ['json', 'csv', 3] }, 'is "json", "csv" or 3'],
    [{}, 'is anything'],
    [
      { type: 'integer', minimum: 1, maximum: 3 },
      'is a whole number, is at least 1 and is at most 3',
    ],
    [{ exclusiveMinimum: 0, exclusiveMaximum: 1 }, 'is more than 0 and is less than 1'],
    [{ type: ['string', 'null'] }, 'is text or null'],
    [{ minLength: 1, maxLength: 80 }, 'has at least 1 character and has at most 80 characters'],
    [{ items: { type: 'string' }, maxItems: 2 }, 'has at most 2 items and each item is text'],
    [{ minItems: 1 }, 'has at least 1 item'],
    [
      {
        type: 'object',
        required: ['a'],
        properties: { a: { const: 1 } },
        additionalProperties: false,
      },
      'is an object, has "a", its "a" (is exactly 1) and has nothing else',
    ],
    [{ additionalProperties: { type: 'boolean' } }, 'anything else in it (is true or false)'],
    [{ additionalProperties: true }, 'is anything'],
  ] as const)('%j: %s', (schema, words) => {
    const { args } = directive({ arguments: { id: schema } });
    expect(say(describeSchema(args?.['id'] ?? {}))).toBe(words);
  });

  it('quotes what the directive says, so that it cannot pass for our words', () => {
    const { args } = directive({ arguments: { id: { const: 'x", or anything' } } });
    expect(describeSchema(args?.['id'] ?? {})).toEqual([
      'is exactly ',
      { json: '"x\\", or anything"' },
    ]);
  });
});

describe('a directive in plain words', () => {
  const until = (seconds: number): string =>
    describeDirective(directive({ expires: seconds }), NOW).until;

  it.each([
    [undefined, 'any number of times'],
    [1, 'once'],
    [2, 'at most twice'],
    [10, 'at most 10 times'],
  ])('says how often: %s', (max_uses, often) => {
    expect(describeDirective(directive({ max_uses }), NOW).often).toBe(often);
  });

  it('says until when', () => {
    expect(describeDirective(directive({}), NOW).until).toBe('the end of this session');
    expect(until(1_800_000_000)).toBe(
      '15 January 2027 at 08:00:00 UTC, or the end of this session',
    );
    expect(until(1_700_000_000)).toContain('already over');
  });

  it('tells any arguments from none', () => {
    const { arguments: _none, ...any } = READ_42;
    expect(describeDirective(parseDirective(any) ?? directive({}), NOW).args).toBeUndefined();
    expect(describeDirective(directive({ arguments: {} }), NOW).args).toEqual([]);
  });
});

describe('the consent page', () => {
  it('answers what, where, with which arguments, how often, until when, and by whom', () => {
    const page = textOf(consent([{ agents: ['planner'], expires: 1_800_000_000 }]));
    expect(page).toContain(
      'Use read_record Where https://records.example Arguments id is exactly 42 How often once Until 15 January 2027 at 08:00:00 UTC, or the end of this session By planner',
    );
    expect(page).toContain('to be used by the agent planner and by agents they hand work to');
    expect(page).toContain('Example app learns your name and e-mail address');
  });

  it('says what it does not know', () => {
    const page = textOf(consent([{ locations: [MAIL], agents: ['ghost'] }]));
    expect(page).toMatch(/https:\/\/mail\.example \(not registered here\)/);
    expect(page).toMatch(/ghost \(not registered here\)/);
  });

  it('warns of scopes that nothing limits', () => {
    expect(textOf(consent([], { scopes: ['read_record'] }))).toContain('Scopes set no limit');
    expect(textOf(consent([{}], { scopes: ['read_record'] }))).not.toContain('Scopes set no limit');
  });

  it('has a box for each directive and a way to say no', () => {
    const [form] = readForms(consent([{}, {}]));
    expect(form?.checkboxes.map(({ value }) => value)).toEqual(['0', '1']);
    expect(form?.buttons.map(({ value }) => value)).toEqual(['allow', 'deny']);
  });

  it('stays the same page, whatever a directive says', () => {
    const tags = (page: string): string[] => [...page.matchAll(/<[^>]*>/g)].map(([tag]) => tag);
    const with_ = (text: string): string =>
      consent([
        {
          actions: [text],
          locations: [text],
          agents: [text],
          arguments: { [text]: { const: text } },
        },
      ]);
    const plain = tags(with_('x'));
    const text = fc.oneof(
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.constantFrom(
        '<script>',
        '"><img src=x onerror=alert(1)>',
        '</code></dd>',
        '&lt;',
        "'",
        '__proto__',
      ),
    );
    fc.assert(
      fc.property(
        text.filter((one) => one.isWellFormed()),
        (hostile) => {
          expect(tags(with_(hostile))).toEqual(plain);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('text', () => {
  it.each([
    ['a\u202Eb', 'a⟨U+202E⟩b'],
    ['a\u200Bb', 'a⟨U+200B⟩b'],
    ['a\nb', 'a⟨U+000A⟩b'],
    ['a\u00A0b', 'a⟨U+00A0⟩b'],
    ['a\u{E0041}b', 'a⟨U+E0041⟩b'],
    ['a\uFE0Fb', 'a⟨U+FE0F⟩b'],
    ['a\u3164b', 'a⟨U+3164⟩b'],
    ['Zoë 山 b', 'Zoë 山 b'],
  ])('shows what cannot be seen: %j', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('is escaped wherever it stands', () => {
    expect(markup`<a title="${'"<&>'}">${["'", undefined, 1]}</a>`.toString()).toBe(
      '<a title="&quot;&lt;&amp;&gt;">&#39;1</a>',
    );
  });
});

describe('every page', () => {
  const pages: readonly [string, Page][] = [
    [
      'login',
      loginPage({ action: '/', application: 'App', people: [ALICE], formTarget: undefined }),
    ],
    ['sign-out', signOutPage('<form></form>')],
    ['signed-out', signedOutPage()],
    ['error', errorPage({ error: 'invalid_request', error_description: '<b>no</b>' })],
  ];

  it.each(pages)('%s says that it is for development', (_name, page) => {
    expect(renderPage(page)).toContain('<strong>Development only.</strong>');
  });

  it.each(pages)('%s runs nothing, and has the one style that its policy names', (_name, page) => {
    const rendered = renderPage(page);
    const style = /<style>([^]*?)<\/style>/.exec(rendered)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = pageHeaders(page)['Content-Security-Policy'] ?? '';
    expect(policy).toContain(`style-src 'sha256-${hash}'`);
    expect(policy).toMatch(/^default-src 'none'; .*frame-ancestors 'none'/);
    expect(rendered).not.toMatch(/<script|\son\w+=|style="|javascript:/i);
    expect(rendered).not.toContain('<b>no</b>');
  });
});

describe('over HTTP', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ algorithm: 'ES256' });
  });
  afterAll(() => world.close());

  function authorization(more: Record<string, string> = {}): string {
    const query = new URLSearchParams({
      client_id: 'app',
      redirect_uri: world.client.redirectUri,
      response_type: 'code',
      scope: 'openid',
      code_challenge: createHash('sha256').update('v'.repeat(43)).digest('base64url'),
      code_challenge_method: 'S256',
      ...more,
    });
    return `${world.issuer}/auth?${query.toString()}`;
  }

  async function open(browser: Browser, url: string): Promise<Response> {
    return follow(browser, await browser.get(url));
  }

  async function submit(browser: Browser, url: string, fields: object): Promise<Response> {
    const form = new URLSearchParams(Object.entries(fields));
    return follow(browser, await browser.post(url, form));
  }

  /** Follows as a browser would, up to the application. */
  async function follow(browser: Browser, answer: Response): Promise<Response> {
    const location = answer.headers.get('location');
    if (location === null || location.startsWith(world.client.redirectUri)) return answer;
    return follow(browser, await browser.get(new URL(location, answer.url).href));
  }

  it('shows the login page with its headers, and lets the answer go to the application', async () => {
    const page = await open(new Browser({}), authorization());
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain(
      "form-action 'self' https://app.example;",
    );
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(textOf(await page.text())).toContain('Alice Lindqvist alice@example.com');
  });

  it('shows a login to nobody without its cookie, nor by the cookie of another', async () => {
    const browser = new Browser({});
    const page = await open(browser, authorization());
    expect((await fetch(page.url)).status).toBe(400);
    expect((await browser.get(`${page.url}x`)).status).toBe(400);
  });

  it('offers to be another person, for the same request', async () => {
    const browser = new Browser({});
    const login = await open(browser, authorization({ scope: 'openid read_record' }));
    const consenting = await submit(browser, login.url, { person: 'alice' });
    const page = await consenting.text();
    expect(textOf(page)).toContain('Signed in as Alice Lindqvist');
    expect((await browser.get(login.url)).status).toBe(400); // that step is over

    const [, form] = readForms(page);
    const again = await submit(browser, world.issuer + form?.action, { decision: 'switch' });
    expect(textOf(await again.text())).toContain('Who are you?');
    // Whoever she is now, it goes on where the application asked.
    const other = await submit(browser, again.url, { person: 'alice' });
    expect(textOf(await other.text())).toContain('read_record');
  });

  it.each([
    ['a form that is none', 'text/plain', 'person=alice', 400],
    ['a form too large', 'application/x-www-form-urlencoded', `x=${'a'.repeat(70_000)}`, 400],
  ])('refuses %s', async (_what, type, body, status) => {
    let cookies = '';
    const keep: typeof fetch = async (input, init) => {
      const headers = new Headers(init?.headers);
      cookies = headers.get('cookie') ?? cookies;
      return fetch(input, init);
    };
    const page = await open(new Browser({ fetch: keep }), authorization());
    const headers = { 'Content-Type': type, Cookie: cookies };
    const answer = await fetch(page.url, { method: 'POST', headers, body });
    expect(answer.status).toBe(status);
    expect((await fetch(page.url, { method: 'PUT', headers, body: '' })).status).toBe(405);
  });

  it('shows errors on a page with the banner', async () => {
    const answer = await new Browser({}).get(`${world.issuer}/auth?client_id=%3Cb%3E`);
    expect(answer.status).toBe(400);
    const page = await answer.text();
    expect(page).toContain('Development only.');
    expect(page).not.toContain('<b>');
  });

  it('signs out, and nothing is delegated any more', async () => {
    const browser = new Browser({});
    const login = await open(browser, authorization({ scope: 'openid read_record' }));
    const consenting = await submit(browser, login.url, { person: 'alice' });
    const back = await submit(browser, consenting.url, { decision: 'allow' });
    const code = new URL(back.headers.get('location') ?? '').searchParams.get('code') ?? '';
    const redeemed = await browser.ask(
      `${world.issuer}/token`,
      new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: 'app',
        redirect_uri: world.client.redirectUri,
        code_verifier: 'v'.repeat(43),
        code,
      }),
    );
    const { access_token } = (await redeemed.json()) as { access_token: string }; // RFC 6749
    const call = { subject: access_token, target: RECORDS, scope: 'read_record' };
    expect((await world.exchange('planner', call)).status).toBe(200);

    const page = await (await open(browser, `${world.issuer}/session/end`)).text();
    expect(textOf(page)).toContain('Sign out?');
    const [form] = readForms(page);
    const done = await submit(browser, form?.action ?? '', { ...form?.hidden, logout: 'yes' });
    expect(textOf(await done.text())).toContain('You are signed out');
    expect((await world.exchange('planner', call)).status).toBe(400);
  });
});
