import { describe, expect, it } from 'vitest';
import { parseNote, signNote } from '../../src/evidence/note.ts';
import type { ReceiptClaim, ReceiptFault } from '../../src/evidence/receipt-claim.ts';
import { verifyReceipt } from '../../src/evidence/receipt.ts';
import { meetsQuorum, parseWitnessPolicy } from '../../src/evidence/witness-policy.ts';
import { ed25519Signer } from '../../src/evidence/ed25519.ts';
import { ledgerOf, noteOf, ORIGIN, policyOf, testWitness, VKEY } from './receipt-world.ts';

const w1 = testWitness('witness.example/w1', 11);
const w2 = testWitness('witness.example/w2', 12);
const w3 = testWitness('other.example/w3', 13);
const note = await noteOf();
const { text } = parseNote(note);

const TWO_OPERATORS = [
  `witness one ${w1.vkey} https://witness.example/w1`,
  `witness two ${w2.vkey}`,
  `witness three ${w3.vkey} https://other.example/`,
  'group example any one two',
  'group both 2 example three',
  'quorum both',
];
const policy = policyOf(TWO_OPERATORS);

function claimOf(receipt: string, over: Partial<ReceiptClaim> = {}): ReceiptClaim {
  return {
    type: 'witness',
    note,
    receipt,
    ledger: ledgerOf(),
    trust: { witnesses: policy },
    ...over,
  };
}

async function faultOf(claim: ReceiptClaim): Promise<ReceiptFault | 'accepted'> {
  const result = await verifyReceipt(claim);
  return result.ok ? 'accepted' : result.fault;
}

describe('cosignatures over a checkpoint', () => {
  it('hold, and say who signed when, and whether that is enough', async () => {
    const early = new Date('2026-11-24T10:00:00Z');
    const late = new Date('2026-11-24T10:00:07Z');
    const receipt = `${await w1.line(text, early)}${await w3.line(text, late)}`;
    expect(await verifyReceipt(claimOf(receipt))).toEqual({
      ok: true,
      type: 'witness',
      size: 5,
      root: new Uint8Array(32).fill(9),
      log: 'witness.example/w1 other.example/w3',
      index: null,
      at: late,
      development: false,
      cosigners: [
        { name: w1.name, vkey: w1.vkey, at: early },
        { name: w3.name, vkey: w3.vkey, at: late },
      ],
      quorum: true,
      trust: policy.digest,
    });
  });

  it.each([
    ['one operator twice', [w1, w2], false],
    ['one witness twice', [w1, w1], false],
    ['one witness', [w3], false],
    ['two operators', [w2, w3], true],
    ['all', [w1, w2, w3], true],
  ])('of %s: enough is %s', async (_what, witnesses, enough) => {
    const lines = await Promise.all(witnesses.map((witness) => witness.line(text)));
    expect(await verifyReceipt(claimOf(lines.join('')))).toMatchObject({
      ok: true,
      quorum: enough,
    });
  });

  it('by witnesses of the operator alone count for nothing, however many', async () => {
    const own = await Promise.all(
      [21, 22, 23].map((seed) => testWitness('acme.example/w', seed).line(text)),
    );
    expect(await faultOf(claimOf(own.join('')))).toBe('witness_unknown');
    const receipt = `${own.join('')}${await w1.line(text)}`;
    expect(await verifyReceipt(claimOf(receipt))).toMatchObject({ ok: true, quorum: false });
  });

  it('count for nothing without a policy, and are never enough for one that asks for none', async () => {
    const receipt = await w1.line(text);
    expect(await faultOf(claimOf(receipt, { trust: {} }))).toBe('witness_unknown');
    const none = policyOf([`witness one ${w1.vkey}`, 'quorum none']);
    expect(await verifyReceipt(claimOf(receipt, { trust: { witnesses: none } }))).toMatchObject({
      ok: true,
      quorum: false,
    });
  });

  it('say that their witnesses are for development', async () => {
    const witnesses = policyOf([`witness one ${w1.vkey}`, 'quorum one'], true);
    const claim = claimOf(await w1.line(text), { trust: { witnesses } });
    expect(await verifyReceipt(claim)).toMatchObject({ ok: true, quorum: true, development: true });
  });

  it('count for no other note', async () => {
    const other = await noteOf({ size: 6 });
    const claim = claimOf(await w1.line(text), { note: other });
    expect(await faultOf(claim)).toBe('cosignature_invalid');
  });

  it('with one that does not fit count for nothing at all', async () => {
    const bad = (await w1.line(text)).replace(/.(?=.{4}\n)/, (c) => (c === 'A' ? 'B' : 'A'));
    expect(await faultOf(claimOf(`${bad}${await w3.line(text)}`))).toBe('cosignature_invalid');
  });

  it('by the key of a witness without its time are none', async () => {
    const signer = ed25519Signer(new Uint8Array(32).fill(11));
    const plain = (await signNote(text, w1.name, signer)).slice(text.length + 1);
    expect(await faultOf(claimOf(plain))).not.toBe('accepted');
  });

  it.each([
    ['nothing', async () => ''],
    ['text', async () => 'witnessed'],
    ['no newline at the end', async () => (await w1.line(text)).trimEnd()],
    ['an empty line', async () => `\n${await w1.line(text)}`],
    ['a whole note', async () => note],
  ])('cannot be %s', async (_what, receipt) => {
    expect(await faultOf(claimOf(await receipt()))).toMatch(/^(malformed|witness_unknown)$/);
  });
});

describe('a policy', () => {
  it('is read as the specification has it', () => {
    const read = parseWitnessPolicy(
      [
        '  # comment, and an empty line',
        '\t',
        `log ${VKEY}  https://log.example/`,
        `witness\tX1 ${w1.vkey}`,
        `witness X2 ${w2.vkey} https://x2.example/`,
        `witness Y1 ${w3.vkey}`,
        'group X-witnesses 2 X1 X2',
        'group Y-witnesses any Y1',
        'group X-and-Y all X-witnesses Y-witnesses',
        'quorum X-and-Y',
        '',
      ].join('\n'),
    );
    expect(read.witnesses).toEqual([
      { name: 'X1', vkey: w1.vkey, url: undefined },
      { name: 'X2', vkey: w2.vkey, url: 'https://x2.example/' },
      { name: 'Y1', vkey: w3.vkey, url: undefined },
    ]);
    const met = (...vkeys: string[]): boolean => meetsQuorum(read.quorum, new Set(vkeys));
    expect(met(w1.vkey, w2.vkey, w3.vkey)).toBe(true);
    expect(met(w1.vkey, w2.vkey)).toBe(false);
    expect(met(w1.vkey, w3.vkey)).toBe(false);
    expect(met()).toBe(false);
    expect(read.development).toBe(false);
  });

  it('may name witnesses with keys that we cannot check: they never count', () => {
    const foreign = `m.example+01020304+${Buffer.concat([Buffer.of(6), Buffer.alloc(1312)]).toString('base64')}`;
    const read = policyOf([
      `witness m ${foreign}`,
      `witness one ${w1.vkey}`,
      'group g 2 m one',
      'quorum g',
    ]);
    expect(read.witnesses).toHaveLength(1);
    expect(meetsQuorum(read.quorum, new Set([w1.vkey, foreign]))).toBe(false);
  });

  it.each([
    ['no quorum', [`witness one ${w1.vkey}`]],
    ['two quorums', [`witness one ${w1.vkey}`, 'quorum one', 'quorum one']],
    ['a quorum of somebody', ['quorum somebody']],
    ['a quorum defined later', ['quorum one', `witness one ${w1.vkey}`]],
    ['a word that is none', ['wittness one', 'quorum none']],
    ['a witness twice', [`witness one ${w1.vkey}`, `witness two ${w1.vkey}`, 'quorum one']],
    ['two of a name', [`witness one ${w1.vkey}`, `witness one ${w2.vkey}`, 'quorum one']],
    [
      'a member in two groups',
      [`witness one ${w1.vkey}`, 'group a any one', 'group b any one', 'quorum a'],
    ],
    ['a member twice', [`witness one ${w1.vkey}`, 'group a 2 one one', 'quorum a']],
    ['more asked for than there are', [`witness one ${w1.vkey}`, 'group a 2 one', 'quorum a']],
    ['nobody asked for', [`witness one ${w1.vkey}`, 'group a 0 one', 'quorum a']],
    ['an empty group', ['group a any', 'quorum a']],
    ['a group of none', ['group a any none', 'quorum a']],
    ['a witness named none', [`witness none ${w1.vkey}`, 'quorum none']],
    ["a log's key for a witness", [`witness one ${VKEY}`, 'quorum one']],
    ["a witness's key for a log", [`log ${w1.vkey}`, 'quorum none']],
    ['a key that is none', ['witness one nothing', 'quorum one']],
    ['a carriage return', [`witness one ${w1.vkey}\r`, 'quorum one']],
  ])('with %s is refused', (_what, lines) => {
    expect(() => policyOf(lines)).toThrow(expect.objectContaining({ code: 'trust_invalid' }));
  });
});

it('the ledger itself is no witness', async () => {
  expect(ORIGIN).toBe('acme.example/crumb');
  expect(await faultOf(claimOf(note.slice(text.length + 1)))).toBe('witness_unknown');
});
