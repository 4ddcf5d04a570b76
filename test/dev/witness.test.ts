import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkpointText } from '../../src/evidence/checkpoint.ts';
import { ed25519Signer } from '../../src/evidence/ed25519.ts';
import { emptyRoot, leafHash, rootHash } from '../../src/evidence/merkle.ts';
import {
  formatNote,
  keyIdOf,
  openNote,
  parseNote,
  signNote,
  vkeyOf,
} from '../../src/evidence/note.ts';
import { consistencyProof, leavesReader } from '../../src/evidence/proof.ts';
import { verifyReceipt } from '../../src/evidence/receipt.ts';
import { parseWitnessPolicy } from '../../src/evidence/witness-policy.ts';
import type { DevWitness } from '../../src/dev/witness.ts';
import type { DevWitnessEvent } from '../../src/dev/transparency/events.ts';
import { WITNESS_FAULTS, type DevWitnessFault } from '../../src/dev/transparency/faults.ts';
import { devWitness, failureOf, newFolder, textAt } from './log-world.ts';

const ORIGIN = 'acme.example/crumb';
const signer = ed25519Signer(new Uint8Array(32).fill(1));
const VKEY = vkeyOf(ORIGIN, signer.publicKey);
const NOW = new Date('2026-11-24T10:00:00Z');

/** Leaves of a history; another `name` is another history. */
function leavesOf(count: number, name = 'leaf'): Uint8Array[] {
  return Array.from({ length: count }, (_, n) => leafHash(Buffer.from(`${name} ${n}`)));
}

async function noteOf(leaves: readonly Uint8Array[], origin = ORIGIN): Promise<string> {
  const text = checkpointText({ origin, size: leaves.length, root: rootHash(leaves) });
  return signNote(text, origin, signer);
}

function proofOf(oldSize: number, leaves: readonly Uint8Array[]): readonly Uint8Array[] {
  return oldSize === 0
    ? []
    : consistencyProof({ oldSize, newSize: leaves.length }, leavesReader(leaves));
}

function bodyOf(oldSize: number, proof: readonly Uint8Array[], note: string): string {
  const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
  return `old ${oldSize}\n${lines.join('')}\n${note}`;
}

async function send(witness: DevWitness, body: string): Promise<Response> {
  return fetch(`${witness.url}/add-checkpoint`, { method: 'POST', redirect: 'error', body });
}

/** Shows a history to the witness, as one that knows what it has seen. */
async function grow(
  witness: DevWitness,
  from: number,
  leaves: readonly Uint8Array[],
): Promise<Response> {
  return send(witness, bodyOf(from, proofOf(from, leaves), await noteOf(leaves)));
}

const known = async (options: object = {}): Promise<DevWitness> =>
  devWitness({ logs: [VKEY], clock: () => NOW, ...options });

describe('a witness', () => {
  it('cosigns what grows, and says when', async () => {
    const witness = await known();
    let size = 0;
    for (const next of [1, 3, 3, 8, 13]) {
      const response = await grow(witness, size, leavesOf(next));
      expect(response.status).toBe(200);
      const lines = await response.text();
      const note = await noteOf(leavesOf(next));
      const { signatures } = await openNote(note + lines, [witness.vkey]);
      expect(signatures).toEqual([
        { name: witness.name, vkey: witness.vkey, algorithm: 'cosignature', time: NOW },
      ]);
      size = next;
    }
  });

  it('gives a receipt that our verifier takes, and knows as one for development', async () => {
    const witness = await known();
    const note = await noteOf(leavesOf(5));
    const receipt = await (await grow(witness, 0, leavesOf(5))).text();
    const policy = parseWitnessPolicy(witness.policy);
    expect(readFileSync(witness.policyFile, 'utf8')).toBe(witness.policy);
    expect(policy.witnesses).toEqual([
      { name: 'development', vkey: witness.vkey, url: witness.url },
    ]);
    const ledger = { origin: ORIGIN, vkeys: [VKEY], anchorKeys: [] };
    const trust = { witnesses: policy };
    const claim = { type: 'witness', note, receipt, ledger, trust } as const;
    expect(await verifyReceipt(claim)).toMatchObject({
      ok: true,
      size: 5,
      at: NOW,
      quorum: true,
      development: true,
    });
  });

  it('tells the size that it knows to whoever thinks of another', async () => {
    const witness = await known();
    await grow(witness, 0, leavesOf(4));
    for (const wrong of [0, 3, 5]) {
      const response = await send(witness, bodyOf(wrong, [], await noteOf(leavesOf(6))));
      expect(response.status).toBe(409);
      expect(response.headers.get('content-type')).toBe('text/x.tlog.size');
      expect(await response.text()).toBe('4\n');
    }
    const fresh = await known();
    const first = await send(fresh, bodyOf(2, [], await noteOf(leavesOf(6))));
    expect([first.status, await first.text()]).toEqual([409, '0\n']);
  });

  it('refuses another history of the same log, be it longer, as long or shorter', async () => {
    const witness = await known();
    await grow(witness, 0, leavesOf(4));
    for (const size of [4, 6]) {
      const other = leavesOf(size, 'other');
      const response = await send(witness, bodyOf(4, proofOf(4, other), await noteOf(other)));
      expect(response.status).toBe(422);
    }
    const shorter = await send(witness, bodyOf(4, [], await noteOf(leavesOf(3))));
    expect(shorter.status).toBe(400);
    expect((await grow(witness, 4, leavesOf(5))).status).toBe(200);
  });

  it('takes a checkpoint of nothing only with the root of nothing', async () => {
    const witness = await known();
    const wrong = checkpointText({ origin: ORIGIN, size: 0, root: new Uint8Array(32) });
    const refused = await send(witness, bodyOf(0, [], await signNote(wrong, ORIGIN, signer)));
    expect(refused.status).toBe(422);
    const right = checkpointText({ origin: ORIGIN, size: 0, root: emptyRoot() });
    const taken = await send(witness, bodyOf(0, [], await signNote(right, ORIGIN, signer)));
    expect(taken.status).toBe(200);
    expect((await grow(witness, 0, leavesOf(2))).status).toBe(200);
  });

  it('takes a proof from nothing only if it is empty', async () => {
    const witness = await known();
    const body = bodyOf(0, [emptyRoot()], await noteOf(leavesOf(2)));
    expect((await send(witness, body)).status).toBe(422);
  });

  it('does not know logs that it was not told of', async () => {
    const other = 'other.example/crumb';
    const witness = await known();
    const body = bodyOf(0, [], await noteOf(leavesOf(2), other));
    expect((await send(witness, body)).status).toBe(404);
    witness.addLog(vkeyOf(other, signer.publicKey));
    expect((await send(witness, body)).status).toBe(200);
  });

  it('refuses what no key of the log signed, and what one signed wrongly beside another', async () => {
    const witness = await known();
    const second = ed25519Signer(new Uint8Array(32).fill(2));
    const { text, lines } = parseNote(await noteOf(leavesOf(2)));
    const [own] = lines;
    if (own === undefined) throw new Error('no line');
    const stranger = {
      name: ORIGIN,
      id: keyIdOf(ORIGIN, second.publicKey),
      signature: await second.sign(Buffer.from(text)),
    };
    const broken = { ...own, signature: new Uint8Array(64) };
    const status = async (all: (typeof own)[]): Promise<number> =>
      (await send(witness, bodyOf(0, [], formatNote(text, all)))).status;
    expect(await status([stranger])).toBe(403);
    expect(await status([broken])).toBe(403);
    expect(await status([own, broken])).toBe(403);
    // Lines of others mean nothing: not for it, nor against it.
    expect(await status([stranger, own])).toBe(200);
    // What it shows are the lines that it verified, and its own.
    const shown = parseNote(await textAt(`${witness.url}/${hashOf(ORIGIN)}/checkpoint`)).lines;
    expect(shown.map(({ id }) => Buffer.from(id).toString('hex'))).toEqual([
      Buffer.from(own.id).toString('hex'),
      witness.vkey.split('+')[1],
    ]);
    witness.addLog(vkeyOf(ORIGIN, second.publicKey)); // a key that was rotated in
    expect((await grow(witness, 2, leavesOf(3))).status).toBe(200);
  });

  it('cosigns extension lines with the rest', async () => {
    const witness = await known();
    const root = Buffer.from(rootHash(leavesOf(2))).toString('base64');
    const note = await signNote(`${ORIGIN}\n2\n${root}\nextension\n`, ORIGIN, signer);
    const response = await send(witness, bodyOf(0, [], note));
    expect(response.status).toBe(200);
    expect(await openNote(note + (await response.text()), [witness.vkey])).toBeDefined();
  });

  it.each<[string, (note: string) => string]>([
    ['nothing', () => ''],
    ['no old size', (note) => `\n${note}`],
    ['an old size with a zero before it', (note) => `old 00\n\n${note}`],
    ['a negative old size', (note) => `old -1\n\n${note}`],
    ['no empty line', (note) => `old 0\n${note}`],
    ['a proof that is not base64', (note) => `old 0\n???\n\n${note}`],
    ['a hash of another length', (note) => `old 0\nAAAA\n\n${note}`],
    ['64 hashes', (note) => bodyOf(1, Array(64).fill(emptyRoot()), note)],
    ['no note', () => `old 0\n\n${ORIGIN}\n2\n`],
    ['lines that end in two characters', (note) => `old 0\r\n\r\n${note}`],
  ])('refuses %s', async (_what, body) => {
    const witness = await known();
    expect((await send(witness, body(await noteOf(leavesOf(2))))).status).toBe(400);
  });

  it('gives of two who grow it at once to one alone', async () => {
    const witness = await known();
    await grow(witness, 0, leavesOf(2));
    const rivals = [3, 4, 5, 6].map(async (size) => grow(witness, 2, leavesOf(size)));
    const statuses = (await Promise.all(rivals)).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409]);
  });

  it('shows the last checkpoint of a log, with both signatures', async () => {
    const witness = await known();
    const url = `${witness.url}/${hashOf(ORIGIN)}/checkpoint`;
    expect((await fetch(url)).status).toBe(404);
    await grow(witness, 0, leavesOf(2));
    await grow(witness, 2, leavesOf(7));
    const { text, signatures } = await openNote(await textAt(url), [VKEY, witness.vkey]);
    expect(text).toContain('\n7\n');
    expect(signatures).toHaveLength(2);
  });

  it('tells whoever watches what it did', async () => {
    const events: DevWitnessEvent[] = [];
    const witness = await known({ log: (event: DevWitnessEvent) => events.push(event) });
    await grow(witness, 0, leavesOf(2));
    await grow(witness, 1, leavesOf(3));
    expect(events).toEqual([
      { kind: 'cosigned', origin: ORIGIN, size: 2 },
      { kind: 'refused', origin: ORIGIN, reason: 'conflict' },
    ]);
  });
});

function hashOf(origin: string): string {
  return createHash('sha256').update(origin).digest('hex');
}

describe('after a restart', () => {
  it('it is the same witness, and knows what it cosigned', async () => {
    const folder = newFolder();
    const first = await known({ folder });
    await grow(first, 0, leavesOf(4));
    await first.close();
    const second = await known({ folder });
    expect(second).toMatchObject({ name: first.name, vkey: first.vkey });
    // A ledger that was set back comes with less than was cosigned.
    const restored = await grow(second, 0, leavesOf(3));
    expect([restored.status, await restored.text()]).toEqual([409, '4\n']);
    const forked = leavesOf(5, 'other');
    const body = bodyOf(4, proofOf(4, forked), await noteOf(forked));
    expect((await send(second, body)).status).toBe(422);
    expect((await grow(second, 4, leavesOf(5))).status).toBe(200);
  });

  it('what it could not remember it has not cosigned', async () => {
    const folder = newFolder();
    const witness = await known({ folder });
    await grow(witness, 0, leavesOf(4));
    const inTheWay = join(folder, `${hashOf(ORIGIN)}.checkpoint.next`);
    mkdirSync(inTheWay);
    expect((await grow(witness, 4, leavesOf(5))).status).toBe(500);
    rmdirSync(inTheWay);
    expect((await grow(witness, 4, leavesOf(6))).status).toBe(200);
  });

  it('its key is readable by its owner alone', async () => {
    const folder = newFolder();
    await known({ folder });
    expect(statSync(join(folder, 'witness-key.pem')).mode & 0o077).toBe(0);
  });

  it.each<[string, (folder: string) => void]>([
    ['a record that it did not sign', (folder) => change(folder, /^— 127.*\n/m, '')],
    ['a record that somebody set back', (folder) => change(folder, '\n4\n', '\n2\n')],
    ['no key', (folder) => unlinkSync(join(folder, 'witness-key.pem'))],
    [
      'the key of somebody else',
      (folder) => {
        const other = vkeyOf('127.0.0.1:1', signer.publicKey, 'cosignature');
        writeFileSync(join(folder, 'vkey'), `${other}\n`);
      },
    ],
  ])('with %s it does not start', async (_what, harm) => {
    const folder = newFolder();
    const witness = await known({ folder });
    await grow(witness, 0, leavesOf(4));
    await witness.close();
    harm(folder);
    expect(await failureOf(known({ folder }))).toMatchObject({ code: 'folder_damaged' });
  });
});

function change(folder: string, what: string | RegExp, by: string): void {
  const file = readdirSync(folder).find((name) => name.endsWith('.checkpoint')) ?? '';
  const path = join(folder, file);
  writeFileSync(path, readFileSync(path, 'utf8').replace(what, by));
}

describe('a start', () => {
  it('refuses production, unless forced', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      expect(await failureOf(known())).toMatchObject({ code: 'development_only' });
      expect(parseWitnessPolicy((await known({ force: true })).policy).development).toBe(true);
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });

  it('refuses a folder that another witness works in', async () => {
    const folder = newFolder();
    await known({ folder });
    expect(await failureOf(known({ folder }))).toMatchObject({ code: 'folder_in_use' });
  });

  it.each([
    ['text', 'not a key'],
    ['the key of a witness', vkeyOf('w', signer.publicKey, 'cosignature')],
  ])('refuses %s as key of a log', async (_what, vkey) => {
    expect(await failureOf(devWitness({ logs: [vkey] }))).toMatchObject({ code: 'key_invalid' });
  });
});

describe('under a fault', () => {
  it.each<[DevWitnessFault, number | 'no answer', number]>([
    ['server-error', 500, 0],
    ['drop-before', 'no answer', 0],
    ['drop-after', 'no answer', 4],
    ['redirect', 'no answer', 0],
    ['ahead', 409, 0],
    ['conflict', 409, 0],
  ])('%s it answers %s, and then knows %i', async (fault, answer, size) => {
    const witness = await known({ fault });
    const status = await grow(witness, 0, leavesOf(4)).then(
      (response) => response.status,
      () => 'no answer',
    );
    expect(status).toBe(answer);
    witness.fault(undefined);
    const asked = await send(witness, bodyOf(9, [], await noteOf(leavesOf(9))));
    expect(await asked.text()).toBe(`${size}\n`);
  });

  it.each<[DevWitnessFault, string]>([
    ['ahead', '5\n'],
    ['conflict', '0\n'],
  ])('%s it says a size that it does not know', async (fault, body) => {
    const witness = await known({ fault });
    expect(await (await grow(witness, 0, leavesOf(4))).text()).toBe(body);
  });

  it.each<DevWitnessFault>(['bad-signature', 'wrong-key'])(
    '%s its line does not fit, and its record does',
    async (fault) => {
      const folder = newFolder();
      const witness = await known({ folder, fault });
      const lines = await (await grow(witness, 0, leavesOf(4))).text();
      const note = await noteOf(leavesOf(4));
      expect(await failureOf(openNote(note + lines, [witness.vkey]))).toMatchObject({
        code: 'note_unverified',
      });
      await witness.close();
      expect(
        await textAt(`${(await known({ folder })).url}/${hashOf(ORIGIN)}/checkpoint`),
      ).toContain('\n4\n');
    },
  );

  it('slow it remembers, and never answers', async () => {
    const witness = await known({ fault: 'slow' });
    const patience = new AbortController();
    const body = bodyOf(0, [], await noteOf(leavesOf(4)));
    const waiting = fetch(`${witness.url}/add-checkpoint`, {
      method: 'POST',
      body,
      signal: patience.signal,
    });
    const shown = `${witness.url}/${hashOf(ORIGIN)}/checkpoint`;
    const deadline = Date.now() + 20_000;
    while ((await fetch(shown)).status === 404 && Date.now() < deadline);
    patience.abort();
    await expect(waiting).rejects.toThrow('aborted');
    expect(await textAt(shown)).toContain('\n4\n');
  });

  it('huge it answers with more than anyone should read', async () => {
    const witness = await known({ fault: 'huge' });
    const text = await (await grow(witness, 0, leavesOf(4))).text();
    expect(text.length).toBeGreaterThan(4 * 1024 * 1024);
  });

  it('each is tried here', () => {
    const source = readFileSync(import.meta.filename, 'utf8');
    expect(WITNESS_FAULTS.filter((fault) => !source.includes(`'${fault}'`))).toEqual([]);
  });
});
