import { describe, expect, it } from 'vitest';
import { checkpointText, parseCheckpoint } from '../../src/evidence/checkpoint.ts';
import { commitBytes, commitJson } from '../../src/evidence/commitment.ts';
import { fromBase64url, toBase64url, utf8 } from '../../src/evidence/bytes.ts';
import { ed25519Signer } from '../../src/evidence/ed25519.ts';
import { crumbId, encodeEntry, isKnownKind, parseEntry } from '../../src/evidence/entry.ts';
import { leafHash, rootHash } from '../../src/evidence/merkle.ts';
import { openNote, signNote, vkeyOf } from '../../src/evidence/note.ts';
import { pseudonymOf } from '../../src/evidence/pseudonym.ts';
import { HEAD_3, INTENT, LEAVES, NOTE, ORIGIN, OUTCOME, VKEY } from '../vectors/worked-example.ts';

/** The example of the design, byte for byte: these values must never change. */
describe('the worked example', () => {
  const signer = ed25519Signer(new Uint8Array(32).fill(1));
  const leaves = LEAVES.map((leaf) => fromBase64url(leaf) ?? new Uint8Array());

  it('has the key that signs it', () => {
    expect(vkeyOf(ORIGIN, signer.publicKey)).toBe(VKEY);
  });

  it.each([
    ['intent', INTENT, 3],
    ['outcome', OUTCOME, 4],
  ])('reads and writes the %s as the same bytes, with the leaf hash given', (kind, text, seq) => {
    const entry = parseEntry(utf8(text));
    if (!isKnownKind(entry)) throw new TypeError('unknown kind');
    expect(entry).toMatchObject({ kind, seq, prev: LEAVES[seq - 1] });
    expect(new TextDecoder().decode(encodeEntry(entry))).toBe(text);
    expect(toBase64url(leafHash(utf8(text)))).toBe(LEAVES[seq]);
  });

  it('names the intent', () => {
    expect(crumbId(3, leafHash(utf8(INTENT)))).toBe('3-74a21b635d');
  });

  it('commits to arguments, result, token and human as given', () => {
    const salt = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
    expect(INTENT).toContain(commitJson(salt(0x11), 'args', { id: '42' }));
    expect(OUTCOME).toContain(commitJson(salt(0x22), 'result', { body: 'hello', id: '42' }));
    expect(INTENT).toContain(commitBytes(salt(0x44), 'token', utf8('delegation.jwt')));
    expect(INTENT).toContain(pseudonymOf(salt(0x33), ORIGIN, '0'));
  });

  it('signs the head of each commit as given', async () => {
    const text = checkpointText({ origin: ORIGIN, size: 4, root: rootHash(leaves.slice(0, 4)) });
    expect(toBase64url(await signer.sign(utf8(text)))).toBe(HEAD_3);
  });

  it('has the note given, which opens under the key and says size and root', async () => {
    const root = rootHash(leaves);
    const text = checkpointText({ origin: ORIGIN, size: 5, root });
    expect(await signNote(text, ORIGIN, signer)).toBe(NOTE);
    const opened = await openNote(NOTE, [VKEY]);
    expect(parseCheckpoint(opened.text)).toEqual({ origin: ORIGIN, size: 5, root });
  });
});
