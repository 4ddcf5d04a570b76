import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { rekor } from '../../src/anchor/rekor.ts';
import { createAnchorSigner } from '../../src/anchor/anchor-key.ts';
import { sigstoreAccepts } from '../../src/anchor/second-opinion.ts';
import type { Anchor, AnchorRequest } from '../../src/ledger/anchor.ts';
import {
  anchorKey,
  noteOf,
  ORIGIN,
  recoveredKey,
  signP256,
  trustText,
  VKEY,
} from '../evidence/receipt-world.ts';
import { parseRekorReceipt } from '../../src/evidence/rekor-receipt.ts';
import {
  answerV2,
  closeServers,
  serve,
  serveAuthority,
  serveRekorV1,
  serveRekorV2,
  type Answer,
  type ServedLog,
} from './anchor-servers.ts';

const folder = mkdtempSync(join(tmpdir(), 'crumb-anchor-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(closeServers);

const note = await noteOf();
const request: AnchorRequest = {
  note,
  origin: ORIGIN,
  vkey: VKEY,
  size: 5,
  published: async () => 5,
  proofFrom: () => Promise.reject(new Error('a log needs no proof')),
};
const key = anchorKey.privateKey;
const coded = (code: string): unknown => expect.objectContaining({ code });

async function v1(
  over: Partial<Parameters<typeof rekor>[0]> = {},
): Promise<{ log: ServedLog; anchor: Anchor }> {
  const log = await serveRekorV1();
  return { log, anchor: rekor({ trust: trustText(log.trusted), url: log.url, key, ...over }) };
}

async function v2(over: Partial<Parameters<typeof rekor>[0]> = {}): Promise<{
  log: Awaited<ReturnType<typeof serveRekorV2>>;
  authority: ServedLog;
  anchor: Anchor;
}> {
  const log = await serveRekorV2();
  const authority = await serveAuthority();
  const trust = trustText({ ...log.trusted, ...authority.trusted });
  const timestamp = { url: authority.url };
  return {
    log,
    authority,
    anchor: rekor({ trust, version: 2, url: log.url, timestamp, key, ...over }),
  };
}

describe('a Rekor v1 log', () => {
  it('gives a receipt that we accept, and Sigstore too', async () => {
    const { anchor, log } = await v1();
    const receipt = await anchor.submit(request);
    expect(await anchor.verify(request, receipt)).toMatchObject({
      ok: true,
      type: 'rekor',
      size: 5,
      log: 'rekor.test',
      development: false,
    });
    const [asked] = log.asked;
    expect(asked).toMatchObject({ method: 'POST', path: '/api/v1/log/entries' });
    expect(asked?.headers['content-type']).toBe('application/json');
    expect(asked?.body.toString()).not.toContain(ORIGIN); // only a digest leaves
  });

  it('is asked for what it has when the answer was lost', async () => {
    const { anchor, log } = await v1();
    log.fault = async (asked, honest) => {
      const answer = await honest();
      if (asked.method === 'GET') return answer;
      const [id] = Object.keys(JSON.parse(String(answer.body)) as object);
      const headers = { Location: `https://evil.test/api/v1/log/entries/${id}` };
      return { status: 409, headers, body: '{}' };
    };
    const receipt = await anchor.submit(request);
    expect(await anchor.verify(request, receipt)).toMatchObject({ ok: true });
    expect(log.asked.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });

  it.each([
    ['no place', {}],
    ['a place that is none', { Location: '/api/v1/log/entries/../../admin' }],
  ])('that knows of a duplicate but gives %s is refused', async (_what, headers) => {
    const { anchor, log } = await v1();
    log.fault = () => ({ status: 409, headers });
    await expect(anchor.submit(request)).rejects.toThrow(coded('anchor_refused'));
    expect(log.asked).toHaveLength(1);
  });
});

describe('a Rekor v2 log', () => {
  it('gives a receipt with the time of an authority, that we accept, and Sigstore too', async () => {
    const { anchor, log, authority } = await v2();
    const receipt = await anchor.submit(request);
    const verdict = await anchor.verify(request, receipt);
    expect(verdict).toMatchObject({ ok: true, log: 'log2026-1.rekor.test', index: 4 });
    expect(log.asked.map(({ path }) => path)).toEqual(['/api/v2/log/entries']);
    expect(authority.asked[0]?.headers['content-type']).toBe('application/timestamp-query');
    expect(authority.asked[0]?.body).toHaveLength(56);
  });

  it('is signed for anew when it has that very signature', async () => {
    const { anchor, log } = await v2();
    let first: string | undefined;
    log.fault = async (asked, honest) => {
      if (first !== undefined) return honest();
      first = asked.body.toString();
      return { status: 409, headers: { 'x-log-index': '4' } };
    };
    const receipt = await anchor.submit(request);
    expect(await anchor.verify(request, receipt)).toMatchObject({ ok: true });
    expect(log.asked).toHaveLength(2);
    expect(log.asked[1]?.body.toString()).not.toBe(first);
  });

  it('that has every signature is given up', async () => {
    const { anchor, log } = await v2();
    log.fault = () => ({ status: 409 });
    await expect(anchor.submit(request)).rejects.toThrow(coded('anchor_refused'));
    expect(log.asked).toHaveLength(2);
  });

  it('is not asked before there is a time', async () => {
    const { anchor, log, authority } = await v2();
    authority.fault = () => ({ status: 503 });
    await expect(anchor.submit(request)).rejects.toThrow(coded('anchor_unreachable'));
    expect(log.asked).toEqual([]);
  });

  it('may leave out what is empty', async () => {
    const { anchor, log } = await v2();
    log.log.bodies.length = 0;
    log.fault = async (_asked, honest) => {
      const answer = JSON.parse(String((await honest()).body)) as Record<
        string,
        Record<string, unknown>
      >;
      delete answer['logIndex'];
      delete answer['inclusionProof']?.['hashes'];
      return { status: 200, body: JSON.stringify(answer) };
    };
    const receipt = await anchor.submit(request);
    expect(await anchor.verify(request, receipt)).toMatchObject({ ok: true, index: 0 });
  });

  it('needs a time, a place and patience', () => {
    const trust = trustText({});
    const timestamp = { url: 'https://tsa.test' };
    expect(() => rekor({ trust, version: 2, url: 'https://log.test' })).toThrow(TypeError);
    expect(() => rekor({ trust, version: 2, timestamp })).toThrow(TypeError);
    expect(() =>
      rekor({ trust, version: 2, timestamp, url: 'https://log.test', timeoutMs: 19_999 }),
    ).toThrow(TypeError);
    expect(rekor({ trust, version: 2, timestamp, url: 'https://log.test/' }).name).toBe(
      'rekor:log.test',
    );
  });
});

describe('an answer that is none', () => {
  const html: Answer = { status: 201, body: '<html>' };
  it.each<[string, Answer, string]>([
    ['400', { status: 400 }, 'anchor_refused'],
    ['401', { status: 401 }, 'anchor_refused'],
    ['404', { status: 404 }, 'anchor_refused'],
    ['405', { status: 405 }, 'anchor_frozen'],
    ['429', { status: 429 }, 'anchor_unreachable'],
    ['500', { status: 500 }, 'anchor_unreachable'],
    ['503', { status: 503 }, 'anchor_unreachable'],
    [
      'a redirect',
      { status: 307, headers: { Location: 'http://127.0.0.1:1/' } },
      'anchor_unreachable',
    ],
    ['a page', html, 'anchor_unreachable'],
    ['an empty object', { status: 201, body: '{}' }, 'anchor_unreachable'],
    ['a list', { status: 201, body: '[]' }, 'anchor_unreachable'],
    ['more than 1 MiB', { status: 201, body: `"${'x'.repeat(1 << 20)}"` }, 'anchor_unreachable'],
  ])('of v1 and v2: %s', async (_what, answer, code) => {
    for (const { anchor, log } of [await v1(), await v2()]) {
      log.fault = () => answer;
      await expect(anchor.submit(request)).rejects.toThrow(coded(code));
    }
  });

  it('comes too late', async () => {
    const { anchor, log } = await v1({ timeoutMs: 50 });
    log.fault = () => new Promise(() => {});
    await expect(anchor.submit(request)).rejects.toThrow(coded('anchor_unreachable'));
  });

  it('never ends', async () => {
    const { anchor, log } = await v1();
    const abort = new AbortController();
    log.fault = () => {
      abort.abort();
      return new Promise(() => {});
    };
    await expect(anchor.submit({ ...request, signal: abort.signal })).rejects.toThrow(
      coded('anchor_unreachable'),
    );
  });

  it('comes from nobody', async () => {
    const nobody = await serve(async () => ({ status: 200 }));
    await nobody.close();
    const { anchor } = await v1({ url: nobody.url });
    await expect(anchor.submit(request)).rejects.toThrow(coded('anchor_unreachable'));
  });
});

describe('a log that lies', () => {
  it.each<[string, (entry: Record<string, unknown>) => unknown, string]>([
    [
      'of another key for the same signature',
      ({ canonicalizedBody }) => ({ canonicalizedBody: withOtherKey(String(canonicalizedBody)) }),
      'key_mismatch',
    ],
    ['of another index', () => ({ logIndex: '3' }), 'inclusion_invalid'],
    ['of another log', () => ({ logId: { keyId: 'A'.repeat(43) + '=' } }), 'log_unknown'],
  ])('%s is not believed', async (_what, change, fault) => {
    const { anchor, log } = await v2();
    log.fault = async (_asked, honest) => {
      const entry = JSON.parse(String((await honest()).body)) as Record<string, unknown>;
      return { status: 201, body: JSON.stringify({ ...entry, ...(change(entry) as object) }) };
    };
    const receipt = await anchor.submit(request);
    expect(await anchor.verify(request, receipt)).toEqual({ ok: false, fault });
  });

  it('by storing a recovered key, with an honest proof for it, is not believed; Sigstore would', async () => {
    const { anchor, log } = await v2();
    log.fault = async (asked) => {
      const { hashedRekordRequestV002: sent } = JSON.parse(asked.body.toString()) as {
        hashedRekordRequestV002: { digest: string; signature: { content: string } };
      };
      const signature = new Uint8Array(Buffer.from(sent.signature.content, 'base64'));
      const [spki = new Uint8Array()] = recoveredKey(signature, note);
      const digest = new Uint8Array(Buffer.from(sent.digest, 'base64'));
      return {
        status: 201,
        body: JSON.stringify(answerV2(await log.log.add({ note, digest, signature, spki }))),
      };
    };
    const receipt = await anchor.submit(request);
    expect(await anchor.verify(request, receipt)).toEqual({ ok: false, fault: 'key_mismatch' });
    const trust = trustText({ ...log.trusted, ...(await v2()).authority.trusted });
    expect(sigstoreAccepts({ note, receipt: receipt.text, spki: anchorKey.spki, trust })).toBe(
      false,
    );
  });

  it('about another note, or the same one of another ledger, is not believed', async () => {
    const { anchor } = await v1();
    const receipt = await anchor.submit(request);
    const other = { ...request, note: await noteOf({ size: 6 }), size: 6 };
    expect(await anchor.verify(other, receipt)).toEqual({ ok: false, fault: 'note_mismatch' });
    const moved = { ...request, origin: 'evil.example/crumb' };
    expect(await anchor.verify(moved, receipt)).toEqual({ ok: false, fault: 'note_invalid' });
  });

  it('is found by Sigstore too', async () => {
    const { anchor, log } = await v1();
    const { text } = await anchor.submit(request);
    const trust = trustText(log.trusted);
    const opinion = { note, receipt: text, spki: anchorKey.spki, trust };
    expect(sigstoreAccepts(opinion)).toBe(true);
    expect(sigstoreAccepts({ ...opinion, note: `${note}.` })).toBe(false);
    expect(sigstoreAccepts({ ...opinion, trust: trustText((await serveRekorV1()).trusted) })).toBe(
      false,
    );
    expect(sigstoreAccepts({ ...opinion, receipt: 'nothing' })).toBe(false);
    const [forged = new Uint8Array()] = recoveredKey(
      parseRekorReceipt(text)?.signature ?? new Uint8Array(),
      note,
    );
    // It does not look at the key in the log: a receipt under a recovered key passes there.
    expect(sigstoreAccepts({ ...opinion, spki: forged })).toBe(true);
  });

  it('is refused when Sigstore does not accept what we do', async () => {
    const log = await serveRekorV1();
    // We look at the key itself, Sigstore at what is said of it.
    const keyDetails = 'PKIX_RSA_PKCS1V15_2048_SHA256';
    const logs = (log.trusted.logs ?? []).map((one) => ({ ...one, keyDetails }));
    const anchor = rekor({ trust: trustText({ logs }), url: log.url, key });
    const receipt = await anchor.submit(request);
    expect(await anchor.verify(request, receipt)).toEqual({ ok: false, fault: 'second_opinion' });
  });
});

function withOtherKey(body: string): string {
  const entry = JSON.parse(Buffer.from(body, 'base64').toString()) as {
    spec: {
      hashedRekordV002: {
        signature: { content: string; verifier: { publicKey: { rawBytes: string } } };
      };
    };
  };
  const { signature } = entry.spec.hashedRekordV002;
  const [spki] = recoveredKey(new Uint8Array(Buffer.from(signature.content, 'base64')), note);
  signature.verifier.publicKey.rawBytes = Buffer.from(spki ?? []).toString('base64');
  return Buffer.from(JSON.stringify(entry)).toString('base64');
}

describe('the anchor key', () => {
  it('is made once, for its owner alone', async () => {
    const { anchor } = await v1();
    const keyless = rekor({ trust: trustText({}) });
    const keyFile = join(folder, 'keys', 'anchor.pem');
    const spki = await keyless.prepare({ keyFile });
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(await rekor({ trust: trustText({}) }).prepare({ keyFile })).toEqual(spki);
    expect(await anchor.prepare({ keyFile })).toEqual(anchorKey.spki); // its own goes first
    expect(createAnchorSigner(readFileSync(keyFile, 'utf8')).spki).toEqual(spki);
  });

  it('has to be somewhere', async () => {
    const anchor = rekor({ trust: trustText({}) });
    await expect(anchor.prepare({ keyFile: undefined })).rejects.toThrow(coded('config_invalid'));
    await expect(anchor.submit(request)).rejects.toThrow(coded('key_invalid'));
    const keyFile = join(folder, 'file', 'anchor.pem');
    writeFileSync(join(folder, 'file'), 'in the way');
    await expect(anchor.prepare({ keyFile })).rejects.toThrow(coded('file_unwritable'));
  });

  it('may be PEM, a JWK, a path or a function', async () => {
    const pem = String(key.export({ type: 'pkcs8', format: 'pem' }));
    const path = join(folder, 'anchor.jwk');
    writeFileSync(path, JSON.stringify(key.export({ format: 'jwk' })));
    const service = {
      algorithm: 'ecdsa-p256',
      spki: anchorKey.spki,
      sign: async (message: Uint8Array) => signP256(key, message),
    } as const;
    for (const given of [pem, key.export({ format: 'jwk' }), path, key, service]) {
      const { anchor } = await v1({ key: given });
      expect(await anchor.verify(request, await anchor.submit(request))).toMatchObject({
        ok: true,
      });
    }
  });

  it.each<[string, Parameters<typeof createAnchorSigner>[0]]>([
    ['no file', join(folder, 'nothing.pem')],
    ['no key', '-----BEGIN PRIVATE KEY-----'],
    ['a public key', anchorKey.publicKey],
    ['another curve', { kty: 'OKP', crv: 'Ed25519', x: '', d: '' }],
    [
      'a service without a key',
      { algorithm: 'ecdsa-p256', spki: new Uint8Array(9), sign: async (m) => m },
    ],
  ])('cannot be %s', (_what, given) => {
    expect(() => createAnchorSigner(given)).toThrow(coded('key_invalid'));
  });

  it('of a service that signs something else signs nothing', async () => {
    const sign = async (): Promise<Uint8Array> => signP256(key, 'something else');
    const { anchor, log } = await v1({
      key: { algorithm: 'ecdsa-p256', spki: anchorKey.spki, sign },
    });
    await expect(anchor.submit(request)).rejects.toThrow(coded('key_invalid'));
    expect(log.asked).toEqual([]);
  });
});

describe('what is configured', () => {
  it.each([
    ['no URL', 'rekor.sigstore.dev'],
    ['another scheme', 'file:///etc/passwd'],
    ['a user', 'https://user@rekor.test'],
    ['a query', 'https://rekor.test?key=1'],
  ])('cannot be %s', (_what, url) => {
    expect(() => rekor({ trust: trustText({}), url, key })).toThrow(coded('config_invalid'));
  });

  it('may be a path of a trust root', () => {
    const path = join(folder, 'trusted_root.json');
    writeFileSync(path, trustText({}));
    expect(rekor({ trust: path, key }).name).toBe('rekor:rekor.sigstore.dev');
    expect(() => rekor({ trust: join(folder, 'none.json'), key })).toThrow(
      coded('file_unreadable'),
    );
    expect(() => rekor({ trust: '{}', key })).toThrow(coded('trust_invalid'));
    expect(rekor({ trust: path, key, name: 'public' }).name).toBe('public');
  });
});
