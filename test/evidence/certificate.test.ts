import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  parseCertificate,
  verifyTimestampChain,
  type Certificate,
} from '../../src/evidence/certificate.ts';
import { EC, opensslTsa, RSA } from './openssl-tsa.ts';

const folder = mkdtempSync(join(tmpdir(), 'crumb-certificates-'));
afterAll(() => rmSync(folder, { recursive: true }));

function parsed(der: Uint8Array | undefined): Certificate {
  const certificate = parseCertificate(der ?? new Uint8Array());
  if (certificate === undefined) throw new Error('that is no certificate');
  return certificate;
}

function chainOf(options: Parameters<typeof opensslTsa>[0] = {}): Certificate[] {
  const tsa = opensslTsa(options);
  tsa.close();
  return tsa.trusted.chain.map(parsed);
}

/** A root, an intermediate that may have a path length, and a leaf. */
function longChain(pathLength: number): Certificate[] {
  const at = (name: string): string => join(folder, name);
  const run = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: 'ignore' });
  };
  const request = (name: string): void =>
    run(
      'req',
      '-newkey',
      ...EC,
      '-nodes',
      '-keyout',
      at(`${name}.key`),
      '-out',
      at(`${name}.csr`),
      '-subj',
      `/CN=${name}`,
    );
  const issue = (name: string, issuer: string, extensions: string): void => {
    writeFileSync(at('extensions'), extensions);
    run(
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      '-CA',
      at(`${issuer}.pem`),
      '-CAkey',
      at(`${issuer}.key`),
      '-CAcreateserial',
      '-out',
      at(`${name}.pem`),
      '-days',
      '9',
      '-extfile',
      at('extensions'),
    );
  };
  run(
    'req',
    '-x509',
    '-newkey',
    ...EC,
    '-nodes',
    '-keyout',
    at('root.key'),
    '-out',
    at('root.pem'),
    '-subj',
    '/CN=root',
    '-days',
    '9',
    '-addext',
    `basicConstraints=critical,CA:TRUE,pathlen:${pathLength}`,
  );
  for (const name of ['middle', 'leaf']) request(name);
  issue('middle', 'root', 'basicConstraints=critical,CA:TRUE');
  issue('leaf', 'middle', 'extendedKeyUsage=critical,timeStamping');
  return ['leaf', 'middle', 'root'].map((name) => {
    run('x509', '-in', at(`${name}.pem`), '-outform', 'DER', '-out', at(`${name}.der`));
    return parsed(readFileSync(at(`${name}.der`)));
  });
}

const now = new Date(Date.now() + 3_600_000); // some certificates are made later
const chain = chainOf();
const [leaf, issuer] = chain;

describe('a pinned chain', () => {
  it('is one for timestamps', async () => {
    expect(await verifyTimestampChain(chain, now)).toBe(true);
    expect(await verifyTimestampChain(chainOf({ key: RSA }), now)).toBe(true);
  });

  it('needs a leaf, and a leaf for timestamps', async () => {
    expect(await verifyTimestampChain([], now)).toBe(false);
    expect(await verifyTimestampChain(chain.slice(1), now)).toBe(false);
    const other = chainOf({ usage: 'extendedKeyUsage=critical,codeSigning' });
    expect(await verifyTimestampChain(other, now)).toBe(false);
    expect(await verifyTimestampChain(chainOf({ usage: null }), now)).toBe(false);
  });

  it('needs authorities above the leaf', async () => {
    expect(await verifyTimestampChain(chainOf({ authority: false }), now)).toBe(false);
  });

  it('is signed through', async () => {
    const [, stranger] = chainOf();
    if (leaf === undefined || stranger === undefined || issuer === undefined)
      throw new Error('no chain');
    expect(await verifyTimestampChain([leaf, stranger], now)).toBe(false);
    expect(await verifyTimestampChain([{ ...leaf, issuer: leaf.subject }, issuer], now)).toBe(
      false,
    );
  });

  it('is valid as a whole at the time, and not a moment before or after', async () => {
    if (leaf === undefined) throw new Error('no chain');
    const { notBefore, notAfter } = leaf;
    const shifted = (date: Date, ms: number): Date => new Date(date.getTime() + ms);
    expect(await verifyTimestampChain(chain, notBefore)).toBe(true);
    expect(await verifyTimestampChain(chain, notAfter)).toBe(true);
    expect(await verifyTimestampChain(chain, shifted(notBefore, -1))).toBe(false);
    expect(await verifyTimestampChain(chain, shifted(notAfter, 1))).toBe(false);
  });

  it('keeps to the path length of its authorities', async () => {
    expect(await verifyTimestampChain(longChain(1), now)).toBe(true);
    expect(await verifyTimestampChain(longChain(0), now)).toBe(false);
  });
});

describe('the bytes of a certificate', () => {
  it('are exactly one value', () => {
    const bytes = leaf?.bytes ?? new Uint8Array();
    expect(parseCertificate(bytes)).toBeDefined();
    expect(parseCertificate(Buffer.concat([bytes, Buffer.of(0)]))).toBeUndefined();
    expect(parseCertificate(bytes.subarray(0, -1))).toBeUndefined();
    expect(parseCertificate(new Uint8Array())).toBeUndefined();
  });

  it('name one algorithm, not two', () => {
    const text = Buffer.from(leaf?.bytes ?? []).toString('hex');
    // ecdsa-with-SHA256 inside, ecdsa-with-SHA384 outside
    const oid = '06082a8648ce3d040302';
    const at = text.lastIndexOf(oid);
    const changed = `${text.slice(0, at)}06082a8648ce3d040303${text.slice(at + oid.length)}`;
    expect(parseCertificate(Buffer.from(changed, 'hex'))).toBeUndefined();
  });

  it('with a critical extension that we do not know are none that we can judge', () => {
    const usage =
      'extendedKeyUsage=critical,timeStamping\nnameConstraints=critical,permitted;DNS:a.test';
    expect(() => chainOf({ usage })).toThrow('that is no certificate');
    const idle = 'extendedKeyUsage=critical,timeStamping\nnameConstraints=permitted;DNS:a.test';
    expect(chainOf({ usage: idle })).toHaveLength(2);
  });
});
