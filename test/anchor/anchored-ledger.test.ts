import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { rekor } from '../../src/anchor/rekor.ts';
import { toBase64url } from '../../src/evidence/bytes.ts';
import {
  openAnchoredLedger,
  type AnchoredLedgerOptions,
  type OpenedLedger,
} from '../../src/store/libsql/anchored-ledger.ts';
import { anchorKey, p256Pair, trustText } from '../evidence/receipt-world.ts';
import { fakeAnchor } from '../ledger/anchor-fakes.ts';
import { auditRows, KEY, openAt, ORIGIN, rowsAt, temporaryPlace } from '../ledger/fixtures.ts';

async function opened(
  options: Omit<AnchoredLedgerOptions, 'origin' | 'signingKey'>,
): Promise<OpenedLedger> {
  const result = await openAnchoredLedger({ origin: ORIGIN, signingKey: KEY, ...options });
  onTestFinished(async () => {
    await result.scheduler?.close();
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
  const { ledger } = await opened({ url: temporaryPlace().url, anchors: [log(anchorKey)] });
  expect(ledger.genesis).toMatchObject({
    anchorKey: toBase64url(anchorKey.spki),
    policy: {
      checkpoint: { entries: 1024, seconds: 60 },
      anchor: { entries: 5000, seconds: 900, heartbeat: 86_400, maxGap: 3600, require: ['rekor'] },
    },
  });
});

it('a ledger without anchors has no schedule, and promises nothing', async () => {
  const { ledger, scheduler } = await opened({ url: temporaryPlace().url, anchors: [] });
  expect(scheduler).toBeUndefined();
  expect(ledger.genesis).toMatchObject({ anchorKey: null, policy: { anchor: null } });
});

it('the key is made once, beside the guard, or else beside the ledger', async () => {
  const place = temporaryPlace();
  const guard = join(place.directory, 'guards', 'guard.json');
  const first = await opened({ url: place.url, guard, anchors: [log()] });
  const file = join(dirname(guard), 'crumb-anchor-key.pem');
  expect(existsSync(file)).toBe(true);
  await first.scheduler?.close();
  await first.ledger.close();
  const again = await opened({ url: place.url, guard, anchors: [log()] });
  expect(again.ledger.genesis.anchorKey).toBe(first.ledger.genesis.anchorKey);

  const bare = temporaryPlace();
  await opened({ url: bare.url, anchors: [log()] });
  expect(existsSync(join(bare.directory, 'crumb-anchor-key.pem'))).toBe(true);
});

it('a ledger that was made without anchors names the key in an entry', async () => {
  const place = temporaryPlace();
  await (await openAt(place)).close();
  const { ledger } = await opened({ url: place.url, anchors: [log(anchorKey)] });
  const entries = await auditRows(await rowsAt(place), ledger.vkey);
  expect(entries[1]).toMatchObject({ kind: 'key', body: { role: 'anchor', op: 'add' } });
});

it('another key than the ledger names opens nothing', async () => {
  const place = temporaryPlace();
  const first = await opened({ url: place.url, anchors: [log(anchorKey)] });
  await first.scheduler?.close();
  await first.ledger.close();
  const other = openAnchoredLedger({
    url: place.url,
    origin: ORIGIN,
    signingKey: KEY,
    anchors: [log(p256Pair())],
  });
  await expect(other).rejects.toThrow(expect.objectContaining({ code: 'ledger_key_unknown' }));
  await opened({ url: place.url, anchors: [log(anchorKey)] }); // it was left closed
});

it('problems are told with the name of the anchor', async () => {
  const problems: string[] = [];
  const anchor = fakeAnchor();
  anchor.verdict = () => ({ ok: false, fault: 'log_unknown' });
  const { scheduler } = await opened({
    url: temporaryPlace().url,
    anchors: [anchor],
    onProblem: (problem, name) => problems.push(`${name}: ${problem.code}`),
  });
  await scheduler?.run();
  expect(problems).toEqual(['rekor: anchor_receipt_invalid']);
});
