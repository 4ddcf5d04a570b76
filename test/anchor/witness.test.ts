import { afterEach, describe, expect, it } from 'vitest';
import { witness } from '../../src/anchor/witness.ts';
import { leafHash, rootHash } from '../../src/evidence/merkle.ts';
import { parseNote } from '../../src/evidence/note.ts';
import { consistencyProof, leavesReader } from '../../src/evidence/proof.ts';
import type { AnchorRequest } from '../../src/ledger/anchor.ts';
import { noteOf, ORIGIN, testWitness, VKEY } from '../evidence/receipt-world.ts';
import { closeServers, serveWitness, type Answer } from './anchor-servers.ts';

afterEach(closeServers);

const coded = (code: string): unknown => expect.objectContaining({ code });
const leaves = Array.from({ length: 40 }, (_, n) => leafHash(Buffer.from(`entry ${n}`)));

async function requestAt(size: number, over: Partial<AnchorRequest> = {}): Promise<AnchorRequest> {
  return {
    note: await noteOf({ size, root: new Uint8Array(rootHash(leaves.slice(0, size))) }),
    origin: ORIGIN,
    vkey: VKEY,
    size,
    published: async () => leaves.length,
    proofFrom: async (oldSize) =>
      consistencyProof({ oldSize, newSize: size }, leavesReader(leaves)),
    ...over,
  };
}

type Served = Awaited<ReturnType<typeof serveWitness>>;

async function three(): Promise<[Served, Served, Served]> {
  const of = (name: string, seed: number): Promise<Served> => serveWitness(name, seed, [VKEY]);
  return [await of('one.example', 31), await of('two.example', 32), await of('two.example/b', 33)];
}

function anchorOf(served: readonly Served[], quorum: number): ReturnType<typeof witness> {
  const witnesses = served.map(({ vkey, url }, n) => ({
    vkey,
    url,
    operator: n === 0 ? 'one' : 'two',
  }));
  return witness({ policy: { quorum, witnesses }, timeoutMs: 2000 });
}

describe('witnesses', () => {
  it('cosign a ledger as it grows, each from what it has seen', async () => {
    const served = await three();
    const anchor = anchorOf(served, 2);
    for (const size of [1, 5, 5, 8, 33, 40]) {
      const request = await requestAt(size);
      const receipt = await anchor.submit(request);
      expect(await anchor.verify(request, receipt)).toMatchObject({
        ok: true,
        size,
        quorum: true,
        cosigners: [{ name: 'one.example' }, { name: 'two.example' }, { name: 'two.example/b' }],
      });
    }
    expect(served[0].seen?.size).toBe(40);
    expect(served[0].asked).toHaveLength(6); // its size is remembered
  });

  it('that have seen more than we knew are caught up with', async () => {
    const served = await three();
    await anchorOf(served, 1).submit(await requestAt(7));
    const fresh = anchorOf(served, 2); // after a restart
    const request = await requestAt(20);
    expect(await fresh.verify(request, await fresh.submit(request))).toMatchObject({ ok: true });
    expect(served[0].asked.slice(1).map(({ body }) => body.toString().split('\n')[0])).toEqual([
      'old 0',
      'old 7',
    ]);
  });

  it('are enough by operators, and one that is down stops nobody', async () => {
    const [one, two, other] = await three();
    two.fault = () => ({ status: 500 });
    const request = await requestAt(5);
    const anchor = anchorOf([one, two, other], 2);
    const verdict = await anchor.verify(request, await anchor.submit(request));
    expect(verdict).toMatchObject({
      ok: true,
      cosigners: [{ name: 'one.example' }, { name: 'two.example/b' }],
    });
    one.fault = () => ({ status: 503 });
    await expect(anchor.submit(request)).rejects.toThrow(coded('anchor_unreachable'));
  });

  it('need no URL to be in a policy, but then others must be enough', async () => {
    const [one] = await three();
    const absent = testWitness('absent.example', 40).vkey;
    const lines = [`witness a ${one.vkey} ${one.url}`, `witness b ${absent}`];
    const enough = [...lines, 'group g 1 a b', 'quorum g', ''].join('\n');
    const request = await requestAt(5);
    const anchor = witness({ policy: enough });
    expect(await anchor.verify(request, await anchor.submit(request))).toMatchObject({ ok: true });
    const all = [...lines, 'group g all a b', 'quorum g', ''].join('\n');
    expect(() => witness({ policy: all })).toThrow(coded('trust_invalid'));
    const none = [...lines, 'quorum none', ''].join('\n');
    expect(() => witness({ policy: none })).toThrow(coded('trust_invalid'));
  });

  it.each<[string, number, { vkey?: string; url?: string }]>([
    ['more asked for than there are', 2, {}],
    ['none asked for', 0, {}],
    ["a log's key", 1, { vkey: VKEY }],
    ['a key that is none', 1, { vkey: 'nothing' }],
  ])('cannot be %s', (_what, quorum, over) => {
    const entry = { vkey: testWitness('w.example', 41).vkey, url: 'https://w.example', ...over };
    expect(() => witness({ policy: { quorum, witnesses: [entry] } })).toThrow(
      coded('trust_invalid'),
    );
  });
});

describe('a witness', () => {
  it('that saw more than there is says that entries are gone', async () => {
    const served = await three();
    await anchorOf(served, 1).submit(await requestAt(20));
    const restored = await requestAt(10, { published: async () => 12 });
    await expect(anchorOf(served, 1).submit(restored)).rejects.toThrow(coded('ledger_forked'));
  });

  it('that saw a later checkpoint of ours does not', async () => {
    const served = await three();
    await anchorOf(served, 1).submit(await requestAt(20));
    const late = await requestAt(10, { published: async () => 20 });
    await expect(anchorOf(served, 2).submit(late)).rejects.toThrow(coded('anchor_refused'));
  });

  it('that saw another history says so, whatever the others saw', async () => {
    const served = await three();
    served[1].seen = { size: 5, root: new Uint8Array(32).fill(1) };
    const request = await requestAt(8);
    await expect(anchorOf(served, 1).submit(request)).rejects.toThrow(coded('ledger_forked'));
  });

  it('that does not know the ledger, or its key, refuses', async () => {
    const stranger = await serveWitness('stranger.example', 42, []);
    const anchor = witness({ policy: { quorum: 1, witnesses: [stranger] } });
    await expect(anchor.submit(await requestAt(5))).rejects.toThrow(coded('anchor_refused'));
    stranger.fault = () => ({ status: 404 });
    await expect(anchor.submit(await requestAt(5))).rejects.toThrow(coded('anchor_refused'));
  });

  it('is sent what the specification says', async () => {
    const [one] = await three();
    one.seen = { size: 5, root: rootHash(leaves.slice(0, 5)) };
    const request = await requestAt(8);
    await witness({ policy: { quorum: 1, witnesses: [one] } }).submit(request);
    const [, second] = one.asked;
    const [head = '', ...rest] = second?.body.toString().split('\n\n') ?? [];
    expect(head).toMatch(/^old 5\n([A-Za-z0-9+/]{43}=\n?)+$/);
    expect(rest.join('\n\n')).toBe(request.note);
  });

  const line = async (seed: number, time?: Date): Promise<string> =>
    testWitness('one.example', seed).line(parseNote((await requestAt(5)).note).text, time);
  it.each<[string, () => Promise<Answer>, string]>([
    ['a size that is none', async () => ({ status: 409, body: 'many\n' }), 'anchor_unreachable'],
    [
      'ever another size',
      async () => ({ status: 409, body: `${(changing = (changing % 4) + 1)}\n` }),
      'anchor_unreachable',
    ],
    ['nothing', async () => ({ status: 200 }), 'anchor_receipt_invalid'],
    ['a page', async () => ({ status: 200, body: '<html>' }), 'anchor_receipt_invalid'],
    [
      "another's line",
      async () => ({ status: 200, body: await line(99) }),
      'anchor_receipt_invalid',
    ],
    [
      'a line that does not fit',
      async () => ({ status: 200, body: (await line(31)).replace(/.{8}\n$/, 'AAAAAAA=\n') }),
      'anchor_receipt_invalid',
    ],
    [
      'bytes that are no text',
      async () => ({ status: 200, body: Uint8Array.of(0xff) }),
      'anchor_receipt_invalid',
    ],
  ])('that answers with %s gives no receipt', async (_what, answer, code) => {
    const [one] = await three();
    one.fault = answer;
    const anchor = witness({ policy: { quorum: 1, witnesses: [one] } });
    await expect(anchor.submit(await requestAt(5))).rejects.toThrow(coded(code));
  });

  it('may send other lines along, which nobody takes', async () => {
    const [one] = await three();
    const other = await line(99);
    one.fault = async (_asked, honest) => {
      const { body = '' } = await honest();
      return { status: 200, body: `${other}${String(body)}— else.example AAAAAAAA\n` };
    };
    const request = await requestAt(5);
    const anchor = witness({ policy: { quorum: 1, witnesses: [one] } });
    const receipt = await anchor.submit(request);
    expect(receipt.text.match(/\n/g)).toHaveLength(1);
    expect(await anchor.verify(request, receipt)).toMatchObject({ ok: true, quorum: true });
  });

  it('alone is no receipt where more are asked for', async () => {
    const served = await three();
    const request = await requestAt(5);
    const receipt = await anchorOf(served.slice(0, 1), 1).submit(request);
    expect(await anchorOf(served, 2).verify(request, receipt)).toEqual({
      ok: false,
      fault: 'witness_unknown',
    });
  });
});

let changing = 0;
