/**
 * The signing keys of a development identity provider, and keys for the clients that talk to it.
 *
 * A rotation has three steps, so that no reader meets a signature before the key: publish the next
 * key, sign with it, retire the old one once the last token that it signed has expired.
 *
 * @module
 */
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JWK,
} from 'jose';

/** JWS algorithms that a development identity provider signs with. */
export type DevAlgorithm = 'RS256' | 'ES256' | 'EdDSA';

/** One key pair of the provider. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: DevAlgorithm;
  readonly privateJwk: JWK;
  readonly publicJwk: JWK;
  readonly privateKey: CryptoKey;
}

/** A key pair for a client: `key` for the client itself, `jwks` for its registration. */
export interface DevKeyPair {
  readonly kid: string;
  /** Private JWK. */
  readonly key: JWK;
  readonly jwks: { readonly keys: JWK[] };
}

/** Makes a key pair for an application or agent. Ed25519 by default: it is made and used fastest. */
export async function devKeyPair(alg: DevAlgorithm = 'EdDSA'): Promise<DevKeyPair> {
  const { kid, privateJwk, publicJwk } = await createSigningKey(alg);
  // The algorithm has two names on the wire, EdDSA and Ed25519; a key that names one refuses the other.
  const { alg: _named, ...anyName } = publicJwk;
  return { kid, key: privateJwk, jwks: { keys: [alg === 'EdDSA' ? anyName : publicJwk] } };
}

/** Made once for each set of keys: it keeps the keys that it imported. */
type KeyResolver = ReturnType<typeof createLocalJWKSet>;

/** The keys of one provider, oldest duty first: `current` signs, `next` and `old` are only published. */
export class Keyring {
  readonly alg: DevAlgorithm;
  #current: SigningKey;
  #next: SigningKey | undefined;
  #old: readonly SigningKey[] = [];
  #verifier: KeyResolver;

  private constructor(current: SigningKey) {
    this.alg = current.alg;
    this.#current = current;
    this.#verifier = this.#resolver();
  }

  static async create(alg: DevAlgorithm): Promise<Keyring> {
    return new Keyring(await createSigningKey(alg));
  }

  /** The key that signs. */
  get current(): SigningKey {
    return this.#current;
  }

  /** All published keys, the signing one first: `oidc-provider` signs ID tokens with the first. */
  get keys(): readonly SigningKey[] {
    return [this.#current, ...(this.#next === undefined ? [] : [this.#next]), ...this.#old];
  }

  /** Finds the published key that a token names. */
  get verifier(): KeyResolver {
    return this.#verifier;
  }

  /** Makes the next key and publishes it; keeps one that waits already. */
  async publish(): Promise<void> {
    this.#next ??= await createSigningKey(this.alg);
    this.#verifier = this.#resolver();
  }

  /** Signs with the published key from now on; the present one stays published. */
  switch(): void {
    if (this.#next === undefined) throw new TypeError('publish a key before switching to it');
    this.#old = [this.#current, ...this.#old];
    this.#current = this.#next;
    this.#next = undefined;
  }

  /** Takes back keys that sign no more. Tokens that they signed verify nowhere after this. */
  retire(kids: readonly string[] = this.#old.map(({ kid }) => kid)): void {
    this.#old = this.#old.filter(({ kid }) => !kids.includes(kid));
    this.#verifier = this.#resolver();
  }

  #resolver(): KeyResolver {
    return createLocalJWKSet({ keys: this.keys.map(({ publicJwk }) => publicJwk) });
  }
}

/** Makes a key pair of the provider. */
export async function createSigningKey(alg: DevAlgorithm): Promise<SigningKey> {
  const pair = await generateKeyPair(alg, { extractable: true });
  const publicJwk = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  const named = { kid, alg, use: 'sig' };
  return {
    kid,
    alg,
    privateKey: pair.privateKey,
    publicJwk: { ...publicJwk, ...named },
    privateJwk: { ...(await exportJWK(pair.privateKey)), ...named },
  };
}
