import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { timestamp } from '../../src/anchor/timestamp.ts';
import { timestampQuery } from '../../src/anchor/timestamp-request.ts';
import type { AnchorRequest } from '../../src/ledger/anchor.ts';
import { opensslTsa } from '../evidence/openssl-tsa.ts';
import { noteOf, ORIGIN, trustText, VKEY } from '../evidence/receipt-world.ts';
import { closeServers, serveAuthority, type Answer } from './anchor-servers.ts';

const tsa = opensslTsa();
afterAll(() => tsa.close());
afterEach(closeServers);

const note = await noteOf();
const request: AnchorRequest = {
  note,
  origin: ORIGIN,
  vkey: VKEY,
  size: 5,
  published: async () => 5,
  proofFrom: () => Promise.reject(new Error('an authority needs no proof')),
};

describe('a timestamp authority', () => {
  it('is asked in a way that openssl reads, and gives what we and openssl accept', async () => {
    const query = timestampQuery(Buffer.from(note));
    expect(tsa.describe('query', query)).toContain('Hash Algorithm: sha256');
    expect(Buffer.from(query)).toEqual(Buffer.from(tsa.query(note)));
    expect(tsa.verifies(tsa.reply(query), query)).toBe(true);

    const server = await serveAuthority(tsa);
    const anchor = timestamp({ url: server.url, trust: trustText(server.trusted) });
    const receipt = await anchor.submit(request);
    expect(await anchor.verify(request, receipt)).toMatchObject({
      ok: true,
      type: 'timestamp',
      log: 'https://tsa.openssl.test',
    });
    expect(server.asked[0]?.headers['content-type']).toBe('application/timestamp-query');
    expect(await anchor.prepare({ keyFile: undefined })).toBeUndefined();
    expect(anchor.name).toBe(`timestamp:${new URL(server.url).host}`);
  });

  it('of another kind is accepted too', async () => {
    const server = await serveAuthority();
    const anchor = timestamp({ url: server.url, trust: trustText(server.trusted), name: 'mock' });
    expect(await anchor.verify(request, await anchor.submit(request))).toMatchObject({ ok: true });
    expect(anchor.name).toBe('mock');
  });

  it('that stamps something else is not believed', async () => {
    const server = await serveAuthority(tsa);
    server.fault = () => ({ status: 200, body: tsa.reply(tsa.query('something else')) });
    const anchor = timestamp({ url: server.url, trust: trustText(server.trusted) });
    const receipt = await anchor.submit(request);
    expect(await anchor.verify(request, receipt)).toEqual({ ok: false, fault: 'note_mismatch' });
  });

  const refusal = Uint8Array.of(0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02);
  it.each<[string, Answer, string]>([
    ['a refusal', { status: 200, body: refusal }, 'anchor_refused'],
    ['nothing', { status: 200 }, 'anchor_unreachable'],
    ['a page', { status: 200, body: '<html>' }, 'anchor_unreachable'],
    ['400', { status: 400 }, 'anchor_refused'],
    ['500', { status: 500 }, 'anchor_unreachable'],
  ])('that answers with %s is not taken for one', async (_what, answer, code) => {
    const server = await serveAuthority(tsa);
    server.fault = () => answer;
    const anchor = timestamp({ url: server.url, trust: trustText(server.trusted) });
    await expect(anchor.submit(request)).rejects.toThrow(expect.objectContaining({ code }));
  });
});
