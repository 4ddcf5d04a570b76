import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { parseCheckpoint } from '../../src/evidence/checkpoint.ts';
import {
  emptyRoot,
  leafHash,
  rootHash,
  verifyConsistency,
  verifyInclusion,
} from '../../src/evidence/merkle.ts';
import { openNote } from '../../src/evidence/note.ts';
import { consistencyProof, leavesReader } from '../../src/evidence/proof.ts';
import type { DevLog } from '../../src/dev/log.ts';
import type { DevLogEvent } from '../../src/dev/transparency/events.ts';
import {
  bytesAt,
  devLog,
  failureOf,
  logMessage,
  newFolder,
  post,
  requestOf,
  signed,
  textAt,
  type LoggedEntry,
} from './log-world.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

/** Whether an answer proves its entry under the log's key, by nothing of what it says itself. */
async function isProved(entry: LoggedEntry, vkey: string): Promise<boolean> {
  const { text } = await openNote(entry.inclusionProof.checkpoint.envelope, [vkey]);
  const { size, root } = parseCheckpoint(text);
  return verifyInclusion({
    leaf: leafHash(bytes(entry.canonicalizedBody)),
    index: Number(entry.logIndex),
    size,
    root,
    proof: entry.inclusionProof.hashes.map(bytes),
  });
}

/** Entries of a bundle. */
function entriesOf(bundle: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bundle.length;) {
    const length = Buffer.from(bundle).readUInt16BE(at);
    entries.push(bundle.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}

describe('an answer', () => {
  it('is what Rekor v2 answers, member by member', async () => {
    const log = await devLog();
    const one = signed('one');
    const response = await post(log.url, requestOf(one));
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe('application/json');
    const [, hex = ''] = log.vkey.split('+');
    const root = Buffer.from(leafHash(bodyOf(one))).toString('base64');
    expect(await response.json()).toEqual({
      logIndex: '0',
      logId: { keyId: expect.stringMatching(/^[\w+/]{43}=$/) },
      kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
      integratedTime: '0',
      inclusionPromise: null,
      inclusionProof: {
        logIndex: '0',
        rootHash: root,
        treeSize: '1',
        hashes: [],
        checkpoint: {
          envelope: expect.stringContaining(`${log.name}\n1\n${root}\n\n— ${log.name} `),
        },
      },
      canonicalizedBody: Buffer.from(bodyOf(one)).toString('base64'),
    });
    const { logId } = await logMessage(log.url, 'two');
    expect(Buffer.from(logId.keyId, 'base64').subarray(0, 4).toString('hex')).toBe(hex);
  });

  it('stores the example of the client guide of Rekor v2 as that does', async () => {
    // https://github.com/sigstore/rekor-tiles/blob/main/CLIENTS.md, "Rekor v2, the bash way"
    const digest = 'dyj4ednYHjN4/zsjjBeeLahS9slp97Z67LTAVxjrjXw=';
    const content =
      'MEQCIB+YPa9o3SN0sQ4uduGf+mZxwFfOhFZ0Cgy+p7Vt1o2SAiAPFDHqOAJLYmvtCWOsDyNY1H4V3zm4NEDYs3NyvHh1Pg==';
    const rawBytes =
      'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2slOf8eZcj2moW2t4UFj7vCL6QpDzkDqqSUmm4OJCVvIauKLxm0aGs3VMPPfauMPaMutn0/s3jg0rroFxoicyg==';
    const log = await devLog();
    const response = await post(
      log.url,
      // Snake case, as the guide has it.
      `{ "hashedRekordRequestV002":{ "digest":"${digest}", "signature":{ "content": "${content}", "verifier": { "key_details": "PKIX_ECDSA_P256_SHA_256", "public_key": { "raw_bytes": "${rawBytes}" } } } } }`,
    );
    expect(response.status).toBe(201);
    const { canonicalizedBody } = (await response.json()) as LoggedEntry;
    expect(Buffer.from(canonicalizedBody, 'base64').toString()).toBe(
      `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"${digest}"},"signature":{"content":"${content}","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"${rawBytes}"}}}}}}`,
    );
  });

  it('takes the longer half of all signatures too', async () => {
    const log = await devLog();
    // About every second one has an S in the upper half.
    for (let n = 0; n < 12; n++) expect(await logMessage(log.url, `message ${n}`)).toBeDefined();
    expect(log.size).toBe(12);
  });
});

function bodyOf({ digest, signature, spki }: ReturnType<typeof signed>): Uint8Array {
  const b64 = (part: Buffer): string => part.toString('base64');
  return Buffer.from(
    `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"${b64(digest)}"},"signature":{"content":"${b64(signature)}","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"${b64(spki)}"}}}}}}`,
  );
}

describe('a request', () => {
  let log: DevLog | undefined;
  const one = signed('one');
  const with_ = (change: (request: Record<string, unknown>) => void): object => {
    const copy = structuredClone(requestOf(one)) as { hashedRekordRequestV002: never };
    change(copy.hashedRekordRequestV002);
    return copy;
  };
  const setIn = (path: readonly string[], value: unknown): object =>
    with_((record) => {
      const last = path.at(-1) ?? '';
      const at = path.slice(0, -1).reduce((o, name) => o[name] as Record<string, unknown>, record);
      at[last] = value;
    });
  const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });

  it.each<[string, unknown]>([
    ['no JSON', '{'],
    ['another kind of entry', { dsseRequestV002: {} }],
    ['nothing', {}],
    ['a list', [requestOf(one)]],
    ['a member that nobody knows', { ...requestOf(one), extra: 1 }],
    ['an inner member that nobody knows', setIn(['extra'], 1)],
    ['no digest', setIn(['digest'], null)],
    ['a digest of another length', setIn(['digest'], Buffer.alloc(31).toString('base64'))],
    ['a digest in another alphabet', setIn(['digest'], one.digest.toString('base64url'))],
    ['no signature', setIn(['signature', 'content'], '')],
    ['a signature of another digest', requestOf({ ...one, digest: signed('two').digest })],
    ['a signature that is not DER', setIn(['signature', 'content'], 'AAAA')],
    ['a certificate', setIn(['signature', 'verifier', 'x509Certificate'], { rawBytes: 'AAAA' })],
    ['another algorithm', setIn(['signature', 'verifier', 'keyDetails'], 'PKIX_ED25519_PH')],
    [
      'a key of another kind',
      setIn(['signature', 'verifier', 'publicKey', 'rawBytes'], ed25519.toString('base64')),
    ],
    [
      'a key on another curve',
      requestOf({
        ...one,
        signature: sign('sha256', Buffer.from('one'), p384.privateKey),
        spki: p384.publicKey.export({ type: 'spki', format: 'der' }),
      }),
    ],
    [
      'a key off its curve',
      requestOf({
        ...one,
        spki: Buffer.from(one.spki.map((byte, n) => (n === 60 ? byte ^ 1 : byte))),
      }),
    ],
  ])('with %s is refused and leaves nothing', async (_what, body) => {
    log ??= await devLog();
    const response = await post(log.url, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 3, details: [] });
    expect(log.size).toBe(0);
  });

  it('that is too large is not read to its end', async () => {
    const log = await devLog();
    // Who still writes when the answer comes may not get to read it.
    const status = await post(log.url, 'x'.repeat(1024 * 1024)).then(
      (answer) => answer.status,
      () => 'cut off',
    );
    expect([413, 'cut off']).toContain(status);
  });

  it('under another name of this machine is not served', async () => {
    const log = await devLog();
    const { port } = new URL(log.url);
    const status = await new Promise((resolve, reject) => {
      request(
        { host: '127.0.0.1', port, path: '/checkpoint', headers: { host: `evil.example:${port}` } },
        (res) => resolve(res.resume().statusCode),
      )
        .on('error', reject)
        .end();
    });
    expect(status).toBe(421);
  });

  it('for what is not there gets 404', async () => {
    const log = await devLog();
    for (const path of ['/tile/0/000', '/api/v1/log/entries', '/lock', '/../log-key.pem']) {
      expect((await fetch(log.url + path)).status).toBe(404);
    }
    expect((await fetch(`${log.url}/checkpoint`, { method: 'DELETE' })).status).toBe(404);
  });
});

describe('the tree', () => {
  let two: DevLog | undefined;

  it('starts signed and empty', async () => {
    const log = await devLog();
    const { text } = await openNote(await textAt(`${log.url}/checkpoint`), [log.vkey]);
    expect(parseCheckpoint(text)).toEqual({ origin: log.name, size: 0, root: emptyRoot() });
  });

  it('grows by appending only, and proves each entry', async () => {
    const log = await devLog();
    const roots: Uint8Array[] = [];
    const leaves: Uint8Array[] = [];
    for (let n = 0; n < 9; n++) {
      const entry = await logMessage(log.url, `growth ${n}`);
      expect(entry.logIndex).toBe(String(n));
      expect(await isProved(entry, log.vkey)).toBe(true);
      leaves.push(leafHash(bytes(entry.canonicalizedBody)));
      roots.push(bytes(entry.inclusionProof.rootHash));
      expect(roots[n]).toEqual(rootHash(leaves));
    }
    const [newRoot = emptyRoot()] = roots.slice(-1);
    for (const [n, oldRoot] of roots.entries()) {
      const sizes = { oldSize: n + 1, newSize: 9 };
      const proof = consistencyProof(sizes, leavesReader(leaves));
      expect(verifyConsistency({ ...sizes, oldRoot, newRoot, proof })).toBe(true);
    }
  });

  it('is served in tiles that hash to its root, and entries that hash to its leaves', async () => {
    const log = await devLog();
    const count = 260; // more than one tile
    const messages = Array.from({ length: count }, (_, n) => `tile ${n}`);
    const entries = await Promise.all(messages.map(async (text) => logMessage(log.url, text)));
    expect(log.size).toBe(count);
    const { text } = await openNote(await textAt(`${log.url}/checkpoint`), [log.vkey]);
    const { root } = parseCheckpoint(text);

    const full = await bytesAt(`${log.url}/tile/0/000`);
    const partial = await bytesAt(`${log.url}/tile/0/001.p/4`);
    const leaves = Array.from({ length: count }, (_, n) =>
      Buffer.concat([full, partial]).subarray(32 * n, 32 * n + 32),
    ).map((hash) => new Uint8Array(hash));
    expect(full).toHaveLength(8192);
    expect(rootHash(leaves)).toEqual(root);
    expect(await bytesAt(`${log.url}/tile/1/000.p/1`)).toEqual(rootHash(leaves.slice(0, 256)));

    const bundles = [
      ...entriesOf(await bytesAt(`${log.url}/tile/entries/000`)),
      ...entriesOf(await bytesAt(`${log.url}/tile/entries/001.p/4`)),
    ];
    expect(bundles.map((entry) => leafHash(entry))).toEqual(leaves);
    for (const entry of entries) {
      expect(
        Buffer.compare(
          bundles[Number(entry.logIndex)] ?? Buffer.of(),
          bytes(entry.canonicalizedBody),
        ),
      ).toBe(0);
    }
    // Rekor v2 has them under its own prefix too.
    expect(await bytesAt(`${log.url}/api/v2/tile/0/000`)).toEqual(full);
    expect(await textAt(`${log.url}/api/v2/checkpoint`)).toBe(log.checkpoint);
  });

  it.each([
    '/tile/0/000.p/3', // more than there are
    '/tile/0/000', // not full
    '/tile/0/001.p/1',
    '/tile/1/000.p/1', // no tile below is full
    '/tile/00/000.p/1',
    '/tile/64/000.p/1',
    '/tile/0/x000/000.p/1',
    '/tile/0/0.p/1',
    '/tile/0/000.p/0',
    '/tile/0/000.p/256',
    '/tile/0/000.p/01',
    '/tile/entries/000.p/3',
    '/tile/entries/000/',
  ])('of two entries has nothing at %s', async (path) => {
    if (two === undefined) {
      two = await devLog();
      await logMessage(two.url, 'one');
      await logMessage(two.url, 'two');
    }
    expect((await fetch(two.url + path)).status).toBe(404);
  });

  it('may keep tiles for ever, and its head not at all', async () => {
    const log = await devLog();
    await logMessage(log.url, 'one');
    const tile = await fetch(`${log.url}/tile/0/000.p/1`);
    expect(tile.headers.get('content-type')).toBe('application/octet-stream');
    expect(tile.headers.get('cache-control')).toContain('immutable');
    const head = await fetch(`${log.url}/checkpoint`);
    expect(head.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(head.headers.get('cache-control')).toBe('no-cache');
  });
});

describe('many at once', () => {
  it('get a place each, all of them proved under heads of one history', async () => {
    const events: DevLogEvent[] = [];
    const log = await devLog({ log: (event) => events.push(event) });
    const messages = Array.from({ length: 60 }, (_, n) => `at once ${n}`);
    const entries = await Promise.all(messages.map(async (text) => logMessage(log.url, text)));
    const places = entries.map(({ logIndex }) => Number(logIndex)).toSorted((a, b) => a - b);
    expect(places).toEqual(messages.map((_, n) => n));
    for (const entry of entries) expect(await isProved(entry, log.vkey)).toBe(true);
    const sizes = events.flatMap((event) => (event.kind === 'logged' ? [event.size] : []));
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    // What waits while a write is under way is written together.
    expect(new Set(sizes).size).toBeLessThan(60);
  });

  it('of the same get one place, and the others its number', async () => {
    const log = await devLog();
    const body = requestOf(signed('the same'));
    const answers = await Promise.all(Array.from({ length: 8 }, async () => post(log.url, body)));
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
    for (const answer of answers.filter(({ status }) => status === 409)) {
      expect(answer.headers.get('x-log-index')).toBe('0');
      expect(await answer.json()).toMatchObject({ code: 6 });
    }
    expect(log.size).toBe(1);
    const late = await post(log.url, body);
    expect([late.status, late.headers.get('x-log-index')]).toEqual([409, '0']);
  });

  it('are told to come again when too many wait', async () => {
    const log = await devLog({ maxWaiting: 2 });
    const messages = Array.from({ length: 40 }, (_, n) => signed(`too many ${n}`));
    const answers = await Promise.all(messages.map(async (one) => post(log.url, requestOf(one))));
    const count = (wanted: number): number =>
      answers.filter(({ status }) => status === wanted).length;
    expect(count(201) + count(503)).toBe(40);
    expect(count(503)).toBeGreaterThan(0);
    expect(log.size).toBe(count(201));
  });
});

describe('a start', () => {
  it('refuses production, unless forced', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      expect(await failureOf(devLog())).toMatchObject({ code: 'development_only' });
      const log = await devLog({ force: true });
      expect(JSON.parse(log.trustRoot)).toMatchObject({ development: true });
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });

  it('refuses an address that others reach', async () => {
    const host = '0.0.0.0' as '127.0.0.1'; // as from JavaScript
    await expect(devLog({ host })).rejects.toThrow(TypeError);
  });

  it('refuses a folder that another log works in, and takes it afterwards', async () => {
    const folder = newFolder();
    const log = await devLog({ folder });
    expect(await failureOf(devLog({ folder }))).toMatchObject({ code: 'folder_in_use' });
    await log.close();
    expect((await devLog({ folder })).size).toBe(0);
  });

  it('refuses a name that no log may have', async () => {
    expect(await failureOf(devLog({ name: 'two words' }))).toMatchObject({ code: 'key_invalid' });
  });

  it('gives a key that ordinary tools verify with', async () => {
    const log = await devLog({ name: 'log.example/dev' });
    const { tlogs } = JSON.parse(log.trustRoot) as {
      tlogs: [{ baseUrl: string; publicKey: { rawBytes: string } }];
    };
    const [{ baseUrl, publicKey }] = tlogs;
    expect(baseUrl).toBe('http://log.example/dev');
    const key = createPublicKey({
      key: Buffer.from(publicKey.rawBytes, 'base64'),
      format: 'der',
      type: 'spki',
    });
    const [text = '', line = ''] = log.checkpoint.split('\n\n');
    const signature = Buffer.from(line.trim().split(' ').at(-1) ?? '', 'base64').subarray(4);
    expect(verify(null, Buffer.from(`${text}\n`), key, signature)).toBe(true);
  });
});
