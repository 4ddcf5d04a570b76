import { describe, expect, it } from 'vitest';
import { parseTrustedRoot } from '../../src/evidence/trusted-root.ts';
import { generateKeyPairSync } from 'node:crypto';
import {
  ed25519Pair,
  mockAuthority,
  mockLog,
  p256Pair,
  root,
  sha256,
  smallLog,
  spkiOf,
  trustText,
} from './receipt-world.ts';

const v1 = (await mockLog()).trusted;
const v2 = smallLog().trusted;
const authority = (await mockAuthority()).trusted;
const refused: unknown = expect.objectContaining({ code: 'trust_invalid' });

describe('a trust root', () => {
  it('gives logs by their name and id, and authorities by their chain', () => {
    const validFor = { start: '2025-09-23T00:00:00Z', end: '2026-09-23T00:00:00.999Z' };
    const { logs, authorities, development } = root({
      logs: [v1, { ...v2, validFor }],
      authorities: [authority],
    });
    expect(logs).toMatchObject([
      { name: 'rekor.sigstore.dev', id: v1.id, from: new Date('2020-01-01T00:00:00Z'), to: null },
      {
        name: 'log2026-1.rekor.test',
        id: v2.id,
        from: new Date('2025-09-23T00:00:00Z'),
        to: new Date('2026-09-23T00:00:00.999Z'),
      },
    ]);
    expect(authorities).toMatchObject([{ name: authority.uri, chain: [{}, {}], to: null }]);
    expect(development).toBe(false);
  });

  it('is known by the digest of its very text', () => {
    const text = trustText({ logs: [v1] });
    const digest = Buffer.from(sha256(text)).toString('base64url');
    expect(parseTrustedRoot(text).digest).toBe(digest);
    expect(parseTrustedRoot(`${text}\n`).digest).not.toBe(digest);
  });

  it('marks everything in it when it is for development', () => {
    const parsed = root({ logs: [v1], authorities: [authority], development: true });
    expect(parsed.development).toBe(true);
    expect([...parsed.logs, ...parsed.authorities].map((one) => one.development)).toEqual([
      true,
      true,
    ]);
  });

  it('leaves out what has keys that we do not verify', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const rsa = {
      baseUrl: 'https://rsa.test',
      spki: spkiOf(publicKey),
      id: sha256('x'),
      keyDetails: 'PKIX_RSA',
    };
    expect(root({ logs: [rsa, v1] }).logs).toHaveLength(1);
    const chain = [Uint8Array.of(0x30, 0)];
    expect(root({ authorities: [{ uri: 'https://a.test', chain }] }).authorities).toEqual([]);
    expect(root({ authorities: [{ uri: 'https://a.test', chain: [] }] }).authorities).toEqual([]);
  });

  it.each<[string, string]>([
    ['no JSON', 'nothing'],
    ['no object', '[]'],
    ['another kind of file', '{"mediaType":"application/json"}'],
    ['a mark that is none', trustText({ logs: [v1] }).replace(/}$/, ',"development":"no"}')],
    ['a list that is none', trustText({}).replace('"tlogs":[]', '"tlogs":{}')],
    ['a key that is none', trustText({ logs: [v1] }).replace(/"rawBytes":"/, '"rawBytes":"!')],
    ['a log without a name', trustText({ logs: [{ ...v1, baseUrl: '' }] })],
    ['a log named with a space', trustText({ logs: [{ ...v1, baseUrl: 'https://a b' }] })],
    ["an id that is another key's", trustText({ logs: [{ ...v1, spki: p256Pair().spki }] })],
    [
      "an id that is another name's",
      trustText({ logs: [{ ...v2, baseUrl: 'https://other.test' }] }),
    ],
    ['an id by the rule for other keys', trustText({ logs: [{ ...v2, id: sha256(v2.spki) }] })],
    ['a log without a first day', trustText({ logs: [{ ...v1, validFor: {} }] })],
    [
      'an authority without a first day',
      trustText({ authorities: [{ ...authority, validFor: { end: '2030-01-01T00:00:00Z' } }] }),
    ],
    ['a day that is none', trustText({ logs: [{ ...v1, validFor: { start: 'yesterday' } }] })],
    [
      'a day that does not exist',
      trustText({ logs: [{ ...v1, validFor: { start: '2026-13-01T00:00:00Z' } }] }),
    ],
  ])('with %s is refused', (_what, text) => {
    expect(() => parseTrustedRoot(text)).toThrow(refused);
  });

  it('has keys of one spelling', () => {
    const { spki } = ed25519Pair();
    const point = spki.map((byte, n) => (n < 12 ? byte : 0)); // of small order
    expect(root({ logs: [{ ...v2, spki: point }] }).logs).toEqual([]);
  });
});

it('reads the trust root that Sigstore itself publishes', async () => {
  const { default: seeds } = await import('@sigstore/tuf/seeds.json', { with: { type: 'json' } });
  const [repository] = Object.values(seeds as Record<string, { targets: Record<string, string> }>);
  const text = Buffer.from(repository?.targets['trusted_root.json'] ?? '', 'base64').toString();
  const parsed = parseTrustedRoot(text);
  expect(parsed.logs.map(({ name, key }) => [name, key.kind])).toEqual([
    ['rekor.sigstore.dev', 'ecdsa'],
    ['log2025-1.rekor.sigstore.dev', 'ed25519'],
  ]);
  expect(parsed.authorities.map(({ name, chain }) => [name, chain.length])).toEqual([
    ['https://timestamp.sigstore.dev/api/v1/timestamp', 2],
  ]);
  expect(parsed.development).toBe(false);
});
