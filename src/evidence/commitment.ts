/**
 * Commitments: they bind whoever made a record to a value, and show nothing of it until it is opened.
 *
 * `h1.` covers a value as a whole. `f1.` covers each member of an object apart, so that one can be
 * shown and the others stay closed. Hiding is computational: it rests on the salt, whose erasure
 * closes a commitment for ever.
 *
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { canonicalJson, toJson } from '../attribution/canonical.ts';
import type { Json } from '../attribution/tool-call.ts';
import { concatBytes, equalBytes, fromBase64url, toBase64url, utf8 } from './bytes.ts';
import type { Commitment } from './kinds.ts';
import { isHash, leafHash, rootHash, verifyInclusion } from './merkle.ts';
import { inclusionProof, leavesReader } from './proof.ts';

/**
 * First word under every commitment; with the label it keeps a commitment to arguments from being
 * opened as one to a result. A new layout gets a new name.
 */
const CONTEXT = 'crumb/1';

/** What a value is. `args` and `result` are JSON; what is not JSON has the `.bytes` labels. */
export type Label =
  | 'args'
  | 'args.bytes'
  | 'result'
  | 'result.bytes'
  | 'claims'
  | 'token'
  | 'directive'
  | 'shown'
  | 'text';

/**
 * Commits to a value without showing it: HMAC-SHA-256 over context, label and value.
 *
 * @param salt 32 random bytes, fresh each time. Erase them, and nobody can open the commitment.
 * @throws {TypeError} For a salt of another length.
 */
export function commit(salt: Uint8Array, label: Label, value: Uint8Array): Uint8Array {
  // HMAC pads short keys and hashes long ones: other lengths would give one commitment two salts.
  if (salt.length !== 32) throw new TypeError(`salt has ${salt.length} bytes instead of 32`);
  return hmac(sha256, salt, concatBytes(utf8(`${CONTEXT} ${label}\n`), value));
}

/** `h1.` over bytes as they are: tokens, and arguments or results that are not JSON. */
export function commitBytes(salt: Uint8Array, label: Label, value: Uint8Array): Commitment {
  return `h1.${toBase64url(commit(salt, label, value))}`;
}

/** `h1.` over the RFC 8785 bytes of a value. */
export function commitJson(salt: Uint8Array, label: Label, value: Json): Commitment {
  return commitBytes(salt, label, utf8(canonicalJson(value)));
}

/**
 * `f1.` over the members of an object, each of which can be shown alone: see {@link openMember}.
 *
 * An object without members gets an `h1.`: there is nothing to show, and the root of no leaves would
 * say so to everyone, under every salt and label.
 */
export function commitMembers(salt: Uint8Array, label: Label, value: JsonObject): Commitment {
  if (Object.keys(value).length === 0) return commitJson(salt, label, value);
  const root = rootHash(membersOf({ salt, label, value }).map((member) => member.leaf));
  return `f1.${toBase64url(root)}`;
}

/** What shows one member of an `f1.` commitment, and of the others only how many there are. */
export interface MemberOpening {
  /** Place among the members in RFC 8785 order, from 0. */
  readonly index: number;
  /** How many members there are. */
  readonly size: number;
  /** This member's own salt, from which no other follows. */
  readonly salt: Uint8Array;
  readonly name: string;
  readonly value: Json;
  readonly proof: readonly Uint8Array[];
}

/** Makes the opening of one member; undefined if the object has no member of this name. */
export function openMember(
  whole: JsonOpening & { readonly value: JsonObject },
  name: string,
): MemberOpening | undefined {
  const members = membersOf(whole);
  const index = members.findIndex((member) => member.name === name);
  const member = members[index];
  if (member === undefined) return undefined;
  const size = members.length;
  const read = leavesReader(members.map(({ leaf }) => leaf));
  return {
    index,
    size,
    salt: member.salt,
    name,
    value: member.value,
    proof: inclusionProof({ index, size }, read),
  };
}

/** Whether an opening shows a member of what was committed to. Never throws on a bad one. */
export function verifyMember(
  commitment: Commitment,
  label: Label,
  opening: MemberOpening,
): boolean {
  const root = digestOf(commitment, 'f1.');
  if (root === undefined || !isHash(opening.salt)) return false;
  const { index, size, proof, salt, name, value } = opening;
  try {
    const leaf = memberLeaf(salt, label, [name, toJson(value)]);
    return verifyInclusion({ leaf, index, size, root, proof });
  } catch {
    return false; // not JSON, so nothing that anyone could have committed to
  }
}

/** What opens a commitment as a whole. */
export interface JsonOpening {
  readonly label: Label;
  readonly salt: Uint8Array;
  readonly value: Json;
}

/** Whether an `h1.` or `f1.` commitment is one to this JSON value. Never throws on a bad opening. */
export function opensJson(commitment: Commitment, opening: JsonOpening): boolean {
  const { label, salt } = opening;
  if (!isHash(salt)) return false;
  try {
    const value = toJson(opening.value); // an opening may be anyone's: as deep as the stack, for one
    if (commitment.startsWith('f1.')) {
      return isJsonObject(value) && commitMembers(salt, label, value) === commitment;
    }
    return commitJson(salt, label, value) === commitment;
  } catch {
    return false; // not JSON, so nothing that anyone could have committed to
  }
}

/** Whether an `h1.` commitment is one to these bytes. Never throws on a bad opening. */
export function opensBytes(
  commitment: Commitment,
  opening: { readonly label: Label; readonly salt: Uint8Array; readonly bytes: Uint8Array },
): boolean {
  const { label, salt, bytes } = opening;
  const digest = digestOf(commitment, 'h1.');
  return digest !== undefined && isHash(salt) && equalBytes(commit(salt, label, bytes), digest);
}

type JsonObject = Readonly<Record<string, Json>>;

interface Member {
  readonly name: string;
  readonly value: Json;
  readonly salt: Uint8Array;
  readonly leaf: Uint8Array;
}

/** Members in RFC 8785 order, which is that of UTF-16 code units. */
function membersOf(whole: JsonOpening & { readonly value: JsonObject }): readonly Member[] {
  const { salt, label, value } = whole;
  if (salt.length !== 32) throw new TypeError(`salt has ${salt.length} bytes instead of 32`);
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member], n) => {
      const own = hmac(sha256, salt, concatBytes(utf8(`${CONTEXT} member\n`), uint32(n)));
      return { name, value: member, salt: own, leaf: memberLeaf(own, label, [name, member]) };
    });
}

function memberLeaf(salt: Uint8Array, label: Label, member: readonly [string, Json]): Uint8Array {
  return leafHash(commit(salt, label, utf8(canonicalJson(member))));
}

/** Big-endian. */
function uint32(n: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

function digestOf(commitment: Commitment, scheme: 'h1.' | 'f1.'): Uint8Array | undefined {
  if (!commitment.startsWith(scheme)) return undefined;
  const digest = fromBase64url(commitment.slice(scheme.length));
  return isHash(digest) ? digest : undefined;
}

function isJsonObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
