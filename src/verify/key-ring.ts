/**
 * Which key signs the heads of a ledger, from genesis through its rotations.
 *
 * @module
 */
import { equalBytes, fromBase64url, toBase64url, utf8 } from '../evidence/bytes.ts';
import { verifyEd25519 } from '../evidence/ed25519.ts';
import type { GenesisBody, KeyBody } from '../evidence/kinds.ts';
import { parseVkey } from '../evidence/note.ts';
import type { FindingLog } from './finding-log.ts';
import type { Trust } from './trust.ts';

/** First line under what a new key signs to show that its holder wants it. No origin has a space. */
const KEY_PROOF = 'crumb/1 key';

interface Epoch {
  readonly vkey: string;
  readonly publicKey: Uint8Array;
  /** Its heads have at least this size. */
  readonly from: number;
}

export interface KeyRing {
  /** Takes the first entry. */
  genesis(body: GenesisBody, leaf: Uint8Array): void;

  /** Takes a `key` entry of role `ledger`. */
  change(seq: number, body: KeyBody): Promise<void>;

  /** The key in force for the head of a size; the reader's own before genesis. */
  at(size: number): { readonly vkey: string; readonly publicKey: Uint8Array } | undefined;

  /** Notes that a head of this size is signed by the key in force. */
  signed(size: number): void;

  /** vkey that genesis names. */
  readonly vkey: string | undefined;
  readonly origin: string | undefined;
  /** Whether the reader brought the key, and it is this one. */
  readonly confirmed: boolean;
}

export function createKeyRing(trust: Trust, log: FindingLog): KeyRing {
  const epochs: Epoch[] = [];
  let revoked: { readonly publicKey: Uint8Array; readonly from: number } | undefined;
  let body: GenesisBody | undefined;
  let confirmed = false;

  const pinned = trust.key === undefined ? undefined : parseVkey(trust.key);

  const inForce = (size: number): Pick<Epoch, 'vkey' | 'publicKey'> | undefined => {
    const epoch = epochs.findLast(({ from }) => from <= size);
    if (epoch !== undefined || pinned === undefined) return epoch;
    return { vkey: trust.key ?? '', publicKey: pinned.publicKey };
  };

  return {
    genesis(genesis, leaf) {
      body = genesis;
      const key = parseVkey(genesis.key);
      if (key !== undefined) epochs.push({ vkey: genesis.key, publicKey: key.publicKey, from: 0 });
      confirmed = trust.key === genesis.key || trust.key === toBase64url(leaf);
      if (trust.key !== undefined && !confirmed)
        log.add({ code: 'key_unknown', what: 'pinned', seq: 0 });
      const foreign = trust.origin !== undefined && trust.origin !== genesis.origin;
      if (foreign || key?.name !== genesis.origin) {
        log.add({ code: 'key_unknown', what: 'origin', seq: 0 });
      }
    },
    async change(seq, change) {
      const key = typeof change.key === 'string' ? parseVkey(change.key) : undefined;
      const current = epochs.at(-1);
      if (key === undefined || current === undefined || body === undefined) return;
      if (change.op !== 'add') {
        if (change.op === 'revoke') revoked = { publicKey: key.publicKey, from: seq + 1 };
        return;
      }
      // Signed by the new key, to show that somebody holds it. After a revocation that says nothing: then
      // the recovery key must speak, and the new one signs at once.
      const recovering = revoked !== undefined && equalBytes(revoked.publicKey, current.publicKey);
      const recovery = body.recoveryKey === null ? undefined : parseVkey(body.recoveryKey);
      const by = recovering ? recovery?.publicKey : key.publicKey;
      const proof = change.proof === null ? undefined : fromBase64url(change.proof);
      const vkey = typeof change.key === 'string' ? change.key : '';
      const message = utf8(`${KEY_PROOF}\n${body.origin}\n${seq}\n${vkey}`);
      const proven =
        by !== undefined && proof !== undefined && (await verifyEd25519(by, message, proof));
      if (!proven) log.add({ code: 'key_unknown', what: 'proof', seq });
      epochs.push({ vkey, publicKey: key.publicKey, from: recovering ? seq + 1 : seq + 2 });
    },
    at: inForce,
    signed(size) {
      const key = inForce(size);
      if (key === undefined || revoked === undefined || size <= revoked.from) return;
      if (equalBytes(key.publicKey, revoked.publicKey)) log.add({ code: 'key_revoked', size });
    },
    get vkey() {
      return body?.key;
    },
    get origin() {
      return body?.origin;
    },
    get confirmed() {
      return confirmed;
    },
  };
}
