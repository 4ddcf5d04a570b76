/**
 * Keys with which clients authenticate at the identity provider (`private_key_jwt`).
 *
 * @see https://www.rfc-editor.org/rfc/rfc7523
 * @module
 */
import { exportJWK, importJWK, importPKCS8, type JWK, type KeyObject } from 'jose';

/**
 * A private key: PKCS#8 PEM text, a JWK, a Web Crypto key with usage `sign`, or a `KeyObject` of
 * `node:crypto`. Without an `alg`, RSA keys sign RS256.
 */
export type KeyInput = string | JWK | CryptoKey | KeyObject;

/** A key ready to sign with; `kid` if the JWK had one. */
export interface SigningKey {
  readonly key: CryptoKey;
  readonly kid?: string;
}

/** What PEM text can turn out to be; a key imports under its own kind only. */
const ALGS_BY_TRIAL = ['ES256', 'RS256', 'EdDSA', 'ES384', 'ES512'];

/**
 * Parses a private key once, so that each request only signs.
 *
 * @param at Where the developer wrote the key, for the error.
 * @throws {TypeError} It is no private key that can sign. Nothing of the key is in the error.
 */
export async function importSigningKey(input: KeyInput, at: string): Promise<SigningKey> {
  const imported = await importAny(input).catch(() => undefined);
  if (imported === undefined || !canSign(imported.key)) {
    throw new TypeError(
      `${at} is not a private key: give PKCS#8 PEM, a JWK, a CryptoKey or a KeyObject`,
    );
  }
  return imported;
}

async function importAny(input: KeyInput): Promise<SigningKey | undefined> {
  if (typeof input === 'string') return importPem(input);
  if (input instanceof CryptoKey) return { key: input };
  if (isKeyObject(input)) return importJwk(await exportJWK(input));
  return importJwk(input);
}

async function importPem(pem: string): Promise<SigningKey | undefined> {
  for (const alg of ALGS_BY_TRIAL) {
    // One after the other: the first that fits ends it.
    const key = await importPKCS8(pem, alg).catch(() => undefined);
    if (key !== undefined) return { key };
  }
  return undefined;
}

async function importJwk(jwk: JWK): Promise<SigningKey | undefined> {
  const alg = jwk.alg ?? algOf(jwk);
  if (alg === undefined) return undefined;
  const key = await importJWK(jwk, alg);
  if (!(key instanceof CryptoKey)) return undefined;
  return jwk.kid === undefined ? { key } : { key, kid: jwk.kid };
}

function algOf(jwk: JWK): string | undefined {
  switch (jwk.kty) {
    case 'RSA':
      return 'RS256';
    case 'OKP':
      return jwk.crv === 'Ed25519' ? 'EdDSA' : undefined;
    case 'EC':
      return { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' }[jwk.crv ?? ''];
    default:
      return undefined;
  }
}

function canSign(key: CryptoKey): boolean {
  return key.type === 'private' && key.usages.includes('sign');
}

function isKeyObject(input: Exclude<KeyInput, string>): input is KeyObject {
  // A JWK has a `kty`; what is left over of the union without one is a KeyObject.
  return !('kty' in input) && 'export' in input;
}
