/**
 * Finds out, by The Update Framework, which logs and authorities Sigstore runs at present. For the command
 * line: what it gives is written to a file, and pinned. Metadata of TUF expires, and evidence must not.
 *
 * @see https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto
 * @module
 */
import { initTUF } from '@sigstore/tuf';
import { CrumbError } from '../errors.ts';
import { isObject } from '../evidence/shape.ts';
import { parseTrustedRoot } from '../evidence/trusted-root.ts';

/** Where to ask, and where to keep what TUF needs to remember. */
export interface DiscoverOptions {
  /** A folder for TUF's own metadata. */
  readonly cachePath: string;
  /** A TUF repository. Default: that of Sigstore, whose first root comes with `@sigstore/tuf`. */
  readonly mirrorUrl?: string;
  /** Path of the first root of another repository. */
  readonly rootPath?: string;
  /** Which version of Rekor to find. Default 1. */
  readonly version?: 1 | 2;
  /** How long to wait for each file, in milliseconds. Default 10000. */
  readonly timeoutMs?: number;
  /** Replaces the wall clock in tests. */
  readonly clock?: () => Date;
}

/** What to pin, and where to write to. */
export interface DiscoveredTrust {
  /** The text of `trusted_root.json`: to be stored as it is. */
  readonly trustedRoot: string;
  /** Logs in use, the ones to prefer first. */
  readonly logs: readonly DiscoveredService[];
  /** Timestamp authorities in use. */
  readonly authorities: readonly DiscoveredService[];
}

/** A service in its time of use. */
export interface DiscoveredService {
  readonly url: string;
  /** Version of its API. */
  readonly version: number;
  readonly operator: string | null;
}

const TARGETS = {
  1: 'signing_config.v0.2.json',
  2: 'signing_config_rekor_v2.v0.2.json',
} as const;
const MEDIA_TYPE = 'application/vnd.dev.sigstore.signingconfig.v0.2+json';

/**
 * Asks a TUF repository.
 *
 * @throws {CrumbError} `anchor_unreachable`: it did not answer, or its signatures do not hold.
 *   `trust_invalid`: what it gave cannot be used.
 */
export async function discoverTrust(options: DiscoverOptions): Promise<DiscoveredTrust> {
  const { version = 1, clock = () => new Date() } = options;
  const [trustedRoot, config] = await targetsOf(options, ['trusted_root.json', TARGETS[version]]);
  parseTrustedRoot(trustedRoot);
  const members = readConfig(config);
  const now = clock();
  return {
    trustedRoot,
    logs: servicesIn(members['rekorTlogUrls'], version, now),
    authorities: servicesIn(members['tsaUrls'], 1, now),
  };
}

async function targetsOf(
  { cachePath, mirrorUrl, rootPath, timeoutMs = 10_000 }: DiscoverOptions,
  [first, second]: readonly [string, string],
): Promise<readonly [string, string]> {
  try {
    const client = await initTUF({
      cachePath,
      timeout: timeoutMs,
      retry: 1,
      ...(mirrorUrl !== undefined && { mirrorURL: mirrorUrl }),
      ...(rootPath !== undefined && { rootPath }),
    });
    return [await client.getTarget(first), await client.getTarget(second)];
  } catch (cause) {
    throw new CrumbError('anchor_unreachable', { cause });
  }
}

function readConfig(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value) && value['mediaType'] === MEDIA_TYPE) return value;
  } catch {
    // said below
  }
  throw new CrumbError('trust_invalid', { names: ['signing config'] });
}

/** Those of the newest version that we speak and that is in use, newest first. */
function servicesIn(value: unknown, newest: number, now: Date): readonly DiscoveredService[] {
  const all = Array.isArray(value) ? value.flatMap((item) => readService(item, now)) : [];
  const known = all.filter(({ service }) => service.version <= newest);
  const version = Math.max(...known.map(({ service }) => service.version));
  return known
    .filter(({ service }) => service.version === version)
    .toSorted((a, b) => b.start - a.start)
    .map(({ service }) => service);
}

interface Found {
  readonly service: DiscoveredService;
  readonly start: number;
}

function readService(item: unknown, now: Date): Found[] {
  if (!isObject(item)) return [];
  const { url, majorApiVersion: version, operator, validFor } = item;
  const period = isObject(validFor) ? validFor : {};
  const start = timeOf(period['start'], 0);
  const end = timeOf(period['end'], Number.POSITIVE_INFINITY);
  if (typeof url !== 'string' || typeof version !== 'number') return [];
  if (now.getTime() < start || now.getTime() > end) return [];
  const service = { url, version, operator: typeof operator === 'string' ? operator : null };
  return [{ service, start }];
}

function timeOf(value: unknown, otherwise: number): number {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? otherwise : time;
}
