/** Receipts in bundles: what level they give, to whom, and what is said of the rest. */
import { describe, expect, it } from 'vitest';
import { findEquivocation } from '../../src/verify/equivocation.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import { p256Pair, testWitness } from '../evidence/receipt-world.ts';
import {
  anchor,
  anchoredScene,
  audit,
  callOnce,
  cosignHead,
  publicLog,
  textWithReceipts,
  withReceipts,
  writeBack,
  type AnchoredScene,
} from './anchor-world.ts';
import { add, commit, ISS, noteOf, vkeyOfBuilder } from './build-ledger.ts';
import { logIn } from './story.ts';

describe('an anchored ledger', () => {
  it('is anchored by the time of the log, with nothing failing, from a database and a file', async () => {
    const { builder, receipts, log, issuer } = await anchoredScene();
    const trust = {
      key: vkeyOfBuilder(builder),
      issuerKeys: { [ISS]: issuer.jwks },
      roots: [log.root],
      now: new Date(builder.now),
    };
    const fromItems = await verifyBundle(await withReceipts(builder, receipts), trust);
    const fromLines = await verifyBundle(await textWithReceipts(builder, receipts), trust);
    expect(fromItems).toEqual(fromLines);
    expect(fromItems).toMatchObject({
      sound: true,
      findings: [],
      warnings: [],
      level: 'anchored',
      anchored: { size: 5, at: receipts[0]?.body.at, log: 'rekor.sigstore.dev' },
      witnessed: null,
    });
    // The crumb that says so is itself in no anchor yet.
    expect(fromItems.notEstablished).toContainEqual({ code: 'tail_uncovered', from: 5, size: 6 });
  });

  it('is only signed as soon as something happened that no anchor covers, until one does', async () => {
    const scene = await anchoredScene();
    await callOnce(scene);
    const tail = { code: 'tail_uncovered', from: 5, size: 8 };
    expect(await audit(scene)).toMatchObject({ sound: true, level: 'signed' });
    expect((await audit(scene)).notEstablished).toContainEqual(tail);
    await anchor(scene);
    expect(await audit(scene)).toMatchObject({ sound: true, level: 'anchored' });
  });

  it('is only signed for a reader who trusts no log, and that is no fault of the ledger', async () => {
    const report = await audit(await anchoredScene(), { roots: [] });
    expect(report).toMatchObject({ sound: true, level: 'signed', anchored: null });
    expect(report.notEstablished).toContainEqual({ code: 'receipt_unknown_log', size: 5 });
  });

  it('is only signed by a log for development, unless that is allowed', async () => {
    const scene = await anchoredScene(await publicLog(true));
    const report = await audit(scene);
    expect(report).toMatchObject({ sound: true, level: 'signed', warnings: [] });
    expect(report.notEstablished).toContainEqual({ code: 'receipt_unknown_log', size: 5 });
    expect(await audit(scene, { allowDevelopment: true })).toMatchObject({
      sound: true,
      level: 'anchored',
      warnings: [{ code: 'anchor_development', size: 5 }],
    });
  });

  it('does not count a receipt whose checkpoint is not of this tree', async () => {
    const scene = await anchoredScene();
    const other = await anchoredScene(scene.log);
    scene.builder.checkpoints.splice(0, 1, ...other.builder.checkpoints);
    const report = await audit({ ...scene, receipts: other.receipts });
    expect(report).toMatchObject({ sound: false, level: 'none', anchored: null });
    expect(report.findings).toContainEqual({ code: 'root_mismatch', size: 5 });
  });

  it('refuses a receipt that does not stand behind its checkpoint', async () => {
    const { builder, receipts, log } = await anchoredScene();
    const lines = await withReceipts({ ...builder, checkpoints: [] }, receipts);
    const line = receipts[0]?.line;
    const trust = { key: vkeyOfBuilder(builder), roots: [log.root] };
    const report = await verifyBundle([...lines, ...(line ? [line] : [])], trust);
    expect(report.counts).toMatchObject({ bundle_damaged: 1 });
  });

  it('is refused where the trust root of the reader is none', async () => {
    await expect(audit(await anchoredScene(), { roots: ['{}'] })).rejects.toMatchObject({
      code: 'trust_invalid',
    });
  });
});

describe('an anchor key', () => {
  it('that the ledger declared later logs what comes after, and not what came before', async () => {
    const next = p256Pair();
    const scene = await anchoredScene();
    const key = Buffer.from(next.spki).toString('base64url');
    const body = { role: 'anchor', op: 'add', proof: null, since: null, reason: null } as const;
    add(scene.builder, 'key', { ...body, key });
    await commit(scene.builder);
    await anchor(scene, { key: next });
    expect(await audit(scene)).toMatchObject({ sound: true, level: 'anchored' });
  });
});

describe('witnesses', () => {
  const north = testWitness('north.example/w', 21);
  const south = testWitness('south.example/w', 22);
  const policy = [
    `witness north ${north.vkey}`,
    `witness south ${south.vkey}`,
    'group both 2 north south',
    'quorum both',
    '',
  ].join('\n');

  async function cosigned(...by: readonly (typeof north)[]): Promise<AnchoredScene> {
    const scene = await anchoredScene();
    await callOnce(scene);
    const size = scene.builder.rows.length;
    for (const witness of by) scene.receipts.push(await cosignHead(scene.builder, witness));
    for (const one of scene.receipts.filter(({ line }) => line.size === size)) {
      await writeBack(scene.builder, one);
    }
    return scene;
  }

  it('that are enough make a ledger witnessed, each with a receipt of its own', async () => {
    expect(await audit(await cosigned(north, south), { witnesses: policy })).toMatchObject({
      sound: true,
      level: 'witnessed',
      witnessed: { size: 8, operators: [north.name, south.name] },
    });
  });

  it('that are too few raise nothing', async () => {
    const report = await audit(await cosigned(north), { witnesses: policy });
    expect(report).toMatchObject({ sound: true, level: 'signed', witnessed: null });
    expect(report.notEstablished).toContainEqual({ code: 'tail_uncovered', from: 5, size: 9 });
  });

  it('of a policy for development count only where that is allowed', async () => {
    const scene = await cosigned(north, south);
    const witnesses = `# crumb: development\n${policy}`;
    expect(await audit(scene, { witnesses })).toMatchObject({ level: 'signed', witnessed: null });
    const report = await audit(scene, { witnesses, allowDevelopment: true });
    expect(report).toMatchObject({ level: 'witnessed' });
    expect(report.counts).toMatchObject({ anchor_development: 2 });
  });
});

describe('two signed heads', () => {
  async function head(claim: string): Promise<{ note: string; key: string }> {
    const { builder } = await logIn({ body: { acr: claim } });
    return { note: noteOf(builder), key: vkeyOfBuilder(builder) };
  }

  it('of one size with two roots prove to anyone that the key lied', async () => {
    const [a, b] = [await head('one'), await head('two')];
    const proof = await findEquivocation(a.note, b.note, a.key);
    expect(proof).toMatchObject({ origin: 'acme.example/crumb', size: 3 });
  });

  it('of one history prove nothing, whatever stands below them', async () => {
    const { note, key } = await head('one');
    expect(await findEquivocation(note, note, key)).toBeUndefined();
    const { builder } = await logIn();
    const before = noteOf(builder);
    add(builder, 'erasure', { humans: [], what: ['openings'], basis: 'none', by: null });
    await commit(builder);
    expect(await findEquivocation(before, noteOf(builder), key)).toBeUndefined();
  });

  it('prove nothing if one is signed by another key', async () => {
    const { note, key } = await head('one');
    const forged = note.replace(/^\d+$/m, '4');
    await expect(findEquivocation(note, forged, key)).rejects.toMatchObject({
      code: 'note_unverified',
    });
  });
});
