/**
 * A signing key that stays in a key service: the ledger asks for each signature over HTTP and never holds
 * the key. In the shape of HashiCorp Vault's transit engine; another service differs in two requests.
 *
 *   const signingKey = await vaultTransitSigner({ url, key: 'crumb', token });
 *   const crumb = await createCrumb({ signingKey, ... });
 *
 * @see https://developer.hashicorp.com/vault/api-docs/secret/transit
 * @module
 */
import type { Signer } from 'crumb-ai';

export interface VaultTransitOptions {
  /** Address of the service, with no path. */
  readonly url: string;
  /** Name of an `ed25519` key of the engine mounted at `transit/`. */
  readonly key: string;
  readonly token: string;
  /** Version of the key. Default: the newest now; a rotation in the service changes nothing here. */
  readonly version?: number;
  /** How long to wait for an answer, in milliseconds. Default 5000. */
  readonly timeoutMs?: number;
}

/** Asks once for the public key, and from then on for signatures of this version only. */
export async function vaultTransitSigner(options: VaultTransitOptions): Promise<Signer> {
  const name = encodeURIComponent(options.key);
  const described = await ask(options, `keys/${name}`);
  if (described['type'] !== 'ed25519') throw new Error('the key service has another type of key');
  const version = options.version ?? Number(described['latest_version']);
  const publicKey = bytesOf(memberOf(memberOf(described['keys'], `${version}`), 'public_key'), 32);

  return {
    algorithm: 'ed25519',
    publicKey,
    async sign(message) {
      const input = Buffer.from(message).toString('base64');
      const { signature } = await ask(options, `sign/${name}`, { input, key_version: version });
      const prefix = `vault:v${version}:`;
      if (typeof signature !== 'string' || !signature.startsWith(prefix)) {
        throw new Error('the key service signed with another version of the key');
      }
      return bytesOf(signature.slice(prefix.length), 64);
    },
  };
}

/** One request; answers `data` of what came back. */
async function ask(
  { url, token, timeoutMs = 5_000 }: VaultTransitOptions,
  path: string,
  body?: object,
): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(new URL(`/v1/transit/${path}`, url), {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'X-Vault-Token': token, 'Content-Type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
    redirect: 'error', // a redirect would hand the token to another origin
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw new Error(`the key service answered ${response.status}`);
  const answer: unknown = await response.json();
  const found = memberOf(answer, 'data');
  if (!isRecord(found)) throw new Error('the key service gave no usable answer');
  return found;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function memberOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function bytesOf(base64: unknown, length: number): Uint8Array {
  const bytes = typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined;
  if (bytes?.length !== length) throw new Error('the key service gave no usable answer');
  return new Uint8Array(bytes);
}
