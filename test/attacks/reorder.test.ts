/**
 * Claim: crumbs cannot be reordered, slipped in or taken out: not without the signing key, and not with it
 * unless everything that follows is written anew.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/evidence/kinds.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { itemsOf, vkeyOfBuilder, type Builder } from '../verify/build-ledger.ts';
import { tellStory } from '../verify/story.ts';
import { forge, NEW } from './forge.ts';
import { expectOnly } from './weakened.ts';

let builder: Builder;
beforeAll(async () => {
  ({ builder } = await tellStory());
});

async function audit(ledger: Builder, full = false): Promise<VerifyReport> {
  const trust = { key: vkeyOfBuilder(builder) };
  return verifyBundle(await itemsOf(ledger, { vault: false }), trust, { full });
}

type Change = (entries: readonly Entry[]) => readonly Entry[];

/** The unauthorized read of record 43 (8) and its outcome (9) never happened. */
const removed: Change = (entries) => entries.filter(({ seq }) => seq !== 8 && seq !== 9);
/** The refused export (10) comes before that read. */
const reordered: Change = (entries) => [
  ...entries.slice(0, 8),
  ...entries.slice(10, 11),
  ...entries.slice(8, 10),
  ...entries.slice(11),
];
/** A second authorized read (3) of record 42, and its outcome (4), that nobody made. */
const inserted: Change = (entries) => {
  const again = entries.slice(3, 5).map((entry, n) => {
    const seq = NEW - n;
    return entry.kind === 'outcome'
      ? { ...entry, seq, body: { ...entry.body, intent: NEW } }
      : { ...entry, seq };
  });
  return [...entries.slice(0, 5), ...again, ...entries.slice(5)];
};

const attacks = [
  ['taken out', removed],
  ['moved', reordered],
  ['slipped in', inserted],
] as const;

describe('by someone without the key, who numbers and chains everything anew', () => {
  it.each(attacks)('a crumb that is %s is given away by the signature', async (_what, change) => {
    const forged = await forge(builder, steady(change));
    for (const full of [false, true]) {
      const attack = await audit(forged, full);
      expectOnly('head signature', attack, await audit(builder, full));
      expect(attack.level).toBe('none');
    }
  });
});

describe('by someone with the key, who leaves the numbers or hashes as they were', () => {
  // The ids that callers keep hold the number: this operator would like them to stay.
  it('a crumb that is taken out leaves a gap in the numbers', async () => {
    const { signer } = builder;
    const forged = await forge(builder, removed, { signer, renumber: false });
    expectOnly('sequence numbers', await audit(forged), await audit(builder));
  });

  it.each(attacks)('a crumb that is %s leaves a broken chain', async (_what, change) => {
    const { signer } = builder;
    const forged = await forge(builder, steady(change), { signer, rechain: false });
    expectOnly('hash of the entry before', await audit(forged), await audit(builder));
  });
});

it('is not given away if all is written anew with the key: what helps then is in others’ hands', async () => {
  const { signer } = builder;
  const forged = await forge(builder, steady(removed), { signer });
  expect(await audit(forged)).toMatchObject({ sound: true, level: 'signed' });

  const [kept] = builder.checkpoints.map(({ note }) => note).toReversed();
  const trust = { key: vkeyOfBuilder(builder), heads: [kept ?? ''] };
  const report = await verifyBundle(await itemsOf(forged), trust);
  expect(report.sound).toBe(false);
});

it('is found also if rows only change places', async () => {
  const rows = [...builder.rows.slice(0, 5), ...builder.rows.slice(5, 7).toReversed()];
  const report = await audit({ ...builder, rows: [...rows, ...builder.rows.slice(7)] });
  expect(report.counts).toMatchObject({ entry_order: 3, chain_broken: 3 });
});

/** The same, with times in order: a clock that seems to go back is a warning. */
function steady(change: Change): Change {
  return (entries) => {
    const times = entries.map(({ time }) => time);
    return change(entries).map((entry, place) => ({
      ...entry,
      time: times[place] ?? times.at(-1) ?? entry.time,
    }));
  };
}
