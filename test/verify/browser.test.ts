/** The built verifier in a real browser, in a page and in a worker: same findings and level as in Node. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerifyReport } from '../../src/verify/report.ts';
import type { Trust } from '../../src/verify/trust.ts';
import { anchoredStory, withAnotherCall } from '../attacks/anchored-story.ts';
import { testWitness } from '../evidence/receipt-world.ts';
import { cosignHead, textWithReceipts } from './anchor-world.ts';
import { ISS, linesOf, vkeyOfBuilder } from './build-ledger.ts';
import { tellStory } from './story.ts';

const CHROMIUM = process.env['CRUMB_CHROMIUM'] ?? '/usr/bin/chromium';
const MODULE = 'dist/verify/index.js';

type Verify = (lines: readonly string[], trust: Trust) => Promise<VerifyReport>;
interface Case {
  readonly lines: readonly string[];
  /** As JSON goes to a page; `now` is put in there. */
  readonly trust: Omit<Trust, 'now'>;
  readonly now: string;
}

const near = testWitness('near.example/w', 41);
const NOW = '2026-11-22T10:16:30.000Z';

async function anchored(): Promise<{ honest: Case; rewritten: Case }> {
  const scene = await anchoredStory();
  scene.receipts.push(await cosignHead(scene.builder, near));
  const trust = {
    key: vkeyOfBuilder(scene.builder),
    issuerKeys: { [ISS]: scene.issuer.jwks },
    roots: [scene.log.root],
    witnesses: `witness near ${near.vkey}\nquorum near\n`,
  };
  const { checkpoints } = scene.builder;
  const forged = { ...(await withAnotherCall(scene)), checkpoints };
  const of = async (builder: typeof forged): Promise<Case> => ({
    lines: await textWithReceipts(builder, scene.receipts),
    trust,
    now: NOW,
  });
  return { honest: await of(scene.builder), rewritten: await of(forged) };
}

/** Serves the build, with the names of packages as paths: what a bundler does. */
async function serveBuild(): Promise<Server> {
  const paths: Readonly<Record<string, string>> = {
    '@noble/hashes/': '/node_modules/@noble/hashes/',
    '@noble/ed25519': '/node_modules/@noble/ed25519/index.js',
    canonicalize: '/node_modules/canonicalize/lib/canonicalize.js',
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/') {
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>verify</title>');
      return;
    }
    const file = resolve(`.${path}`);
    if (!file.endsWith('.js') || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const text = Object.entries(paths).reduce(
      (source, [name, place]) => source.replaceAll(`from '${name}`, `from '${place}`),
      readFileSync(file, 'utf8'),
    );
    response.setHeader('Content-Type', 'text/javascript').end(text);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

const IN_PAGE = `async ({ lines, trust, now }) => {
  const { verifyBundle } = await import('/${MODULE}');
  return verifyBundle(lines, { ...trust, now: new Date(now) });
}`;
const IN_WORKER = `async (input) => {
  const text = 'onmessage = async ({ data }) => postMessage(await (' + ${JSON.stringify(
    IN_PAGE.replace(`'/${MODULE}'`, `data.base + '/${MODULE}'`),
  )}.replace('async ({', 'async ({ base, ').replaceAll('data.base', 'base') + ')(data))';
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  const worker = new Worker(url, { type: 'module' });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage({ ...input, base: location.origin });
  });
}`;

describe.skipIf(!existsSync(CHROMIUM))('the built verifier in a browser', () => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  let inNode: Verify;
  let cases: Readonly<Record<'story' | 'honest' | 'rewritten', Case>>;
  beforeAll(async () => {
    server = await serveBuild();
    const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
    browser = await chromium.launch({ executablePath: CHROMIUM, args });
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const module = (await import(pathToFileURL(resolve(MODULE)).href)) as { verifyBundle: Verify };
    inNode = module.verifyBundle;
    const { builder } = await tellStory();
    const story = {
      lines: await linesOf(builder),
      trust: { key: vkeyOfBuilder(builder) },
      now: NOW,
    };
    cases = { story, ...(await anchored()) };
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it.each([
    ['story', { sound: true, level: 'signed' }],
    ['honest', { sound: true, level: 'witnessed' }],
    ['rewritten', { sound: false, level: 'none' }],
  ] as const)('answers as in Node, in a page and in a worker: %s', async (name, expected) => {
    const { lines, trust, now } = cases[name];
    const here = await inNode(lines, { ...trust, now: new Date(now) });
    expect(here).toMatchObject(expected);
    for (const where of [IN_PAGE, IN_WORKER]) {
      const there: unknown = await page.evaluate(`(${where})(${JSON.stringify(cases[name])})`);
      expect(there).toEqual(JSON.parse(JSON.stringify(here)));
    }
  });
});
