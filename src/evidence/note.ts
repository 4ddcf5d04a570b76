/**
 * C2SP signed notes: a text, an empty line, and lines with signatures of named keys.
 *
 * @see https://github.com/C2SP/C2SP/blob/main/signed-note.md
 * @see https://github.com/C2SP/C2SP/blob/main/tlog-cosignature.md
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { CrumbError } from '../errors.ts';
import { concatBytes, equalBytes, fromBase64, toBase64, toHex, utf8 } from './bytes.ts';
import { verifyCosignature } from './cosignature.ts';
import { checkPublicKey, verifyEd25519, type Ed25519Signer } from './ed25519.ts';

/** Algorithm bytes of keys: the note's text is signed, or a witness signed text and time. */
const ED25519 = 0x01;
const COSIGNATURE = 0x04;

/** Room for sixteen post-quantum signatures of 5 kB, which every reader must skip. In UTF-16 units. */
const MAX_NOTE_LENGTH = 256 * 1024;
/** As many as the reference implementation in Go reads. */
const MAX_SIGNATURES = 100;

/** A public key of a note, as its text form `name+hex(id)+base64(algorithm ‖ key)` says it. */
export interface NoteKey {
  readonly name: string;
  /** `cosignature`: a witness's, whose signatures also state a time. */
  readonly algorithm: 'ed25519' | 'cosignature';
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** First 4 bytes of SHA-256(name ‖ "\n" ‖ algorithm ‖ key). */
  readonly id: Uint8Array;
}

/** A line below a note. Nothing has been verified. */
export interface SignatureLine {
  readonly name: string;
  readonly id: Uint8Array;
  /** What follows the key id: 64 bytes, for a cosignature 72. */
  readonly signature: Uint8Array;
}

/** A note whose form is sound. Nothing has been verified. */
export interface UnverifiedNote {
  /** What is signed: ends in a newline. */
  readonly text: string;
  readonly lines: readonly SignatureLine[];
}

/** A signature that fits, by a key that was asked for. */
export interface NoteSignature {
  readonly name: string;
  readonly vkey: string;
  readonly algorithm: NoteKey['algorithm'];
  /** When the witness says it saw the text; only for a cosignature. */
  readonly time?: Date;
}

/** A text and who signed it: at least one of the keys that were asked for, each of them once. */
export interface OpenedNote {
  readonly text: string;
  readonly signatures: readonly [NoteSignature, ...NoteSignature[]];
}

/** Whether a key may have this name, and a ledger this origin: something, without white space or plus. */
export function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\s\p{Cc}+]/u.test(name);
}

/** The text form of an Ed25519 key. @throws {CrumbError} `key_invalid` for names and keys that no note may have. */
export function vkeyOf(
  name: string,
  publicKey: Uint8Array,
  algorithm: NoteKey['algorithm'] = 'ed25519',
): string {
  if (!isKeyName(name) || !checkPublicKey(publicKey)) throw new CrumbError('key_invalid');
  const data = keyData(algorithm, publicKey);
  return `${name}+${toHex(keyId(name, data))}+${toBase64(data)}`;
}

/**
 * Reads a key; undefined if it has another form or algorithm, if its id is not its own, or if no
 * signature under it means anything (see `checkPublicKey`).
 */
export function parseVkey(vkey: string): NoteKey | undefined {
  // Base64 may hold a plus too, so only the first two part.
  const [, name, hex, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(vkey) ?? [];
  if (name === undefined || encoded === undefined || !isKeyName(name)) return undefined;
  const data = fromBase64(encoded);
  if (data?.length !== 33) return undefined;
  const algorithm = algorithmOf(data[0]);
  const publicKey = data.subarray(1);
  const id = keyId(name, data);
  if (algorithm === undefined || hex !== toHex(id) || !checkPublicKey(publicKey)) return undefined;
  return { name, algorithm, publicKey, id };
}

/** Key id of an Ed25519 key with this name. */
export function keyIdOf(name: string, publicKey: Uint8Array): Uint8Array {
  return keyId(name, keyData('ed25519', publicKey));
}

/** Signs a text. @throws {CrumbError} `note_malformed` if no note can hold the text or name. */
export async function signNote(text: string, name: string, signer: Ed25519Signer): Promise<string> {
  if (!isNoteText(text)) throw new CrumbError('note_malformed');
  return formatNote(text, [
    {
      name,
      id: keyIdOf(name, signer.publicKey),
      signature: await signer.sign(utf8(text)),
    },
  ]);
}

/**
 * The note of a text whose signatures were made before, such as the tree head that a ledger stores as
 * 64 bytes.
 *
 * @throws {CrumbError} `note_malformed` if no note can hold the text or a name.
 */
export function formatNote(text: string, lines: readonly SignatureLine[]): string {
  if (!isNoteText(text) || lines.length === 0 || !lines.every((line) => isKeyName(line.name))) {
    throw new CrumbError('note_malformed');
  }
  const signatures = lines.map(({ name, id, signature }) => {
    return `— ${name} ${toBase64(concatBytes(id, signature))}\n`;
  });
  return `${text}\n${signatures.join('')}`;
}

/**
 * Takes a note apart without verifying anything: for display, or to learn which keys to look for.
 *
 * @throws {CrumbError} `note_malformed`.
 */
export function parseNote(note: string): UnverifiedNote {
  const end = note.lastIndexOf('\n\n');
  if (note.length > MAX_NOTE_LENGTH || end < 0) throw new CrumbError('note_malformed');
  const text = note.slice(0, end + 1);
  const rows = note.slice(end + 2).split('\n');
  // Every line ends in a newline, so the last piece is empty.
  if (rows.pop() !== '' || rows.length === 0 || rows.length > MAX_SIGNATURES || !isNoteText(text)) {
    throw new CrumbError('note_malformed');
  }
  return { text, lines: rows.map(parseLine) };
}

/**
 * Opens a note: gives its text only if at least one of the keys signed it. Lines of other keys are
 * skipped; a line of one of our keys that does not fit rejects the note, even if others fit.
 *
 * @param keys vkeys. A name alone is no key: only name, id and signature together count.
 * @throws {CrumbError} `note_malformed`: not a note. `note_unverified`: one of the keys' signatures does
 *   not fit, or none of them signed. `key_invalid`: one of `keys` is none.
 */
export async function openNote(note: string, keys: readonly string[]): Promise<OpenedNote> {
  const known = keys.map((vkey) => {
    const key = parseVkey(vkey);
    if (key === undefined) throw new CrumbError('key_invalid');
    return { vkey, key };
  });
  const { text, lines } = parseNote(note);

  const signatures = new Map<string, NoteSignature>();
  for (const line of lines) {
    const named = known.filter(({ key }) => key.name === line.name && equalBytes(key.id, line.id));
    if (named.length === 0) continue;
    const found = await firstFitting(text, line, named);
    if (found === undefined) throw new CrumbError('note_unverified');
    signatures.set(found.vkey, found); // a key counts once, however often it signed
  }
  const [first, ...rest] = signatures.values();
  if (first === undefined) throw new CrumbError('note_unverified');
  return { text, signatures: [first, ...rest] };
}

/** A 32-bit id can name two keys on purpose. */
async function firstFitting(
  text: string,
  line: SignatureLine,
  keys: readonly { readonly vkey: string; readonly key: NoteKey }[],
): Promise<NoteSignature | undefined> {
  for (const { vkey, key } of keys) {
    const signature = await verifyLine(text, line, key);
    if (signature !== undefined) return { name: key.name, vkey, ...signature };
  }
  return undefined;
}

async function verifyLine(
  text: string,
  line: SignatureLine,
  key: NoteKey,
): Promise<Pick<NoteSignature, 'algorithm' | 'time'> | undefined> {
  if (key.algorithm === 'ed25519') {
    const fits = await verifyEd25519(key.publicKey, utf8(text), line.signature);
    return fits ? { algorithm: 'ed25519' } : undefined;
  }
  const time = await verifyCosignature(text, line.signature, key.publicKey);
  return time === undefined ? undefined : { algorithm: 'cosignature', time };
}

function parseLine(row: string): SignatureLine {
  const [, name, encoded] = /^— (\S+) (\S+)$/u.exec(row) ?? [];
  const data = encoded === undefined ? undefined : fromBase64(encoded);
  if (name === undefined || !isKeyName(name) || data === undefined || data.length < 5) {
    throw new CrumbError('note_malformed');
  }
  return { name, id: data.subarray(0, 4), signature: data.subarray(4) };
}

/** Ends in a newline, and has no other control character. */
function isNoteText(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  return text.endsWith('\n') && text.isWellFormed() && !/[\0-\x09\x0b-\x1f]/.test(text);
}

function keyData(algorithm: NoteKey['algorithm'], publicKey: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(algorithm === 'ed25519' ? ED25519 : COSIGNATURE), publicKey);
}

function keyId(name: string, data: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8(`${name}\n`), data)).subarray(0, 4);
}

function algorithmOf(byte: number | undefined): NoteKey['algorithm'] | undefined {
  if (byte === ED25519) return 'ed25519';
  return byte === COSIGNATURE ? 'cosignature' : undefined;
}
