/**
 * One suite for any Rekor, v1 or v2: `npm run interop:rekor -- --url … --trust …` runs it against a real one.
 * Without that it runs against the development log (v2) and `@sigstore/mock` (v1).
 *
 * Against a real log each run leaves four entries there, of a ledger that has no others, for ever.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAnchorSigner } from '../../src/anchor/anchor-key.ts';
import { anchorFetch } from '../../src/anchor/anchor-fetch.ts';
import { pinnedText } from '../../src/anchor/pinned-file.ts';
import { rekor } from '../../src/anchor/rekor.ts';
import { logInRekorV1 } from '../../src/anchor/rekor-v1.ts';
import { DUPLICATE, logInRekorV2 } from '../../src/anchor/rekor-v2.ts';
import { sigstoreAccepts } from '../../src/anchor/second-opinion.ts';
import { checkpointText } from '../../src/evidence/checkpoint.ts';
import { ed25519Signer } from '../../src/evidence/ed25519.ts';
import { signNote, vkeyOf } from '../../src/evidence/note.ts';
import type { LoggedSignature } from '../../src/evidence/rekor-body.ts';
import type { RekorEntry } from '../../src/evidence/rekor-receipt.ts';
import type { Anchor, AnchorRequest } from '../../src/ledger/anchor.ts';
import { devLog } from '../dev/log-world.ts';
import { p256Pair, sha256, trustText } from '../evidence/receipt-world.ts';
import { closeServers, serveRekorV1 } from './anchor-servers.ts';

interface Target {
  readonly version: 1 | 2;
  readonly url: string;
  /** Text or path of the trust root. */
  readonly trust: string;
  readonly timestamp?: { readonly url: string };
  /** Whether it checks signatures: the mock does not. */
  readonly checks: boolean;
}

const named = process.env['CRUMB_INTEROP_REKOR'];
const targets: readonly (readonly [string, () => Promise<Target>])[] =
  named === undefined
    ? [
        ['@sigstore/mock, v1', mockTarget],
        ['the development log, v2', developmentTarget],
      ]
    : [[named, async () => ({ ...(JSON.parse(named) as Omit<Target, 'checks'>), checks: true })]];

async function mockTarget(): Promise<Target> {
  const log = await serveRekorV1();
  return { version: 1, url: log.url, trust: trustText(log.trusted), checks: false };
}

async function developmentTarget(): Promise<Target> {
  const { url, timestampUrl, trustRoot } = await devLog();
  return { version: 2, url, trust: trustRoot, timestamp: { url: timestampUrl }, checks: true };
}

afterAll(closeServers);

describe.each(targets)('Rekor: %s', (_name, open) => {
  const pair = p256Pair();
  const signer = createAnchorSigner(pair.privateKey);
  const ledgerKey = ed25519Signer(new Uint8Array(randomBytes(32)));
  const origin = `interop.example/${randomBytes(8).toString('hex')}`;
  const vkey = vkeyOf(origin, ledgerKey.publicKey);
  let target: Target;
  let anchor: Anchor;
  let first: string;

  beforeAll(async () => {
    target = await open();
    anchor = rekor({ ...target, key: pair.privateKey });
  });

  async function requestAt(size: number): Promise<AnchorRequest> {
    const root = new Uint8Array(randomBytes(32));
    return {
      note: await signNote(checkpointText({ origin, size, root }), origin, ledgerKey),
      origin,
      vkey,
      size,
      published: async () => size,
      proofFrom: () => Promise.reject(new Error('a log needs no proof')),
    };
  }

  const log = (logged: LoggedSignature): Promise<RekorEntry | typeof DUPLICATE> => {
    const client = { url: target.url, ask: anchorFetch({ timeoutMs: 60_000 }) };
    return target.version === 1 ? logInRekorV1(client, logged) : logInRekorV2(client, logged);
  };

  it('gives a receipt that holds, here and at Sigstore, at about the time it is now', async () => {
    const request = await requestAt(5);
    const receipt = await anchor.submit(request);
    const verdict = await anchor.verify(request, receipt);
    expect(verdict).toMatchObject({ ok: true, type: 'rekor', size: 5 });
    const at = verdict.ok ? verdict.at.getTime() : 0;
    expect(Math.abs(at - Date.now())).toBeLessThan(10 * 60_000);
    const trust = pinnedText(target.trust);
    const opinion = { note: request.note, receipt: receipt.text, spki: pair.spki, trust };
    expect(sigstoreAccepts(opinion)).toBe(true);
    first = receipt.text;
  }, 90_000);

  it('gives one for each checkpoint, and none of them serves for another', async () => {
    const request = await requestAt(9);
    const receipt = await anchor.submit(request);
    expect(await anchor.verify(request, receipt)).toMatchObject({ ok: true, size: 9 });
    const swapped = { type: 'rekor', text: first } as const;
    expect(await anchor.verify(request, swapped)).toEqual({ ok: false, fault: 'note_mismatch' });
  }, 90_000);

  it('takes the very same signature for a duplicate, or gives its entry again', async () => {
    const message = randomBytes(32);
    const signature = await signer.sign(message);
    const logged = { digest: sha256(message), signature, spki: pair.spki };
    const entry = await log(logged);
    const again = await log(logged);
    if (target.version === 2) expect(again).toBe(DUPLICATE);
    else expect(again).not.toBe(DUPLICATE);
    expect(entry).not.toBe(DUPLICATE);
  }, 90_000);

  it('refuses a signature that is over something else', async () => {
    if (!target.checks) return;
    const signature = await signer.sign(randomBytes(32));
    const logged = { digest: sha256(randomBytes(32)), signature, spki: pair.spki };
    await expect(log(logged)).rejects.toThrow(expect.objectContaining({ code: 'anchor_refused' }));
  }, 90_000);

  it('counts for nothing under a trust root that does not name it', async () => {
    const stranger = rekor({ ...target, trust: trustText({}), key: pair.privateKey });
    const request = await requestAt(12);
    const verdict = await stranger.verify(request, await stranger.submit(request));
    expect(verdict).toEqual({ ok: false, fault: 'log_unknown' });
  }, 90_000);
});
