import { existsSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { rekor } from '../../src/anchor/rekor.ts';
import { toBase64url } from '../../src/evidence/bytes.ts';
import { openAnchoredLedger, type AnchoredLedger } from '../../src/gateway/anchored-ledger.ts';
import type { Anchor } from '../../src/ledger/anchor.ts';
import { anchorKey, p256Pair, trustText } from '../evidence/receipt-world.ts';
import { auditRows, KEY, openAt, ORIGIN, rowsAt, temporaryPlace } from '../ledger/fixtures.ts';

async function opened(
  place: { readonly url: string; readonly guard?: string },
  anchors: readonly Anchor[],
): Promise<AnchoredLedger> {
  const options = { ...place, origin: ORIGIN, signingKey: KEY };
  const result = await openAnchoredLedger(options, anchors, false);
  onTestFinished(async () => {
    await result.anchors?.close();
    await result.ledger.close().catch(() => {});
  });
  return result;
}

const log = (key?: typeof anchorKey): ReturnType<typeof rekor> =>
  rekor({
    trust: trustText({}),
    url: 'http://127.0.0.1:9/',
    ...(key !== undefined && { key: key.privateKey }),
  });

it('a new ledger declares its anchor key and what it promises', async () => {
  const { ledger } = await opened(temporaryPlace(), [log(anchorKey)]);
  expect(ledger.genesis).toMatchObject({
    anchorKey: toBase64url(anchorKey.spki),
    policy: {
      checkpoint: { entries: 1024, seconds: 60 },
      anchor: { entries: 5000, seconds: 900, heartbeat: 86_400, maxGap: 3600, require: ['rekor'] },
    },
  });
});

it('a ledger without anchors has no schedule, and promises nothing', async () => {
  const { ledger, anchors } = await opened(temporaryPlace(), []);
  expect(anchors).toBeUndefined();
  expect(ledger.genesis).toMatchObject({ anchorKey: null, policy: { anchor: null } });
});

it('the key is made once, beside the guard, or else beside the ledger', async () => {
  const place = temporaryPlace();
  const first = await opened(place, [log()]);
  expect(existsSync(`${place.guard}.anchor.pem`)).toBe(true);
  await first.anchors?.close();
  await first.ledger.close();
  const again = await opened(place, [log()]);
  expect(again.ledger.genesis.anchorKey).toBe(first.ledger.genesis.anchorKey);

  const bare = temporaryPlace();
  await opened({ url: bare.url }, [log()]);
  expect(existsSync(`${bare.path}.anchor.pem`)).toBe(true);
});

it('a ledger that was made without anchors names the key in an entry', async () => {
  const place = temporaryPlace();
  await (await openAt(place)).close();
  const { ledger } = await opened({ url: place.url }, [log(anchorKey)]);
  const entries = await auditRows(await rowsAt(place), ledger.vkey);
  expect(entries[1]).toMatchObject({ kind: 'key', body: { role: 'anchor', op: 'add' } });
});

it('another key than the ledger names opens nothing', async () => {
  const place = temporaryPlace();
  const first = await opened({ url: place.url }, [log(anchorKey)]);
  await first.anchors?.close();
  await first.ledger.close();
  const options = { url: place.url, origin: ORIGIN, signingKey: KEY };
  const other = openAnchoredLedger(options, [log(p256Pair())], false);
  await expect(other).rejects.toThrow(expect.objectContaining({ code: 'ledger_key_unknown' }));
  await opened({ url: place.url }, [log(anchorKey)]); // it was left closed
});
