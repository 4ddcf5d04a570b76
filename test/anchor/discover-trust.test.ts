import { initializeTUFRepo, tufHandlers } from '@tufjs/repo-mock';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { discoverTrust, type DiscoveredTrust } from '../../src/anchor/discover-trust.ts';
import { mockLog, trustText } from '../evidence/receipt-world.ts';
import { closeServers, serve, type TestServer } from './anchor-servers.ts';

const folder = mkdtempSync(join(tmpdir(), 'crumb-tuf-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(closeServers);

const trustedRoot = trustText({ logs: [(await mockLog()).trusted] });
const now = new Date('2026-11-24T10:00:00Z');
const coded = (code: string): unknown => expect.objectContaining({ code });

const service = (url: string, majorApiVersion: number, validFor: object): object => ({
  url,
  majorApiVersion,
  validFor,
  operator: 'sigstore.dev',
});

const config = {
  mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
  rekorTlogUrls: [
    service('https://log2026-2.test', 2, { start: '2026-12-01T00:00:00Z' }),
    service('https://log2025-1.test', 2, { start: '2025-09-01T00:00:00Z' }),
    service('https://log2026-1.test', 2, { start: '2026-02-01T00:00:00Z' }),
    service('https://log2024-1.test', 2, {
      start: '2024-01-01T00:00:00Z',
      end: '2025-01-01T00:00:00Z',
    }),
    service('https://rekor.test', 1, { start: '2021-01-01T00:00:00Z' }),
    service('https://future.test', 3, { start: '2021-01-01T00:00:00Z' }),
    'nothing',
  ],
  tsaUrls: [service('https://tsa.test/api/v1/timestamp', 1, { start: '2025-01-01T00:00:00Z' })],
};

let runs = 0;

/** A TUF repository of its own key, over HTTP. */
async function discover(
  targets: Readonly<Record<string, string>>,
  version: 1 | 2,
  spoil: (server: TestServer) => void = () => {},
): Promise<DiscoveredTrust> {
  const files = Object.entries(targets).map(([name, content]) => ({
    name,
    content: Buffer.from(content),
  }));
  const repository = initializeTUFRepo(files);
  const handlers = new Map(
    tufHandlers(repository, { metadataPathPrefix: '' }).map(({ path, fn }) => [path, fn]),
  );
  const server = await serve(async ({ path }) => {
    const answer = handlers.get(path)?.();
    return answer === undefined
      ? { status: 404 }
      : { status: answer.statusCode, body: answer.response };
  });
  spoil(server);
  const rootPath = join(folder, `root-${++runs}.json`);
  writeFileSync(rootPath, JSON.stringify(repository.rootMeta.toJSON()));
  return discoverTrust({
    cachePath: join(folder, `cache-${runs}`),
    mirrorUrl: server.url,
    rootPath,
    version,
    timeoutMs: 2000,
    clock: () => now,
  });
}

describe('discovery', () => {
  const targets = {
    'trusted_root.json': trustedRoot,
    'signing_config.v0.2.json': JSON.stringify(config),
    'signing_config_rekor_v2.v0.2.json': JSON.stringify(config),
  };

  it('gives the trust root to pin, and the logs in use, newest first', async () => {
    expect(await discover(targets, 2)).toEqual({
      trustedRoot,
      logs: [
        { url: 'https://log2026-1.test', version: 2, operator: 'sigstore.dev' },
        { url: 'https://log2025-1.test', version: 2, operator: 'sigstore.dev' },
      ],
      authorities: [
        { url: 'https://tsa.test/api/v1/timestamp', version: 1, operator: 'sigstore.dev' },
      ],
    });
  });

  it('gives logs of version 1 to who speaks only that', async () => {
    const { logs } = await discover(targets, 1);
    expect(logs.map(({ url }) => url)).toEqual(['https://rekor.test']);
  });

  it('gives no logs where none is in use', async () => {
    const none = {
      ...targets,
      'signing_config.v0.2.json': JSON.stringify({ mediaType: config.mediaType }),
    };
    expect(await discover(none, 1)).toMatchObject({ logs: [], authorities: [] });
  });

  it('believes nothing that the repository did not sign', async () => {
    const spoilt = discover(targets, 1, (server) => {
      server.fault = async (asked, honest) => {
        const answer = await honest();
        const isTarget = asked.path.includes('trusted_root');
        return isTarget ? { ...answer, body: trustText({}) } : answer;
      };
    });
    await expect(spoilt).rejects.toThrow(coded('anchor_unreachable'));
  });

  it('fails if the repository is down, or lacks a file', async () => {
    const down = discover(targets, 1, (server) => {
      server.fault = () => ({ status: 404 });
    });
    await expect(down).rejects.toThrow(coded('anchor_unreachable'));
    const { 'signing_config.v0.2.json': _gone, ...rest } = targets;
    await expect(discover(rest, 1)).rejects.toThrow(coded('anchor_unreachable'));
  });

  it.each([
    ['a trust root that is none', { 'trusted_root.json': '{}' }],
    ['a configuration that is none', { 'signing_config.v0.2.json': '{}' }],
    ['a configuration that is no JSON', { 'signing_config.v0.2.json': 'nothing' }],
  ])('refuses %s', async (_what, over) => {
    await expect(discover({ ...targets, ...over }, 1)).rejects.toThrow(coded('trust_invalid'));
  });
});
