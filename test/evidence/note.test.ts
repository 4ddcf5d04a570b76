import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkpointText, parseCheckpoint } from '../../src/evidence/checkpoint.ts';
import { cosign, verifyCosignature } from '../../src/evidence/cosignature.ts';
import { ed25519Signer } from '../../src/evidence/ed25519.ts';
import {
  formatNote,
  isKeyName,
  keyIdOf,
  openNote,
  parseNote,
  parseVkey,
  signNote,
  vkeyOf,
} from '../../src/evidence/note.ts';
import { NOTE, ORIGIN, VKEY } from '../vectors/worked-example.ts';

const signerOf = (byte: number) => ed25519Signer(new Uint8Array(32).fill(byte));
const ledger = signerOf(1);
const stranger = signerOf(2);
const witness = signerOf(3);
const WITNESS = 'witness.example/w1';
const WITNESS_VKEY = vkeyOf(WITNESS, witness.publicKey, 'cosignature');

const malformed: unknown = expect.objectContaining({ code: 'note_malformed' });
const unverified: unknown = expect.objectContaining({ code: 'note_unverified' });

const text = checkpointText({ origin: ORIGIN, size: 5, root: new Uint8Array(32).fill(9) });

/** The line of a signature over a text, by a name and signer. */
async function lineBy(name: string, signer: typeof ledger, over = text): Promise<string> {
  return (await signNote(over, name, signer)).slice(over.length + 1);
}

async function cosignedBy(name: string, signer: typeof ledger, time: Date): Promise<string> {
  const id = parseVkey(vkeyOf(name, signer.publicKey, 'cosignature'))?.id ?? new Uint8Array();
  const signature = await cosign(text, signer, time);
  return formatNote(text, [{ name, id, signature }]).slice(text.length + 1);
}

describe('a key', () => {
  it('comes back from its text', () => {
    expect(parseVkey(VKEY)).toEqual({
      name: ORIGIN,
      algorithm: 'ed25519',
      publicKey: ledger.publicKey,
      id: keyIdOf(ORIGIN, ledger.publicKey),
    });
    expect(parseVkey(WITNESS_VKEY)).toMatchObject({ algorithm: 'cosignature', name: WITNESS });
  });

  it('reads the example of the specification', () => {
    const vkey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
    expect(parseVkey(vkey)).toMatchObject({ name: 'example.com/foo', algorithm: 'ed25519' });
  });

  it.each([
    ['nothing', ''],
    ['a name alone', ORIGIN],
    ['no name', VKEY.replace(ORIGIN, '')],
    ['another name', VKEY.replace('acme', 'acne')],
    ['a name with a space', VKEY.replace('acme', 'ac me')],
    ['another id', VKEY.replace('af26471b', 'af26471c')],
    ['an id in capitals', VKEY.replace('af26471b', 'AF26471B')],
    ['a short id', VKEY.replace('af26471b', 'af26471')],
    ['an unknown algorithm', `${ORIGIN}+af26471b+${Buffer.alloc(33, 2).toString('base64')}`],
    ['a short key', `${ORIGIN}+af26471b+${Buffer.alloc(32, 1).toString('base64')}`],
    ['base64url', VKEY.replace('/VLbLTy', '_VLbLTy')],
    ['a newline at the end', `${VKEY}\n`],
  ])('does not come from %s', (_what, vkey) => {
    expect(parseVkey(vkey)).toBeUndefined();
  });

  it('of small order gets no text, and none is read', () => {
    const identity = Uint8Array.from({ length: 32 }, (_, n) => (n === 0 ? 1 : 0));
    expect(() => vkeyOf(ORIGIN, identity)).toThrow(
      expect.objectContaining({ code: 'key_invalid' }),
    );
    const id = Buffer.from(keyIdOf(ORIGIN, identity)).toString('hex');
    const data = Buffer.concat([Buffer.of(1), identity]).toString('base64');
    expect(parseVkey(`${ORIGIN}+${id}+${data}`)).toBeUndefined();
  });

  it.each(['', 'a b', 'a+b', 'a\tb', 'a\u00a0b', 'a\u2028b', 'a\u0085b', 'a\nb', '\ud800'])(
    'has no name like %j',
    (name) => {
      expect(isKeyName(name)).toBe(false);
      expect(() => vkeyOf(name, ledger.publicKey)).toThrow(
        expect.objectContaining({ code: 'key_invalid' }),
      );
    },
  );
});

describe('opening a note', () => {
  it('gives the text and who signed it', async () => {
    const note = await signNote(text, ORIGIN, ledger);
    expect(await openNote(note, [VKEY])).toEqual({
      text,
      signatures: [{ name: ORIGIN, vkey: VKEY, algorithm: 'ed25519' }],
    });
  });

  it('opens the example of the specification', async () => {
    const opened = await openNote(
      'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
      ['example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'],
    );
    expect(opened.text).toBe('This is an example message.\n');
  });

  it('skips unknown lines, also such that share a name or an id with a known key', async () => {
    const note = await signNote(text, ORIGIN, ledger);
    const id = Buffer.from(keyIdOf(ORIGIN, ledger.publicKey));
    const sameId = Buffer.concat([id, Buffer.alloc(64)]).toString('base64');
    const sameName = Buffer.alloc(68, 5).toString('base64');
    const lines = [
      await lineBy('other.example', stranger),
      `— elsewhere.example ${sameId}\n`,
      `— ${ORIGIN} ${sameName}\n`,
      `— postquantum.example ${Buffer.alloc(2428, 6).toString('base64')}\n`,
    ].join('');
    const opened = await openNote(`${text}\n${lines}${note.slice(text.length + 1)}`, [VKEY]);
    expect(opened.signatures).toHaveLength(1);
  });

  it('reads sixteen lines and more, and large ones', async () => {
    const large = `— pq.example ${Buffer.alloc(5000, 6).toString('base64')}\n`;
    const note = await signNote(text, ORIGIN, ledger);
    expect((await openNote(note + large.repeat(15), [VKEY])).text).toBe(text);
    const small = await lineBy('other.example', stranger);
    expect((await openNote(note + small.repeat(99), [VKEY])).text).toBe(text);
    await expect(openNote(note + small.repeat(100), [VKEY])).rejects.toEqual(malformed);
  });

  it('rejects a line of a known key that does not fit, even if others do', async () => {
    const wrong = await lineBy(ORIGIN, ledger, text.replace('5', '6'));
    const right = await lineBy(ORIGIN, ledger);
    for (const lines of [wrong, right + wrong, wrong + right]) {
      await expect(openNote(`${text}\n${lines}`, [VKEY])).rejects.toEqual(unverified);
    }
  });

  it('rejects a note that none of the keys signed', async () => {
    await expect(openNote(NOTE, [])).rejects.toEqual(unverified);
    await expect(openNote(NOTE, [WITNESS_VKEY])).rejects.toEqual(unverified);
    await expect(openNote(NOTE, [vkeyOf(ORIGIN, stranger.publicKey)])).rejects.toEqual(unverified);
  });

  it('counts a key once, however often it signed', async () => {
    const line = await lineBy(ORIGIN, ledger);
    const opened = await openNote(`${text}\n${line.repeat(3)}`, [VKEY, VKEY]);
    expect(opened.signatures).toHaveLength(1);
  });

  it('refuses to look for what is no key', async () => {
    await expect(openNote(NOTE, [ORIGIN])).rejects.toMatchObject({ code: 'key_invalid' });
  });

  const line = NOTE.slice(NOTE.indexOf('—'));

  it.each([
    ['nothing', ''],
    ['no signature', text],
    ['no empty line', text + line],
    ['an empty line and nothing', `${text}\n`],
    ['no newline at the end', NOTE.slice(0, -1)],
    ['a line that is none', `${NOTE}hello\n`],
    ['a hyphen instead of the dash', NOTE.replace('—', '-')],
    ['two spaces', NOTE.replace('— ', '—  ')],
    ['no name', NOTE.replace(`— ${ORIGIN} `, '— ')],
    ['a plus in a name', NOTE.replace(`— ${ORIGIN}`, '— acme+example')],
    ['no padding', `${NOTE.slice(0, -2)}\n`],
    ['base64 with a tail that carries no bits', NOTE.replace('Yvigk=', 'Yvigl=')],
    ['an id and no signature', `${text}\n— ${ORIGIN} ryZHGw==\n`],
    ['a carriage return', NOTE.replaceAll('\n', '\r\n')],
    ['a tab in the text', NOTE.replace('5\n', '5\t\n')],
    ['a NUL in the text', NOTE.replace('5\n', '5\0\n')],
    ['a lone surrogate', NOTE.replace('5\n', '5\ud800\n')],
    ['half a megabyte', `${'x'.repeat(500_000)}\n\n${line}`],
  ])('refuses %s', async (_what, note) => {
    await expect(openNote(note, [VKEY])).rejects.toEqual(malformed);
    expect(() => parseNote(note)).toThrow(malformed);
  });

  it('takes the last empty line as the end of the text', async () => {
    const long = 'one\n\ntwo\n\n\n';
    const note = await signNote(long, ORIGIN, ledger);
    expect((await openNote(note, [VKEY])).text).toBe(long);
  });

  it('finds any change of any character', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: NOTE.length - 1 }),
        fc.constantFrom('', '\n', ' ', 'A', '0', '=', '—', 'é'),
        async (at, other) => {
          const changed = NOTE.slice(0, at) + other + NOTE.slice(at + 1);
          if (changed === NOTE) return;
          await expect(openNote(changed, [VKEY])).rejects.toMatchObject({ name: 'CrumbError' });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('opens whatever text was signed', async () => {
    const lines = fc.string({ unit: 'binary' }).map((line) => `${line}\n`);
    await fc.assert(
      fc.asyncProperty(lines, async (any) => {
        if (/[\0-\x09\x0b-\x1f]/.test(any)) {
          await expect(signNote(any, ORIGIN, ledger)).rejects.toEqual(malformed);
          return;
        }
        const note = await signNote(any, ORIGIN, ledger);
        expect((await openNote(note, [VKEY])).text).toBe(any);
      }),
      { numRuns: 60 },
    );
  });
});

describe('writing a note', () => {
  it.each([
    ['no newline at the end of the text', 'text', ORIGIN],
    ['a control character', 'te\0xt\n', ORIGIN],
    ['a name with a space', text, 'acme example'],
  ])('refuses %s', async (_what, body, name) => {
    await expect(signNote(body, name, ledger)).rejects.toEqual(malformed);
  });

  it('refuses to write one without a signature', () => {
    expect(() => formatNote(text, [])).toThrow(malformed);
  });
});

describe('a cosignature', () => {
  const time = new Date('2026-11-22T10:16:00.000Z');

  it('shows who saw the checkpoint, and when', async () => {
    const note =
      (await signNote(text, ORIGIN, ledger)) + (await cosignedBy(WITNESS, witness, time));
    const { signatures } = await openNote(note, [VKEY, WITNESS_VKEY]);
    expect(signatures).toEqual([
      { name: ORIGIN, vkey: VKEY, algorithm: 'ed25519' },
      { name: WITNESS, vkey: WITNESS_VKEY, algorithm: 'cosignature', time },
    ]);
  });

  it('is made over the bytes of the specification, and laid out as it says', async () => {
    const seconds = 1_679_315_147;
    const message = `cosignature/v1\ntime ${seconds}\n${text}`;
    const signature = Buffer.from(await witness.sign(Buffer.from(message)));
    const expected = Buffer.concat([Buffer.from('00000000641850cb', 'hex'), signature]);
    const at = new Date(seconds * 1000);
    expect(Buffer.from(await cosign(text, witness, at))).toEqual(expected);
    expect(await verifyCosignature(text, expected, witness.publicKey)).toEqual(at);
  });

  it('is bound to the whole text, the time and the key', async () => {
    const signature = await cosign(text, witness, time);
    const other = text.replace('5', '6');
    expect(await verifyCosignature(text, signature, witness.publicKey)).toEqual(time);
    expect(await verifyCosignature(other, signature, witness.publicKey)).toBeUndefined();
    expect(await verifyCosignature(text, signature, stranger.publicKey)).toBeUndefined();
    for (let byte = 0; byte < signature.length; byte++) {
      const changed = signature.with(byte, (signature[byte] ?? 0) ^ 1);
      expect(await verifyCosignature(text, changed, witness.publicKey)).toBeUndefined();
    }
    for (const length of [0, 64, 71, 73]) {
      const cut = new Uint8Array(length);
      expect(await verifyCosignature(text, cut, witness.publicKey)).toBeUndefined();
    }
  });

  it('is no signature of the text itself, nor the other way round', async () => {
    const cosignature = await cosign(text, witness, time);
    const plain = vkeyOf(WITNESS, witness.publicKey);
    const id = keyIdOf(WITNESS, witness.publicKey);
    const note = formatNote(text, [{ name: WITNESS, id, signature: cosignature.subarray(8) }]);
    await expect(openNote(note, [plain])).rejects.toEqual(unverified);
  });

  it('rejects the note when it does not fit', async () => {
    const note = await signNote(text, ORIGIN, ledger);
    const forged = (await cosignedBy(WITNESS, stranger, time)).split(' ').at(-1) ?? '';
    const id = Buffer.from(parseVkey(WITNESS_VKEY)?.id ?? []);
    const data = Buffer.concat([id, Buffer.from(forged, 'base64').subarray(4)]).toString('base64');
    const keys = [VKEY, WITNESS_VKEY];
    await expect(openNote(`${note}— ${WITNESS} ${data}\n`, keys)).rejects.toEqual(unverified);
  });

  it('of a time that no clock shows is none', async () => {
    const far = Buffer.concat([Buffer.from('7fffffffffffffff', 'hex'), Buffer.alloc(64)]);
    expect(await verifyCosignature(text, far, witness.publicKey)).toBeUndefined();
  });
});

describe('a checkpoint', () => {
  it('comes back from its text', () => {
    const root = new Uint8Array(32).fill(7);
    for (const size of [0, 1, 10, 2 ** 53 - 1]) {
      const checkpoint = { origin: ORIGIN, size, root };
      expect(parseCheckpoint(checkpointText(checkpoint))).toEqual(checkpoint);
    }
  });

  const root = Buffer.alloc(32, 7).toString('base64');

  it.each([
    ['nothing', ''],
    ['no origin', `\n5\n${root}\n`],
    ['an origin with a space', `acme example\n5\n${root}\n`],
    ['an origin with a plus', `acme+example\n5\n${root}\n`],
    ['no size', `${ORIGIN}\n\n${root}\n`],
    ['a leading zero', `${ORIGIN}\n05\n${root}\n`],
    ['a sign', `${ORIGIN}\n+5\n${root}\n`],
    ['a negative size', `${ORIGIN}\n-5\n${root}\n`],
    ['hexadecimal', `${ORIGIN}\n0x5\n${root}\n`],
    ['an exponent', `${ORIGIN}\n5e0\n${root}\n`],
    ['2^53', `${ORIGIN}\n9007199254740992\n${root}\n`],
    ['2^64', `${ORIGIN}\n18446744073709551616\n${root}\n`],
    ['a short root', `${ORIGIN}\n5\n${Buffer.alloc(31).toString('base64')}\n`],
    ['a root in base64url', `${ORIGIN}\n5\n${Buffer.alloc(32, 255).toString('base64url')}\n`],
    ['no newline at the end', `${ORIGIN}\n5\n${root}`],
    ['an extension line', `${ORIGIN}\n5\n${root}\nextension\n`],
    ['an empty line more', `${ORIGIN}\n5\n${root}\n\n`],
    ['a comma more', `${ORIGIN}\n5\n${root}\n,`],
  ])('does not come from %s', (_what, other) => {
    expect(() => parseCheckpoint(other)).toThrow(malformed);
  });

  it.each([
    [{ origin: 'a b', size: 1, root: new Uint8Array(32) }],
    [{ origin: ORIGIN, size: -1, root: new Uint8Array(32) }],
    [{ origin: ORIGIN, size: 2 ** 53, root: new Uint8Array(32) }],
    [{ origin: ORIGIN, size: 1, root: new Uint8Array(31) }],
  ])('is not written for what no ledger has (%#)', (checkpoint) => {
    expect(() => checkpointText(checkpoint)).toThrow(TypeError);
  });
});
