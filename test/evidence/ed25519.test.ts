import { Point } from '@noble/ed25519';
import fc from 'fast-check';
import { createHash, createPrivateKey, randomBytes, sign } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  checkPublicKey,
  ed25519Signer,
  verifyEd25519,
  verifyWithNoble,
} from '../../src/evidence/ed25519.ts';

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** A point of order 8, found as RFC 8032 points are: a random one times the group order. */
function torsionPoint(): Point {
  for (let n = 0; ; n++) {
    try {
      const torsion = timesOrder(Point.fromBytes(createHash('sha256').update(String(n)).digest()));
      if (!torsion.double().double().is0()) return torsion;
    } catch {
      // not a point: the next may be one
    }
  }
}

function timesOrder(point: Point): Point {
  return point.multiply(ORDER - 1n, false).add(point);
}

const T8 = torsionPoint();
const torsion = Array.from({ length: 8 }, (_, n) =>
  Array.from({ length: n }).reduce<Point>((sum) => sum.add(T8), Point.ZERO),
);

const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);

function toBytes(number: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, n) => Number((number >> BigInt(8 * n)) & 255n));
}

/** A signature whose equation holds but for a torsion part of R, made by the owner of the key. */
function signWithTorsion(secret: bigint, message: Uint8Array, part: Point): Uint8Array {
  const publicKey = Point.BASE.multiply(secret).toBytes();
  const r = 12_345n;
  const encodedR = Point.BASE.multiply(r).add(part).toBytes();
  const hash = createHash('sha512').update(encodedR).update(publicKey).update(message).digest();
  const s = (r + (littleEndian(hash) % ORDER) * secret) % ORDER;
  return Buffer.concat([encodedR, toBytes(s)]);
}

/** A signature under a key with a torsion part, which cofactorless verification accepts. */
function signUnderTorsion(
  secret: bigint,
  message: Uint8Array,
  part: Point,
): [Uint8Array, Uint8Array] {
  const publicKey = Point.BASE.multiply(secret).add(part).toBytes();
  for (let r = 1n; ; r++) {
    const encodedR = Point.BASE.multiply(r).toBytes();
    const hash = createHash('sha512').update(encodedR).update(publicKey).update(message).digest();
    const k = littleEndian(hash) % ORDER;
    if (k % 8n !== 0n) continue; // else the torsion part of the key would stay in [k]A
    return [publicKey, Buffer.concat([encodedR, toBytes((r + k * secret) % ORDER)])];
  }
}

/** Both answers, which must be one. */
async function verdictOf(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const byWebCrypto = await verifyEd25519(publicKey, message, signature);
  expect(verifyWithNoble(publicKey, message, signature)).toBe(byWebCrypto);
  return byWebCrypto;
}

describe('verifying', () => {
  const message = Buffer.from('acme.example/crumb\n5\n');
  const signer = ed25519Signer(new Uint8Array(32).fill(1));

  it('accepts what OpenSSL signs, and signs the same', async () => {
    const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
    for (let n = 0; n < 5; n++) {
      const seed = randomBytes(32);
      const pkcs8 = Buffer.concat([prefix, seed]);
      const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
      const own = ed25519Signer(seed);
      const signature = sign(null, message, key);
      expect(Buffer.from(await own.sign(message))).toEqual(signature);
      expect(await verdictOf(own.publicKey, message, signature)).toBe(true);
    }
  });

  it('refuses another message, another key and any changed bit, by both ways alike', async () => {
    const signature = await signer.sign(message);
    const other = ed25519Signer(new Uint8Array(32).fill(2));
    expect(await verdictOf(other.publicKey, message, signature)).toBe(false);
    expect(await verdictOf(signer.publicKey, Buffer.from('x'), signature)).toBe(false);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 511 }), async (bit) => {
        const byte = bit >> 3;
        const changed = signature.with(byte, (signature[byte] ?? 0) ^ (1 << (bit & 7)));
        expect(await verdictOf(signer.publicKey, message, changed)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('refuses S + order, the same signature a second time', async () => {
    const signature = await signer.sign(message);
    const s = littleEndian(signature.subarray(32)) + ORDER;
    const again = Buffer.concat([signature.subarray(0, 32), toBytes(s)]);
    expect(await verdictOf(signer.publicKey, message, again)).toBe(false);
  });

  it('refuses R with a torsion part, which cofactored verification accepts', async () => {
    const secret = 987_654_321n;
    const publicKey = Point.BASE.multiply(secret).toBytes();
    const plain = signWithTorsion(secret, message, Point.ZERO);
    expect(await verdictOf(publicKey, message, plain)).toBe(true);
    for (const part of torsion.slice(1)) {
      const signature = signWithTorsion(secret, message, part);
      expect(await verdictOf(publicKey, message, signature)).toBe(false);
    }
  });

  it.each([0, 63, 65, 128])('refuses a signature of %d bytes', async (length) => {
    expect(await verdictOf(signer.publicKey, message, new Uint8Array(length))).toBe(false);
  });

  it('gives the same answer where Web Crypto has no Ed25519', async () => {
    const importKey = vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(new Error('none'));
    const alone = ed25519Signer(new Uint8Array(32).fill(3));
    const signature = await alone.sign(message);
    expect(await verifyEd25519(alone.publicKey, message, signature)).toBe(true);
    expect(await verifyEd25519(alone.publicKey, Buffer.from('x'), signature)).toBe(false);
    expect(importKey).toHaveBeenCalledTimes(2);
  });

  it('gives the same answer where there is no Web Crypto', async () => {
    vi.stubGlobal('crypto', undefined);
    const alone = ed25519Signer(new Uint8Array(32).fill(4));
    const signature = await alone.sign(message);
    expect(await verifyEd25519(alone.publicKey, message, signature)).toBe(true);
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
});

describe('a public key', () => {
  const P = 2n ** 255n - 19n;

  it.each(torsion.map((point, n) => [n, point] as const))(
    'of small order is refused (%d)',
    async (_n, point) => {
      const publicKey = point.toBytes();
      expect(checkPublicKey(publicKey)).toBe(false);
      // With the identity as key, OpenSSL finds R = [S]B right for every message.
      const signature = Buffer.concat([Point.BASE.toBytes(), toBytes(1n)]);
      expect(await verdictOf(publicKey, Buffer.from('any'), signature)).toBe(false);
    },
  );

  it('with a torsion part is refused, though signatures under it can be made to fit', async () => {
    const message = Buffer.from('acme.example/crumb\n5\n');
    const [sound, own] = signUnderTorsion(7n, message, Point.ZERO);
    expect(checkPublicKey(sound)).toBe(true);
    expect(await verdictOf(sound, message, own)).toBe(true);
    for (const part of torsion.slice(1)) {
      const [publicKey, signature] = signUnderTorsion(7n, message, part);
      expect(checkPublicKey(publicKey)).toBe(false);
      expect(await verdictOf(publicKey, message, signature)).toBe(false);
    }
  });

  it('that is not canonical is refused', () => {
    for (let y = P; y < 2n ** 255n; y++) {
      expect(checkPublicKey(toBytes(y))).toBe(false);
      expect(checkPublicKey(toBytes(y | (1n << 255n)))).toBe(false);
    }
    expect(checkPublicKey(toBytes(1n | (1n << 255n)))).toBe(false); // minus zero as x
  });

  it.each([0, 31, 33, 64])('of %d bytes is refused', (length) => {
    expect(checkPublicKey(new Uint8Array(length).fill(1))).toBe(false);
  });

  it('that is no point of the curve is refused', () => {
    expect(checkPublicKey(toBytes(2n))).toBe(false);
  });
});

it.each([0, 31, 33, 64])('a seed of %d bytes is a mistake of the caller', (length) => {
  expect(() => ed25519Signer(new Uint8Array(length))).toThrow(TypeError);
});
