/** Anchors for ledgers that are made by hand: a Rekor v1 whose clock is the ledger's, and witnesses. */
import { toBase64url } from '../../src/evidence/bytes.ts';
import type { AnchorBody, GenesisBody } from '../../src/evidence/kinds.ts';
import { encodeRekorReceipt } from '../../src/evidence/rekor-receipt.ts';
import type { BundleLine, ReceiptLine } from '../../src/verify/bundle-lines.ts';
import type { VerifyReport } from '../../src/verify/report.ts';
import type { Trust, VerifyOptions } from '../../src/verify/trust.ts';
import { verifyBundle } from '../../src/verify/verify-bundle.ts';
import {
  anchorKey,
  mockLog,
  p256Pair,
  receiptOf,
  sha256,
  submissionOf,
  trustText,
  type KeyPair,
  type TestWitness,
} from '../evidence/receipt-world.ts';
import {
  add,
  checkpoint,
  commit,
  ISS,
  itemsOf,
  linesOf,
  sealLines,
  vkeyOfBuilder,
  type Builder,
} from './build-ledger.ts';
import { attempt, logIn, NOT_42, outcome, type Scene } from './story.ts';

/** What genesis promises here: an anchor within ten minutes, and one an hour at least. */
export const POLICY: NonNullable<GenesisBody['policy']['anchor']> = {
  entries: 5000,
  seconds: 300,
  heartbeat: 3600,
  maxGap: 600,
  require: [],
};

export const ANCHORED: Partial<GenesisBody> = {
  anchorKey: toBase64url(anchorKey.spki),
  policy: { checkpoint: { entries: 1024, seconds: 60 }, anchor: POLICY },
};

/** A public log. */
export interface PublicLog {
  readonly key: KeyPair;
  /** Text of the trust root that names it. */
  readonly root: string;
  readonly development: boolean;
}

export async function publicLog(development = false): Promise<PublicLog> {
  const key = p256Pair();
  const { trusted } = await mockLog({}, key);
  const root = trustText({ logs: [trusted], ...(development ? { development } : {}) });
  return { key, root, development };
}

/** A receipt, and what an `anchor` entry would say of it. */
export interface Receipt {
  readonly line: ReceiptLine;
  readonly body: AnchorBody;
}

/** Publishes the last head and logs it, at the ledger's time or another one. */
export async function logHead(
  builder: Builder,
  log: PublicLog,
  { at = builder.now, key = anchorKey }: { at?: number; key?: KeyPair } = {},
): Promise<Receipt> {
  if (builder.checkpoints.at(-1)?.size !== builder.rows.length) checkpoint(builder);
  const note = builder.checkpoints.at(-1)?.note ?? '';
  const submission = submissionOf(note, key);
  const clock = new Date(Math.ceil(at / 1000) * 1000);
  const entry = await (await mockLog({ clock }, log.key)).add(submission);
  const raw = encodeRekorReceipt(receiptOf(submission, entry));
  return receiptFor(note, { size: builder.rows.length, type: 'rekor', raw }, entry.index, clock);
}

/** Lets a witness sign the last head. */
export async function cosignHead(builder: Builder, witness: TestWitness): Promise<Receipt> {
  if (builder.checkpoints.at(-1)?.size !== builder.rows.length) checkpoint(builder);
  const note = builder.checkpoints.at(-1)?.note ?? '';
  const clock = new Date(Math.ceil(builder.now / 1000) * 1000);
  const raw = await witness.line(note.slice(0, note.indexOf('\n\n') + 1), clock);
  return receiptFor(note, { size: builder.rows.length, type: 'witness', raw }, null, clock);
}

export function receiptFor(
  note: string,
  line: Omit<ReceiptLine, 't'>,
  index: number | null,
  at: Date,
): Receipt {
  const { type, size, raw } = line;
  return {
    line: { t: 'receipt', ...line },
    body: {
      type,
      size,
      note: toBase64url(sha256(note)),
      receipt: toBase64url(sha256(raw)),
      log: 'rekor.sigstore.dev',
      index,
      at: at.toISOString(),
      trust: null,
    },
  };
}

/** Writes back what came of an anchor. */
export async function writeBack(builder: Builder, { body }: Receipt): Promise<void> {
  builder.now = Math.max(builder.now, Date.parse(body.at ?? ''));
  add(builder, 'anchor', body);
  await commit(builder);
}

/** Adds a call that nobody authorized, and its outcome: two crumbs. */
export async function callOnce(scene: Scene): Promise<void> {
  const body = await attempt(scene, { ...NOT_42, args: { id: 43 } });
  await outcome(scene.builder, add(scene.builder, 'intent', body));
}

export interface AnchoredScene extends Scene {
  readonly log: PublicLog;
  readonly receipts: Receipt[];
}

/** A login and a call (0 to 4), logged at size 5, and that written back (5). */
export async function anchoredScene(log?: PublicLog): Promise<AnchoredScene> {
  const scene = await logIn({ genesis: ANCHORED });
  await outcome(scene.builder, add(scene.builder, 'intent', await attempt(scene)));
  const anchored: AnchoredScene = { ...scene, log: log ?? (await publicLog()), receipts: [] };
  await anchor(anchored);
  return anchored;
}

/** Logs the last head and writes that back. */
export async function anchor(
  { builder, log, receipts }: AnchoredScene,
  how: Parameters<typeof logHead>[2] = {},
): Promise<Receipt> {
  const receipt = await logHead(builder, log, how);
  receipts.push(receipt);
  await writeBack(builder, receipt);
  return receipt;
}

/** The lines of a ledger with receipts behind their checkpoints. */
export async function withReceipts(
  builder: Builder,
  receipts: readonly Receipt[],
): Promise<BundleLine[]> {
  const noteSize = (note: string): number => Number(note.split('\n')[1]);
  return (await itemsOf(builder)).flatMap((item): BundleLine[] =>
    item.t === 'checkpoint'
      ? [
          item,
          ...receipts.map(({ line }) => line).filter((one) => one.size === noteSize(item.note)),
        ]
      : [item],
  );
}

/** The same as text. */
export async function textWithReceipts(
  builder: Builder,
  receipts: readonly Receipt[],
): Promise<string[]> {
  const lines = (await linesOf(builder)).flatMap((line) => {
    if (!line.endsWith('"t":"checkpoint"}')) return [line];
    const { note } = JSON.parse(line) as { note: string };
    const size = Number(note.split('\n')[1]);
    const behind = receipts.map((one) => one.line).filter((one) => one.size === size);
    return [
      line,
      ...behind.map(
        ({ raw, type }) =>
          `{"raw":${JSON.stringify(raw)},"size":${size},"t":"receipt","type":"${type}"}`,
      ),
    ];
  });
  return sealLines(lines);
}

/** What a reader who trusts the log finds, a minute after the last crumb. */
export async function audit(
  { builder, receipts, log, issuer }: AnchoredScene,
  trust: Trust = {},
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const whole: Trust = {
    key: vkeyOfBuilder(builder),
    issuerKeys: { [ISS]: issuer.jwks },
    roots: [log.root],
    now: new Date(builder.now + 60_000),
    ...trust,
  };
  return verifyBundle(await withReceipts(builder, receipts), whole, options);
}
