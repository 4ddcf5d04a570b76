/**
 * The development identity provider in a thread of its own, so that what it costs is not what the
 * exchange costs.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { startWorld } from '../test/dev/world.ts';

/** What the measuring thread needs to know. */
export interface ProviderReady {
  readonly issuer: string;
  readonly audience: string;
  readonly client: { readonly id: string; readonly redirectUri: string };
  /** Private JWKs of the agents. */
  readonly keys: Readonly<Record<string, JsonWebKey>>;
}

const { algorithm } = workerData as { algorithm: 'RS256' | 'ES256' | 'EdDSA' }; // exchange.ts sends it
const world = await startWorld({ algorithm });
const ready: ProviderReady = {
  issuer: world.issuer,
  audience: world.audience,
  client: world.client,
  keys: Object.fromEntries(Object.entries(world.keys).map(([name, { key }]) => [name, key])),
};
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(ready);
parentPort?.once('message', () => void world.close());
