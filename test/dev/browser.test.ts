import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { READ_42, RECORDS, startWorld, type World } from './world.ts';

// Policies and layout only show in a real browser. Machines without one skip this file.
const CHROMIUM = process.env['CRUMB_CHROMIUM'] ?? '/usr/bin/chromium';

const HOSTILE = {
  type: 'crumb_tool_call',
  actions: ['<script>alert(1)</script>\u202Edrocer_daer'],
  locations: [`${RECORDS}/${'very-long-'.repeat(40)}`, '"><img src=x onerror=alert(1)>'],
  arguments: { '</code><b onclick=alert(1)>': { const: 'x'.repeat(400) } },
};

describe.skipIf(!existsSync(CHROMIUM))('in a browser', () => {
  let world: World;
  let browser: Browser;
  beforeAll(async () => {
    world = await startWorld({ algorithm: 'ES256' });
    const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
    const quiet = [
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ];
    browser = await chromium.launch({ executablePath: CHROMIUM, args: [...args, ...quiet] });
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  function authorization(): string {
    const query = new URLSearchParams({
      client_id: 'app',
      redirect_uri: world.client.redirectUri,
      response_type: 'code',
      scope: 'openid read_record',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
      authorization_details: JSON.stringify([READ_42, HOSTILE]),
    });
    return `${world.issuer}/auth?${query.toString()}`;
  }

  /** A page that remembers what went wrong on it, and an application that only answers. */
  async function openPage(width: number, colorScheme: 'light' | 'dark'): Promise<[Page, string[]]> {
    const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') wrong.push(message.text());
    });
    page.on('dialog', async (dialog) => {
      wrong.push(`dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    await page.route('https://app.example/**', async (route) => route.fulfill({ body: 'back' }));
    return [page, wrong];
  }

  async function overflow(page: Page): Promise<number> {
    return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }

  it.each([
    [390, 'light'],
    [1280, 'dark'],
  ] as const)('a person logs in and consents, %i pixels wide, %s', async (width, scheme) => {
    const [page, wrong] = await openPage(width, scheme);
    await page.goto(authorization());
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.getByRole('button', { name: /Alice/ }).click();
    expect(await page.getByText('Development only.').isVisible()).toBe(true);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForURL(/^https:\/\/app\.example\/callback\?code=/);
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  it('somebody else takes over the same request', async () => {
    const [page, wrong] = await openPage(820, 'light');
    await page.goto(authorization());
    await page.getByRole('button', { name: /Alice/ }).click();
    await page.getByRole('button', { name: 'Not you?' }).click();
    await page.getByRole('button', { name: /Bob/ }).click();
    await page.getByText('Signed in as Bob Okafor').waitFor();
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.waitForURL(/error=access_denied/);
    expect(wrong).toEqual([]);
    await page.context().close();
  });
});
