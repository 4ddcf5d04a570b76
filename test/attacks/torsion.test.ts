/**
 * Claim: an operator cannot make keys or signatures that hold for one auditor and not for another, or that
 * hold for two histories at once.
 *
 * The signer is the attacker. Implementations of Ed25519 differ in odd keys and signatures: OpenSSL 3.0 takes
 * the identity as a key, OpenSSL 3.5 does not; `@noble/ed25519`, also when it is told to be strict, takes a
 * signature whose R has a torsion part, and OpenSSL does not.
 */
import { createHash, createPublicKey, verify as opensslVerify } from 'node:crypto';
import { Point, verifyAsync } from '@noble/ed25519';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromBase64, toBase64, utf8 } from '../../src/evidence/bytes.ts';
import { checkpointText } from '../../src/evidence/checkpoint.ts';
import { rangeRoot } from '../../src/evidence/compact-range.ts';
import { verifyEd25519, verifyWithNoble } from '../../src/evidence/ed25519.ts';
import { keyIdOf, parseVkey, vkeyOf } from '../../src/evidence/note.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { itemsOf, ORIGIN, type Builder } from '../verify/build-ledger.ts';
import { tellStory } from '../verify/story.ts';
import { forge, replaced } from './forge.ts';
import { expectOnly } from './weakened.ts';

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** The attacker's private number: here it is the scalar itself, not a seed. */
const SECRET = 987_654_321n;
const KEY = Point.BASE.multiply(SECRET);
const IDENTITY = Point.ZERO;

const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
const toBytes = (number: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, n) => Number((number >> BigInt(8 * n)) & 255n));
const joined = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(Buffer.concat(parts));

/** A point of order 8: what is left of a point once its part of prime order is taken away. */
function torsionPoint(): Point {
  for (let n = 0; n < 100; n++) {
    try {
      const point = Point.fromBytes(createHash('sha256').update(String(n)).digest());
      const torsion = point.multiply(ORDER - 1n, false).add(point);
      if (!torsion.double().double().is0()) return torsion;
    } catch {
      // not a point: the next may be one
    }
  }
  throw new TypeError('no point of order 8');
}
const TORSION = torsionPoint();

/** A signature by the owner of the key, with something added to R. */
function sign(message: Uint8Array, added: Point = Point.ZERO): Uint8Array {
  const r = 12_345n;
  const R = Point.BASE.multiply(r).add(added).toBytes();
  const hash = createHash('sha512').update(R).update(KEY.toBytes()).update(message).digest();
  return joined(R, toBytes((r + (littleEndian(hash) % ORDER) * SECRET) % ORDER));
}

/** One signature for everything, under a key that is the identity: S times the base point is R. */
function signAnything(): Uint8Array {
  return joined(Point.BASE.multiply(12_345n).toBytes(), toBytes(12_345n));
}

/** Our own verification without a look at the key: whether the encoding of [S]B - [k]A is R. */
function byEquation(key: Point, message: Uint8Array, signature: Uint8Array): boolean {
  const [R, S] = [signature.subarray(0, 32), littleEndian(signature.subarray(32))];
  const hash = createHash('sha512').update(R).update(key.toBytes()).update(message).digest();
  const product = key.multiply(littleEndian(hash) % ORDER, false);
  return Buffer.from(Point.BASE.multiply(S, false).subtract(product).toBytes()).equals(R);
}

function byOpenssl(key: Point, message: Uint8Array, signature: Uint8Array): boolean {
  const prefix = Buffer.from('302a300506032b6570032100', 'hex');
  const der = Buffer.concat([prefix, key.toBytes()]);
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
  return opensslVerify(null, message, publicKey, signature);
}

async function byNoble(key: Point, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return verifyAsync(signature, message, key.toBytes(), { zip215: false });
}

/** Our answer, with Web Crypto and without. */
async function byOurs(key: Point, message: Uint8Array, signature: Uint8Array): Promise<boolean[]> {
  const bytes = key.toBytes();
  return [
    await verifyEd25519(bytes, message, signature),
    verifyWithNoble(bytes, message, signature),
  ];
}

/** A vkey that `vkeyOf` would refuse to write. */
function oddVkey(key: Point): string {
  const bytes = key.toBytes();
  const id = Buffer.from(keyIdOf(ORIGIN, bytes)).toString('hex');
  return `${ORIGIN}+${id}+${toBase64(joined(Uint8Array.of(1), bytes))}`;
}

let builder: Builder;
beforeAll(async () => {
  ({ builder } = await tellStory());
});

/** The ledger of an operator with another key: genesis names it, and he signs as he likes. */
async function ledgerUnder(
  vkey: string,
  signHead: (message: Uint8Array) => Uint8Array,
  status: 'ok' | 'error' = 'ok',
): Promise<Builder> {
  const signer = { ...builder.signer, sign: async (message: Uint8Array) => signHead(message) };
  const plain = vkeyOf(ORIGIN, KEY.toBytes());
  // Our own encoder writes no odd key, so he puts it into the bytes himself.
  const spell = (bytes: Uint8Array): Uint8Array =>
    utf8(Buffer.from(bytes).toString().replace(plain, vkey));
  return forge(
    builder,
    (entries) =>
      replaced(
        replaced(entries, [0, 'genesis'], (body) => ({ ...body, key: plain })),
        [13, 'outcome'],
        (body) => ({ ...body, status }),
      ),
    { signer, spell },
  );
}

async function audit(ledger: Builder, key: string, full = false): Promise<VerifyReport> {
  return verifyBundle(await itemsOf(ledger, { vault: false }), { key }, { full });
}

it('an honest key and signature hold everywhere', async () => {
  const message = utf8('acme.example/crumb\n5\n');
  expect(byOpenssl(KEY, message, sign(message))).toBe(true);
  expect(byEquation(KEY, message, sign(message))).toBe(true);
  expect(await byNoble(KEY, message, sign(message))).toBe(true);
  expect(await byOurs(KEY, message, sign(message))).toEqual([true, true]);
  const vkey = vkeyOf(ORIGIN, KEY.toBytes());
  const ledger = await ledgerUnder(vkey, (text) => sign(text));
  expect(await audit(ledger, vkey, true)).toMatchObject({ sound: true, level: 'signed' });
});

describe('a key that is the identity', () => {
  const vkey = oddVkey(IDENTITY);

  it('lets one signature hold for every history, where nobody looks what point it is', async () => {
    const ledgers = await Promise.all([
      ledgerUnder(vkey, signAnything, 'ok'),
      ledgerUnder(vkey, signAnything, 'error'),
    ]);
    const [one, two] = ledgers.map(({ tree }) =>
      utf8(checkpointText({ origin: ORIGIN, size: tree.size, root: rangeRoot(tree) })),
    );
    expect(one).not.toEqual(two);
    for (const text of [one, two]) {
      expect(byEquation(IDENTITY, text ?? new Uint8Array(), signAnything())).toBe(true);
    }
  });

  it('is no key for us: it signs nothing, cannot be expected, and no ledger may name it', async () => {
    const message = utf8('anything');
    expect(await byOurs(IDENTITY, message, signAnything())).toEqual([false, false]);
    expect(parseVkey(vkey)).toBeUndefined();
    expect(() => vkeyOf(ORIGIN, IDENTITY.toBytes())).toThrow(
      expect.objectContaining({ code: 'key_invalid' }),
    );
    for (const status of ['ok', 'error'] as const) {
      const report = await audit(await ledgerUnder(vkey, signAnything, status), vkey, true);
      expect([report.sound, report.level]).toEqual([false, 'none']);
    }
  });

  it('has its id and form in order: only what kind of point it is speaks against it', () => {
    const honest = oddVkey(KEY);
    expect(honest).toBe(vkeyOf(ORIGIN, KEY.toBytes()));
    expect(parseVkey(honest)?.publicKey).toEqual(KEY.toBytes());
    expect(fromBase64(vkey.split('+').slice(2).join('+'))).toHaveLength(33);
  });
});

describe('a signature whose R has a torsion part', () => {
  it('holds at one auditor and not at another', async () => {
    const message = utf8('acme.example/crumb\n5\n');
    const signature = sign(message, TORSION);
    expect(await byNoble(KEY, message, signature)).toBe(true);
    expect(byOpenssl(KEY, message, signature)).toBe(false);
  });

  it('holds nowhere for us, with Web Crypto and without', async () => {
    const message = utf8('acme.example/crumb\n5\n');
    expect(await byOurs(KEY, message, sign(message, TORSION))).toEqual([false, false]);
  });

  it('makes no ledger that passes here and fails there', async () => {
    const vkey = vkeyOf(ORIGIN, KEY.toBytes());
    const odd = await ledgerUnder(vkey, (text) => sign(text, TORSION));
    const plain = await ledgerUnder(vkey, (text) => sign(text));
    for (const full of [false, true]) {
      const [attack, honest] = [await audit(odd, vkey, full), await audit(plain, vkey, full)];
      expectOnly('head signature', attack, honest);
    }
  });
});

describe('a key with a torsion part', () => {
  const odd = KEY.add(TORSION);

  /** Tries until the torsion part of the key drops out, which it does one time in eight. */
  function signUnderTorsion(message: Uint8Array): Uint8Array {
    for (let r = 1n; ; r++) {
      const R = Point.BASE.multiply(r).toBytes();
      const hash = createHash('sha512').update(R).update(odd.toBytes()).update(message).digest();
      const k = littleEndian(hash) % ORDER;
      if (k % 8n === 0n) return joined(R, toBytes((r + k * SECRET) % ORDER));
    }
  }

  it('signs where nobody looks what point it is, and is no key for us', async () => {
    const message = utf8('acme.example/crumb\n5\n');
    const signature = signUnderTorsion(message);
    expect(byEquation(odd, message, signature)).toBe(true);
    expect(await byOurs(odd, message, signature)).toEqual([false, false]);
    expect(parseVkey(oddVkey(odd))).toBeUndefined();
  });

  it('signs no ledger', async () => {
    const vkey = oddVkey(odd);
    const report = await audit(await ledgerUnder(vkey, signUnderTorsion), vkey);
    expect([report.sound, report.level]).toEqual([false, 'none']);
  });
});
