/**
 * How the vault's rows are sealed: AES-256-GCM with a random nonce, bound to the row's place, under
 * keys derived from the vault key for one purpose each.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5869
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomFillSync,
  type KeyObject,
} from 'node:crypto';
import { CrumbError } from '../errors.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Layout of a sealed value: this byte, nonce, ciphertext, tag. Another layout gets another byte. */
const LAYOUT = 1;

/** The vault key, taken apart. Nothing here gives it back. */
export interface Sealer {
  /**
   * Seals a value for one place. A row moved to another table or key does not open.
   *
   * Nonces are random: one vault key is good for 2^32 rows (NIST SP 800-38D, section 8.3).
   */
  seal(place: string, value: Uint8Array): Uint8Array;

  /** @throws {CrumbError} `vault_invalid`: it was changed, sealed for another place or under another key. */
  open(place: string, sealed: Uint8Array): Uint8Array;

  /** Where a person's row lies: the same for the same text, and nothing to who lacks the key. */
  lookup(text: string): Uint8Array;

  /** Whose a row is, from the pseudonym's key, so that a person's rows can be found when all must go. */
  owner(subjectKey: Uint8Array): Uint8Array;
}

/** @param key The vault key: 32 random bytes, apart from the signing key. */
export function createSealer(key: Uint8Array): Sealer {
  if (key.length !== KEY_BYTES) {
    throw new TypeError(`the vault key has ${key.length} bytes instead of ${KEY_BYTES}`);
  }
  // Parsed once: as bytes they would be made into keys for each row.
  const derive = (purpose: string): KeyObject => {
    const info = `crumb-vault/1 ${purpose}`;
    return createSecretKey(
      Buffer.from(hkdfSync('sha256', key, new Uint8Array(0), info, KEY_BYTES)),
    );
  };
  const sealKey = derive('seal');
  const lookupKey = derive('lookup');
  const ownerKey = derive('owner');
  const owners = new WeakMap<Uint8Array, Uint8Array>();
  const nextNonce = nonces();

  return {
    seal(place, value) {
      const nonce = nextNonce();
      const cipher = createCipheriv('aes-256-gcm', sealKey, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(place));
      const head = Uint8Array.of(LAYOUT);
      return Buffer.concat([
        head,
        nonce,
        cipher.update(value),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
    },
    open(place, sealed) {
      const tagAt = sealed.length - TAG_BYTES;
      const dataAt = 1 + NONCE_BYTES;
      if (sealed[0] !== LAYOUT || tagAt < dataAt) throw new CrumbError('vault_invalid');
      const nonce = sealed.subarray(1, dataAt);
      const opener = createDecipheriv('aes-256-gcm', sealKey, nonce, { authTagLength: TAG_BYTES });
      opener.setAAD(Buffer.from(place));
      opener.setAuthTag(sealed.subarray(tagAt));
      try {
        return Buffer.concat([opener.update(sealed.subarray(dataAt, tagAt)), opener.final()]);
      } catch (cause) {
        throw new CrumbError('vault_invalid', { cause });
      }
    },
    lookup: (text) => createHmac('sha256', lookupKey).update(text).digest(),
    owner(subjectKey) {
      let owner = owners.get(subjectKey);
      if (owner === undefined) {
        owner = createHmac('sha256', ownerKey).update(subjectKey).digest();
        owners.set(subjectKey, owner);
      }
      return owner;
    },
  };
}

/** Random nonces, drawn many at a time; each is given out once. */
function nonces(): () => Uint8Array {
  const pool = new Uint8Array(NONCE_BYTES * 256);
  let at = pool.length;
  return () => {
    if (at === pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    at += NONCE_BYTES;
    return pool.slice(at - NONCE_BYTES, at);
  };
}
