/**
 * Anchors in a Rekor log. The log keeps digest, signature and key of a checkpoint for everyone to see: it
 * shows that the note existed by a time, and to who watches our key, every note that we ever anchored.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { CrumbError } from '../errors.ts';
import { utf8 } from '../evidence/bytes.ts';
import { verifyReceipt } from '../evidence/receipt.ts';
import { encodeRekorReceipt, keyHintOf, type RekorReceipt } from '../evidence/rekor-receipt.ts';
import type { UnverifiedTimestamp } from '../evidence/timestamp-token.ts';
import { parseTrustedRoot } from '../evidence/trusted-root.ts';
import type { Anchor } from '../ledger/anchor.ts';
import { anchorFetch, anchorUrl } from './anchor-fetch.ts';
import {
  anchorSignerIn,
  createAnchorSigner,
  type AnchorKeyInput,
  type AnchorSigner,
} from './anchor-key.ts';
import { pinnedText } from './pinned-file.ts';
import { logInRekorV1, type RekorClient } from './rekor-v1.ts';
import { DUPLICATE, logInRekorV2 } from './rekor-v2.ts';
import { sigstoreAccepts } from './second-opinion.ts';
import { requestTimestamp } from './timestamp-request.ts';

/** A Rekor log, and whom to believe about it. */
export interface RekorOptions {
  /**
   * The pinned `trusted_root.json`, its text or its path: the log's key, and for version 2 the authority
   * that gives the time.
   */
  readonly trust: string;
  /** Default 1. Version 2 knows no time, so it needs `timestamp`. */
  readonly version?: 1 | 2;
  /** Where the log takes entries. Default, for version 1: `https://rekor.sigstore.dev`. */
  readonly url?: string;
  /** For version 2: where an authority of the trust root stamps the signature. */
  readonly timestamp?: { readonly url: string };
  /**
   * The anchor key, ECDSA P-256; a function that signs, for a key service. Default: a file beside the
   * rollback guard, made once.
   */
  readonly key?: AnchorKeyInput;
  /** Name of this anchor in the ledger. Default: `rekor:` and host of `url`. */
  readonly name?: string;
  /** How long to wait, in milliseconds. Default 10000, for version 2 30000; that needs 20000 and more. */
  readonly timeoutMs?: number;
  /** Replaces the global `fetch`, for a proxy or a test. */
  readonly fetch?: typeof globalThis.fetch;
}

const PUBLIC_LOG = 'https://rekor.sigstore.dev';
const TIMEOUTS_MS = { 1: 10_000, 2: 30_000 } as const;
/** The log answers with its next checkpoint: less time would log the same note again and again. */
const SHORTEST_V2_MS = 20_000;

/** Signatures tried in one attempt before a log that has them all is given up. */
const MAX_SIGNATURES = 2;

/**
 * A Rekor log as an anchor.
 *
 * @throws {TypeError} Version 2 without `timestamp` or `url`, or with less than 20 seconds.
 * @throws {CrumbError} `trust_invalid`, `file_unreadable`, `key_invalid`, `config_invalid`.
 */
export function rekor(options: RekorOptions): Anchor {
  const { version = 1, fetch } = options;
  const { timeoutMs = TIMEOUTS_MS[version], timestamp } = options;
  requireUsable(options, timeoutMs);
  const url = anchorUrl(options.url ?? PUBLIC_LOG, 'url');
  const trust = pinnedText(options.trust);
  const roots = [parseTrustedRoot(trust)];
  const ask = anchorFetch({ timeoutMs, fetch });
  const stampUrl = timestamp === undefined ? undefined : anchorUrl(timestamp.url, 'timestamp.url');
  let signer = options.key === undefined ? undefined : createAnchorSigner(options.key);

  function ready(): AnchorSigner {
    if (signer === undefined) throw new CrumbError('key_invalid', { names: ['prepare first'] });
    return signer;
  }

  return {
    type: 'rekor',
    name: options.name ?? `rekor:${new URL(url).host}`,
    async prepare({ keyFile }) {
      if (signer === undefined && keyFile === undefined) {
        throw new CrumbError('config_invalid', { names: ['a key for the anchor'] });
      }
      signer ??= anchorSignerIn(keyFile ?? '');
      return signer.spki;
    },
    async submit({ note, signal }) {
      const client = { url, ask, signal };
      const submission = { note, signer: ready() };
      const receipt =
        version === 1 || stampUrl === undefined
          ? await submitV1(client, submission)
          : await submitV2(client, { ...submission, stampUrl });
      return { type: 'rekor', text: encodeRekorReceipt(receipt) };
    },
    async verify(checkpoint, receipt) {
      const { spki } = ready();
      const own = await verifyReceipt({
        type: 'rekor',
        note: checkpoint.note,
        receipt: receipt.text,
        ledger: {
          origin: checkpoint.origin,
          vkeys: [checkpoint.vkey],
          anchorKeys: [{ spki, from: 0, to: null, revokedSince: null }],
        },
        trust: { roots },
      });
      if (!own.ok) return own;
      const isAccepted = sigstoreAccepts({
        note: checkpoint.note,
        receipt: receipt.text,
        spki,
        trust,
      });
      return isAccepted ? own : { ok: false, fault: 'second_opinion' };
    },
  } satisfies Anchor;
}

interface Submission {
  readonly note: string;
  readonly signer: AnchorSigner;
}

async function submitV1(client: RekorClient, submission: Submission): Promise<RekorReceipt> {
  const signed = await signNote(submission);
  return {
    ...partsOf(signed),
    version: 1,
    entry: await logInRekorV1(client, signed),
    timestamp: null,
  };
}

async function submitV2(
  client: RekorClient,
  submission: Submission & { readonly stampUrl: string },
): Promise<RekorReceipt> {
  for (let tries = 0; tries < MAX_SIGNATURES; tries++) {
    const signed = await signNote(submission);
    // The time first: a note that is logged without one would have to be logged again.
    const timestamp = await timestampOf(client, signed.signature, submission.stampUrl);
    const entry = await logInRekorV2(client, signed);
    if (entry !== DUPLICATE) return { ...partsOf(signed), version: 2, entry, timestamp };
  }
  // A signer that gives the same signature each time, and an answer that was lost.
  throw new CrumbError('anchor_refused', { cause: new Error('logged before') });
}

async function timestampOf(
  { ask, signal }: RekorClient,
  signature: Uint8Array,
  url: string,
): Promise<UnverifiedTimestamp> {
  return requestTimestamp({ url, ask, signal }, signature);
}

interface SignedNote {
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
  readonly spki: Uint8Array;
}

async function signNote({ note, signer }: Submission): Promise<SignedNote> {
  const bytes = utf8(note);
  return { digest: sha256(bytes), signature: await signer.sign(bytes), spki: signer.spki };
}

function partsOf({
  digest,
  signature,
  spki,
}: SignedNote): Pick<RekorReceipt, 'digest' | 'signature' | 'keyHint'> {
  return { digest, signature, keyHint: keyHintOf(spki) };
}

function requireUsable({ version = 1, timestamp, url }: RekorOptions, timeoutMs: number): void {
  if (version === 1) return;
  if (timestamp === undefined) throw new TypeError('Rekor v2 states no time: give `timestamp`');
  if (url === undefined) throw new TypeError('Rekor v2 has no address that stays: give `url`');
  if (timeoutMs < SHORTEST_V2_MS) throw new TypeError('Rekor v2 takes up to 20 seconds to answer');
}
