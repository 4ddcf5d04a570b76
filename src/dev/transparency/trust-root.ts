/**
 * The trust root of a development log: Sigstore's `trusted_root.json`, marked as one for development.
 *
 * @see https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto
 * @module
 */
import { toBase64 } from '../../evidence/bytes.ts';
import { AUTHORITY_NAME, AUTHORITY_ORGANIZATION, type Validity } from './authority-certificates.ts';

export interface TrustRootParts {
  /** What the log signs its checkpoints with. */
  readonly log: { readonly name: string; readonly id: Uint8Array; readonly spki: Uint8Array };
  /** Certificates of the timestamp authority, leaf first. */
  readonly authority: { readonly uri: string; readonly chain: readonly Uint8Array[] };
  readonly validity: Validity;
}

/**
 * The text of the file. The mark `development` is ours; readers that do not know it skip it or refuse the
 * file, and ours believe no receipt by it unless they are told to.
 */
export function devTrustRoot({ log, authority, validity }: TrustRootParts): string {
  const validFor = { start: validity.start.toISOString(), end: validity.end.toISOString() };
  const root = {
    development: true,
    mediaType: 'application/vnd.dev.sigstore.trustedroot.v0.2+json',
    tlogs: [
      {
        baseUrl: `http://${log.name}`,
        hashAlgorithm: 'SHA2_256',
        publicKey: {
          rawBytes: toBase64(log.spki),
          keyDetails: 'PKIX_ED25519',
          validFor: { start: validFor.start },
        },
        logId: { keyId: toBase64(log.id) },
        operator: 'localhost',
      },
    ],
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: [
      {
        subject: { organization: AUTHORITY_ORGANIZATION, commonName: AUTHORITY_NAME },
        uri: authority.uri,
        certChain: {
          certificates: authority.chain.map((bytes) => ({ rawBytes: toBase64(bytes) })),
        },
        validFor,
        operator: 'localhost',
      },
    ],
  };
  return `${JSON.stringify(root, null, 2)}\n`;
}
