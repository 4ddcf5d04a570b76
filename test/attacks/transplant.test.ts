/**
 * Claim: neither a crumb nor a whole history can be moved from one ledger to another, even where both are
 * signed with the same key.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../src/evidence/bytes.ts';
import { checkpointText } from '../../src/evidence/checkpoint.ts';
import { rangeRoot } from '../../src/evidence/compact-range.ts';
import { verifyEd25519 } from '../../src/evidence/ed25519.ts';
import { vkeyOf } from '../../src/evidence/note.ts';
import type { BundleLine } from '../../src/verify/bundle-lines.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import type { Trust } from '../../src/verify/trust.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { itemsOf, ORIGIN, vkeyOfBuilder, type Builder } from '../verify/build-ledger.ts';
import { logIn, tellStory } from '../verify/story.ts';
import { entriesOf, forge, NEW, replaced } from './forge.ts';
import { expectOnly } from './weakened.ts';

/** A ledger of the same operator, under the same key. */
const OTHER = 'acme.example/payroll';

let builder: Builder;
let otherKey: string;
beforeAll(async () => {
  ({ builder } = await tellStory());
  otherKey = vkeyOf(OTHER, builder.signer.publicKey);
});

async function audit(ledger: Builder, trust: Trust): Promise<VerifyReport> {
  return verifyBundle(await itemsOf(ledger, { vault: false }), trust);
}

it('a crumb that was taken from another ledger is given away by the signature', async () => {
  const { builder: target } = await logIn();
  const [, , , intent, outcome] = entriesOf(builder);
  if (intent === undefined || outcome?.kind !== 'outcome') throw new TypeError('another story');
  const forged = await forge(target, (entries) => [
    ...entries,
    { ...intent, seq: NEW },
    { ...outcome, seq: NEW - 1, body: { ...outcome.body, intent: NEW } },
  ]);
  const trust = { key: vkeyOfBuilder(target), origin: ORIGIN };
  const honest = await audit(builder, trust);
  expectOnly('head signature', await audit(forged, trust), honest);
});

describe('a whole history that is shown as that of another ledger', () => {
  it('has another name than the reader expects', async () => {
    const honest = await audit(builder, {});
    expectOnly('expected origin', await audit(builder, { origin: OTHER }), honest);
  });

  it('has another key, even where the bytes of the key are the same: its name is part of it', async () => {
    // Whoever expects no key is told so, and no more.
    const honest = await audit(builder, {});
    expectOnly('expected key', await audit(builder, { key: otherKey }), honest);
  });

  it('contradicts itself if only the first line of the file was changed', async () => {
    const renamed = (await itemsOf(builder, { vault: false })).map((line): BundleLine =>
      line.t === 'bundle' ? { ...line, origin: OTHER } : line,
    );
    const honest = await audit(builder, {});
    expectOnly('expected origin', await verifyBundle(renamed), honest);
  });

  it('is signed under its own name, if genesis was changed to the other', async () => {
    const forged = await forge(builder, (entries) =>
      replaced(entries, [0, 'genesis'], (body) => ({ ...body, origin: OTHER, key: otherKey })),
    );
    const lines = (await itemsOf(forged, { vault: false })).map((line): BundleLine =>
      line.t === 'bundle' ? { ...line, origin: OTHER } : line,
    );
    const attack = await verifyBundle(lines, { key: otherKey, origin: OTHER });
    const honest = await audit(builder, { key: vkeyOfBuilder(builder), origin: ORIGIN });
    expectOnly('head signature', attack, honest);
  });
});

it('a signature would fit both ledgers if it were over size and root alone', async () => {
  const { signer, tree } = builder;
  const statement = { size: tree.size, root: rangeRoot(tree) };
  const nameless = (origin: string): Uint8Array =>
    utf8(
      checkpointText({ origin, ...statement })
        .split('\n')
        .slice(1)
        .join('\n'),
    );
  const weak = await signer.sign(nameless(ORIGIN));
  expect(await verifyEd25519(signer.publicKey, nameless(OTHER), weak)).toBe(true);

  const named = (origin: string): Uint8Array => utf8(checkpointText({ origin, ...statement }));
  const head = builder.rows.at(-1)?.head ?? new Uint8Array();
  expect(await verifyEd25519(signer.publicKey, named(ORIGIN), head)).toBe(true);
  expect(await verifyEd25519(signer.publicKey, named(OTHER), head)).toBe(false);
});
