/**
 * Anchors that work, but in this process: what they answer, and when, is up to the test.
 *
 * @module
 */
import { parseCheckpoint } from '../../src/evidence/checkpoint.ts';
import { parseNote } from '../../src/evidence/note.ts';
import type { ReceiptType } from '../../src/evidence/receipt-claim.ts';
import type { Anchor, AnchorRequest, AnchorVerdict } from '../../src/ledger/anchor.ts';
import type { CrumbError } from '../../src/errors.ts';

export interface FakeAnchor extends Anchor {
  /** Sizes that were submitted. */
  readonly submitted: number[];
  /** Set to fail the next attempts. */
  failure: CrumbError | undefined;
  /** Set to hold attempts up until it resolves. */
  gate: Promise<void> | undefined;
  /** Set to spoil what verification says. */
  verdict: (verdict: AnchorVerdict) => AnchorVerdict;
}

export function fakeAnchor(type: ReceiptType = 'rekor', name: string = type): FakeAnchor {
  const submitted: number[] = [];
  const anchor: FakeAnchor = {
    type,
    name,
    submitted,
    failure: undefined,
    gate: undefined,
    verdict: (verdict) => verdict,
    prepare: async () => undefined,
    async submit(request) {
      submitted.push(request.size);
      await ended(anchor.gate, request);
      if (anchor.failure !== undefined) throw anchor.failure;
      return { type, text: `${name} saw ${request.size}, ${submitted.length}` };
    },
    async verify({ note }) {
      const { size, root } = parseCheckpoint(parseNote(note).text);
      return anchor.verdict({
        ok: true,
        type,
        size,
        root,
        log: `${name}.test`,
        index: type === 'rekor' ? 7 : null,
        at: new Date('2026-11-24T10:00:00.000Z'),
        development: false,
        cosigners: [],
        quorum: type === 'witness',
        trust: 'A'.repeat(43),
      });
    },
  };
  return anchor;
}

/** Waits for a gate, or for the signal. */
async function ended(gate: Promise<void> | undefined, { signal }: AnchorRequest): Promise<void> {
  if (gate === undefined) return;
  const { promise, reject } = Promise.withResolvers<never>();
  signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
  await Promise.race([gate, promise]);
}

/** A clock that stands still until it is moved. */
export function testClock(start = '2026-11-24T10:00:00.000Z'): {
  readonly now: () => Date;
  move(seconds: number): void;
} {
  let time = new Date(start).getTime();
  return {
    now: () => new Date(time),
    move(seconds) {
      time += seconds * 1000;
    },
  };
}
