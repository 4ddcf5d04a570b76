/**
 * Claim: an entry has one spelling. Bytes that two readers could take for two things are no entry, even if
 * the operator himself signed them.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../src/evidence/bytes.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { itemsOf, linesOf, vkeyOfBuilder, type Builder } from '../verify/build-ledger.ts';
import { tellStory } from '../verify/story.ts';
import { forge } from './forge.ts';
import { expectOnly } from './weakened.ts';

/** In the story: a read of record 43 that nobody authorized. */
const READ_43 = 8;

let builder: Builder;
beforeAll(async () => {
  ({ builder } = await tellStory());
});

/** The operator spells one entry differently, and makes and signs all that follows from it. */
async function spelled(change: (bytes: Uint8Array) => Uint8Array): Promise<Builder> {
  const { signer } = builder;
  const spell = (bytes: Uint8Array, { seq }: { readonly seq: number }): Uint8Array =>
    seq === READ_43 ? change(bytes) : bytes;
  return forge(builder, (entries) => entries, { signer, spell });
}

async function audit(ledger: Builder): Promise<VerifyReport> {
  return verifyBundle(await itemsOf(ledger, { vault: false }), { key: vkeyOfBuilder(builder) });
}

/** Other text for the same entry. */
const inText =
  (change: (text: string) => string) =>
  (bytes: Uint8Array): Uint8Array => {
    const text = new TextDecoder().decode(bytes);
    const other = change(text);
    expect(other).not.toBe(text);
    return utf8(other);
  };
const twice = inText((text) =>
  text.replace('"verdict":"unauthorized"', '"verdict":"unauthorized","verdict":"authorized"'),
);

it('lets an operator write anew what is spelled as it should be', async () => {
  const same = await spelled((bytes) => bytes);
  expect(same.rows.map(({ leaf }) => leaf)).toEqual(builder.rows.map(({ leaf }) => leaf));
  expect(await audit(same)).toMatchObject({ sound: true, level: 'signed' });
});

it('refuses one entry that says authorized to one reader and unauthorized to another', async () => {
  const forged = await spelled(twice);
  const text = Buffer.from(forged.rows[READ_43]?.bytes ?? []).toString();
  expect(JSON.parse(text)).toMatchObject({ body: { verdict: 'authorized' } }); // the last one counts
  expect(/"verdict":"(\w+)"/.exec(text)?.[1]).toBe('unauthorized'); // the first one does
  expectOnly('strict read', await audit(forged), await audit(builder));
});

describe('an entry that the operator signed refuses', () => {
  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['a member twice', twice],
    ['a space', inText((text) => text.replace('{"body"', '{ "body"'))],
    ['a newline at the end', inText((text) => `${text}\n`)],
    ['a byte order mark', inText((text) => `\uFEFF${text}`)],
    [
      'an escape that is not needed',
      inText((text) => text.replace('"enforce"', '"\\u0065nforce"')),
    ],
    ['another order', inText((text) => `{"v":"crumb/1",${text.slice(1, -14)}}`)],
    ['a number with a fraction', inText((text) => text.replace('"seq":8', '"seq":8.0'))],
    ['a number with an exponent', inText((text) => text.replace('"seq":8', '"seq":8e0'))],
    ['minus zero', inText((text) => text.replace('"directive":0', '"directive":-0'))],
    ['a member more', inText((text) => text.replace('"call":', '"allowed":true,"call":'))],
    ['a prototype', inText((text) => text.replace('{"body":', '{"__proto__":{},"body":'))],
    ['half a surrogate pair', inText((text) => text.replace('call_7Qk', 'call_\\ud800'))],
    [
      'a byte that is no UTF-8',
      (bytes) => bytes.with(Buffer.from(bytes).indexOf('call_7Qk'), 0xff),
    ],
  ])('%s', async (_what, change) => {
    const attack = await audit(await spelled(change));
    expectOnly('strict read', attack, await audit(builder));
    expect(attack.findings).toEqual([{ code: 'entry_malformed', seq: READ_43 }]);
    expect(attack.level).toBe('none');
  });

  it('in a file as well', async () => {
    const lines = await linesOf(await spelled(twice), { vault: false });
    const trust = { key: vkeyOfBuilder(builder) };
    const honest = await verifyBundle(await linesOf(builder, { vault: false }), trust);
    expectOnly('strict read', await verifyBundle(lines, trust), honest);
  });
});
