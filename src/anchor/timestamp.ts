/**
 * Anchors at a timestamp authority: it signs that it saw the checkpoint's digest, and keeps nothing that
 * anyone could watch.
 *
 * @module
 */
import { toBase64, utf8 } from '../evidence/bytes.ts';
import { verifyReceipt } from '../evidence/receipt.ts';
import { parseTrustedRoot } from '../evidence/trusted-root.ts';
import type { Anchor } from '../ledger/anchor.ts';
import { anchorFetch, anchorUrl } from './anchor-fetch.ts';
import { pinnedText } from './pinned-file.ts';
import { requestTimestamp } from './timestamp-request.ts';

/** A timestamp authority, and whom to believe about it. */
export interface TimestampOptions {
  /** Where it takes RFC 3161 requests. */
  readonly url: string;
  /** The pinned `trusted_root.json`, its text or its path: the certificates of the authority, leaf first. */
  readonly trust: string;
  /** Name of this anchor in the ledger. Default: `timestamp:` and host of `url`. */
  readonly name?: string;
  /** How long to wait, in milliseconds. Default 10000. */
  readonly timeoutMs?: number;
  /** Replaces the global `fetch`, for a proxy or a test. */
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * A timestamp authority as an anchor.
 *
 * @throws {CrumbError} `trust_invalid`, `file_unreadable`, `config_invalid`.
 */
export function timestamp(options: TimestampOptions): Anchor {
  const { timeoutMs = 10_000, fetch } = options;
  const url = anchorUrl(options.url, 'url');
  const roots = [parseTrustedRoot(pinnedText(options.trust))];
  const ask = anchorFetch({ timeoutMs, fetch });
  return {
    type: 'timestamp',
    name: options.name ?? `timestamp:${new URL(url).host}`,
    prepare: async () => undefined,
    async submit({ note, signal }) {
      const token = await requestTimestamp({ url, ask, signal }, utf8(note));
      return { type: 'timestamp', text: toBase64(token.bytes) };
    },
    verify: async ({ note, origin, vkey }, { text }) =>
      verifyReceipt({
        type: 'timestamp',
        note,
        receipt: text,
        ledger: { origin, vkeys: [vkey], anchorKeys: [] },
        trust: { roots },
      }),
  };
}
