/**
 * A timestamp authority by Debian's `openssl ts`: keys, certificates, requests and responses are all its
 * own.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrustedAuthorityText } from './receipt-world.ts';

/** What its certificates are. */
export interface OpensslTsaOptions {
  /** `-newkey` of both keys. */
  readonly key?: readonly string[];
  /** Line of the leaf's extended key usage; null leaves it out. */
  readonly usage?: string | null;
  /** Whether the issuer says that it is an authority. */
  readonly authority?: boolean;
  /** Digest of tokens and certificates. */
  readonly digest?: string;
  /** `sha1` gives ESSCertID, others ESSCertIDv2. */
  readonly certificateDigest?: string;
  /** Life of the leaf in days. */
  readonly days?: number;
}

export interface OpensslTsa {
  readonly trusted: TrustedAuthorityText;
  readonly folder: string;
  /** A response to a request of ours or its own. */
  reply(query: Uint8Array): Uint8Array;
  /** Its own request over these bytes. */
  query(bytes: Uint8Array | string): Uint8Array;
  /** What it says of a request or response in words. */
  describe(what: 'query' | 'reply', der: Uint8Array): string;
  /** Whether it accepts a response to a request. */
  verifies(response: Uint8Array, query: Uint8Array): boolean;
  stamp(bytes: Uint8Array | string): Promise<Uint8Array>;
  close(): void;
}

export const EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
export const EC384 = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'];
export const RSA = ['rsa:2048'];

export function opensslTsa({
  key = EC,
  usage = 'extendedKeyUsage=critical,timeStamping',
  authority = true,
  digest = 'sha256',
  certificateDigest = 'sha256',
  days = 30,
}: OpensslTsaOptions = {}): OpensslTsa {
  const folder = mkdtempSync(join(tmpdir(), 'crumb-tsa-'));
  const at = (name: string): string => join(folder, name);
  const run = (...args: string[]): Buffer =>
    execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const isAuthority = `basicConstraints=critical,CA:${authority ? 'TRUE' : 'FALSE'}`;
  run(
    'req',
    '-x509',
    '-newkey',
    ...key,
    '-nodes',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
    '-subj',
    '/CN=Test CA',
    '-days',
    '60',
    `-${digest}`,
    '-addext',
    isAuthority,
  );
  run(
    'req',
    '-newkey',
    ...key,
    '-nodes',
    '-keyout',
    at('tsa.key'),
    '-out',
    at('tsa.csr'),
    '-subj',
    '/O=Tests/CN=Test TSA',
  );
  writeFileSync(
    at('leaf.cnf'),
    ['basicConstraints=CA:FALSE', ...(usage === null ? [] : [usage])].join('\n'),
  );
  run(
    'x509',
    '-req',
    '-in',
    at('tsa.csr'),
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-out',
    at('tsa.pem'),
    '-days',
    String(days),
    `-${digest}`,
    '-extfile',
    at('leaf.cnf'),
  );
  writeFileSync(at('ts.cnf'), configOf({ folder, digest, certificateDigest }));
  const derOf = (name: string): Uint8Array => run('x509', '-in', at(name), '-outform', 'DER');
  const reply = (query: Uint8Array): Uint8Array => {
    writeFileSync(at('query.tsq'), query);
    run(
      'ts',
      '-reply',
      '-config',
      at('ts.cnf'),
      '-queryfile',
      at('query.tsq'),
      '-out',
      at('reply.tsr'),
    );
    return readFileSync(at('reply.tsr'));
  };
  const query = (bytes: Uint8Array | string): Uint8Array => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    run('ts', '-query', '-digest', hex, '-sha256', '-no_nonce', '-out', at('own.tsq'));
    return readFileSync(at('own.tsq'));
  };
  return {
    folder,
    trusted: { uri: 'https://tsa.openssl.test', chain: [derOf('tsa.pem'), derOf('ca.pem')] },
    reply,
    query,
    describe(what, der) {
      writeFileSync(at('shown'), der);
      return run('ts', `-${what}`, '-in', at('shown'), '-text').toString();
    },
    verifies(response, request) {
      writeFileSync(at('v.tsr'), response);
      writeFileSync(at('v.tsq'), request);
      try {
        run(
          'ts',
          '-verify',
          '-in',
          at('v.tsr'),
          '-queryfile',
          at('v.tsq'),
          '-CAfile',
          at('ca.pem'),
          '-untrusted',
          at('tsa.pem'),
        );
        return true;
      } catch {
        return false;
      }
    },
    stamp: async (bytes) => reply(query(bytes)),
    close: () => rmSync(folder, { recursive: true }),
  };
}

function configOf(of: { folder: string; digest: string; certificateDigest: string }): string {
  return `[tsa]
default_tsa = tsa_config
[tsa_config]
dir = ${of.folder}
serial = ${of.folder}/serial
crypto_device = builtin
signer_cert = ${of.folder}/tsa.pem
signer_key = ${of.folder}/tsa.key
certs = ${of.folder}/ca.pem
signer_digest = ${of.digest}
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500
clock_precision_digits = 3
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = ${of.certificateDigest}
`;
}
