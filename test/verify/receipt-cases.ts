/** Corruptions of receipts, and of what the ledger says of them. */
import { toBase64url } from '../../src/evidence/bytes.ts';
import { p256Pair } from '../evidence/receipt-world.ts';
import {
  anchor,
  anchoredScene,
  audit,
  callOnce,
  logHead,
  publicLog,
  writeBack,
  type AnchoredScene,
} from './anchor-world.ts';
import { add, commit } from './build-ledger.ts';
import { finds } from './finding-cases.ts';

type Make = (scene: AnchoredScene) => Promise<void> | void;

function audited(change: Make) {
  return async (): ReturnType<typeof audit> => {
    const scene = await anchoredScene();
    await change(scene);
    return audit(scene);
  };
}

const HOUR = 3600_000;

finds(
  'the receipt of another checkpoint',
  { code: 'receipt_invalid', size: 5 },
  audited(async (scene) => {
    await callOnce(scene);
    await anchor(scene);
    const [first, second] = scene.receipts;
    if (first === undefined || second === undefined) throw new TypeError('no receipts');
    scene.receipts[0] = { ...first, line: { ...second.line, size: first.line.size } };
  }),
);
finds(
  'an anchor entry that says another time than its receipt',
  { code: 'receipt_invalid', size: 6 },
  audited(async ({ builder, log, receipts }) => {
    const receipt = await logHead(builder, log);
    receipts.push(receipt);
    const at = new Date(builder.now - 10_000).toISOString();
    add(builder, 'anchor', { ...receipt.body, at });
    await commit(builder);
  }),
);
finds(
  'an anchor entry of another note than its receipt',
  { code: 'receipt_invalid', size: 6 },
  audited(async ({ builder, log, receipts }) => {
    const receipt = await logHead(builder, log);
    receipts.push(receipt);
    const note = toBase64url(new Uint8Array(32).fill(7));
    await writeBack(builder, { ...receipt, body: { ...receipt.body, note } });
  }),
);
finds(
  'a receipt under a key that genesis does not name',
  { code: 'receipt_key_mismatch', size: 6 },
  audited(async (scene) => void (await anchor(scene, { key: p256Pair() }))),
);
finds(
  'a receipt under an anchor key that was retired before',
  { code: 'receipt_key_mismatch', size: 7 },
  audited(async (scene) => {
    add(scene.builder, 'key', anchorKeyBody(scene, 'retire', null));
    await commit(scene.builder);
    await anchor(scene);
  }),
);
finds(
  'a receipt from after the anchor key was stolen',
  { code: 'key_compromised_window', from: 0, size: 5 },
  audited(async (scene) => {
    const since = new Date(scene.builder.now - 10_000).toISOString();
    add(scene.builder, 'key', anchorKeyBody(scene, 'revoke', since));
    await commit(scene.builder);
  }),
);
finds(
  'a receipt of a log that nobody said to trust',
  { code: 'receipt_unknown_log', size: 5 },
  async () => audit(await anchoredScene(), { roots: [] }),
);
finds(
  'crumbs that were anchored too late',
  { code: 'anchor_gap', from: 6, size: 8 },
  audited(async (scene) => {
    await callOnce(scene);
    scene.builder.now += HOUR / 2;
    await anchor(scene);
  }),
);
finds('crumbs that were never anchored', { code: 'anchor_gap', from: 6, size: 8 }, async () => {
  const scene = await anchoredScene();
  await callOnce(scene);
  return audit(scene, { now: new Date(scene.builder.now + HOUR) });
});
finds(
  'silence for longer than genesis promises',
  { code: 'anchor_gap', from: 5, size: 6 },
  audited(async (scene) => {
    scene.builder.now += 2 * HOUR;
    await anchor(scene);
  }),
);
finds(
  'crumbs that claim to be newer than the anchor that has them',
  { code: 'time_outside_bracket', seq: 7 },
  audited(async (scene) => {
    await callOnce(scene);
    await anchor(scene, { at: scene.builder.now - 5 * 60_000 });
  }),
);
finds(
  'crumbs that claim to be older than the anchor before them',
  { code: 'time_outside_bracket', seq: 6 },
  audited(async (scene) => {
    scene.builder.now -= 5 * 60_000;
    await callOnce(scene);
  }),
);
finds('the receipt of a development log', { code: 'anchor_development', size: 5 }, async () =>
  audit(await anchoredScene(await publicLog(true)), { allowDevelopment: true }),
);

function anchorKeyBody(
  { builder }: AnchoredScene,
  op: 'retire' | 'revoke',
  since: string | null,
): Parameters<typeof add<'key'>>[2] {
  const genesis = JSON.parse(Buffer.from(builder.rows[0]?.bytes ?? []).toString()) as {
    body: { anchorKey: string };
  };
  const { anchorKey } = genesis.body;
  return { role: 'anchor', op, key: anchorKey, proof: null, since, reason: null };
}
