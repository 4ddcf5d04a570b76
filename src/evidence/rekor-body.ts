/**
 * What Rekor stores of a checkpoint: digest, signature and key, in the one spelling that it makes of them.
 *
 * It is rebuilt and compared, never read: for any ECDSA signature a second key can be computed that it
 * also fits. An operator could log the note of a second history under such a key, where nobody who watches
 * the anchor key would see it.
 *
 * @see https://github.com/sigstore/rekor/blob/main/pkg/types/hashedrekord/v0.0.1/entry.go
 * @see https://github.com/sigstore/rekor-tiles/blob/main/CLIENTS.md
 * @module
 */
import { canonicalJson } from '../attribution/canonical.ts';
import { fromBase64, fromUtf8, toBase64, toHex, utf8 } from './bytes.ts';
import { isObject } from './shape.ts';

/** What is logged: a P-256 signature over a digest. */
export interface LoggedSignature {
  /** SHA-256 of the note. */
  readonly digest: Uint8Array;
  /** DER. */
  readonly signature: Uint8Array;
  /** SPKI of the anchor key. */
  readonly spki: Uint8Array;
}

/** The entry that Rekor v1 stores, `hashedrekord` 0.0.1: canonical JSON. */
export function rekorBodyV1({ digest, signature, spki }: LoggedSignature): Uint8Array {
  return utf8(
    canonicalJson({
      apiVersion: '0.0.1',
      kind: 'hashedrekord',
      spec: {
        data: { hash: { algorithm: 'sha256', value: toHex(digest) } },
        signature: {
          content: toBase64(signature),
          publicKey: { content: toBase64(utf8(publicKeyPem(spki))) },
        },
      },
    }),
  );
}

/** The entry that Rekor v2 stores, `hashedrekord` 0.0.2: canonical JSON. */
export function rekorBodyV2({ digest, signature, spki }: LoggedSignature): Uint8Array {
  return utf8(
    canonicalJson({
      apiVersion: '0.0.2',
      kind: 'hashedrekord',
      spec: {
        hashedRekordV002: {
          data: { algorithm: 'SHA2_256', digest: toBase64(digest) },
          signature: {
            content: toBase64(signature),
            verifier: {
              keyDetails: 'PKIX_ECDSA_P256_SHA_256',
              publicKey: { rawBytes: toBase64(spki) },
            },
          },
        },
      },
    }),
  );
}

/**
 * Who is said to have logged an entry: SPKI and digest, to name what is wrong with one that is not as it
 * should be. Proves nothing.
 */
export function readRekorBody(body: Uint8Array): {
  readonly spki: Uint8Array | undefined;
  readonly digest: string | undefined;
} {
  const spec = memberOf(parse(body), ['spec']);
  const v2 = memberOf(spec, ['hashedRekordV002']) ?? spec;
  const raw = memberOf(v2, ['signature', 'verifier', 'publicKey', 'rawBytes']);
  const pem = memberOf(v2, ['signature', 'publicKey', 'content']);
  const digest = memberOf(v2, ['data', 'digest']);
  const hex = memberOf(v2, ['data', 'hash', 'value']);
  return {
    spki: typeof raw === 'string' ? fromBase64(raw) : spkiOfPem(pem),
    digest: typeof digest === 'string' ? digest : base64OfHex(hex),
  };
}

/** An SPKI as PEM, as `openssl` writes it. */
export function publicKeyPem(spki: Uint8Array): string {
  const lines = toBase64(spki).match(/.{1,64}/g) ?? [];
  return `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n`;
}

function spkiOfPem(value: unknown): Uint8Array | undefined {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  const text = bytes === undefined ? undefined : fromUtf8(bytes);
  return text === undefined
    ? undefined
    : fromBase64(text.replaceAll(/-----(?:BEGIN|END) PUBLIC KEY-----|\s/g, ''));
}

function base64OfHex(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^(?:[0-9a-f]{2})+$/.test(value)) return undefined;
  return toBase64(Uint8Array.from(value.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(body) ?? '');
  } catch {
    return undefined;
  }
}

function memberOf(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, name) => (isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined),
    value,
  );
}
